"""Files that ship inside the package: the fonts of all documents, and the templates and column maps sellers copy and edit.

`templates/` and `column-maps/` at the top of the repository are links to the folders here, so there is one copy of each.
"""

from __future__ import annotations

from pathlib import Path

FONTS = Path(__file__).parent / "fonts"
TEMPLATES = Path(__file__).parent / "templates"
COLUMN_MAPS = Path(__file__).parent / "column-maps"
EXAMPLES = Path(__file__).parent
DEMO = Path(__file__).parent / "demo"
DIVISIONS = Path(__file__).parent / "divisions"
