"""The smallest change that would flip what was decided about one shipment.

Every candidate is one change of one fact: a number moved just across a threshold that a rule asks for, some grams or
millimetres less, a tag or wish that is there or not, another region. All of them are decided in one run by the very
functions of `route`, so nothing is guessed; of each outcome that differs the nearest change is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from orderctl.model.facts import Facts
from orderctl.model.money import written
from orderctl.model.text import Text
from orderctl.stages.choosing.choose import Rule, choose, needed
from orderctl.stages.choosing.quota import Room
from orderctl.stages.conditions.facts import DTYPES, FACTS, Moment, facts_frame
from orderctl.stages.conditions.tree import Comparison, atoms
from orderctl.stages.history import with_history
from orderctl.stages.route import bound_by, parcels_of
from orderctl.stages.rules.book import RuleBook
from orderctl.stages.rules.sections.couriers import CourierRule

TOLD = 4
"""How many changes are told at most."""
_SIZES = ("length_mm", "width_mm", "height_mm")
_ON_FRAME = ("weight_g", *_SIZES)
_SETS = ("tags", "wish", "wish_courier", "avoid_courier", "wish_service", "payment", "trait")
_REGIONS = ("province", "city", "district")
_ADDING, _MOVING = 0.5, 1.0  # how far a tag or wish, another region is: as half, as all of a number
_OUTCOME = ("warehouse", "courier", "service")


@dataclass(frozen=True)
class Flip:
    """One change, what would be chosen then, and what that costs more or less (minor units; null: not comparable)."""

    fact: str
    value: str
    change: Text
    warehouse: str | None
    courier: str | None
    service: str | None
    cost_minor: int | None
    currency: str | None
    moved: bool

    def to_json(self) -> dict[str, Any]:
        """Give the change as plain data."""
        names = ("fact", "value", *_OUTCOME, "cost_minor", "currency")
        return {name: getattr(self, name) for name in names} | {"change": str(self.change)}

    @property
    def text(self) -> Text:
        """Give the change on one line, such as "0.2 kg lighter: ZTO, 2.10 CNY less"."""
        courier = " ".join(part for part in (self.courier, self.service) if part)
        chosen = Text("{courier}", courier=courier) if courier else Text("no courier")
        if self.moved and self.warehouse:
            chosen = Text("{chosen} from {warehouse}", chosen=chosen, warehouse=self.warehouse)
        if self.cost_minor is None or self.currency is None:
            return Text("{change}: {chosen}", change=self.change, chosen=chosen)
        money = f"{written(abs(self.cost_minor), self.currency)} {self.currency}"
        cost = Text("{money} less" if self.cost_minor < 0 else "{money} more", money=money)
        if self.cost_minor == 0:
            cost = Text("at the same price")
        return Text("{change}: {chosen}, {cost}", change=self.change, chosen=chosen, cost=cost)


@dataclass(frozen=True)
class _Try:
    """One candidate: `far` is how big the change is, 1 being as much as there is."""

    fact: str
    value: Any
    told: str
    change: Text
    far: float


def flips(frame: pl.DataFrame, book: RuleBook, facts: Facts, moment: Moment) -> tuple[Flip, ...]:
    """Give the nearest changes that would flip warehouse, courier, service or lower the price, the nearest first.

    Args:
        frame: a batch `shipment/1` of one row.

    Returns: nothing for a shipment that is committed: nothing would flip it.
    """
    bound = bound_by(frame, facts)
    if "committed" in bound["courier_how"]:
        return ()
    names = needed(book) | {*_ON_FRAME}
    table = facts_frame(with_history(frame, facts, names), names, moment)
    tries = sorted(_tries(table, book), key=lambda one: one.far)
    if not tries:
        return ()
    chosen = _decided(frame, tries, book, facts, moment).to_dicts()
    was, found = chosen[0], zip(tries, chosen[1:], strict=True)
    told: dict[tuple[str | None, ...], Flip] = {}
    for one, then in found:
        outcome = tuple(then[name] for name in _OUTCOME)
        same = outcome == tuple(was[name] for name in _OUTCOME)
        cost = _cost(was, then)
        if same and (cost is None or cost >= 0):
            continue
        told.setdefault(outcome, _flip(one, then, cost, was))
        if len(told) == TOLD:
            break
    return tuple(told.values())


def _flip(one: _Try, then: Mapping[str, Any], cost: int | None, was: Mapping[str, Any]) -> Flip:
    chosen = {name: then[name] for name in _OUTCOME}
    moved = then["warehouse"] != was["warehouse"]
    return Flip(one.fact, one.told, one.change, **chosen, cost_minor=cost, currency=then["freight_currency"], moved=moved)  # fmt: skip


def _cost(was: Mapping[str, Any], then: Mapping[str, Any]) -> int | None:
    """Give how much more `then` costs than `was`; None where either has no price or they differ in currency."""
    prices = was["freight_minor"], then["freight_minor"]
    if None in prices or was["freight_currency"] != then["freight_currency"]:
        return None
    return int(prices[1]) - int(prices[0])


def _decided(
    frame: pl.DataFrame, tries: Sequence[_Try], book: RuleBook, facts: Facts, moment: Moment
) -> pl.DataFrame:
    """Decide the shipment as it is (first row) and under every change, in one run."""
    changes: dict[str, dict[int, Any]] = {}
    for row, one in enumerate(tries, start=1):
        changes.setdefault(one.fact, {})[row] = one.value
    height = len(tries) + 1
    many = frame[[0] * height]
    parcels = _parcels(many, changes)
    physical = [_changed(many, name, changes[name]) for name in _ON_FRAME if name in changes]
    many = many.with_columns(physical)
    names = needed(book)
    table = facts_frame(with_history(many, facts, names), names, moment)
    for name, values in changes.items():
        if name not in table.columns or name in _ON_FRAME:
            continue
        table = table.with_columns(_changed(table, name, values))
        if name == "province":  # a place in another province lies in no city of this one
            below = [n for n in ("city", "district", "town") if n in table.columns]
            gone = pl.col("row").is_in(list(values))
            table = table.with_columns(pl.when(~gone).then(pl.col(n)).alias(n) for n in below)
    return choose(table, bound_by(many, facts), parcels, book, moment, Room(facts.quota_used))


def _changed(frame: pl.DataFrame, name: str, values: Mapping[int, Any]) -> pl.Series:
    column = frame[name].to_list()
    for row, value in values.items():
        column[row] = value
    return pl.Series(name, column, dtype=frame.schema[name])


def _parcels(many: pl.DataFrame, changes: Mapping[str, Mapping[int, Any]]) -> pl.DataFrame:
    """Give the parcels of every try, `many` being the shipment as it is; what is lighter or smaller is so in the heaviest parcel of the shipment."""
    parcels = parcels_of(many)
    heaviest = pl.int_range(pl.len()).over("row") == pl.col("weight_g").fill_null(0).arg_max().over("row")
    for name in _ON_FRAME:
        values = changes.get(name)
        if values is None:
            continue
        was = many[name][0]
        step = pl.DataFrame(
            {"row": list(values), "by": [value - was for value in values.values()]},
            schema={"row": pl.Int64, "by": pl.Int64},
        )
        joined = parcels.join(step, on="row", how="left", maintain_order="left")
        lower = pl.when(heaviest).then(pl.col(name) + pl.col("by").fill_null(0)).otherwise(name)
        parcels = joined.with_columns(lower.clip(lower_bound=0).alias(name)).drop("by")
    return parcels


# ------------------------------------------------------------------------------------------- candidates


def _tries(table: pl.DataFrame, book: RuleBook) -> Iterator[_Try]:
    """Give the candidates: those the rules ask for, then the small steps of weight and size that tariffs ask for."""
    row = table.row(0, named=True)
    seen: set[tuple[str, str]] = set()
    for one in (*_of_rules(row, book), *(_of_steps(row) if book.rules.tariffs else ())):
        if (one.fact, one.told) not in seen:
            seen.add((one.fact, one.told))
            yield one


def _of_rules(row: Mapping[str, Any], book: RuleBook) -> Iterator[_Try]:
    rules: list[Rule] = [*book.rules.warehouses, *book.rules.couriers]
    for rule in rules:
        for atom in atoms(rule.when) if rule.when else ():
            if not isinstance(atom, Comparison) or row.get(atom.fact) is None:
                continue
            if FACTS[atom.fact].kind == "whole":
                yield from _numbers(atom, row[atom.fact])
            elif atom.fact in _SETS:
                yield from _members(atom, row[atom.fact])
            elif atom.fact in _REGIONS and atom.op in ("eq", "in", "ne", "not_in"):
                for value in atom.values:
                    yield _instead(atom.fact, value, row[atom.fact], _MOVING)
    yield from _of_ranks(row, book.rules.couriers)


def _of_ranks(row: Mapping[str, Any], rules: Sequence[CourierRule]) -> Iterator[_Try]:
    """Wish for each courier that a rule weighs wishes for, and to avoid each."""
    for rule in rules:
        for fact, worth in (("wish_courier", "wish"), ("avoid_courier", "avoid")):
            if rule.rank is not None and getattr(rule.rank, worth) and row.get(fact) is not None:
                couriers = tuple(use.courier for use in rule.candidates)
                yield from _members(Comparison(fact, "any", couriers), row[fact])


def _numbers(atom: Comparison, was: int) -> Iterator[_Try]:
    """Move a number to the nearest value on the other side of each threshold."""
    for value in atom.values:
        if not isinstance(value, int) or atom.op == "missing":
            continue
        for then in (value - 1, value, value + 1):
            if then != was and then >= 0:
                yield _number(atom.fact, then, was)


def _number(fact: str, then: int, was: int) -> _Try:
    far = abs(then - was) / max(abs(was), 1)
    by = abs(then - was)
    if fact == "weight_g":
        kilos = f"{by / 1000:.3f}".rstrip("0").rstrip(".")
        change = Text("{kilos} kg lighter" if then < was else "{kilos} kg heavier", kilos=kilos)
        return _Try(fact, then, str(then), change, far)
    if fact in _SIZES:
        change = Text("{fact} {by} mm smaller" if then < was else "{fact} {by} mm larger", fact=fact, by=by)
        return _Try(fact, then, str(then), change, far)
    return _instead(fact, then, was, far)


def _instead(fact: str, then: Any, was: Any, far: float) -> _Try:
    change = Text("{fact} {then} instead of {was}", fact=fact, then=str(then), was=str(was))
    return _Try(fact, then, str(then), change, far)


def _members(atom: Comparison, was: Sequence[str]) -> Iterator[_Try]:
    """Add each value a rule names that is not there, and leave out each that is."""
    assert DTYPES[FACTS[atom.fact].kind] == pl.List(pl.String())
    for value in atom.values if atom.op not in ("pattern", "missing") else ():
        name = str(value)
        if name in was:
            change = Text("{fact} without {value}", fact=atom.fact, value=name)
            yield _Try(atom.fact, [v for v in was if v != name], f"-{name}", change, _ADDING)
        else:
            change = Text("{fact} with {value}", fact=atom.fact, value=name)
            yield _Try(atom.fact, [*was, name], f"+{name}", change, _ADDING)


def _of_steps(row: Mapping[str, Any]) -> Iterator[_Try]:
    """Give up to a kilogram less gram by gram, more by tens, and every size less by centimetres down to the half."""
    weight = row["weight_g"] or 0
    fine, coarse = range(1, min(1000, weight)), range(1000, min(10_000, weight), 10)
    for less in (*fine, *coarse):
        yield _number("weight_g", weight - less, weight)
    for name in _SIZES:
        size = row[name] or 0
        for less in range(10, size // 2, 10):
            yield _number(name, size - less, size)
