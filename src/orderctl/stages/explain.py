"""Why one shipment was routed as it was: every rule looked at, the price worked out line by line, what is wrong.

It decides again with the functions of `route`, on a batch of one row, so that an explanation can never tell another
story than the decision. The atoms of the rules above the one that fired are judged only here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from orderctl.model.facts import Facts
from orderctl.model.money import written
from orderctl.model.problem import KINDS
from orderctl.model.schema import conform
from orderctl.model.text import Locale, Text
from orderctl.stages.choosing.choose import Rule, choose
from orderctl.stages.choosing.quota import Room, remembering
from orderctl.stages.choosing.tagging import judged as judged_tags
from orderctl.stages.choosing.tagging import tagged
from orderctl.stages.conditions.facts import Moment, facts_frame
from orderctl.stages.explaining.announced import notices
from orderctl.stages.explaining.flips import Flip, flips
from orderctl.stages.explaining.given import given_by
from orderctl.stages.explaining.held import hold_step
from orderctl.stages.explaining.judged import Looked, StepExplained, Verdict, look
from orderctl.stages.explaining.origins import Origins, origins
from orderctl.stages.explaining.price import price_lines
from orderctl.stages.explaining.stocked import REASONS as STOCK_REASONS
from orderctl.stages.explaining.stocked import as_decided, as_proposed, stock_told, with_waits
from orderctl.stages.explaining.waved import wave_step
from orderctl.stages.explaining.weighed import weighed
from orderctl.stages.history import with_history
from orderctl.stages.merging.gift_lines import without_gifts
from orderctl.stages.route import bound_by, facts_of, parcels_of, route, untagged
from orderctl.stages.rules.book import RuleBook


@dataclass(frozen=True)
class Finding:
    """A problem of the shipment, and what to do about it."""

    code: str
    severity: str
    text: Text
    advice: Text | None
    forceable: bool = False


@dataclass(frozen=True)
class Explanation:
    """Everything decided about one shipment."""

    shipment_id: str
    steps: tuple[StepExplained, ...]
    price: tuple[Text, ...]
    problems: tuple[Finding, ...]
    origins: Origins = field(default_factory=Origins)
    flips: tuple[Flip, ...] = ()
    notices: tuple[Text, ...] = ()

    def render(self, locale: Locale = "en") -> str:
        """Write the explanation for a terminal, in `locale`."""
        return "\n".join(line for part in self._parts() for line in part.render(locale).split("\n"))

    def to_json(self) -> dict[str, Any]:
        """Give the explanation as plain data, its sentences in English."""
        return {
            "shipment_id": self.shipment_id,
            "origins": self.origins.to_json(),
            "steps": [
                {
                    "step": step.step,
                    "outcome": step.outcome,
                    "reason": step.reason,
                    "then": step.then,
                    "refused": step.refused,
                    "told": [str(one) for one in step.told],
                    "looked": [
                        {**vars(rule), "because": None if rule.because is None else str(rule.because)}
                        for rule in step.looked
                    ],
                }
                for step in self.steps
            ],
            "price": [str(line) for line in self.price],
            "notices": [str(line) for line in self.notices],
            "flips": [one.to_json() for one in self.flips],
            "problems": [
                {**vars(p), "text": str(p.text), "advice": None if p.advice is None else str(p.advice)}
                for p in self.problems
            ],
        }

    def _parts(self) -> Iterator[Text]:
        yield Text("shipment {id}", id=self.shipment_id)
        yield from self.origins.parts()
        for step in self.steps:
            how = _REASONS.get(step.reason or "", Text("nothing decided"))
            if step.then is not None:
                how = Text("committed already, by the rule '{rule}'", rule=step.then)
            yield Text(
                "{step}: {outcome}, {how}", step=_STEPS[step.step], outcome=step.outcome or "-", how=how
            )
            for looked in step.looked:
                shown = {"verdict": _VERDICTS[looked.verdict], "rule": looked.rule, "place": looked.place}
                if looked.because is None:
                    yield Text("  {verdict} {rule} ({place})", **shown)
                else:
                    yield Text("  {verdict} {rule} ({place}): {because}", **shown, because=looked.because)
            yield from (Text("  {line}", line=one) for one in step.told)
            if step.refused is not None:
                yield Text("  does not deliver there: {refused}", refused=step.refused)
        yield from _listed(Text("notices:"), self.notices)
        yield from _listed(Text("freight:"), self.price)
        yield from _listed(Text("what would change it:"), [one.text for one in self.flips])
        if self.problems:
            yield Text("problems:")
        for found in self.problems:
            advice = {"code": found.code, "text": found.text, "advice": found.advice}
            yield (
                Text("  {code}: {text}; {advice}", **advice)
                if found.advice
                else Text("  {code}: {text}", **advice)
            )
        for found in self.problems:
            if found.forceable and found.severity in ("block", "wait"):
                yield Text(_FORCE, code=found.code)


def _listed(heading: Text, lines: Sequence[Text]) -> Iterator[Text]:
    if lines:
        yield heading
    yield from (Text("  {line}", line=line) for line in lines)


_FORCE = (
    """to let {code} pass: orderctl ledger decide ORDER force --payload '{{"code": "{code}"}}' --reason WHY"""
)
_STEPS = {
    "gift": Text("gift"),
    "card": Text("card"),
    "tag": Text("tag"),
    "warehouse": Text("warehouse"),
    "courier": Text("courier"),
    "template": Text("label"),
    "hold": Text("hold"),
    "wave": Text("wave"),
    "tariff": Text("tariff"),
}
_VERDICTS: dict[Verdict, Text] = {"match": Text("match  "), "no": Text("no     "), "unknown": Text("unknown")}
_REASONS = {
    **STOCK_REASONS,
    "rule": Text("by a rule"),
    "no_match": Text("no rule matched"),
    "fallback": Text("by a rule, the first of its couriers that delivers there"),
    "ranked": Text("by a rule, the best of its couriers"),
    "full": Text("no courier of the rule has room left today"),
    "not_served": Text("no courier of the rule delivers there"),
    "none_given": Text("no rule gave"),
    "committed": Text("committed already"),
    "pinned": Text("pinned by a person"),
    "courier_rule": Text("named by the courier rule"),
    "named": Text("named by the courier rule"),
    "first": Text("the first tariff that fits"),
    "no_tariff": Text("there is no tariff"),
    "no_zone": Text("no zone of the tariff covers the place"),
    "too_heavy": Text("the tariff ends below this weight"),
}


def explain(row: Mapping[str, Any], book: RuleBook, facts: Facts, now: str) -> Explanation:
    """Explain what `route` decides about one shipment.

    Args:
        row: a record `shipment/1`; what an earlier routing wrote into it is decided again.
        facts: as for `route`.
        now: as for `route`.
    """
    facts = as_proposed(remembering(facts, row), row)
    frame = untagged(conform(pl.from_dicts([dict(row)], infer_schema_length=None), "shipment/1"))
    moment = Moment(now, book.rules.timezone)
    table = facts_of(frame, book, facts, moment)
    room, parcels = Room(facts.quota_used), parcels_of(frame)
    chosen = choose(table, bound_by(frame, facts), parcels, book, moment, room)
    found = as_decided(chosen.row(0, named=True), row)
    asked = table
    table, added = tagged(table, book.rules.tags)
    judged = table.with_columns(chosen["warehouse"], chosen["courier"], chosen["service"])
    sections: dict[str, Sequence[Rule]] = {
        "warehouse": book.rules.warehouses,
        "courier": book.rules.couriers,
        "template": book.rules.templates,
    }
    routed = route(frame, book, facts, now, None).row(0, named=True)
    bound = {s["step"]: s["rule"] for s in routed["decision"]}
    kept = row["shipment_id"] in facts.commitments["shipment_id"]
    names = book.gifts.facts | book.cards.facts
    bare = facts_frame(with_history(without_gifts(frame), facts, names), names, moment)
    steps = [
        given_by("gift", "gifts", book.rules.gifts, row, bare, book, kept=kept),
        given_by("card", "cards", book.rules.cards, row, bare, book, kept=kept),
    ]
    steps.append(_tags(asked, added.to_list()[0], book))
    told = {
        "warehouse": stock_told(row),
        "courier": tuple(weighed(chosen, judged, parcels, book, moment, room)),
    }
    for step, said in told.items():
        told[step] = (*said, *_pinned_by(step, routed))
    steps += [
        _step(step, rules, found, judged, book, bound.get(step), told.get(step, ()))
        for step, rules in sections.items()
    ]
    steps.append(hold_step(row, found, judged, book, moment))
    tariff = StepExplained("tariff", found["tariff_id"], found["tariff_reason"], ())
    wave = wave_step(frame, book, moment)
    price = [*price_lines(chosen, judged, frame, book, moment)] if book.rules.tariffs else []
    if kept and price and routed["freight_minor"] not in (None, found["freight_minor"]):
        amount = written(routed["freight_minor"], routed["freight_currency"])
        price.append(Text("it stays as it was when the number was bought: {amount}", amount=amount))
    return Explanation(
        shipment_id=str(row["shipment_id"]),
        steps=tuple(s for s in (*steps, tariff, *([wave] if wave else [])) if s.reason or s.looked),
        price=tuple(price),
        problems=tuple(_finding(problem) for problem in with_waits(routed["problems"], row)),
        origins=origins(row, book, facts),
        flips=flips(frame, book, facts, moment),
        notices=tuple(notices(frame, book, moment)),
    )


def _finding(problem: Mapping[str, Any]) -> Finding:
    kind = KINDS.get(problem["code"])
    if kind is None:
        return Finding(
            problem["code"], problem["severity"], Text("{message}", message=problem["message"]), None
        )
    values = {p["name"]: "?" if p["value"] is None else p["value"] for p in problem["params"]}
    return Finding(
        problem["code"],
        problem["severity"],
        Text(kind.sentence, **values),
        Text(kind.advice) if kind.advice else None,
        kind.forceable,
    )


# ------------------------------------------------------------------------------------------- the rules


def _tags(facts: pl.DataFrame, added: Sequence[Mapping[str, str]], book: RuleBook) -> StepExplained:
    """Look at the tag rules, each with the tags that stand when it is asked, until one says `stop`."""
    looked: list[Looked] = []
    for number, (rule, before, now) in enumerate(judged_tags(facts, book.rules.tags)):
        looked.append(look(rule, book.place("tags", number), before))
        if rule.stop and now[0]:
            break
    told = ", ".join(one["tag"] for one in added)
    return StepExplained(
        "tag", told or None, "rule" if told else "none_given" if looked else None, tuple(looked)
    )


def _pinned_by(step: str, routed: Mapping[str, Any]) -> Iterator[Text]:
    """Say who pinned what a step chose, and why."""
    for one in routed["decision"]:
        params = {p["name"]: p["value"] for p in one["params"]} if one["step"] == step else {}
        if "pinned_by" in params:
            who, why = params["pinned_by"], params.get("pinned_why") or "-"
            yield Text("pinned by {actor}: {reason}", actor=who, reason=why)


def _step(
    step: str,
    rules: Sequence[Rule],
    found: Mapping[str, Any],
    facts: pl.DataFrame,
    book: RuleBook,
    bound_by_rule: str | None,
    told: tuple[Text, ...] = (),
) -> StepExplained:
    reason = found[f"{step}_reason"]
    then = bound_by_rule if reason == "committed" else None
    looked: list[Looked] = []
    if reason not in ("committed", "pinned", "courier_rule"):
        for number, rule in enumerate(rules):
            looked.append(look(rule, book.place(f"{step}s", number), facts))
            if looked[-1].verdict == "match":
                break
    refused = found.get(f"{step}_refused")
    return StepExplained(step, found[step], reason, tuple(looked), then, refused, told)
