"""Files that ship inside the package: the fonts of all documents and the templates sellers copy and edit.

`templates/` at the top of the repository is a link to the folder here, so there is one copy of each.
"""

from __future__ import annotations

from pathlib import Path

FONTS = Path(__file__).parent / "fonts"
TEMPLATES = Path(__file__).parent / "templates"
EXAMPLES = Path(__file__).parent
DEMO = Path(__file__).parent / "demo"
