"""The couriers of the rule that decided one shipment: what each would cost, and why it is not taken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import polars as pl

from orderctl.model.text import Text
from orderctl.stages.choosing.carriers import candidates, refusals
from orderctl.stages.choosing.judging import judge
from orderctl.stages.choosing.quota import Room
from orderctl.stages.choosing.ranking import PARTS, UNIT
from orderctl.stages.conditions.facts import Moment
from orderctl.stages.rules.book import RuleBook
from orderctl.stages.rules.times import DAY, SHARE


def weighed(
    chosen: pl.DataFrame,
    facts: pl.DataFrame,
    parcels: pl.DataFrame,
    book: RuleBook,
    moment: Moment,
    room: Room,
) -> Iterator[Text]:
    """Write a line for each courier of the rule, in the order they are taken; nothing where there was nothing to choose.

    Args:
        chosen: what `choose` gives for the one shipment.
        facts: its facts frame, with the warehouse chosen.
    """
    if chosen["courier_reason"][0] not in ("rule", "ranked", "fallback", "full", "not_served"):
        return
    judged = judge(facts, book.rules.couriers, "courier").select("row", "courier_fired")
    rows = chosen.select("row", "warehouse", "courier", "account", courier_how=pl.lit(None, dtype=pl.String))
    asked = candidates(judged, rows, facts, parcels, book, moment, room, refusals(facts, book, moment))
    found = asked.to_dicts()
    if not any(one["ranked"] or one["full"] for one in found):
        return
    best = next((one for one in found if one["said"] is None and not one["full"]), None)
    for one in found:
        yield Text("{courier}: {what}", courier=_name(one), what=_what(one, best))


def _name(one: Mapping[str, Any]) -> str:
    return " ".join(one[part] for part in ("courier", "service", "account") if one[part])


def _what(one: Mapping[str, Any], best: Mapping[str, Any] | None) -> Text:
    if one["said"] is not None:
        return Text("does not deliver there")
    if not one["ranked"]:
        return Text("no room left today") if one["full"] else Text("taken only after the others")
    if one["score"] is None:
        told = Text("cannot be weighed, not known: {lacks}", lacks=_lacking(one))
    else:
        told = Text("{score} = {parts}", score=_amount(one["score"]), parts=_parts(one))
        if one is not best and best is not None and best.get("score") is not None and not one["full"]:
            more = _amount(one["score"] - best["score"])
            told = Text("{score}; {amount} more", score=told, amount=more)
    return Text("{weighed}; no room left today", weighed=told) if one["full"] else told


def _lacking(one: Mapping[str, Any]) -> Text:
    return _joined([_NAMES[name] for name in str(one["lacks"]).split(", ")], ", ")


_NAMES = {"price": Text("price"), "days": Text("days"), "exceptions": Text("exceptions")}


def _parts(one: Mapping[str, Any]) -> Text:
    told = [_part(name, one) for name in PARTS if one[f"part_{name}"]]
    return _joined(told, " + ") if told else Text("{amount}", amount="0")


def _part(name: str, one: Mapping[str, Any]) -> Text:
    amount = _amount(one[f"part_{name}"])
    if name == "days":
        return _of_days(amount, one)
    if name == "exceptions":
        percent = _plain(Decimal(one["exception"]) * 100 / SHARE)
        return Text("{amount} for {percent} % exceptions", amount=amount, percent=percent)
    if name == "late":
        return Text("{amount}, as it is collected too late", amount=amount)
    if name == "penalty":
        return Text("{amount} for {points} points of notices", amount=amount, points=one["points"])
    if name == "wish":
        return Text("{amount}, as a note asks for it", amount=amount)
    if name == "avoid":
        return Text("{amount}, as a note asks to avoid it", amount=amount)
    return Text("{amount} freight", amount=amount)


def _of_days(amount: str, one: Mapping[str, Any]) -> Text:
    days = _plain(Decimal(one["days"]) / DAY)
    how = _HOW.get(one["days_how"], Text("assumed"))
    if one["waits"]:
        return Text(
            "{amount} for {days} d ({how}) and {waits} d until it is collected",
            amount=amount, days=days, how=how, waits=one["waits"],
        )  # fmt: skip
    return Text("{amount} for {days} d ({how})", amount=amount, days=days, how=how)


_HOW = {"measured": Text("measured"), "promised": Text("promised")}


def _joined(parts: Sequence[Text], between: str) -> Text:
    named = {f"p{n}": part for n, part in enumerate(parts)}
    return Text(between.join("{" + name + "}" for name in named), **named)


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _amount(part: int) -> str:
    """Write an amount in 1/UNIT of the currency exactly, with two decimals at least."""
    exact = (Decimal(part) / UNIT).normalize()
    digits = max(2, -int(exact.as_tuple().exponent))
    return f"{exact:.{digits}f}"
