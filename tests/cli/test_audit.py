"""The audit as it is called: what a person decides counts at once, nobody is kept in plain, and history is audited again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from orderctl.cli.commands import explain, ledger, merge, normalize
from orderctl.cli.recipients import look
from orderctl.cli.session import Session
from orderctl.model.errors import UsageError
from orderctl.model.schema import RAW
from orderctl.ports import batches
from tests.cli.test_unmapped import raw

NOW = "2026-11-24T05:30:28Z"
RULES = "audit: {max_pieces: 1, many_orders: {hours: 24, of_buyer: 2}, risk: {}}\n"
FIRST = "shopify:s1:1"
PHONE, STREET = "+8613900000009", "样例路9号"


def record(ref: str, *, note: str | None = None, updated_at: str = NOW, phone: str = PHONE) -> dict[str, Any]:
    found = raw(ref, {"title": "T", "sku": "TS"})
    address = {
        "name": "样例收件人", "phone": phone, "countryCodeV2": "CN", "province": "浙江省", "city": "杭州市",
        "address1": "西湖区" + STREET,
    }  # fmt: skip
    found["payload"] |= {  # type: ignore[operator]
        "note": note, "createdAt": "2026-11-24T01:00:00Z", "updatedAt": updated_at, "shippingAddress": address,
        "customer": {"id": "gid://shopify/Customer/7"},
    }  # fmt: skip
    return found | {"updated_at": updated_at}


class Desk:
    """A folder with rules and a state, and the commands in it."""

    def session(self, name: str) -> Session:
        return Session(name, state_path="state", rules_path="rules.yaml", asked_now=NOW)

    def fetched(self, *records: dict[str, Any]) -> None:
        """Keep records as a fetch does, hand them on, and write them to raw.jsonl."""
        rows = [
            {**one, "payload": json.dumps(one["payload"], ensure_ascii=False), "parts": None, "facts": None}
            for one in records
        ]
        with self.session("fetch").ledger() as book:
            book.save_page(rows, NOW, stream=("s1", "orders"))
            look(book, "shopify:s1")
            handed = pl.concat(book.handout(["shopify:s1"], stream=True, rows=100))
            book.settle_handout()
        batches.write_batch([handed.select(RAW.names())], "raw.jsonl", kind="raw/1", format="jsonl")

    def normalized(self, batch: str = "raw.jsonl", **options: Any) -> dict[str, dict[str, str]]:
        """Give the findings of each order, code to severity, and leave the batch as orders.jsonl."""
        normalize.run(self.session("normalize"), batch, "orders.jsonl", **options)
        rows = [json.loads(line) for line in Path("orders.jsonl").read_text("utf-8").splitlines()]
        return {row["order_id"]: {p["code"]: p["severity"] for p in row["problems"]} for row in rows}

    def decide(self, *what: str, payload: Any = None, withdraw: bool = False) -> None:
        given = None if payload is None else json.dumps(payload)
        ledger.decide(self.session("ledger"), *what, given, "a reason", withdraw)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    Path("rules.yaml").write_text(RULES, "utf-8")
    return Desk()


SOFT = {"quantity_unusual", "many_orders", "risk", "notes_changed", "address_changed", "blacklisted"}


def soft(found: dict[str, str]) -> dict[str, str]:
    return {code: severity for code, severity in found.items() if code in SOFT}


def test_what_a_person_forces_is_info_and_journaled(desk: Desk) -> None:
    desk.fetched(record("1"))
    assert soft(desk.normalized()[FIRST]) == {"quantity_unusual": "warn", "risk": "info"}
    desk.decide(FIRST, "force", payload={"code": "quantity_unusual"})
    desk.decide(FIRST, "force", payload={"code": ["risk"]})  # does not take the first one back
    assert soft(desk.normalized()[FIRST]) == {"quantity_unusual": "info"}
    with desk.session("t").ledger() as book:
        told = book.journal().filter(pl.col("event") == "decision.made")
        assert [json.loads(one)["reason"] for one in told["data"]] == ["a reason"] * 2
    desk.decide(FIRST, "force", withdraw=True)
    assert soft(desk.normalized()[FIRST]) == {"quantity_unusual": "warn", "risk": "info"}


@pytest.mark.parametrize("code", ["quantity_unusal", "not_paid", "no_courier"])
def test_what_cannot_be_forced_is_said(desk: Desk, code: str) -> None:
    with pytest.raises(UsageError, match=f"{code} is no finding that can be forced"):
        desk.decide(FIRST, "force", payload={"code": code})


def test_the_blacklist_knows_people_by_hashes_only(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.fetched(record("1"), record("2", phone="+8613900000008"))
    assert "blacklisted" not in desk.normalized()["shopify:s1:2"]
    desk.decide(FIRST, "blacklist", payload={"of": ["phone"]})
    found = desk.normalized()
    assert found[FIRST]["blacklisted"] == "block"
    assert "blacklisted" not in found["shopify:s1:2"]
    capsys.readouterr()
    explain.run(desk.session("explain"), FIRST, "orders.jsonl")
    said = capsys.readouterr().out
    assert (
        'to let blacklisted pass: orderctl ledger decide ORDER force --payload \'{"code": "blacklisted"}\''
        in said
    )
    assert "to let quantity_unusual pass" not in said  # it stops nothing
    desk.decide(FIRST, "blacklist")
    assert desk.normalized()["shopify:s1:2"]["blacklisted"] == "block"  # the same buyer
    capsys.readouterr()
    ledger.decisions(desk.session("ledger"))
    told = json.loads(capsys.readouterr().out)
    assert [key.split(":")[0] for key in told["payload"]["keys"]] == ["buyer", "recipient", "phone"]
    for plain in (PHONE[3:], STREET, "样例收件人", "Customer/7"):
        assert plain not in json.dumps(told, ensure_ascii=False)
    Path("list.csv").write_text("key,why\n" + told["payload"]["keys"][2] + ",known\n", "utf-8")
    desk.decide(FIRST, "blacklist", withdraw=True)
    assert "blacklisted" not in desk.normalized()[FIRST]
    Path("rules.yaml").write_text("audit: {blacklist: list.csv}\n", "utf-8")
    assert desk.normalized()[FIRST]["blacklisted"] == "block"
    with pytest.raises(UsageError, match="the ledger holds no order shopify:s1:9"):
        desk.decide("shopify:s1:9", "blacklist")
    with pytest.raises(UsageError, match="takes a list of buyer, recipient, phone"):
        desk.decide(FIRST, "blacklist", payload={"of": ["name"]})


def test_what_changed_since_it_was_handed_on_and_who_orders_often_is_known_from_fetch(desk: Desk) -> None:
    desk.fetched(record("1"))
    assert soft(desk.normalized()[FIRST]) == {"quantity_unusual": "warn", "risk": "info"}
    later = "2026-11-24T05:40:00Z"
    desk.fetched(record("1", note="样例留言", updated_at=later, phone="+8613900000007"), record("2"))
    found = desk.normalized()
    assert set(soft(found[FIRST])) == {
        "quantity_unusual",
        "many_orders",
        "notes_changed",
        "address_changed",
        "risk",
    }
    assert set(soft(found["shopify:s1:2"])) == {"quantity_unusual", "many_orders", "risk"}
    frozen = desk.session("ledger facts")
    ledger.facts(frozen, "facts.json")
    text = Path("facts.json").read_text("utf-8")
    for plain in (PHONE[3:], STREET, "样例", "Customer/7"):
        assert plain not in text
    Path("state").rename("gone")
    session = desk.session("normalize")
    session.facts_path = "facts.json"
    before = Path("orders.jsonl").read_bytes()
    normalize.run(session, "raw.jsonl", "orders.jsonl")
    assert Path("orders.jsonl").read_bytes() == before


@pytest.mark.parametrize("name", ["orders.jsonl", "old.parquet", "shipments.jsonl"])
def test_history_is_audited_again_under_other_rules(desk: Desk, name: str) -> None:
    desk.fetched(record("1"), record("2"))
    first = desk.normalized()
    once = Path("orders.jsonl").read_bytes()
    if name == "old.parquet":
        normalize.run(desk.session("normalize"), "raw.jsonl", name)
    if name == "shipments.jsonl":
        merge.run(desk.session("merge"), "orders.jsonl", name)
    assert desk.normalized(name) == first
    assert Path("orders.jsonl").read_bytes() == once
    Path("rules.yaml").write_text("audit: {off: [many_orders]}\n", "utf-8")
    again = desk.normalized(name)
    assert all(not soft(found) for found in again.values())
    assert set(again) == set(first)
