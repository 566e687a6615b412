"""Entries of a section that may also stand in tables: each written in the rules, or read from a file, one a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import polars as pl
from pydantic import ValidationError

from orderctl.model.text import Text
from orderctl.model.yamlfile import Finding, Section, Wrong, config_error

LINE = "_line"
Entry = TypeVar("Entry", bound=Section)


def read_listed(
    section: str,
    written: Sequence[Entry],
    chinese: Mapping[str, str],
    table: Callable[..., pl.DataFrame],
    place: Callable[..., str],
) -> list[tuple[str, Entry]]:
    """Give the entries of a section, those of its tables among them, in their order, each with its place."""
    found: list[tuple[str, Entry]] = []
    for at, entry in enumerate(written):
        name: str | None = getattr(entry, "file", None)
        if name is None:
            found.append((place(section, at), entry))
        else:
            found += parse_listed(table(name, section, at, "file"), name, type(entry), chinese)
    return found


def parse_listed(
    table: pl.DataFrame, source: str, model: type[Entry], chinese: Mapping[str, str]
) -> list[tuple[str, Entry]]:
    """Read a table of entries, headings English or Chinese; columns with other headings are for people.

    Args:
        table: columns of texts, perhaps with LINE.
        chinese: the Chinese heading of every field, by its English one.

    Raises: ConfigError naming every mistake as `source:line:column`.
    """
    english = {word: name for name, word in chinese.items()}
    names = {name: english.get(name.strip(), name.strip()) for name in table.columns if name != LINE}
    known = {f.alias or name for name, f in model.model_fields.items()} - {"file"}
    column = {field: at for at, field in enumerate(names.values(), 1) if field in known}
    if "courier" not in column:
        raise config_error(
            source, [Finding(1, 1, Text("{source}: has no column {column}", source=source, column="courier"))]
        )
    lines = table[LINE].to_list() if LINE in table.columns else range(2, table.height + 2)
    texts = table.rename(names).select(pl.col(list(column)).cast(pl.String).str.strip_chars())
    findings: list[Finding] = []
    found: list[tuple[str, Entry]] = []
    for line, row in zip(lines, texts.iter_rows(named=True), strict=True):
        given = {name: value for name, value in row.items() if value}
        try:
            found.append((f"{source}:{line}", model.model_validate(given)))
        except ValidationError as error:
            findings += [_finding(line, column, dict(e)) for e in error.errors(include_url=False)]
    if findings:
        raise config_error(source, findings)
    return found


def _finding(line: int, column: Mapping[str, int], error: Mapping[str, Any]) -> Finding:
    wrong = (error.get("ctx") or {}).get("wrong")
    text = wrong.text if isinstance(wrong, Wrong) else Text("the value does not fit")
    loc = [part for part in error["loc"] if part in column]
    return Finding(line, column[loc[0]] if loc else 1, text)
