"""The rules put to the test: their own examples run, and what in them cannot be meant.

Both are pure: an example knows no other time than the one it gives (`now`), so the same file gives the same answer
on any day.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Literal

import polars as pl

from orderctl.model.schema import ORDER
from orderctl.model.text import Locale, Text
from orderctl.stages.merging.gift_rules import Known, judge_gifts
from orderctl.stages.normalizing.notes import read_notes
from orderctl.stages.rules.choose import BOUND, Rule, choose, needed
from orderctl.stages.rules.conditions import All, Comparison, Condition
from orderctl.stages.rules.facts_table import DTYPES, FACTS, LINE_FIELD_TYPES, LINES_DTYPE, Moment
from orderctl.stages.rules.freight import PARCEL
from orderctl.stages.rules.parse import RuleBook
from orderctl.stages.rules.sections.gifts import GiftRule
from orderctl.stages.rules.sections.tests import LINE_FIELDS, Case

Json = str | int | list[str] | dict[str, int] | None


@dataclass(frozen=True)
class Result:
    """What one example came to: `differs` maps a field to (expected, found); it is empty when all is well."""

    name: str
    place: str
    differs: Mapping[str, tuple[Json, Json]]

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


_OF_NOW = ("now", "hour", "weekday")
_OF_LINES = ("sku", "title", "trait", "quantity", "line_count")
_NOTES = ("note", "buyer_note", "seller_note")
_OF_NOTES = ("note", *(name for name in FACTS if name.startswith(("wish", "avoid"))))


def run_tests(book: RuleBook) -> list[Result]:
    """Decide every example of the rules and compare; one result each, in their order."""
    return [_run(case, book, book.place("tests", number)) for number, case in enumerate(book.rules.tests)]


def _run(case: Case, book: RuleBook, place: str) -> Result:
    now = case.given.get("now")
    moment = Moment(str(now) if now is not None else None, book.rules.timezone)
    orders = _orders(case, book)
    table = facts_of_case(case, needed(book) | book.gifts.facts | {"weight_g", "tags"}, moment, orders)
    parcel = table.select("row", *(_given(case, name) for name in PARCEL if name != "row"))
    found = choose(table, pl.DataFrame(schema=BOUND), parcel, book, moment).row(0, named=True)
    found |= {"wishes": _told(orders), "tags": table["tags"][0].to_list(), "gifts": _gifts(table, book)}
    expected = case.expect.model_dump(include=case.expect.model_fields_set)
    pairs = {name: (value, found[_FIELDS.get(name, name)]) for name, value in expected.items()}
    return Result(case.name, place, {name: pair for name, pair in pairs.items() if pair[0] != pair[1]})


def _gifts(table: pl.DataFrame, book: RuleBook) -> dict[str, int]:
    """Give the pieces of every gift, as if nobody had had one before and the first article were drawn."""
    pieces, _ = judge_gifts(table, book.gifts, Known())
    return dict(pieces.group_by("sku").agg(pl.col("quantity").sum()).sort("sku").iter_rows())


def _given(case: Case, name: str) -> pl.Expr:
    return pl.lit(case.given.get(name), dtype=DTYPES[FACTS[name].kind]).alias(name)


def _orders(case: Case, book: RuleBook) -> pl.DataFrame:
    """Give an order for each pair of notes of an example, with what they ask for; `note` is one of a buyer."""
    buyers, sellers = ([*case.given.get(name, [])] for name in ("buyer_note", "seller_note"))  # type: ignore[misc]
    pairs = [*zip_longest(buyers, sellers), *((note, None) for note in case.given.get("note", []))]  # type: ignore[union-attr]
    placed = case.given.get("placed_at", case.given.get("now"))
    rows = [{"buyer_note": b and str(b), "seller_note": s and str(s), "placed_at": placed} for b, s in pairs]
    orders = pl.DataFrame(rows, {"buyer_note": pl.String, "seller_note": pl.String, "placed_at": pl.String})
    blank = orders.with_columns(pl.lit([], dtype=ORDER[name]).alias(name) for name in ("wishes", "tags"))
    return orders.with_columns(read_notes(blank, book.notes))


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


# ------------------------------------------------------------------------------------------------ lint

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Lint:
    """Something in the rules that cannot be meant, or that nothing uses."""

    place: str
    code: str
    severity: Severity
    text: Text

    def render(self, locale: Locale = "en") -> str:
        """Write the finding with its place, in `locale`."""
        return Text("{place}: {text}", place=self.place, text=self.text).render(locale)


def lint(book: RuleBook) -> list[Lint]:
    """Give what is wrong with the rules although they can be read, in the order of the file's sections."""
    found: list[Lint] = []
    for section in ("warehouses", "couriers", "templates", "holds"):
        rules: Sequence[Rule] = getattr(book.rules, section)
        found += _twice(book, section, [rule.name for rule in rules])
        found += _shadowed(book, section, rules)
    found += _shadowed_gifts(book)
    found += _twice(book, "cards", [card.name for card in book.rules.cards])
    found += _twice(book, "tariffs", [t.id for t in book.rules.tariffs])
    found += _twice(book, "tests", [case.name for case in book.rules.tests])
    return [*found, *_tariffs(book), *_zones(book), *_ends(book)]


def _twice(book: RuleBook, section: str, names: Sequence[str]) -> Iterator[Lint]:
    first: dict[str, int] = {}
    for number, name in enumerate(names):
        if name in first:
            where = book.place(section, first[name])
            text = Text(
                "the name '{name}' is used twice in {section}; first at {where}",
                name=name,
                section=section,
                where=where,
            )
            yield Lint(book.place(section, number), "name_twice", "error", text)
        first.setdefault(name, number)


def _covers(earlier: Condition | None, later: Condition | None) -> bool:
    """True if whatever matches `later` surely matched `earlier`, as far as can be told from how they are written."""
    if earlier is None:
        return True
    tests = set(later.parts) if isinstance(later, All) else {later}
    needs = earlier.parts if isinstance(earlier, All) else (earlier,)
    return all(any(_implies(t, need) for t in tests) for need in needs)


def _implies(given: Condition | None, need: Condition) -> bool:
    if given == need:
        return True
    if not (isinstance(given, Comparison) and isinstance(need, Comparison)) or given.fact != need.fact:
        return False
    if FACTS[given.fact].kind == "texts" or {given.op, need.op} - {"eq", "in"}:
        return False
    return set(given.values) <= set(need.values)


def _shadowed(book: RuleBook, section: str, rules: Sequence[Rule]) -> Iterator[Lint]:
    for number, rule in enumerate(rules):
        above = next((r for r in rules[:number] if _covers(r.when, rule.when)), None)
        if above is not None:
            text = Text(
                "'{name}' can never match: '{above}' above it matches first", name=rule.name, above=above.name
            )
            yield Lint(book.place(section, number), "shadowed", "error", text)


def _shadowed_gifts(book: RuleBook) -> Iterator[Lint]:
    """Of a group the first that can gives: one below a rule without any limit never does if that covers it."""
    for number, rule in enumerate(book.rules.gifts):
        earlier = (r for r in book.rules.gifts[:number] if rule.group is not None and r.group == rule.group)
        above = next((r for r in earlier if not _limited(r) and _covers(r.when, rule.when)), None)
        if above is not None:
            text = Text(
                "'{name}' can never give: '{above}' above it in its group gives first",
                name=rule.name,
                above=above.name,
            )
            yield Lint(book.place("gifts", number), "shadowed", "error", text)


def _limited(rule: GiftRule) -> bool:
    limits = (rule.per, rule.from_, rule.until, rule.quota, rule.per_customer, rule.stock_floor)
    return any(limit is not None for limit in limits)


def _tariffs(book: RuleBook) -> Iterator[Lint]:
    if not book.rules.tariffs:
        return
    ids = {t.id for t in book.rules.tariffs}
    couriers = {t.courier for t in book.rules.tariffs}
    for number, rule in enumerate(book.rules.couriers):
        place = book.place("couriers", number, "use")
        if rule.use.tariff is not None and rule.use.tariff not in ids:
            text = Text(
                "'{name}' names the tariff '{tariff}', which is not there",
                name=rule.name,
                tariff=rule.use.tariff,
            )
            yield Lint(place, "tariff_missing", "error", text)
        elif rule.use.tariff is None and rule.use.courier not in couriers:
            text = Text(
                "there is no tariff of {courier}, so '{name}' gets no estimate",
                courier=rule.use.courier,
                name=rule.name,
            )
            yield Lint(place, "courier_without_tariff", "warning", text)
    used = {rule.use.courier for rule in book.rules.couriers}
    named = {rule.use.tariff for rule in book.rules.couriers}
    for number, tariff in enumerate(book.rules.tariffs):
        if tariff.courier not in used and tariff.id not in named:
            text = Text("no courier rule uses the tariff '{tariff}'", tariff=tariff.id)
            yield Lint(book.place("tariffs", number), "tariff_unused", "warning", text)


def _zones(book: RuleBook) -> Iterator[Lint]:
    for number, tariff in enumerate(book.rules.tariffs):
        seen: dict[tuple[str, str], str] = {}
        for z, zone in enumerate(tariff.zones):
            for level, names in (
                ("city", zone.cities),
                ("province", zone.provinces),
                ("country", zone.countries),
            ):
                for name in names:
                    if (level, name) in seen:
                        text = Text(
                            "{place} is in zone '{first}' already, so zone '{zone}' never counts for it",
                            place=name, first=seen[level, name], zone=zone.id,
                        )  # fmt: skip
                        yield Lint(book.place("tariffs", number, "zones", z), "place_twice", "warning", text)
                    seen.setdefault((level, name), zone.id)


def _ends(book: RuleBook) -> Iterator[Lint]:
    for section in ("warehouses", "couriers"):
        rules: Sequence[Rule] = getattr(book.rules, section)
        if rules and all(rule.when is not None for rule in rules):
            text = Text(
                "{section} has no last rule without 'when': what matches none is blocked", section=section
            )
            yield Lint(book.place(section), "no_last_rule", "warning", text)
