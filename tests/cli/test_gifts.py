"""Gifts through the whole pipe: packed and claimed with their parcel, told to nobody, and given once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from orderctl.stages.documents.pages import page_sizes
from tests.cli.desk import Desk, opened

GIFTS: list[dict[str, Any]] = [
    {"name": "first three", "give": [{"sku": "SK-WHT"}], "quota": 3},
    {"name": "tea for all", "give": [{"sku": "TEA-50", "quantity": 2}], "per_customer": 1},
]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk of which all was shipped under rules with gifts."""
    with opened(tmp_path_factory.mktemp("gifts") / "desk", orders=24) as one:
        change_gifts(one, GIFTS)
        one.steps("fetch", "ship")
        yield one


CARDS = [
    {"name": "asked for", "text": "{wish}"},
    {"name": "thanks", "when": {"sku": "CUP-BLUE"}, "text": "谢谢\n{orders}"},
]


def change_gifts(desk: Desk, gifts: list[dict[str, Any]]) -> None:
    rules = yaml.safe_load(desk.path("rules.yaml").read_text("utf-8"))
    kept = {name: value for name, value in rules.items() if name not in ("tests", "gifts", "cards")}
    text = yaml.safe_dump({**kept, "gifts": gifts, "cards": CARDS}, allow_unicode=True, sort_keys=False)
    desk.path("rules.yaml").write_text(text, "utf-8")


def gifts_of(row: dict[str, Any]) -> list[str]:
    return [x["line_ref"] for x in row["lines"] if x["line_ref"].startswith("gift:")]


def test_shipped_gifts_are_claimed_and_no_platform_hears_of_them(desk: Desk) -> None:
    shipped = [row for row in desk.rows("shipped.jsonl") if row["shipped"]]
    assert len(shipped) > 8
    assert all("gift:tea for all:TEA-50" in gifts_of(row) for row in shipped)
    assert sum("gift:first three:SK-WHT" in gifts_of(row) for row in shipped) == 3
    told = desk.sandbox.books("ship")
    assert told
    assert not [line for entry in told for line in entry["detail"]["lines"] if "gift" in str(line["line"])]
    assert not [p for row in shipped for p in row["problems"] if p["severity"] in ("wait", "block")]
    assert desk.run("ledger", "verify").code == 0
    own = desk.run("ledger", "show", shipped[0]["shipment_id"], "--json").rows
    assert {
        any(line["line_ref"] == "gift:tea for all:TEA-50" for line in entry["lines"])
        for entry in own
        if entry["key"].startswith("waybill.buy")
    } == {True}


def test_a_second_run_gives_nothing_new_whatever_the_rules_say(desk: Desk) -> None:
    before = desk.path("shipped.jsonl").read_bytes()
    books = desk.sandbox.books()
    change_gifts(desk, [{"name": "more", "give": [{"sku": "CUP-BLUE"}]}])
    desk.steps("merge", "ship")
    shipped = [row for row in desk.rows("shipped.jsonl") if row["shipped"]]
    assert not [row for row in shipped if "gift:more:CUP-BLUE" in gifts_of(row)]
    assert [row for row in desk.rows("shipped.jsonl") if "gift:more:CUP-BLUE" in gifts_of(row)]
    change_gifts(desk, GIFTS)
    desk.steps("merge", "ship")
    assert desk.path("shipped.jsonl").read_bytes() == before
    assert desk.sandbox.books() == books


def test_route_keeps_the_gifts_of_orders_that_were_never_merged(desk: Desk) -> None:
    one = next(
        row
        for row in desk.rows("shipped.jsonl")
        if row["shipped"] and len(row["orders"]) == 1 and gifts_of(row)
    )
    (order,) = [r for r in desk.rows("orders.jsonl") if r["order_id"] == one["orders"][0]["order_id"]]
    routed = desk.run("route", "-", stdin=json.dumps(order).encode()).rows
    assert [gifts_of(row) for row in routed if row["shipment_id"] == one["shipment_id"]] == [gifts_of(one)]
    assert routed[0]["weight_g"] == one["weight_g"]


def test_explain_tells_of_gifts_in_both_languages(desk: Desk) -> None:
    row = next(row for row in desk.rows("shipped.jsonl") if row["shipped"])
    for lang, words in (("en", "gift: "), ("zh", "赠品：")):
        ran = desk.run("explain", row["shipment_id"], "shipped.jsonl", env={"ORDERCTL_LANG": lang})
        assert ran.code == 0, ran.err
        assert words in ran.out.decode()
        assert "tea for all" in ran.out.decode()


def test_cards_are_printed_once_and_only_where_there_are_some(desk: Desk) -> None:
    words = (
        "print",
        "printed.jsonl",
        "--document",
        "card",
        "--device",
        "file:out/cards.pdf",
        "-o",
        "carded.jsonl",
    )
    assert desk.run(*words).code in (0, 3)
    rows = desk.rows("carded.jsonl")
    printed = [row for row in rows if any(p["document"] == "card" for p in row["printed"])]
    assert printed
    assert all(row["cards"] for row in printed)
    assert {card["rule"] for row in printed for card in row["cards"]} <= {"asked for", "thanks"}
    assert not [row for row in rows if row["cards"] and row not in printed and not row["problems"]]
    (document,) = desk.path("out").glob("cards*.pdf")
    assert len(page_sizes(document.read_bytes())) == sum(len(row["cards"]) for row in printed)
    before = document.read_bytes()
    assert desk.run(*words[:-1], "again.jsonl").code in (0, 3)
    assert [path.name for path in desk.path("out").glob("cards*.pdf")] == [document.name]
    assert document.read_bytes() == before
    assert desk.rows("again.jsonl") == rows
