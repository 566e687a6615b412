"""Rules of waves that never take anything, and names in `waves` and `allocation` that no rule uses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from orderctl.model.text import Text
from orderctl.model.yamlfile import nearest
from orderctl.stages.checking.finding import Lint
from orderctl.stages.checking.reach import ALWAYS, contradiction, domains, shadowed
from orderctl.stages.checking.worlds import covering, impossible
from orderctl.stages.rules.book import RuleBook
from orderctl.stages.rules.sections.waves import Kind, SizeClass, WaveRule, WavesSection

_ONE, _SEVERAL, _NOTHING = "one", "several", "nothing"
_TAKES: Mapping[Kind, frozenset[str]] = {
    "single_sku": frozenset({_ONE}),
    "single_line": frozenset({_ONE}),
    "multi_line": frozenset({_SEVERAL}),
    "same_goods": frozenset({_ONE, _SEVERAL, _NOTHING}),
    "any": frozenset({_ONE, _SEVERAL, _NOTHING}),
}
"""How many articles a shipment may have for a rule of each kind to take it."""


def waves(book: RuleBook) -> Iterator[Lint]:
    """Find rules and sizes of waves that no shipment comes to, and couriers and warehouses no rule uses."""
    section = book.rules.waves
    if section is not None:
        yield from _rules(book, section.rules)
        yield from _sizes(book, section)
        used = {use.courier for rule in book.rules.couriers for use in rule.chain}
        places = {name: book.place("waves", "cutoffs", name) for name in section.cutoffs}
        yield from _unused(places, used, "no courier rule uses {name}")
    names = {name for rule in book.rules.warehouses for name in rule.candidates}
    allocation = book.rules.allocation
    listed = {name: book.place("allocation", "capacity", name) for name in allocation.capacity}
    yield from _unused(listed, names, "no warehouse rule uses {name}")
    counted = {
        name: book.place("allocation", "not_counted", n) for n, name in enumerate(allocation.not_counted)
    }
    yield from _unused(counted, names, "no warehouse rule uses {name}")


def _rules(book: RuleBook, rules: Sequence[WaveRule]) -> Iterator[Lint]:
    """Find rules below others that take all of their kind: how much a wave holds only divides what a rule takes."""
    known = domains(book, "waves")
    for number, rule in enumerate(rules):
        wanted = rule.when or ALWAYS
        if impossible(wanted):
            yield contradiction(book.place("waves", "rules", number, "when"), rule.name)
            continue
        above = [one for one in rules[:number] if one.at_least == 1]
        covers: list[WaveRule] = []
        for kind in sorted(_TAKES[rule.kind]):
            takers = [one for one in above if kind in _TAKES[one.kind]]
            found = covering(wanted, [one.when or ALWAYS for one in takers])
            if found is None:
                break
            covers += [takers[n] for n in found]
        else:
            names = [one.name for one in above if one in covers]
            yield shadowed(book.place("waves", "rules", number), rule.name, names)
            continue
        if impossible(wanted, domains=known):
            text = Text(
                "'{name}' can match only what a person or other rules chose: no rule here leads to what it asks for",
                name=rule.name,
            )
            yield Lint(book.place("waves", "rules", number), "unreachable", "warning", text)


def _sizes(book: RuleBook, section: WavesSection) -> Iterator[Lint]:
    above: list[SizeClass] = []
    for number, one in enumerate(section.sizes):
        place = book.place("waves", "sizes", number)
        covers = covering(one.when or ALWAYS, [a.when or ALWAYS for a in above])
        if impossible(one.when or ALWAYS):
            yield contradiction(book.place("waves", "sizes", number, "when"), one.name)
        elif covers is not None:
            yield shadowed(place, one.name, [above[n].name for n in covers])
        else:
            above.append(one)
    if section.sizes and not any("size" in rule.by for rule in section.rules):
        text = Text("no rule of waves goes by 'size', so the classes of parcels are told apart for nothing")
        yield Lint(book.place("waves", "sizes"), "table_unused", "warning", text)


def _unused(places: Mapping[str, str], used: Iterable[str], sentence: str) -> Iterator[Lint]:
    known = sorted(used)
    for name, place in places.items():
        if known and name not in known:
            text, hint = Text(sentence, name=name), nearest(name, known)
            text = text if hint is None else Text("{text} ({hint})", text=text, hint=hint)
            yield Lint(place, "entry_unused", "warning", text)
