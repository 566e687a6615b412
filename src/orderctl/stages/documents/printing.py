"""Which labels have texts the fonts cannot print, and how the others are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from orderctl.assets import FONTS
from orderctl.model.errors import DataError
from orderctl.model.text import Text
from orderctl.stages.documents.characters import irreplaceable, printable
from orderctl.stages.documents.data import Label

_STRICT = ("number", "sort_code", "package_centre", "destination")


def find_unprintable(labels: Sequence[Label], *, fonts: Path = FONTS) -> list[tuple[int, str, str]]:
    """Give (row, field, characters) wherever a name, address or code has characters the fonts lack."""
    found = []
    for row, label in enumerate(labels):
        fields = {key: str(label[key]) for key in _STRICT}  # type: ignore[literal-required]
        fields |= {f"recipient.{key}": str(value) for key, value in label["recipient"].items()}
        fields |= {f"items.{i}.sku": item["sku"] for i, item in enumerate(label["items"])}
        fields |= {f"orders.{i}": ref for i, ref in enumerate(label["orders"])}
        for field, text in fields.items() if label["supplied"] is None else ():
            if lacking := irreplaceable(text, fonts):
                found.append((row, field, "".join(sorted(lacking))))
    return found


def check_printable(labels: Sequence[Label], fonts: Path) -> None:
    """Raise DataError naming shipment, field and characters at the first text that would print wrongly."""
    for row, field, characters in find_unprintable(labels, fonts=fonts):
        raise unprintable(
            labels[row], Text("the fonts lack {characters} in {field}", characters=characters, field=field)
        )


def shown(value: Any, fonts: Path) -> Any:
    """Give `value` with every text inside made printable; bytes are left out."""
    if isinstance(value, str):
        return printable(value, fonts)
    if isinstance(value, Mapping):
        return {key: shown(part, fonts) for key, part in value.items() if not isinstance(part, bytes)}
    if isinstance(value, list):
        return [shown(part, fonts) for part in value]
    return value


def unprintable(label: Label, why: Text) -> DataError:
    """Give the error that names a parcel."""
    return DataError(
        Text(
            "shipment {shipment}, parcel {parcel}: {why}",
            shipment=label["shipment_id"],
            parcel=label["parcel"],
            why=why,
        )
    )
