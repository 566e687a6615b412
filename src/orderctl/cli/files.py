"""Fetching from export files of back offices: those named on the command line, and those of file-fed shops."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from orderctl.assets import COLUMN_MAPS
from orderctl.cli.recipients import look
from orderctl.cli.session import Session
from orderctl.model.errors import DataError, UsageError
from orderctl.model.schema import empty
from orderctl.model.text import Text
from orderctl.ports.batches import Rejects
from orderctl.ports.ledger import Ledger
from orderctl.ports.tables.layout import Layout


def fetch_files(
    session: Session,
    ledger: Ledger,
    files: Sequence[Path],
    shops: Sequence[str],
    column_map: Path | None,
    rejects: Rejects,
) -> pl.DataFrame:
    """Read the files given, or those of the named shops (all file-fed ones by default), as raw records.

    Raises: InputMissing, DataError, ConfigError; UsageError if it cannot be told whose a file is.
    """
    found = [
        _read(session, paths, shop, column_map, rejects)
        for shop, paths in _groups(session, files, shops)
        if paths
    ]
    raw = pl.concat(found) if found else empty("raw/1")
    if raw.height:
        ledger.save_versions(raw)
        for platform, shop in raw.select("platform", "shop").unique().sort("platform", "shop").iter_rows():
            look(ledger, f"{platform}:{shop}")
    return raw


def _groups(
    session: Session, files: Sequence[Path], shops: Sequence[str]
) -> list[tuple[str | None, list[Path]]]:
    if files:
        if len(shops) > 1:
            raise UsageError(Text("give one --shop for the files, or none and let their headings tell"))
        return [(shops[0] if shops else None, list(files))]
    asked = set(shops) - {"all"}
    return [
        (name, sorted(path for pattern in shop.files for path in session.base.glob(pattern)))
        for name, shop in session.config.shops.items()
        if shop.files and (not asked or name in asked)
    ]


def _read(
    session: Session, paths: list[Path], shop: str | None, column_map: Path | None, rejects: Rejects
) -> pl.DataFrame:
    from orderctl.ports.tables.exports import read_export

    done = read_export(
        paths,
        layouts=_layouts(session, column_map),
        shop_of=lambda platform, label: _shop_of(session, shop, platform, label),
        now=session.now,
    )
    for note in done.notes:
        session.console.say("info", "file.read", note)
    for row in done.rejects:
        line = row["line"]
        rejects.add(
            source=str(row["source"]),
            line=line if isinstance(line, int) else None,
            reason=str(row["reason"]),
            text=str(row["text"]),
        )
    return done.raw


def _layouts(session: Session, column_map: Path | None) -> list[Layout]:
    """Give what a file may be recognised as: the map given; else the exports of platforms, then the column maps.

    The seller's own maps lie in `column-maps/` beside the configuration and take the place of ours of the same name.
    """
    from orderctl.cli.config import read_text
    from orderctl.ports.platforms.formats import layouts
    from orderctl.ports.tables.mapped import parse_column_map

    if column_map:
        return [parse_column_map(read_text(column_map), str(column_map))]
    own = {path.name: path for path in (session.base / "column-maps").glob("*.yaml")}
    ours = {path.name: path for path in COLUMN_MAPS.glob("*.yaml")}
    maps = [parse_column_map(read_text(path), str(path)) for _, path in sorted((ours | own).items())]
    return [*layouts(), *maps]


def _shop_of(session: Session, asked: str | None, platform: str, label: str | None) -> str:
    """Say whose a file is: the shop asked for, else the only one of its platform (or with the name in the file)."""
    if asked:
        return asked
    shops = {name: s for name, s in session.config.shops.items() if s.platform == platform}
    named = [name for name, s in shops.items() if label and s.name == label]
    found = named or list(shops)
    if len(found) != 1:
        known = ", ".join(found) or "-"
        raise DataError(
            Text(
                "cannot tell which {platform} shop a file belongs to (there are: {known})",
                platform=platform,
                known=known,
            ),
            hint=Text("give --shop"),
        )
    return found[0]
