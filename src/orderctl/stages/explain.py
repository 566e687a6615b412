"""Why one shipment was routed as it was: every rule looked at, the price worked out line by line, what is wrong.

It decides again with the functions of `route`, on a batch of one row, so that an explanation can never tell another
story than the decision. The atoms of the rules above the one that fired are judged only here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal

import polars as pl

from orderctl.model.facts import Facts
from orderctl.model.money import exponent_of, written
from orderctl.model.problem import KINDS
from orderctl.model.schema import conform
from orderctl.model.text import Locale, Text
from orderctl.stages.merging.gift_lines import without_gifts
from orderctl.stages.merging.gift_rules import PARAMS
from orderctl.stages.origins import Origins, origins
from orderctl.stages.route import bound_by, parcels_of, route
from orderctl.stages.rules.choose import Rule, choose, needed, parcel_prices
from orderctl.stages.rules.compiled import missing_facts, predicate
from orderctl.stages.rules.conditions import (
    All,
    AnyOf,
    Atom,
    Comparison,
    Condition,
    Lines,
    Not,
    Sql,
    Sum,
    atoms,
)
from orderctl.stages.rules.facts_table import Moment, facts_frame
from orderctl.stages.rules.freight import MONEY, PERCENT
from orderctl.stages.rules.parse import RuleBook
from orderctl.stages.rules.sections.cards import CardRule
from orderctl.stages.rules.sections.gifts import GiftRule

Verdict = Literal["match", "no", "unknown"]
Truth = bool | None


@dataclass(frozen=True)
class Looked:
    """One rule that was looked at, and the first of its conditions that kept it from matching."""

    rule: str
    place: str
    verdict: Verdict
    because: Text | None


@dataclass(frozen=True)
class StepExplained:
    """One step: what came out, how (rule, committed, pinned, ...), and the rules looked at in order.

    `then` is the rule that decided when a committed shipment was bound; it is not judged again.
    """

    step: str
    outcome: str | None
    reason: str | None
    looked: tuple[Looked, ...]
    then: str | None = None


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
                    "looked": [
                        {**vars(rule), "because": None if rule.because is None else str(rule.because)}
                        for rule in step.looked
                    ],
                }
                for step in self.steps
            ],
            "price": [str(line) for line in self.price],
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
        if self.price:
            yield Text("freight:")
        yield from (Text("  {line}", line=line) for line in self.price)
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


_FORCE = (
    """to let {code} pass: orderctl ledger decide ORDER force --payload '{{"code": "{code}"}}' --reason WHY"""
)
_STEPS = {
    "gift": Text("gift"),
    "card": Text("card"),
    "warehouse": Text("warehouse"),
    "courier": Text("courier"),
    "template": Text("label"),
    "hold": Text("hold"),
    "tariff": Text("tariff"),
}
_VERDICTS: dict[Verdict, Text] = {"match": Text("match  "), "no": Text("no     "), "unknown": Text("unknown")}
_REASONS = {
    "rule": Text("by a rule"),
    "no_match": Text("no rule matched"),
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
    frame = conform(pl.from_dicts([dict(row)], infer_schema_length=None), "shipment/1")
    moment = Moment(now, book.rules.timezone)
    table = facts_frame(frame, needed(book), moment)
    chosen = choose(table, bound_by(frame, facts), parcels_of(frame), book, moment)
    found = chosen.row(0, named=True)
    judged = table.with_columns(chosen["warehouse"], chosen["courier"], chosen["service"])
    sections: dict[str, Sequence[Rule]] = {
        "warehouse": book.rules.warehouses,
        "courier": book.rules.couriers,
        "template": book.rules.templates,
        "hold": book.rules.holds,
    }
    routed = route(frame, book, facts, now).row(0, named=True)
    bound = {s["step"]: s["rule"] for s in routed["decision"]}
    kept = row["shipment_id"] in facts.commitments["shipment_id"]
    bare = facts_frame(without_gifts(frame), book.gifts.facts | book.cards.facts, moment)
    steps = [
        _given("gift", "gifts", book.rules.gifts, row, bare, book, kept=kept),
        _given("card", "cards", book.rules.cards, row, bare, book, kept=kept),
    ]
    steps += [_step(step, rules, found, judged, book, bound.get(step)) for step, rules in sections.items()]
    tariff = StepExplained("tariff", found["tariff_id"], found["tariff_reason"], ())
    price = _price(chosen, judged, frame, book, moment) if book.rules.tariffs else ()
    return Explanation(
        shipment_id=str(row["shipment_id"]),
        steps=tuple(s for s in (*steps, tariff) if s.reason or s.looked),
        price=tuple(price),
        problems=tuple(_finding(problem) for problem in routed["problems"]),
        origins=origins(row, book, facts),
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


def _step(
    step: str,
    rules: Sequence[Rule],
    found: Mapping[str, Any],
    facts: pl.DataFrame,
    book: RuleBook,
    bound_by_rule: str | None,
) -> StepExplained:
    reason = found[f"{step}_reason"]
    then = bound_by_rule if reason == "committed" else None
    looked: list[Looked] = []
    if reason not in ("committed", "pinned", "courier_rule"):
        for number, rule in enumerate(rules):
            looked.append(_look(rule, book.place(f"{step}s", number), facts))
            if looked[-1].verdict == "match":
                break
    return StepExplained(step, found[step], reason, tuple(looked), then)


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


def _given(
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
            found = _look(rule, place, table)
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


def _look(rule: Rule | GiftRule | CardRule, place: str, facts: pl.DataFrame) -> Looked:
    if rule.when is None:
        return Looked(rule.name, place, "match", None)
    tests = list(dict.fromkeys(atoms(rule.when)))
    row = facts.select("row", *(predicate(atom).alias(f"atom {n}") for n, atom in enumerate(tests))).row(0)
    known: dict[Atom, Truth] = dict(zip(tests, row[1:], strict=True))
    whole = _truth(rule.when, known)
    if whole:
        return Looked(rule.name, place, "match", None)
    atom, negated = _blamed(rule.when, known)
    because = _because(atom, facts, negated=negated, unknown=whole is None)
    return Looked(rule.name, place, "unknown" if whole is None else "no", because)


def _truth(condition: Condition, known: Mapping[Atom, Truth]) -> Truth:
    if isinstance(condition, Not):
        inner = _truth(condition.part, known)
        return None if inner is None else not inner
    if isinstance(condition, All | AnyOf):
        parts = [_truth(part, known) for part in condition.parts]
        decides = isinstance(condition, AnyOf)  # one true decides an "any", one false an "all"
        if decides in parts:
            return decides
        return None if None in parts else not decides
    return known[condition]


def _blamed(condition: Condition, known: Mapping[Atom, Truth], *, negated: bool = False) -> tuple[Atom, bool]:
    """Give the first atom that made `condition` what it is, and whether it stands under a `not`."""
    if isinstance(condition, Not):
        return _blamed(condition.part, known, negated=not negated)
    if isinstance(condition, All | AnyOf):
        own = _truth(condition, known)
        part = next(p for p in condition.parts if _truth(p, known) == own)
        return _blamed(part, known, negated=negated)
    return condition, negated


def _because(atom: Atom, facts: pl.DataFrame, *, negated: bool, unknown: bool) -> Text:
    wanted = f"not {written_condition(atom)}" if negated else written_condition(atom)
    if unknown:
        missing = facts.select("row", missing=missing_facts(atom))["missing"][0]
        return Text("{facts} is missing, the rule wants {wanted}", facts=missing or "?", wanted=wanted)
    if isinstance(atom, Comparison):
        return Text(
            "{fact} is {value}, the rule wants {wanted}",
            fact=atom.fact,
            value=_value(facts[atom.fact][0]),
            wanted=wanted,
        )
    if isinstance(atom, Sql):
        values = ", ".join(f"{name}={_value(facts[name][0])}" for name in atom.facts)
        return Text("{values}, the rule wants {wanted}", values=values, wanted=wanted)
    return Text("its lines do not fit: the rule wants {wanted}", wanted=wanted)


def _value(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, pl.Series):
        return "[" + ", ".join("-" if v is None else str(v) for v in value) + "]"
    return str(value)


def written_condition(condition: Condition) -> str:
    """Write a condition in the words of the rules file, on one line."""
    if isinstance(condition, Comparison):
        values = [
            v[0]
            if isinstance(v, tuple) and v[0] == v[1]
            else "..".join(v)
            if isinstance(v, tuple)
            else str(v)
            for v in condition.values
        ]
        return f"{condition.fact} {condition.op} {', '.join(values)}"
    if isinstance(condition, Not):
        return f"not ({written_condition(condition.part)})"
    if isinstance(condition, All | AnyOf):
        word = " and " if isinstance(condition, All) else " or "
        return "(" + word.join(written_condition(part) for part in condition.parts) + ")"
    if isinstance(condition, Lines):
        return f"{'any_line' if condition.how == 'any' else 'all_lines'} {written_condition(condition.part)}"
    if isinstance(condition, Sum):
        where = f" where {written_condition(condition.where)}" if condition.where else ""
        tests = " and ".join(f"{t.op} {', '.join(map(str, t.values))}" for t in condition.tests)
        return f"sum of {condition.of}{where} {tests}"
    return condition.text


# ------------------------------------------------------------------------------------------- the price


def _price(
    chosen: pl.DataFrame, facts: pl.DataFrame, frame: pl.DataFrame, book: RuleBook, moment: Moment
) -> Iterator[Text]:
    """Write the price of every parcel line by line, from the very columns it was computed with."""
    rows = chosen.select("row", "warehouse", "courier", "service", "tariff_id").filter(
        pl.col("courier").is_not_null()
    )
    _, priced = parcel_prices(rows, facts, parcels_of(frame), book, moment)
    for number, parcel in enumerate(priced.to_dicts(), start=1):
        yield from _parcel_price(number, parcel)


def _kg(parcel: Mapping[str, Any], name: str) -> str:
    grams = Decimal(parcel[name]) / Decimal(parcel["divisor"])
    return f"{(grams / 1000).quantize(Decimal('0.000001')).normalize():f}"


def _parcel_price(number: int, p: Mapping[str, Any]) -> Iterator[Text]:
    yield Text(
        "parcel {number}: weighs {actual} kg, volumetric {vol} kg, billed {billed} kg",
        number=number, actual=_kg(p, "actual"), vol=_kg(p, "vol"), billed=_kg(p, "billed"),
    )  # fmt: skip
    if p["fee"] is None:
        yield Text("zone {zone} has no price for this weight", zone=p["zone_id"])
        return
    fee = Decimal(p["fee"]) / p["over"] / MONEY
    yield Text(
        "zone {zone}: {amount} {currency}",
        zone=p["zone_id"],
        amount=_money(fee),
        currency=p["currency_of_tariff"],
    )
    percent = Decimal(p["discount"]) / MONEY
    if percent and not p["on_total"]:
        yield Text(
            "discount {percent} %: -{amount}",
            percent=f"{percent.normalize():f}",
            amount=_money(fee * percent / 100),
        )
    fuel = Decimal(p["fuel"]) / MONEY
    if fuel:
        yield Text(
            "fuel {percent} %: +{amount}", percent=f"{fuel.normalize():f}", amount=_money(fee * fuel / 100)
        )
    if p["surcharge"]:
        yield Text("label, far place, season: +{amount}", amount=_money(Decimal(p["surcharge"]) / MONEY))
    if p["insurance"]:
        yield Text("insurance: +{amount}", amount=_money(Decimal(p["insurance"]) / MONEY / PERCENT))
    if percent and p["on_total"]:
        yield Text("discount {percent} % on the total", percent=f"{percent.normalize():f}")
    total = written(p["freight_minor"], p["currency_of_tariff"])
    coin = Decimal(p["coin"]) / MONEY
    yield Text("total, rounded half up to {coin}: {amount}", coin=f"{coin.normalize():f}", amount=total)


def _money(amount: Decimal) -> str:
    digits = max(exponent_of("CNY"), min(6, -int(amount.normalize().as_tuple().exponent)))
    return f"{amount:.{digits}f}"
