"""What already left of an order, as the platform tells it: how much of each line in parcels with which number."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

GONE = frozenset({"3", "5", "22", "39"})
OPEN = frozenset({"2", "101", "105"})
BACK = frozenset({"12", "51", "53"})
"""After-sale states in which the goods of a line were paid back."""


@dataclass(frozen=True)
class Pack:
    """One parcel; `quantities` by line, empty where the platform does not say what is in it."""

    pack_id: str
    number: str
    quantities: Mapping[str, int]


@dataclass(frozen=True)
class Left:
    """An order as to shipping: `ordered` and `open` (still to be shipped) quantities by line, and its parcels."""

    status: str
    ordered: Mapping[str, int]
    packs: tuple[Pack, ...]
    gone: Mapping[str, int] = field(default_factory=dict)
    """What left of each line by its state, in parcels that may not be told."""
    open: Mapping[str, int] = field(default_factory=dict)

    def sent(self, numbers: Collection[str], *, ours: bool) -> dict[str, int]:
        """Give quantities by line in the parcels that have one of the numbers (`ours`), or another number.

        A parcel without contents holds whatever left and is in no other parcel. What left in no known parcel
        counts as another's.
        """
        known = dict.fromkeys(self.ordered, 0)
        for pack in self.packs:
            for line, quantity in pack.quantities.items():
                known[line] = known.get(line, 0) + quantity
        rest = {line: max(0, quantity - known[line]) for line, quantity in self.gone.items()}
        silent = {pack.number for pack in self.packs if not pack.quantities}
        rest_is_ours = bool(silent) and silent <= set(numbers)
        found = {line: rest.get(line, 0) if rest_is_ours == ours else 0 for line in self.ordered}
        for pack in self.packs:
            if (pack.number in numbers) == ours:
                for line, quantity in pack.quantities.items():
                    found[line] = found.get(line, 0) + quantity
        return found


def read_left(order: Mapping[str, Any]) -> Left:
    """Read lines and parcels of an order as the detail call gives it."""
    lines = {str(line.get("order_id")): line for line in _dicts(order.get("sku_order_list"))}
    ordered = {ref: _count(line.get("item_num")) for ref, line in lines.items()}
    packs = tuple(_packs(order))
    gone = {ref: ordered[ref] for ref, line in lines.items() if str(line.get("order_status")) in GONE}
    left: dict[str, int] = {}
    for ref, line in lines.items():
        after_sale = line.get("after_sale_info")
        after = str(after_sale.get("after_sale_status")) if isinstance(after_sale, dict) else ""
        if str(line.get("order_status")) in OPEN and after not in BACK:
            inside = sum(pack.quantities.get(ref, 0) for pack in packs)
            left[ref] = max(0, ordered[ref] - inside)
    return Left(str(order.get("order_status")), ordered, packs, gone, left)


def _packs(order: Mapping[str, Any]) -> Iterator[Pack]:
    for pack in _dicts(order.get("logistics_info")):
        quantities: dict[str, int] = {}
        for item in _dicts(pack.get("product_info")):
            line = str(item.get("sku_order_id") or "")
            if line:
                quantities[line] = quantities.get(line, 0) + _count(item.get("product_count"))
        yield Pack(str(pack.get("delivery_id") or ""), str(pack.get("tracking_no") or ""), quantities)


def _dicts(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _count(value: object) -> int:
    text = str(value)
    return int(text) if text.isdecimal() else 0
