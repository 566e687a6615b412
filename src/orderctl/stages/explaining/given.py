"""Gifts and cards of one shipment as `merge` gave them: by which rules, and why the others gave nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from orderctl.model.text import Text
from orderctl.stages.explaining.judged import Looked, StepExplained, look
from orderctl.stages.merging.gift_rules import PARAMS
from orderctl.stages.rules.book import RuleBook
from orderctl.stages.rules.sections.cards import CardRule
from orderctl.stages.rules.sections.gifts import GiftRule

_NOT_GIVEN = {
    "quota_used_up": Text("its quota is used up"),
    "customer_cap": Text("the customer has had it as often as one may"),
    "stock_floor": Text("there is not enough of it in stock"),
    "group_won_by": Text("'{by}' gives in its group"),
    "given_before": Text("one of the orders has had it, in {shipment}"),
    "not_yet": Text("it begins at {from}"),
    "over": Text("it ended at {until}"),
    "too_few": Text("{count} does not come to {each}"),
    "unknown_fact": Text("{facts} is missing"),
}


def given_by(
    step: str,
    section: str,
    rules: Sequence[GiftRule | CardRule],
    row: Mapping[str, Any],
    table: pl.DataFrame,
    book: RuleBook,
    *,
    kept: bool,
) -> StepExplained:
    """Tell what `merge` gave and why; only it sees the other shipments, so nothing is dealt out again here.

    Args:
        step: gift or card.
        section: where its rules stand.
        rules: its rules.
        row: a record `shipment/1`.
        table: the facts of the row, as they are without gifts.
        book: knows where rules stand.
        kept: the row is committed, so no rule is judged any more.
    """
    mine = [one for one in row["decision"] if one["step"] == step]
    told = {one["rule"]: one for one in mine}
    looked: list[Looked] = []
    for number, rule in enumerate(rules):
        place = book.place(section, number)
        if rule.name in told:
            looked.append(_told_gift(told.pop(rule.name), place))
        elif not kept:
            found = look(rule, place, table)
            if found.verdict == "match" and step == "card":
                found = Looked(rule.name, place, "no", Text("no order asks for words on a card"))
            elif found.verdict == "match":
                found = replace(found, because=Text("gifts are given by merge: run it again"))
            looked.append(found)
    looked += [_told_gift(one, "-") for one in told.values()]
    given = [one["outcome"] for one in mine if one["outcome"]]
    reason = "committed" if kept else "rule" if given else "none_given"
    return StepExplained(step, ", ".join(given) or None, reason if looked else None, tuple(looked))


def _told_gift(step: Mapping[str, Any], place: str) -> Looked:
    """Say what became of a rule for gifts or cards, in the words of the step that `merge` wrote."""
    values = dict.fromkeys(PARAMS, "?") | {p["name"]: p["value"] or "?" for p in step["params"]}
    if step["reason"] == "rule":
        because = Text("gives {gifts}", gifts=step["outcome"])
        if step["step"] == "card":
            because = Text("cards: {count}", count=step["outcome"])
        if values["wanted"] != "?":
            because = Text(
                "gives {gifts}, {times} of {wanted} times: {why}",
                gifts=step["outcome"], why=_NOT_GIVEN.get(values["by"], values["by"]),
                times=values["times"], wanted=values["wanted"],
            )  # fmt: skip
        return Looked(step["rule"], place, "match", because)
    known = _NOT_GIVEN.get(step["reason"])
    text = Text(known.template, **values) if known else Text("{message}", message=step["reason"])
    return Looked(step["rule"], place, "unknown" if step["reason"] == "unknown_fact" else "no", text)
