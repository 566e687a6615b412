"""Whether a condition can ever be true, and whether others are always true where it is.

The question is answered by dividing every fact into the few kinds of values that the conditions tell apart, and trying
them out. Facts count as independent of each other, and what cannot be looked into (SQL, regular expressions on a text
that is not named) may be anything: so more counts as possible than is. Hence the one invariant: **impossible is
proved**, while "possible" may also mean that it could not be told. After
`MOST_STEPS` tests it is given up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from orderctl.stages.checking.tree import (
    Node,
    Test,
    Variable,
    excludes,
    follows,
    has_word,
    holds,
    leaves,
    stretches,
    to_tree,
)
from orderctl.stages.conditions.facts import FACTS, LINE_FACTS, Kind
from orderctl.stages.conditions.tree import All, Condition, Lines

MOST_STEPS = 200_000
TRUE, FALSE, UNKNOWN = 1, 2, 4
ANYTHING = TRUE | FALSE | UNKNOWN
BOUNDS: Mapping[str, tuple[int, int]] = {"hour": (0, 23), "minute_of_day": (0, 1439), "weekday": (1, 7)}
ALWAYS_THERE = frozenset({"now", "hour", "minute_of_day", "weekday", "merge_orders", "line_count"})

Domains = Mapping[str, frozenset[str]]
"""Values a fact of text may have, besides missing, where that is known; any other fact may have every value."""


def _negation(mask: int) -> int:
    return (mask & UNKNOWN) | (TRUE if mask & FALSE else 0) | (FALSE if mask & TRUE else 0)


def _every(masks: Sequence[int]) -> int:
    """Give what Kleene's "and" may come to when each part may be what its mask says."""
    found = TRUE
    for mask in masks:
        found = (
            ((found | mask) & FALSE)
            | (UNKNOWN if (found & UNKNOWN and mask & (UNKNOWN | TRUE)) or (mask & UNKNOWN and found & TRUE) else 0)
            | (found & mask & TRUE)
        )  # fmt: skip
    return found


# ------------------------------------------------------------------------------------------- the search

_MISSING, _OTHER = ("missing",), ("other",)


@dataclass
class _Search:
    """Looks for a world in which `wanted` is true and none of `others` is."""

    wanted: Node
    others: Sequence[Node]
    domains: Domains
    cells: dict[Variable, list[object]] = field(default_factory=dict)
    tests: dict[Variable, list[Test]] = field(default_factory=dict)
    ties: dict[Variable, list[tuple[Variable, str]]] = field(default_factory=dict)
    needed: set[int] = field(default_factory=set)
    steps: int = 0

    def __post_init__(self) -> None:
        for node in (self.wanted, *self.others):
            for test in leaves(node):
                known = self.tests.setdefault(test.variable, [])
                if test not in known:
                    known.append(test)
        for variable, tests in list(self.tests.items()):
            self._divide(variable, tests)

    def _divide(self, of: Variable, tests: list[Test]) -> None:
        there = isinstance(of.name, str) and (of.name in ALWAYS_THERE or _none_known(of.name))
        absent: list[object] = [] if there else [_MISSING]
        if of.kind in ("whole", "instant"):
            bounds = BOUNDS.get(of.name) if isinstance(of.name, str) else None
            self.cells[of] = [*stretches(tests, bounds), *absent]
        elif of.kind == "flag":
            self.cells[of] = [0, 1, *absent]
        elif of.kind == "truth":
            self.cells[of] = [TRUE, FALSE, UNKNOWN]
        elif of.kind == "texts":
            self.cells[of] = [_OTHER, _MISSING]
            self._words(of, tests, (TRUE, FALSE, UNKNOWN))
        else:
            named: list[object] = list(dict.fromkeys(t.values[0] for t in tests if t.op == "eq"))
            allowed = self.domains.get(str(of.name)) if isinstance(of.name, str) else None
            if allowed is None:
                self.cells[of] = [*named, _OTHER, *absent]
            else:
                self.cells[of] = [*sorted(allowed), *absent]
            self._words(of, [t for t in tests if t.op != "eq"], (TRUE, FALSE))
        if of.kind == "truth":
            self._lines(of)

    def _words(self, of: Variable, tests: Sequence[Test], cells: tuple[int, ...]) -> None:
        asked = [t for t in tests if t.op != "missing"]
        for test in asked:
            self.cells[_word(test)] = list(cells)
        for one in asked:
            for other in asked:
                if one is not other:
                    self._tie(_word(one), _word(other), _relation(of, one, other))

    def _lines(self, of: Variable) -> None:
        """Tie conditions over lines to each other: what holds for a line may imply or exclude another condition."""
        if not isinstance(of.name, Lines):
            return
        for other in [v for v in self.cells if v != of and isinstance(v.name, Lines)]:
            assert isinstance(other.name, Lines)
            for one, its in ((of, other), (other, of)):
                self._tie(one, its, _of_lines(one.name, its.name))  # type: ignore[arg-type]
        if of.name.how == "any" and impossible(of.name.part, line=True):
            self.cells[of] = [FALSE, UNKNOWN]

    def _tie(self, one: Variable, other: Variable, how: str | None) -> None:
        if how is not None:
            self.ties.setdefault(one, []).append((other, how))

    def found(self) -> bool:
        """Tell whether there is such a world, or none could be excluded within the steps allowed."""
        return self._try({}, list(enumerate(self.others)))

    def _try(self, world: dict[Variable, object], open_: list[tuple[int, Node]]) -> bool:
        if self.steps > MOST_STEPS:
            return True
        mask = self._mask(self.wanted, world)
        if not mask & TRUE:
            return False
        left = []
        for number, node in open_:
            its = self._mask(node, world)
            if its == TRUE:
                self.needed.add(number)
                return False
            if its & TRUE:
                left.append((number, node))
        undecided = self.wanted if mask != TRUE else left[0][1] if left else None
        if undecided is None:
            return True
        variable = self._next(undecided, world)
        for cell in self.cells[variable]:
            if self._fits(variable, cell, world):
                world[variable] = cell
                if self._try(world, left):
                    return True
                del world[variable]
        return False

    def _next(self, node: Node, world: Mapping[Variable, object]) -> Variable:
        for test in leaves(node):
            if test.variable not in world:
                return test.variable
            if (
                _word(test) in self.cells
                and _word(test) not in world
                and self._leaf(test, world) not in (1, 2, 4)
            ):
                return _word(test)
        raise AssertionError("an undecided condition has a variable that is open")

    def _fits(self, variable: Variable, cell: object, world: Mapping[Variable, object]) -> bool:
        """Tell whether a value goes together with what is set: true implies, or excludes, what is tied to it."""
        if cell == TRUE and any(
            (world[other] != TRUE) if how == "implies" else (world[other] == TRUE)
            for other, how in self.ties.get(variable, ())
            if other in world
        ):
            return False
        return cell == TRUE or not any(
            tied == variable and how == "implies" and world[one] == TRUE
            for one in world
            for tied, how in self.ties.get(one, ())
        )

    def _mask(self, node: Node, world: Mapping[Variable, object]) -> int:
        if node.test is not None:
            return self._leaf(node.test, world)
        masks = [self._mask(part, world) for part in node.parts]
        if node.how == "not":
            return _negation(masks[0])
        return _every(masks) if node.how == "all" else _negation(_every([_negation(m) for m in masks]))

    def _leaf(self, test: Test, world: Mapping[Variable, object]) -> int:
        self.steps += 1
        of = test.variable
        if of in world:
            return self._known(test, world[of], world)
        found = 0
        for cell in self.cells[of]:
            found |= self._known(test, cell, world)
        return found

    def _known(self, test: Test, cell: object, world: Mapping[Variable, object]) -> int:
        kind = test.variable.kind
        if kind == "truth":
            return int(cell)  # type: ignore[call-overload, no-any-return]
        if test.op == "missing":
            return TRUE if cell == _MISSING else FALSE
        if cell == _MISSING:
            return FALSE if kind == "texts" else UNKNOWN
        if kind in ("whole", "instant", "flag"):
            return TRUE if holds(test, int(cell)) else FALSE  # type: ignore[call-overload]
        if kind != "texts":
            if test.op == "eq":
                return TRUE if cell == test.values[0] else FALSE
            if kind == "text" and cell != _OTHER:
                return TRUE if has_word(str(cell), test.op, str(test.values[0])) else FALSE
        word = _word(test)
        return int(world[word]) if word in world else sum(self.cells[word])  # type: ignore[call-overload, arg-type]


def _word(test: Test) -> Variable:
    return Variable((test.variable, test.op, test.values), "word")


def _none_known(name: str) -> bool:
    return name in FACTS and FACTS[name].none is not None


def _relation(of: Variable, one: Test, other: Test) -> str | None:
    word, its = str(one.values[0]), str(other.values[0])
    if follows(one.op, word, other.op, its):
        return "implies"
    return "excludes" if of.kind != "texts" and excludes(one.op, word, other.op, its) else None


def _of_lines(one: Lines, other: Lines) -> str | None:
    """Say what the truth of `one` means for `other`. An empty shipment has no line, and all of its lines are so."""
    if one.how == other.how and impossible(one.part, (other.part,), line=True):
        return "implies"
    if {one.how, other.how} == {"any", "all"} and impossible(All((one.part, other.part)), line=True):
        return "excludes"
    return None


# ------------------------------------------------------------------------------------------- the answers


def impossible(
    wanted: Condition, others: Sequence[Condition] = (), domains: Domains | None = None, *, line: bool = False
) -> bool:
    """Tell whether it is proved that `wanted` is never true while none of `others` is.

    Args:
        others: without any the question is whether `wanted` can be true at all.
        domains: the only values that some facts of text may have, besides missing.
        line: the conditions are over the facts of a line.
    """
    return _needed(wanted, others, domains or {}, line=line) is not None


def covering(wanted: Condition, others: Sequence[Condition]) -> list[int] | None:
    """Give the places of those of `others` of which one is true wherever `wanted` is; None when that is not proved.

    They are as few as can be told by leaving out one after the other.
    """
    needed = _needed(wanted, others, {}, line=False)
    if needed is None:
        return None
    for place in sorted(needed, reverse=True):
        fewer = [n for n in sorted(needed) if n != place]
        if _needed(wanted, [others[n] for n in fewer], {}, line=False) is not None:
            needed = set(fewer)
    return sorted(needed)


def _needed(
    wanted: Condition, others: Sequence[Condition], domains: Domains, *, line: bool
) -> set[int] | None:
    table = LINE_FACTS if line else FACTS
    kinds: dict[str, Kind] = {name: fact.kind for name, fact in table.items()}
    search = _Search(to_tree(wanted, kinds), [to_tree(o, kinds) for o in others], domains)
    return None if search.found() else search.needed
