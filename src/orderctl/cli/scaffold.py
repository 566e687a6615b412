"""Files to begin with."""

from __future__ import annotations

from pathlib import Path

from orderctl.assets import COLUMN_MAPS, EXAMPLES, TEMPLATES
from orderctl.cli.session import Session
from orderctl.model.errors import CannotCreate
from orderctl.model.text import Text


def scaffold(session: Session, folder: Path) -> None:
    """Write the example configuration and rules and copies of the templates and column maps, each only where there is none yet."""
    wanted = {
        "orderctl.yaml": EXAMPLES / "orderctl.example.yaml",
        "rules.yaml": EXAMPLES / "rules.example.yaml",
        **{f"templates/{p.name}": p for p in sorted(TEMPLATES.iterdir()) if p.suffix == ".typ"},
        **{f"column-maps/{p.name}": p for p in sorted(COLUMN_MAPS.glob("*.yaml"))},
    }
    written = [name for name, source in wanted.items() if place(folder / name, source.read_text("utf-8"))]
    kept = len(wanted) - len(written)
    session.console.summary(
        Text("{written} files written to {folder}, {kept} were there already", written=len(written), folder=folder, kept=kept),
        written=written, kept=kept,
    )  # fmt: skip


def place(path: Path, text: str, encoding: str = "utf-8") -> bool:
    """Write a new file; False if one is there. Raises: CannotCreate."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding=encoding) as sink:
            sink.write(text)
    except FileExistsError:
        return False
    except OSError as error:
        raise CannotCreate(Text("cannot create {path}: {why}", path=path, why=error.strerror)) from error
    return True
