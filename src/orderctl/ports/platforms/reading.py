"""Reading a platform's list of orders completely, although it shifts while it is read and the reader may die.

The list is read in windows of time, oldest first. In a window of changes that lies in the past, an order that
changes meanwhile leaves the window, and pulls all behind it one place forward. Numbered pages are therefore walked
from the last to the first: what moves is then met twice, never missed. Pages with tokens hold their place.
Where the platform counts, its count before and after says whether a pass was undisturbed; if not it is repeated.

The one invariant: every page's cursor says all that is needed to go on after it, so a reader may die between any two.
A window that stays incomplete is never passed: later ones are read too, but the cursor waits before it.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from orderctl.model.errors import ConfigError, Refused
from orderctl.model.instant import parse_instant
from orderctl.model.text import Text
from orderctl.ports.platforms.port import (
    By,
    Certificate,
    Page,
    RawRow,
    Shop,
    Window,
    seconds_between,
    shift,
)

PASSES = 3
VERSION = 2
AT_ONCE = 8
"""Single orders asked for side by side: enough that the rate limit is what a shop waits for, not the way there."""
SINGLES_A_PAGE = 20
_T = TypeVar("_T")
_R = TypeVar("_R")


@dataclass(frozen=True)
class Reach:
    """How far and how finely a platform's list may be read; times in seconds.

    `window_s` is the widest window it accepts. Reading begins `overlap_s` before the cursor, since an order may be
    listed late, and ends `lag_s` before now. A first fetch reaches `back_days` back. Windows with more than
    `split_above` orders are halved, down to `shortest_s`; for platforms that do not count it has no meaning.
    """

    window_s: int
    overlap_s: int
    lag_s: int
    back_days: int
    split_above: int = 1_000
    shortest_s: int = 120


@dataclass(frozen=True)
class Entry:
    """One entry of a list as it came; `changed` is the instant of its change, as far as the list tells it."""

    ref: str
    changed: str | None
    body: dict[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Listed:
    """One page of a list, and the place of the next one; None after the last."""

    entries: Sequence[Entry]
    next: str | None
    warnings: tuple[Text, ...] = ()


class Lister(Protocol):
    """One platform's list of orders. A place is text that only the platform understands: a page number, a token."""

    @property
    def reach(self) -> Reach:
        """Give the list's limits."""
        ...

    def count(self, window: Window, by: By) -> int | None:
        """Give the platform's own count of the orders in a window; None if it has none."""
        ...

    def start(self, window: Window, by: By, total: int | None) -> str | None:
        """Give the place of the first page to read of a window with so many orders; None if there is nothing."""
        ...

    def page(self, window: Window, by: By, place: str) -> Listed:
        """Read one page.

        Raises: Refused (`page_expired`: the place is not accepted any more; `window_too_wide`), Temporary,
        Unauthorized.
        """
        ...

    def records(self, entries: Sequence[Entry], *, by: By, now: str) -> list[RawRow]:
        """Make raw rows of entries; whatever the list leaves out is asked for here."""
        ...


class Numbered(ABC):
    """A list in pages numbered from 1, of which the first tells how many orders there are in all."""

    size: int

    def __init__(self) -> None:
        self._first: tuple[Window, By, list[Entry]] | None = None

    @abstractmethod
    def listed(self, window: Window, by: By, number: int, *, count: bool) -> tuple[int, list[Entry]]:
        """Read one page; the total needs to be right only when counting."""

    def count(self, window: Window, by: By) -> int:
        """Give the platform's own count. It brings the first page along, which is kept if it is the only one."""
        total, entries = self.listed(window, by, 1, count=True)
        # of several pages the first is read last, when it may hold what moved forward meanwhile
        self._first = (window, by, entries) if total <= self.size else None
        return total

    def start(self, window: Window, by: By, total: int | None) -> str | None:
        """Give the last page; see `Lister.start`."""
        del window, by
        return str(-(-total // self.size)) if total else None

    def page(self, window: Window, by: By, place: str) -> Listed:
        """Read one page; the one before it is next."""
        number, kept = int(place), self._first
        self._first = None
        if number == 1 and kept is not None and kept[:2] == (window, by):
            entries = kept[2]
        else:
            entries = self.listed(window, by, number, count=False)[1]
        return Listed(entries, str(number - 1) if number > 1 else None)


@dataclass(frozen=True)
class Mark:
    """Where reading stands: everything changed until `until` is read, and `window` up to the page at `place`.

    `seen` are the orders of that window met so far, where the platform counts them.
    """

    until: str
    window: Window | None = None
    place: str = ""
    seen: Collection[str] = ()


def write_cursor(mark: Mark) -> str:
    """Give the cursor that stands for a mark."""
    value: dict[str, Any] = {"v": VERSION, "until": mark.until}
    if mark.window:
        value |= {
            "window": [mark.window.since, mark.window.until],
            "place": mark.place,
            "seen": list(mark.seen),
        }
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def parse_cursor(cursor: str | None) -> Mark | None:
    """Read a cursor; None for none and for one of a form we do not know (then everything is read anew)."""
    try:
        found = json.loads(cursor or "null")
        if found["v"] not in (1, VERSION):
            return None
        parse_instant(found["until"])
        if "window" not in found:
            return Mark(found["until"])
        since, until = found["window"]
        return Mark(found["until"], Window(since, until), str(found["place"]), tuple(found["seen"]))
    except (ValueError, KeyError, TypeError):
        return None


def read(
    lister: Lister,
    shop: Shop,
    *,
    now: str,
    cursor: str | None,
    since: str | None,
    until: str | None,
    by: By,
) -> Iterator[Page]:
    """Read new and changed orders, window by window; see `Platform.fetch`."""
    reach = lister.reach
    mark = parse_cursor(cursor)
    end = min(until or now, shift(now, -reach.lag_s))
    moves = by == "updated" and since is None and until is None
    reader = _Reader(lister, by=by, now=now, moves=moves)
    if since:
        begin = since
    elif mark and mark.window:
        yield from reader.window(mark.window, mark)
        begin = mark.window.until
    elif mark:
        begin = shift(mark.until, -reach.overlap_s)
    else:
        begin = shift(now, -history_s(shop, reach.back_days))
    for window in cut_windows(begin, end, reach.window_s):
        yield from reader.window(window)


def history_s(shop: Shop, at_most_days: int) -> int:
    """Give how many seconds back a first fetch reaches: the shop's `history_days`, at most what the platform shows."""
    asked = shop.settings.get("history_days") or str(at_most_days)
    if not asked.isdecimal():
        raise ConfigError(Text("shop {shop}: 'history_days' is no number of days", shop=shop.id))
    return min(int(asked), at_most_days) * 86_400


def cut_windows(since: str, until: str, span_s: int) -> Iterator[Window]:
    """Cut a span of time into windows of at most `span_s` seconds that share their ends; none if it is empty."""
    while since < until:
        end = min(shift(since, span_s), until)
        yield Window(since, end)
        since = end


def side_by_side(ask: Callable[[_T], _R], items: Iterable[_T]) -> list[_R]:
    """Give what `ask` gives of each item, in their order, a few being asked for at once.

    Raises: what `ask` raised of the first item that failed; those behind it that had not begun are left alone.
    """
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(ask, items))


def one_by_one(ask: Callable[[str], RawRow | None], refs: Sequence[str]) -> Iterator[Page]:
    """Read orders of a platform that has no call for several; `ask` gives None for an order the shop does not have."""
    for begin in range(0, len(refs), SINGLES_A_PAGE):
        asked = refs[begin : begin + SINGLES_A_PAGE]
        found = list(zip(asked, side_by_side(ask, asked), strict=True))
        yield Page([row for _, row in found if row], missing=tuple(ref for ref, row in found if not row))


class _Reader:
    """Reads windows of one list."""

    def __init__(self, lister: Lister, *, by: By, now: str, moves: bool) -> None:
        self._lister = lister
        self._by: By = by
        self._now = now
        self._moves = moves

    def window(self, window: Window, mark: Mark | None = None) -> Iterator[Page]:
        """Read a window, from `mark` if it was begun before, in halves if it is too large."""
        try:
            yield from self._whole(window, mark)
        except Refused as refusal:
            if refusal.code != "page_expired":
                raise
            yield from self._whole(window, None)

    def _whole(self, window: Window, mark: Mark | None) -> Iterator[Page]:
        try:
            total = self._lister.count(window, self._by)
            if (
                mark is not None
                or (total or 0) <= self._lister.reach.split_above
                or not _wide(window, self._lister)
            ):
                yield from self._passes(window, total, mark)
                return
        except Refused as refusal:
            if refusal.code != "window_too_wide" or not _wide(window, self._lister):
                raise
        middle = shift(window.since, seconds_between(window.since, window.until) // 2)
        yield from self.window(Window(window.since, middle))
        yield from self.window(Window(middle, window.until))

    def _passes(self, window: Window, total: int | None, mark: Mark | None) -> Iterator[Page]:
        seen = dict.fromkeys(mark.seen, "") if mark else {}
        met = set(seen)
        place = mark.place if mark else self._lister.start(window, self._by, total)
        for _ in range(PASSES):
            pages = yield from self._pass(window, place, seen, met, counted=total is not None)
            before = total
            if total is not None and (pages > 1 or mark):
                total = self._lister.count(window, self._by)
            if before is None or total is None or (len(met) >= before and len(seen) >= total):
                break
            met = set()
            place = self._lister.start(window, self._by, total)
        certificate = Certificate(window, total, len(seen))
        self._moves = self._moves and certificate.complete
        cursor = write_cursor(Mark(window.until)) if self._moves else None
        yield Page([], cursor=cursor, certificate=certificate)

    def _pass(
        self, window: Window, place: str | None, seen: dict[str, str], met: set[str], *, counted: bool
    ) -> Generator[Page, None, int]:
        """Read all pages from `place` on, note what was met and seen, and give how many pages there were."""
        pages = 0
        while place is not None:
            listed = self._lister.page(window, self._by, place)
            pages += 1
            met.update(entry.ref for entry in listed.entries)
            fresh = [entry for entry in listed.entries if _newer(entry, seen)]
            if listed.next == place:
                raise Refused(Text("the platform's list leads back to the same page"), code="page_repeats")
            place = listed.next
            records = self._lister.records(fresh, by=self._by, now=self._now) if fresh else []
            cursor = None
            if self._moves and place is not None:
                cursor = write_cursor(Mark(window.since, window, place, seen if counted else ()))
            yield Page(records, cursor=cursor, warnings=listed.warnings)
        return pages


def _wide(window: Window, lister: Lister) -> bool:
    """Say whether a window may still be halved."""
    return seconds_between(window.since, window.until) > lister.reach.shortest_s


def _newer(entry: Entry, seen: dict[str, str]) -> bool:
    """Note the entry, and say whether this state of the order was not met before."""
    changed = entry.changed or ""
    if entry.ref in seen and seen[entry.ref] >= changed:
        return False
    seen[entry.ref] = changed
    return True
