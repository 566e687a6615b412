"""Rules that cannot do what they are written for: never true, never first, never asked, or leaving a gap at the end.

A finding is proved (`check_worlds`): a rule that is named here could be deleted and nothing would be decided otherwise,
unless it is said what it takes. What cannot be told is not found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orderctl.model.text import Text
from orderctl.stages.checking.finding import Lint
from orderctl.stages.checking.worlds import Domains, covering, impossible
from orderctl.stages.choosing.choose import Rule
from orderctl.stages.choosing.holding import ended_for_all
from orderctl.stages.conditions.facts import Moment
from orderctl.stages.conditions.tree import All, Comparison, Condition, facts_of
from orderctl.stages.rules.book import RuleBook
from orderctl.stages.rules.sections.cards import CardRule
from orderctl.stages.rules.sections.gifts import GiftRule
from orderctl.stages.rules.sections.holds import HoldRule

ALWAYS: Condition = All(())


def reach(book: RuleBook, section: str, rules: Sequence[Rule]) -> Iterator[Lint]:
    """Find the rules of a first-match section that can never decide."""
    above: list[Condition] = []
    names: list[str] = []
    known = domains(book, section)
    for number, rule in enumerate(rules):
        wanted = rule.when or ALWAYS
        place = book.place(section, number)
        if impossible(wanted):
            yield contradiction(book.place(section, number, "when"), rule.name)
            continue
        covers = covering(wanted, above)
        if covers is not None:
            yield shadowed(place, rule.name, [names[n] for n in covers])
        elif known and impossible(wanted, domains=known):
            text = Text(
                "'{name}' can match only what a person or other rules chose: no rule here leads to what it asks for",
                name=rule.name,
            )
            yield Lint(place, "unreachable", "warning", text)
        if isinstance(rule, HoldRule) and rule.until:
            continue  # once it has ended, those below it are asked
        above.append(wanted)
        names.append(rule.name)


def contradiction(place: str, name: str) -> Lint:
    """Say of the rule `name` that its condition, at `place`, is never true."""
    text = Text("the condition of '{name}' can never be true", name=name)
    return Lint(place, "contradiction", "error", text)


def shadowed(place: str, name: str, above: Sequence[str]) -> Lint:
    """Say of the rule `name`, at `place`, that of those `above` it one is always asked first and matches."""
    if len(above) == 1:
        text = Text("'{name}' can never match: '{above}' above it matches first", name=name, above=above[0])
    else:
        text = Text(
            "'{name}' can never match: of the rules {above} above it one always matches first",
            name=name,
            above=", ".join(f"'{one}'" for one in above),
        )
    return Lint(place, "shadowed", "error", text)


def domains(book: RuleBook, section: str) -> Domains:
    """Give what rules can have chosen before a section is judged.

    Otherwise chosen is only what a person pinned, or what began under other rules.
    """
    if section == "warehouses":
        return {}
    named = frozenset(name for rule in book.rules.warehouses for name in rule.candidates)
    found = {"warehouse": named}
    if section == "couriers":
        return found
    uses = [use for rule in book.rules.couriers for use in rule.chain]
    if section == "templates":  # a label that the courier rule names goes before this section
        uses = [use for use in uses if use.template is None]
    couriers = frozenset(use.courier for use in uses)
    return {**found, "courier": couriers, "service": frozenset(use.service for use in uses if use.service)}


def cards(book: RuleBook, rules: Sequence[CardRule]) -> Iterator[Lint]:
    """Find cards whose condition can never be true; all that match count, so none is in the way of another."""
    for number, card in enumerate(rules):
        if card.when is not None and impossible(card.when):
            yield contradiction(book.place("cards", number, "when"), card.name)


def gifts(book: RuleBook, rules: Sequence[GiftRule]) -> Iterator[Lint]:
    """Find gifts that are never given: never true, or below one of their group that gives wherever they would.

    Of a group the first that can gives, so a rule with a limit is never surely in the way.
    """
    for number, rule in enumerate(rules):
        wanted = rule.when or ALWAYS
        if impossible(wanted):
            yield contradiction(book.place("gifts", number, "when"), rule.name)
            continue
        earlier = [
            r for r in rules[:number] if rule.group is not None and r.group == rule.group and not _limited(r)
        ]
        covers = covering(wanted, [r.when or ALWAYS for r in earlier])
        if covers is not None:
            above = "', '".join(earlier[n].name for n in covers)
            text = Text(
                "'{name}' can never give: '{above}' above it in its group gives first",
                name=rule.name,
                above=above,
            )
            yield Lint(book.place("gifts", number), "shadowed", "error", text)


def _limited(rule: GiftRule) -> bool:
    limits = (rule.per, rule.from_, rule.until, rule.quota, rule.per_customer, rule.stock_floor)
    return any(limit is not None for limit in limits)


def over(book: RuleBook, moment: Moment) -> Iterator[Lint]:
    """Find rules that could match once and never will again: the days they ask for are over."""
    if moment.now is None:
        return
    from_now = Comparison("now", "gte", ((moment.now, moment.now),))
    for section in ("tags", "warehouses", "couriers", "templates", "holds", "gifts", "cards"):
        for number, rule in enumerate(getattr(book.rules, section)):
            if rule.when is None or "now" not in facts_of(rule.when):
                continue
            if impossible(All((rule.when, from_now))) and not impossible(rule.when):
                text = Text("'{name}' is over: it never matches again", name=rule.name)
                yield Lint(book.place(section, number, "when"), "over", "warning", text)
    for number, hold in enumerate(book.rules.holds):
        if ended_for_all(hold, moment):
            text = Text("'{name}' is over: it never matches again", name=hold.name)
            yield Lint(book.place("holds", number, "until"), "over", "warning", text)


def ends(book: RuleBook) -> Iterator[Lint]:
    """Find sections whose rules leave some shipments without a choice, or may: it is not proved that they do not."""
    for section in ("warehouses", "couriers"):
        rules: Sequence[Rule] = getattr(book.rules, section)
        if rules and covering(ALWAYS, [rule.when or ALWAYS for rule in rules]) is None:
            text = Text(
                "{section} has no last rule without 'when': what matches none is blocked", section=section
            )
            yield Lint(book.place(section), "no_last_rule", "warning", text)
