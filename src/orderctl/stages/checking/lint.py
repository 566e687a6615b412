"""The rules put to the test: their own examples run (`run_tests`), and what in them cannot be meant (`lint`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orderctl.model.text import Text
from orderctl.stages.checking.candidates import candidates
from orderctl.stages.checking.chains import chains
from orderctl.stages.checking.entries import entries
from orderctl.stages.checking.examples import Result, run_tests
from orderctl.stages.checking.finding import Lint
from orderctl.stages.checking.places import places
from orderctl.stages.checking.reach import cards, ends, gifts, over, reach
from orderctl.stages.checking.tags import tags
from orderctl.stages.checking.tariffs import lint_tariffs
from orderctl.stages.checking.timetable import timetable
from orderctl.stages.checking.use import unused
from orderctl.stages.checking.waves import waves
from orderctl.stages.choosing.choose import Rule
from orderctl.stages.conditions.facts import Moment
from orderctl.stages.rules.book import RuleBook

__all__ = ["Lint", "Result", "lint", "run_tests"]


def lint(book: RuleBook, now: str | None = None) -> list[Lint]:
    """Give what is wrong with the rules although they can be read, in the order of the file's sections.

    Args:
        now: what is over at this instant (RFC 3339, UTC) is found too.
    """
    moment = Moment(now, book.rules.timezone)
    found = [*_twice(book, "tags", [rule.name for rule in book.rules.tags]), *tags(book, book.rules.tags)]
    for section in ("warehouses", "couriers", "templates", "holds"):
        rules: Sequence[Rule] = getattr(book.rules, section)
        found += _twice(book, section, [rule.name for rule in rules])
        found += reach(book, section, rules)
    found += gifts(book, book.rules.gifts)
    found += _twice(book, "cards", [card.name for card in book.rules.cards])
    found += cards(book, book.rules.cards)
    found += _twice(book, "tariffs", [t.id for t in book.rules.tariffs])
    found += _twice(book, "tests", [case.name for case in book.rules.tests])
    found += [
        *candidates(book),
        *chains(book),
        *entries(book, moment),
        *timetable(book, moment),
        *places(book),
    ]
    found += [*waves(book), *over(book, moment)]
    return [*found, *unused(book), *lint_tariffs(book), *ends(book)]


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
