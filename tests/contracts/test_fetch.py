"""What every connector keeps while it reads, against the stand-in of its platform.

A platform that cannot keep a law has an entry in a table of exceptions, with its reason.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from orderctl.model.instant import parse_instant
from orderctl.model.mapper import MONEY_FIELDS
from orderctl.ports.platforms import manifest
from orderctl.ports.platforms.port import Page, RawRow
from tests.contracts.world import CASES, EPOCH, ROUNDS, World, instant, leaves, opened, orders_of, records

INSTANT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
PLUS = ("goods_minor", "postage_minor", "tax_added_minor", "adjust_minor")
MINUS = ("discount_seller_minor", "discount_platform_minor")


@pytest.fixture(scope="module")
def pages(world: World) -> list[Page]:
    """Everything the platform shows, read once."""
    return list(world.client().fetch(now=world.now))


@pytest.fixture(scope="module")
def rows(pages: list[Page]) -> list[RawRow]:
    return records(iter(pages))


@pytest.fixture(scope="module")
def orders(rows: list[RawRow]) -> pl.DataFrame:
    return orders_of(rows)


def test_every_order_is_there_once_with_a_certificate(
    world: World, pages: list[Page], rows: list[RawRow]
) -> None:
    assert versions(rows) == Counter(world.stored().keys())
    certificates = [page.certificate for page in pages if page.certificate]
    assert certificates
    assert all(c.complete for c in certificates)
    assert pages[-1].cursor is not None
    counted = [c.expected for c in certificates if c.expected is not None]
    assert sum(counted) in (0, len(rows))


def versions(rows: list[RawRow]) -> Counter[str]:
    """How many states of each order came; windows share their ends, so the very same may come twice."""
    return Counter(ref for ref, _ in {(str(row["platform_ref"]), row["updated_at"]) for row in rows})


def test_raw_records_say_where_they_come_from_and_keep_what_came(world: World, rows: list[RawRow]) -> None:
    for row in rows:
        assert (row["schema"], row["platform"], row["shop"]) == ("raw/1", world.platform, world.name)
        assert row["format"] in manifest(world.platform).MAPPERS
        assert row["source"]
        assert INSTANT.match(row["observed_at"] or "")
        assert isinstance(json.loads(row["payload"] or ""), dict)
        assert str(row["platform_ref"]) in (row["payload"] or "")  # the id as it came: not one digit lost


def test_times_are_those_of_the_platform_in_utc(world: World, orders: pl.DataFrame) -> None:
    stored = world.stored()
    for row in orders.iter_rows(named=True):
        known = stored[row["platform_ref"]]
        assert abs(parse_instant(row["placed_at"]).timestamp() - known.created) <= 60
        assert row["updated_at"] == instant(known.modified)
        for name in ("placed_at", "paid_at", "updated_at", "observed_at", "ship_by"):
            assert row[name] is None or INSTANT.match(row[name]), name
        if row["paid_at"]:
            assert known.created - 60 <= parse_instant(row["paid_at"]).timestamp() <= EPOCH + 86_400


def test_ids_are_text_and_lines_are_counted_soundly(world: World, orders: pl.DataFrame) -> None:
    for row in orders.iter_rows(named=True):
        assert row["order_id"] == f"{world.platform}:{world.name}:{row['platform_ref']}"
        refs = [line["line_ref"] for line in row["lines"]]
        assert len(refs) == len(set(refs))
        assert all(isinstance(ref, str) and ref for ref in refs)
        for line in row["lines"]:
            left = line["quantity"] - line["quantity_refunded"] - line["quantity_shipped"]
            assert 0 <= line["quantity_to_ship"] <= max(left, 0)


def test_totals_add_up(orders: pl.DataFrame) -> None:
    verified = 0
    for row in orders.iter_rows(named=True):
        terms = {n: row[n] for n in (*PLUS, *MINUS, "total_minor")}
        if None in terms.values() or any(p["code"] == "total_mismatch" for p in row["problems"]):
            continue
        found = sum(terms[n] for n in PLUS) - sum(terms[n] for n in MINUS)
        assert found == terms["total_minor"], row["platform_ref"]
        verified += 1
    assert verified > orders.height / 4
    assert all(orders[name].dtype == pl.Int64 for name in MONEY_FIELDS)


ORDER_TEXTS = ("platform_ref", "buyer_note", "seller_note")
TO_TEXTS = ("name", "phone", "street", "city", "district", "town", "postcode", "original")
NAMES_OF_OURS = {"gift"}
"""Words in the names of lines that the platform gives no name."""
LINE_TEXTS = ("line_ref", "item_ref", "title", "spec", "platform_sku")


def test_nothing_is_invented(world: World, rows: list[RawRow], orders: pl.DataFrame) -> None:
    """Every text of an order is, but for spaces and signs between its parts, a text that came."""
    for raw, row in zip(rows, orders.iter_rows(named=True), strict=True):
        came = {plain(x) for part in ("payload", "parts") for x in leaves(json.loads(raw[part] or "null"))}
        sealed = row["recipient"]["sealed"] or {}
        texts = [
            *(row[name] for name in ORDER_TEXTS),
            *(row["recipient"][name] for name in TO_TEXTS),
            *row["recipient"]["address_lines"],
            sealed.get("ref"),
            *leaves(sealed.get("blob")),
            *(line[name] for line in row["lines"] for name in LINE_TEXTS),
        ]
        for text in filter(None, texts):
            assert is_made_of(text, came), f"{world.platform} {row['platform_ref']}: {text!r}"


def plain(text: str) -> str:
    return re.sub(r"[\s\W_]+", "", text)


def is_made_of(text: str, came: set[str]) -> bool:
    """Whether a text came as it is, or is put together from texts that came."""
    if any(plain(text).removesuffix("市") in value for value in came):  # one name of a city for two levels
        return True
    words = [w for w in re.split(r"[\s\W_]+", text) if w and w not in NAMES_OF_OURS]
    return all(any(word in value for value in came) or is_joined(word, came) for word in words)


def is_joined(word: str, came: set[str]) -> bool:
    """Whether a word consists of whole values that came, such as family and given name."""
    reached = {0}
    for end in range(1, len(word) + 1):
        if any(word[start:end] in came for start in reached if end - start > 1 or not word[start].isascii()):
            reached.add(end)
    return len(word) in reached


def test_orders_read_by_name_are_the_same_orders(world: World, orders: pl.DataFrame) -> None:
    refs = orders["platform_ref"].to_list()[:30]
    found = orders_of(records(world.client().fetch_orders(refs, now=world.now)))
    assert sorted(found["platform_ref"]) == sorted(refs)
    listed = {row["platform_ref"]: core(row) for row in orders.iter_rows(named=True)}
    for row in found.iter_rows(named=True):
        assert core(row) == listed[row["platform_ref"]]


def core(row: dict[str, Any]) -> dict[str, Any]:
    names = (
        "order_id",
        "status",
        "placed_at",
        "paid_at",
        "updated_at",
        "total_minor",
        "currency",
        "recipient",
    )
    lines = {
        line["line_ref"]: (line["quantity"], line["quantity_to_ship"], line["title"]) for line in row["lines"]
    }
    to = {
        name: value for name, value in row["recipient"].items() if name != "sealed"
    }  # sealed anew each time
    return {name: row[name] for name in names} | {"lines": lines, "recipient": to}


def test_orders_that_do_not_exist_are_named(world: World, orders: pl.DataFrame) -> None:
    real = orders["platform_ref"][0]
    unknown = world.unknown(real)
    pages = list(world.client().fetch_orders([unknown, real], now=world.now))
    assert [row["platform_ref"] for row in records(iter(pages))] == [real]
    assert [ref for page in pages for ref in page.missing] == [unknown]


def test_by_creation_everything_is_there_too(world: World) -> None:
    since = instant(EPOCH - 30 * 86_400)
    pages = list(world.client().fetch(now=world.now, by="created", since=since))
    assert {row["platform_ref"] for row in records(iter(pages))} == set(world.stored())
    assert all(page.cursor is None for page in pages)


def test_the_next_fetch_brings_what_changed_and_little_else(world: World, pages: list[Page]) -> None:
    cursor = next(page.cursor for page in reversed(pages) if page.cursor)
    ref = sorted(world.stored())[7]
    world.clock.at += 1800
    world.sandbox.touch(ref, stir="changed")
    (new,) = world.sandbox.add_orders(1, shop=world.name)
    world.clock.at += 3600
    found = list(world.client().fetch(now=world.now, cursor=cursor))
    assert {row["platform_ref"] for row in records(iter(found))} == {ref, new.ref}


# --- a platform that fails or moves while it is read


@pytest.mark.parametrize("seed", range(1, 1 + ROUNDS))
@pytest.mark.parametrize("case", CASES)
def test_under_faults_every_order_is_there_once(case: str, seed: int, tmp_path: Path) -> None:
    """Calls fail, answers break off, rows of a page come twice or in another order."""
    with opened(case, tmp_path / "world", orders=150, seed=seed) as world:
        world.sandbox.set_faults({"seed": seed, "rate": 0.3, "seconds": 0.01})
        pages = list(world.client().fetch(now=world.now))
        assert versions(records(iter(pages))) == Counter(world.stored().keys())
        assert all(page.certificate.complete for page in pages if page.certificate)


def read_on(
    world: World, pages: list[RawRow], cursor: str | None, *, per_page_kill: int | None = None
) -> str:
    """Read from `cursor`, dying after so many pages each time, until the end; give the last cursor."""
    while True:
        died = False
        for number, page in enumerate(world.client().fetch(now=world.now, cursor=cursor), 1):
            pages += page.records
            cursor = page.cursor or cursor
            if number == per_page_kill:
                died = True
                break
        if not died:
            assert cursor is not None
            return cursor
        per_page_kill = (per_page_kill or 0) + 1  # so that it ends


@pytest.mark.parametrize("seed", range(1, 1 + ROUNDS))
@pytest.mark.parametrize("case", CASES)
def test_nothing_is_lost_or_doubled_while_orders_change(case: str, seed: int, tmp_path: Path) -> None:
    """Orders change after every page, the reader dies after every few; in the end it has all in their last state."""
    with opened(case, tmp_path / "world", orders=260, seed=seed) as world:
        world.sandbox.set_churn(world.name, 1 + seed % 5)
        got: list[RawRow] = []
        cursor = read_on(world, got, None, per_page_kill=1 + seed % 3)
        for _ in range(2):
            world.clock.at += 900
            cursor = read_on(world, got, cursor)
        world.sandbox.set_churn(world.name, 0)
        world.clock.at += 7200
        last: list[RawRow] = []
        read_on(world, last, cursor)
        same = Counter((row["platform_ref"], row["payload"]) for row in last)
        assert set(same.values()) <= {1}
        got += last
        newest: dict[str, str] = {}
        for row in orders_of(got).iter_rows(named=True):
            newest[row["platform_ref"]] = max(newest.get(row["platform_ref"], ""), row["updated_at"])
        assert newest == {ref: instant(order.modified) for ref, order in world.stored().items()}
