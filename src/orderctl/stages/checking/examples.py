"""The rules put to the test: their own examples run.

An example knows no other time than the one it gives (`now`), so the same file gives the same answer on any day.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import polars as pl

from orderctl.model.schema import ORDER
from orderctl.model.text import Text
from orderctl.stages.choosing.choose import BOUND, choose, needed
from orderctl.stages.conditions.facts import DTYPES, FACTS, LINE_FIELD_TYPES, LINES_DTYPE, Moment
from orderctl.stages.freight.pricing import PARCEL
from orderctl.stages.merging.gift_rules import Known, judge_gifts
from orderctl.stages.normalizing.notes import read_notes
from orderctl.stages.rules.book import RuleBook
from orderctl.stages.rules.sections.tests import LINE_FIELDS, Case

Json = str | int | list[str] | dict[str, int] | None


@dataclass(frozen=True)
class Result:
    """What one example came to: `differs` maps a field to (expected, found); it is empty when all is well.

    `fired` are the rules that decided something, each as (section, name).
    """

    name: str
    place: str
    differs: Mapping[str, tuple[Json, Json]]
    fired: frozenset[tuple[str, str]] = frozenset()

    @property
    def passed(self) -> bool:
        """True when everything expected was found."""
        return not self.differs

    @property
    def text(self) -> Text:
        """Give one line on how the example came out."""
        if self.passed:
            return Text("{place}: '{name}' holds", place=self.place, name=self.name)
        parts = {
            f"d{n}": Text(
                "{field} should be {wanted}, is {found}", field=f, wanted=_shown(w), found=_shown(v)
            )
            for n, (f, (w, v)) in enumerate(self.differs.items())
        }
        differences = Text("; ".join("{" + name + "}" for name in parts), **parts)
        return Text(
            "{place}: '{name}': {differences}", place=self.place, name=self.name, differences=differences
        )


def _shown(value: Json) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "-"
    if isinstance(value, dict):
        return ", ".join(f"{sku} x{pieces}" for sku, pieces in sorted(value.items())) or "-"
    return "-" if value is None else str(value)


_FIELDS = {
    "tariff": "tariff_id",
    "rule": "courier_rule",
    "doubted": "courier_doubt",
    "hold": "hold_rule",
}


_OF_NOW = ("now", "hour", "minute_of_day", "weekday")
_OF_LINES = ("sku", "title", "trait", "quantity", "line_count")
_NOTES = ("note", "buyer_note", "seller_note")
_OF_NOTES = ("note", *(name for name in FACTS if name.startswith(("wish", "avoid"))))


def run_tests(book: RuleBook) -> list[Result]:
    """Decide every example of the rules and compare; one result each, in their order.

    Examples of one time are decided together, as the rows of a batch are.
    """
    at: dict[str | None, list[int]] = {}
    for number, case in enumerate(book.rules.tests):
        now = case.given.get("now")
        at.setdefault(None if now is None else str(now), []).append(number)
    orders = _orders(book)
    found: dict[int, Result] = {}
    for now, numbers in at.items():
        results = _decided(book, numbers, orders, Moment(now, book.rules.timezone))
        found.update(zip(numbers, results, strict=True))
    return [found[number] for number in range(len(book.rules.tests))]


def _decided(
    book: RuleBook, numbers: Sequence[int], orders: Sequence[pl.DataFrame], moment: Moment
) -> Iterator[Result]:
    cases = [book.rules.tests[number] for number in numbers]
    names = needed(book) | book.gifts.facts | {"weight_g", "tags"}
    tables = [facts_of_case(case, names, moment, orders[n]) for case, n in zip(cases, numbers, strict=True)]
    given = [
        table.select(_given(case, name) for name in PARCEL if name != "row")
        for case, table in zip(cases, tables, strict=True)
    ]
    rows = pl.Series("row", range(len(cases)), dtype=pl.Int64)
    table = pl.concat(tables).with_columns(rows)
    parcels = pl.concat(given).select(rows, pl.all())
    chosen = choose(table, pl.DataFrame(schema=BOUND), parcels, book, moment)
    for at, (number, found) in enumerate(zip(numbers, chosen.iter_rows(named=True), strict=True)):
        yield _compared(book, number, found, tables[at], orders[number])


def _compared(
    book: RuleBook, number: int, found: dict[str, Any], table: pl.DataFrame, orders: pl.DataFrame
) -> Result:
    case = book.rules.tests[number]
    pieces, _ = judge_gifts(table, book.gifts, Known())  # each by itself: nobody had a gift before
    found |= {"wishes": _told(orders), "tags": _tags(table, found), "gifts": _gifts(pieces)}
    expected = case.expect.model_dump(include=case.expect.model_fields_set)
    pairs = {name: (value, found[_FIELDS.get(name, name)]) for name, value in expected.items()}
    differs = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    return Result(case.name, book.place("tests", number), differs, frozenset(_fired(found, pieces, book)))


def _fired(found: Mapping[str, Any], pieces: pl.DataFrame, book: RuleBook) -> Iterator[tuple[str, str]]:
    for section in ("warehouse", "courier", "template", "hold"):
        if found[f"{section}_rule"] is not None:
            yield f"{section}s", found[f"{section}_rule"]
    yield from (("tags", one["rule"]) for one in found["tags_added"])
    yield from (("gifts", book.rules.gifts[number].name) for number in pieces["number"].unique().to_list())


def untested(book: RuleBook, results: Sequence[Result]) -> list[tuple[str, str]]:
    """Give the rules (section, name) that decide nothing in any of the examples."""
    fired = frozenset[tuple[str, str]]().union(*(result.fired for result in results))
    return [
        (section, rule.name)
        for section in ("tags", "warehouses", "couriers", "templates", "holds", "gifts")
        for rule in getattr(book.rules, section)
        if (section, rule.name) not in fired
    ]


def _tags(table: pl.DataFrame, found: Mapping[str, Any]) -> list[str]:
    """Give the tags of an example, those its rules add last."""
    return [*dict.fromkeys([*table["tags"][0], *(one["tag"] for one in found["tags_added"])])]


def _gifts(pieces: pl.DataFrame) -> dict[str, int]:
    """Give the pieces of every gift, as if nobody had had one before and the first article were drawn."""
    return dict(pieces.group_by("sku").agg(pl.col("quantity").sum()).sort("sku").iter_rows())


def _given(case: Case, name: str) -> pl.Expr:
    return pl.lit(case.given.get(name), dtype=DTYPES[FACTS[name].kind]).alias(name)


def _orders(book: RuleBook) -> list[pl.DataFrame]:
    """Give for each example an order for each pair of its notes, with what they ask for; `note` is one of a buyer."""
    rows = [
        {"case": number, "buyer_note": buyer, "seller_note": seller, "placed_at": placed}
        for number, case in enumerate(book.rules.tests)
        for placed in [case.given.get("placed_at", case.given.get("now"))]
        for buyer, seller in _pairs(case)
    ]
    schema = {"case": pl.Int64, **dict.fromkeys(("buyer_note", "seller_note", "placed_at"), pl.String)}
    orders = pl.DataFrame(rows, schema)
    blank = orders.with_columns(pl.lit([], dtype=ORDER[name]).alias(name) for name in ("wishes", "tags"))
    read = orders.with_columns(read_notes(blank, book.notes))
    cases = read.partition_by("case", as_dict=True, include_key=False)
    none = read.clear().drop("case")
    return [cases.get((number,), none) for number in range(len(book.rules.tests))]


def _pairs(case: Case) -> list[tuple[str | None, str | None]]:
    buyers, sellers, either = (
        [str(note) for note in case.given.get(name, [])]  # type: ignore[union-attr]
        for name in ("buyer_note", "seller_note", "note")
    )
    return [*zip_longest(buyers, sellers), *((note, None) for note in either)]


def _told(orders: pl.DataFrame) -> list[str]:
    """Write the wishes of `orders` as an example expects them."""
    wishes = [wish for order in orders["wishes"].to_list() for wish in order]
    return [
        " ".join(part for part in ("not" if w["avoid"] else None, w["kind"], w["value"]) if part)
        for w in wishes
    ]


def facts_of_case(case: Case, names: set[str], moment: Moment, orders: pl.DataFrame) -> pl.DataFrame:
    """Give the facts frame of an example.

    It holds what the example gives, what follows from its lines, its notes (`orders`) and `now`, and nothing else.
    """
    lines = _lines(case.given.get("lines"))
    derived = pl.DataFrame({"lines": [lines]}, schema={"lines": LINES_DTYPE}).with_columns(
        tags=pl.lit(pl.Series([case.given.get("tags", [])], dtype=pl.List(pl.String))),
        orders=orders.select(pl.struct(pl.all()).implode()).to_series(),
    )
    has_notes = not orders.is_empty()
    columns: list[pl.Expr] = []
    for name in sorted(names - {"lines"}):
        dtype = DTYPES[FACTS[name].kind]
        if name in case.given and name != "tags":
            value = case.given[name]
            text = (
                [str(v) for v in value]
                if isinstance(value, list)
                else str(value)
                if dtype == pl.String
                else value
            )
            columns.append(pl.lit(pl.Series([text], dtype=dtype)).alias(name))
        elif (
            name in (*_OF_NOW, "tags")
            or (name in _OF_LINES and "lines" in case.given)
            or (name in _OF_NOTES and has_notes)
        ):
            columns.append(FACTS[name].read(moment).alias(name))
        else:
            empty = pl.lit([], dtype=dtype) if dtype.is_nested() else pl.lit(FACTS[name].none, dtype=dtype)
            columns.append(empty.alias(name))
    return derived.select(pl.lit(0, dtype=pl.Int64).alias("row"), "lines", *columns)


def _lines(given: Any) -> list[dict[str, Any]]:
    """Give lines as records: one piece of goods each unless the example says otherwise, the rest missing."""
    usual: dict[str, Any] = {"quantity": 1, "goods_traits": [], "kind": "goods", "refund": "none"}
    lines = [usual | {LINE_FIELDS.get(k, k): v for k, v in line.items()} for line in given or []]
    return [{f.name: line.get(f.name) for f in LINE_FIELD_TYPES} for line in lines]
