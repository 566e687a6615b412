"""Tag rules that do nothing: never true, never asked because a rule above stops, or adding only what is there already.

Every rule that matches adds its tags, so none is in the way of another unless it says `stop`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orderctl.model.text import Text
from orderctl.stages.checking.finding import Lint
from orderctl.stages.checking.reach import ALWAYS, contradiction
from orderctl.stages.checking.worlds import covering, impossible
from orderctl.stages.conditions.tree import facts_of
from orderctl.stages.rules.book import RuleBook
from orderctl.stages.rules.sections.tags import TagRule


def tags(book: RuleBook, rules: Sequence[TagRule]) -> Iterator[Lint]:
    """Find the tag rules without which every shipment would have the same tags."""
    for number, rule in enumerate(rules):
        if impossible(rule.when or ALWAYS):
            yield contradiction(book.place("tags", number, "when"), rule.name)
            continue
        above = [r for at, r in enumerate(rules[:number]) if _means_the_same(r, at, number)]
        stopped = _covered(rule, [r for r in above if r.stop])
        if stopped:
            text = Text(
                "'{name}' is never asked: {above} above it stops first", name=rule.name, above=stopped
            )
            yield Lint(book.place("tags", number), "shadowed", "error", text)
            continue
        givers = [_covered(rule, [r for r in above if tag in r.add]) for tag in rule.add]
        if all(givers) and not rule.stop:
            names = ", ".join(dict.fromkeys(name for name in givers if name))
            text = Text(
                "'{name}' adds nothing: {above} above it adds that already", name=rule.name, above=names
            )
            yield Lint(book.place("tags", number), "shadowed", "error", text)


def _means_the_same(above: TagRule, at: int, number: int) -> bool:
    """Tell whether the condition of a rule above was judged by the facts a rule below is judged by: tags are added between."""
    return above.when is None or "tags" not in facts_of(above.when) or number == at + 1


def _covered(rule: TagRule, above: Sequence[TagRule]) -> str | None:
    """Name those of `above` of which one is true wherever `rule` is, or give None."""
    places = covering(rule.when or ALWAYS, [r.when or ALWAYS for r in above])
    return ", ".join(f"'{above[n].name}'" for n in places) if places else None
