"""A golden batch: what the rules choose for each of its shipments, against the table of what they must choose."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from orderctl.model.errors import DataError
from orderctl.model.text import Text
from orderctl.model.yamlfile import nearest

KEY = "shipment_id"
COLUMNS = {
    **{name: name for name in ("warehouse", "courier", "service", "account", "issuer", "template", "hold")},
    "freight_minor": "freight_minor",
    "freight_currency": "currency",
    "rule": "courier_rule",
    "tariff": "tariff",
    "zone": "zone",
}
"""What a table of expectations may have as columns, and the column of a replay that holds it."""
WRITTEN = (KEY, "warehouse", "courier", "service", "template", "freight_minor", "freight_currency")


@dataclass(frozen=True)
class Difference:
    """One shipment that came out otherwise: `fields` are (field, expected, found); none: it is on one side only."""

    shipment_id: str
    fields: tuple[tuple[str, str | None, str | None], ...]
    missing: bool = False

    @property
    def text(self) -> Text:
        """Say it in one sentence."""
        if not self.fields:
            if self.missing:
                return Text("{shipment} is expected and not in the batch", shipment=self.shipment_id)
            return Text("{shipment} is in the batch and not expected", shipment=self.shipment_id)
        parts = {
            f"d{n}": Text("{field} should be {wanted}, is {found}", field=f, wanted=w or "-", found=v or "-")
            for n, (f, w, v) in enumerate(self.fields)
        }
        said = Text("; ".join("{" + name + "}" for name in parts), **parts)
        return Text("{shipment}: {differences}", shipment=self.shipment_id, differences=said)


def as_table(found: pl.DataFrame, names: tuple[str, ...] = WRITTEN) -> pl.DataFrame:
    """Give a replay as a table of expectations with the columns `names`, every cell as text."""
    return found.select(pl.col(COLUMNS.get(name, name)).cast(pl.String).alias(name) for name in names)


def columns_of(expected: pl.DataFrame, source: str) -> tuple[str, ...]:
    """Give the columns to compare. Raises: DataError if one is no choice, or the ids are missing or there twice."""
    names = tuple(expected.columns)
    for name in names:
        if name != KEY and name not in COLUMNS:
            text = Text(
                "{source}: there is nothing to compare with the column {column}", source=source, column=name
            )
            raise DataError(text, hint=nearest(name, [KEY, *COLUMNS]))
    if KEY not in names:
        raise DataError(Text("{source}: has no column {column}", source=source, column=KEY))
    ids = expected[KEY]
    if ids.null_count():
        raise DataError(Text("{source}: a row has no {column}", source=source, column=KEY))
    if ids.is_duplicated().any():
        twice = ids.filter(ids.is_duplicated())[0]
        raise DataError(Text("{source}: {shipment} is there twice", source=source, shipment=twice))
    return names


def differences(found: pl.DataFrame, expected: pl.DataFrame, names: tuple[str, ...]) -> Iterator[Difference]:
    """Compare a replay with a table of expectations (every cell as text), in the order of the batch, the missing last."""
    table = as_table(found, names)
    compared = [name for name in names if name != KEY]
    both = table.join(
        expected.with_columns(there=True), on=KEY, how="left", suffix=" wanted", maintain_order="left"
    )
    unlike = [pl.col(name).ne_missing(pl.col(f"{name} wanted")) for name in compared]
    wrong = both.filter(pl.any_horizontal(pl.col("there").is_null(), *unlike))
    for row in wrong.iter_rows(named=True):
        fields = [(name, row[f"{name} wanted"], row[name]) for name in compared] if row["there"] else []
        yield Difference(row[KEY], tuple(field for field in fields if field[1] != field[2]))
    for shipment_id in expected.join(table, on=KEY, how="anti", maintain_order="left")[KEY].to_list():
        yield Difference(shipment_id, (), missing=True)
