"""The lines of a JSONL source, with their numbers, and the kind of record they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import polars as pl

from orderctl.model.errors import DataError
from orderctl.model.schema import SCHEMAS
from orderctl.model.text import Text
from orderctl.ports.batches.decode import lone_surrogates, texts
from orderctl.ports.batches.rejects import Rejects
from orderctl.ports.batches.source import LONGEST_LINE, Damaged, Overlong, Source, line_blocks

UNDECIDED = 64 << 20  # so many bytes without one record are no batch
TOO_LONG = f"is longer than {LONGEST_LINE >> 20} MiB"
_MADE_BY = {"raw/1": "fetch", "order/1": "normalize", "shipment/1": "merge"}
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


def accepted(source: Source, kind: str, accept: Sequence[str]) -> str:
    """Give `kind` if the command takes it. Raises: DataError."""
    if kind in accept:
        return kind
    if kind not in SCHEMAS:
        raise DataError(
            Text("{name}: holds records of the unknown schema {kind}", name=source.name, kind=kind[:40])
        )
    raise DataError(
        Text(
            "{name}: holds {kind}, this command takes {accept}",
            name=source.name,
            kind=kind,
            accept=" / ".join(accept),
        ),
        hint=Text("{accept} is made by: orderctl {command}", accept=accept[0], command=_MADE_BY[accept[0]]),
    )


def kind_of_line(text: str) -> str | None:
    """Give the schema a line names, if it does."""
    try:
        kind = msgspec.json.decode(_object.decode(text.encode())["schema"])
    except (msgspec.DecodeError, KeyError, RecursionError):
        return None
    return kind if isinstance(kind, str) else None


class Lines:
    """The texts of a JSONL source with their line numbers; the first record of a known schema decides the kind."""

    def __init__(self, source: Source, accept: Sequence[str], rejects: Rejects) -> None:
        self.source = source
        self.accept = accept
        self.rejects = rejects
        self.kind: str | None = None
        self._unknown: str | None = None
        self._first = 1
        self._seen = 0
        self._refused: list[tuple[int, str, str]] = []

    def reject(self, line: int, reason: str, text: str) -> None:
        """Put one line among the rejects, which are written in the order of their lines, a block at a time."""
        self._refused.append((line, reason, text))

    def blocks(self) -> Iterator[pl.DataFrame]:
        """Give the lines (`line`) with their numbers (`at`), block by block.

        Raises: DataError if no line is a record of a kind that is accepted.
        """
        try:
            for found in self._decided():
                yield found
                self._tell()
        finally:
            self._tell()

    def _tell(self) -> None:
        for line, reason, text in sorted(self._refused):
            self.rejects.add(source=self.source.name, line=line, reason=reason, text=text)
        self._refused.clear()

    def _decided(self) -> Iterator[pl.DataFrame]:
        waiting: list[pl.DataFrame] = []
        size = 0
        for block in self._read():
            found = self._block(block)
            if self.kind is None:
                self.kind = self._decide(found)
            if self.kind is None:
                waiting.append(found)
                size += LONGEST_LINE if isinstance(block, Overlong) else len(block)
                if size >= UNDECIDED:
                    break
                continue
            yield from waiting
            waiting.clear()
            yield found
        if self.kind is None and self._seen:
            if self._unknown:
                accepted(self.source, self._unknown, self.accept)
            raise DataError(
                Text(
                    "{name}: none of its {count} lines is a record", name=self.source.name, count=self._seen
                ),
                hint=Text("each line of a batch is a JSON object with a key schema, such as order/1"),
            )

    def _read(self) -> Iterator[bytes]:
        try:
            yield from line_blocks(self.source)
        except (Damaged, OSError) as error:
            raise DataError(
                Text(
                    "{name}: breaks off or is damaged after line {line}",
                    name=self.source.name,
                    line=self._first - 1,
                )
            ) from error

    def _block(self, block: bytes) -> pl.DataFrame:
        first = self._first
        if isinstance(block, Overlong):
            self._first += 1
            self._seen += 1
            self.reject(first, TOO_LONG, block.decode("utf-8", "backslashreplace"))
            return pl.DataFrame(schema={"at": pl.Int64, "line": pl.String})
        found, damaged, count = texts(block)
        self._first += count
        self._seen += found.height + len(damaged)
        bad = {at: ("is not UTF-8", line.decode("utf-8", "backslashreplace")) for at, line in damaged.items()}
        halves = lone_surrogates(found["line"])
        bad |= {found["at"][i]: (reason, found["line"][i]) for i, reason in halves.items()}
        for at, (reason, text) in sorted(bad.items()):
            self.reject(first + at, reason, text)
        kept = found.filter(~pl.col("at").is_in(list(bad))) if halves else found
        return kept.with_columns(pl.col("at") + first)

    def _decide(self, found: pl.DataFrame) -> str | None:
        for text in found.filter(pl.col("line").str.contains('"schema"', literal=True))["line"]:
            if kind := kind_of_line(text):
                if kind in SCHEMAS:
                    return accepted(self.source, kind, self.accept)
                self._unknown = self._unknown or kind
        return None
