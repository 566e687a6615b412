"""Templates and data to PDF: Typst over files in memory, our fonts only, the same bytes for the same input.

A template sees the data it is given and nothing else: no file of the machine (its root is a folder made for it, which
holds the supplied labels), no network (it may not import packages). Warnings are errors: an unknown font would print
boxes.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import typst

from orderctl.assets import TEMPLATES
from orderctl.model.errors import ConfigError, OutputFailed
from orderctl.model.text import Text

_PLACE = re.compile(r"┌─ (\S+?):(\d+):(\d+)")
_OWN_IMPORT = re.compile(r'^\s*#import "lib\.typ": [\w\-, *]+$', re.MULTILINE)
_FORBIDDEN = re.compile(r"\b(import|include|eval|plugin)\b")
_COMMENT = re.compile(r"^\s*//.*$", re.MULTILINE)
_TEMPLATE = "template.typ"


class NoRoom(Exception):
    """A template stopped because a field of one row does not fit; never leaves this package."""

    def __init__(self, row: int, field: str) -> None:
        super().__init__(row, field)
        self.row = row
        self.field = field


def template_text(name: str) -> str:
    """Give the text of a shipped template: label, packing_slip, picklist or card."""
    return (TEMPLATES / f"{name}.typ").read_text(encoding="utf-8")


def compile_pdf(
    main: str,
    template: str,
    data: Mapping[str, Any],
    *,
    source: str,
    fonts: Path,
    files: Mapping[str, bytes] | None = None,
) -> bytes:
    """Set `main`, which imports `template.typ` and reads `data.json`, as PDF.

    Args:
        main: our own frame around the template.
        template: the text of the template, shipped or a seller's.
        data: what it shows; JSON values only.
        source: what the template is called in messages.
        fonts: folder with the font files.
        files: supplied labels by file name.

    Raises:
        ConfigError: the template is wrong; names file, line and column.
        NoRoom: the template stopped at a row with too much text.
    """
    _check_confined(template, source)
    memory = {
        "main.typ": main.encode(),
        _TEMPLATE: template.encode(),
        "lib.typ": template_text("lib").encode(),
        "data.json": json.dumps(data, ensure_ascii=False).encode(),
    }
    try:
        content, warnings = _compile(memory, files or {}, fonts)
    except typst.TypstError as error:
        raise _failure(error, source) from None
    if warnings:
        raise _failure(warnings[0], source)
    return content


def _compile(
    memory: Mapping[str, bytes], files: Mapping[str, bytes], fonts: Path
) -> tuple[bytes, list[typst.TypstWarning]]:
    """Run Typst. Files in memory must be text, so pictures and PDFs lie in a folder for as long as it takes."""
    with tempfile.TemporaryDirectory(prefix="orderctl-") as root:
        try:
            for name, content in files.items():
                (Path(root) / name).write_bytes(content)
        except OSError as error:
            raise OutputFailed(Text("{path}: {reason}", path=root, reason=error.strerror)) from None
        done: tuple[bytes, list[typst.TypstWarning]] = typst.compile_with_warnings(  # type: ignore[call-overload]
            memory,  # the overloads of typst lack dicts
            root=root,
            font_paths=_fonts(fonts),
            ignore_system_fonts=True,
            timestamp=0,
            pdf_tags=False,
        )
    return done


@cache
def _fonts(folder: Path) -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(folder)])


def _check_confined(template: str, source: str) -> None:
    """Refuse what could reach beyond the data: packages are fetched from the network when imported."""
    own = _OWN_IMPORT.sub("", _COMMENT.sub("", template))
    if found := _FORBIDDEN.search(own):
        raise ConfigError(
            Text("{source}: a template may not use '{word}'", source=source, word=found.group(1)),
            hint=Text('only #import "lib.typ" is allowed'),
        )


def _failure(error: typst.TypstError | typst.TypstWarning, source: str) -> ConfigError | NoRoom:
    """Turn a diagnostic into our error, pointing at the template's own line."""
    if full := re.search(r'panicked with: "?no room"?, (\d+), "?(\w+)', error.message):
        return NoRoom(int(full.group(1)), full.group(2))
    found = _PLACE.findall(error.diagnostic)
    places = [(Path(file).name, line, int(column) + 1) for file, line, column in found]  # typst counts from 0
    own = [place for place in places if place[0] == _TEMPLATE]
    message = error.message.splitlines()[0]
    for file, line, column in own or places:
        where = source if file == _TEMPLATE else file
        return ConfigError(
            Text(
                "{source}:{line}:{column}: {message}", source=where, line=line, column=column, message=message
            )
        )
    return ConfigError(Text("{source}: {message}", source=source, message=message))
