"""Reading lists that shift: whatever changes, and wherever the reader dies, no order is missed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderctl.model.errors import Refused
from orderctl.model.text import Text
from orderctl.ports.platforms.port import By, Page, RawRow, Shop, Window, raw_row, shift
from orderctl.ports.platforms.reading import (
    Entry,
    Listed,
    Lister,
    Mark,
    Numbered,
    Reach,
    parse_cursor,
    read,
    write_cursor,
)

SHOP = Shop("sample-1", "taobao")
BEGAN = "2026-11-01T00:00:00Z"
SIZE = 5


@dataclass
class World:
    """Orders with the instant of their last change; each call of the list lets time pass and orders change."""

    orders: dict[str, str]
    now: str
    dice: Random
    changes: float
    calls: int = 0
    numbered: bool = True
    newest_first: bool = True
    counts: bool = True
    expires: bool = False
    reach: Reach = field(default=Reach(86_400, 600, 120, 30, split_above=20))

    def live(self) -> None:
        self.calls += 1
        self.now = shift(self.now, 1)
        for ref in self.orders:
            if self.dice.random() < self.changes:
                self.orders[ref] = self.now

    def listed(self, window: Window) -> list[str]:
        inside = [r for r, at in self.orders.items() if window.since <= at <= window.until]
        return sorted(inside, key=lambda r: (self.orders[r], r), reverse=self.newest_first)

    def count(self, window: Window, by: By) -> int | None:
        self.live()
        return len(self.listed(window)) if self.counts else None

    def start(self, window: Window, by: By, total: int | None) -> str | None:
        return ""

    def page(self, window: Window, by: By, place: str) -> Listed:
        self.live()
        if self.expires and self.dice.random() < 0.1:
            self.expires = False
            raise Refused(Text("gone"), code="page_expired")
        after = tuple(place.split("|")) if place else ("", "")
        behind = sorted((self.orders[r], r) for r in self.listed(window) if (self.orders[r], r) > after)
        refs = [r for _, r in behind[:SIZE]]
        end = len(behind) <= SIZE
        return Listed([self.entry(r) for r in refs], None if end else f"{self.orders[refs[-1]]}|{refs[-1]}")

    def entry(self, ref: str) -> Entry:
        return Entry(ref, self.orders[ref], {"id": ref, "at": self.orders[ref]})

    def records(self, entries: Sequence[Entry], *, by: By, now: str) -> list[RawRow]:
        return [
            raw_row(
                SHOP,
                ref=e.ref,
                form="x",
                now=now,
                updated_at=e.changed,
                source="x",
                payload=json.dumps(e.body),
            )
            for e in entries
        ]


class Pages(Numbered):
    """The same world in numbered pages."""

    size = SIZE

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world, self.reach, self.records = world, world.reach, world.records

    def listed(self, window: Window, by: By, number: int, *, count: bool) -> tuple[int, list[Entry]]:
        self.world.live()
        refs = self.world.listed(window)
        return len(refs), [self.world.entry(r) for r in refs[(number - 1) * SIZE : number * SIZE]]


def make(dice: Random, count: int, *, span_s: int, changes: float) -> World:
    orders = {f"{n:03}": shift(BEGAN, dice.randrange(span_s)) for n in range(count)}
    return World(orders, shift(BEGAN, span_s + 300), dice, changes)


def fetch(world: World, cursor: str | None, deaths: Random | None = None) -> tuple[list[Page], str | None]:
    """Fetch once; the reader may die after any page, keeping that page and its cursor."""
    kept: list[Page] = []
    lister: Lister = Pages(world) if world.numbered else world
    for page in read(lister, SHOP, now=world.now, cursor=cursor, since=None, until=None, by="updated"):
        kept.append(page)
        cursor = page.cursor or cursor
        if deaths is not None and deaths.random() < 0.2:
            break
    return kept, cursor


@given(
    seed=st.integers(0, 10_000),
    count=st.integers(0, 90),
    changes=st.sampled_from([0.0, 0.01, 0.05]),
    shape=st.sampled_from(["newest first", "oldest first", "tokens", "tokens, no count"]),
    dies=st.booleans(),
)
def test_no_change_is_missed(seed: int, count: int, changes: float, shape: str, dies: bool) -> None:
    dice = Random(seed)
    world = make(dice, count, span_s=3_000, changes=changes)
    world.numbered, world.newest_first = "tokens" not in shape, shape == "newest first"
    world.counts, world.expires = shape != "tokens, no count", "tokens" in shape
    cursor: str | None = None
    got: dict[str, str] = {}
    for turn in range(60):
        if turn == 20:
            world.changes = 0.0  # the shop goes to sleep
        pages, cursor = fetch(world, cursor, dice if dies and turn < 20 else None)
        for row in (row for page in pages for row in page.records):
            assert row["platform_ref"] and row["updated_at"]
            got[row["platform_ref"]] = max(got.get(row["platform_ref"], ""), row["updated_at"])
        world.now = shift(world.now, 200)
        if turn > 21 and got == world.orders:
            break
    assert got == world.orders


def test_a_quiet_window_is_read_once_and_certified() -> None:
    world = make(Random(1), 17, span_s=3_000, changes=0.0)
    pages, _ = fetch(world, None)
    assert sum(len(p.records) for p in pages) == 17
    certificates = [p.certificate for p in pages if p.certificate]
    assert sum(c.expected or 0 for c in certificates) == sum(c.got for c in certificates) == 17


def test_a_reader_that_died_goes_on_at_the_next_page() -> None:
    world = make(Random(1), 18, span_s=3_000, changes=0.0)
    world.reach = replace(world.reach, back_days=1, window_s=2 * 86_400)
    pages = read(Pages(world), SHOP, now=world.now, cursor=None, since=None, until=None, by="updated")
    first = next(pages)
    rest, _ = fetch(world, first.cursor)
    assert len(first.records) + sum(len(p.records) for p in rest) == 18
    certificate = next(page.certificate for page in rest if page.certificate)
    assert certificate.expected == certificate.got == 18


def test_a_window_with_too_many_orders_is_halved() -> None:
    world = make(Random(2), 90, span_s=3_000, changes=0.0)
    pages, _ = fetch(world, None)
    certificates = [p.certificate for p in pages if p.certificate]
    assert max(c.got for c in certificates) <= 20
    assert sum(len(p.records) for p in pages) == 90


def test_a_look_back_moves_no_cursor() -> None:
    world = make(Random(3), 9, span_s=3_000, changes=0.0)
    mark = write_cursor(Mark(shift(BEGAN, 2_000)))
    pages = list(read(Pages(world), SHOP, now=world.now, cursor=mark, since=BEGAN, until=None, by="updated"))
    assert sum(len(p.records) for p in pages) == 9
    assert not any(p.cursor for p in pages)


@pytest.mark.parametrize(
    "text", ["", "null", "{}", "[]", '{"v":9,"until":"2026-11-01T00:00:00Z"}', '{"v":2,"until":1}']
)
def test_a_strange_cursor_is_none(text: str) -> None:
    assert parse_cursor(text) is None


def test_a_cursor_is_read_as_it_was_written() -> None:
    mark = Mark(BEGAN, Window(BEGAN, shift(BEGAN, 60)), "7", ("a", "b"))
    assert parse_cursor(write_cursor(mark)) == mark


def test_an_incomplete_window_is_not_passed() -> None:
    """The platform counts an order it does not list yet; the next fetch has it, though it never changed."""
    world = make(Random(4), 12, span_s=3_000, changes=0.0)
    late = max(world.orders)
    hidden = Pages(world)
    hidden.listed = lambda *where, count: _without(late, Pages.listed(hidden, *where, count=count))  # type: ignore[method-assign]
    pages = list(read(hidden, SHOP, now=world.now, cursor=None, since=None, until=None, by="updated"))
    assert [c.complete for p in pages if (c := p.certificate)].count(False) == 1
    cursor = next(page.cursor for page in reversed(pages) if page.cursor)
    mark = parse_cursor(cursor)
    assert mark is not None
    assert mark.until < world.orders[late]
    world.now = shift(world.now, 86_400)
    again, _ = fetch(world, cursor)
    assert late in {row["platform_ref"] for page in again for row in page.records}
    assert all(page.certificate.complete for page in again if page.certificate)


def _without(ref: str, found: tuple[int, list[Entry]]) -> tuple[int, list[Entry]]:
    total, entries = found
    return total, [entry for entry in entries if entry.ref != ref]


@pytest.mark.parametrize(("count", "calls"), [(SIZE, [1]), (SIZE + 1, [1, 2, 1])])
def test_only_an_only_page_is_taken_from_the_count(count: int, calls: list[int]) -> None:
    """Of several pages the first is read last, for it may hold what moved forward meanwhile."""
    world = make(Random(5), count, span_s=60, changes=0.0)
    pages, asked = Pages(world), []
    plain = pages.listed

    def noted(window: Window, by: By, number: int, *, count: bool) -> tuple[int, list[Entry]]:
        asked.append(number)
        return plain(window, by, number, count=count)

    pages.listed = noted  # type: ignore[method-assign]
    whole = Window(BEGAN, world.now)
    place = pages.start(whole, "updated", pages.count(whole, "updated"))
    while place is not None:
        place = pages.page(whole, "updated", place).next
    assert asked == calls
