"""What a buyer did before is a fact of the rules: counted before this order, frozen with the rest, unknown where nobody looked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from orderctl.cli.facts import with_history as loaded
from orderctl.model.facts import HISTORY, Facts, parse_facts
from orderctl.ports.ledger import Ledger
from orderctl.stages.conditions.facts import HISTORY as NAMES
from orderctl.stages.explain import explain
from orderctl.stages.history import with_history
from orderctl.stages.merge import MergeRules, merge
from orderctl.stages.normalizing.audit_known import buyer_key, spent_of
from orderctl.stages.route import route
from orderctl.stages.rules.parse import parse
from tests.stages.samples import order, orders
from tests.stages.test_route import NOW

KEY = Facts().key
RULES = """
holds:
  - {name: regular, when: {buyer_orders: {gte: 2}, buyer_spent_minor: {gte: 1000}}, why: thank them}
  - {name: sends back, when: {buyer_returns: {gte: 1}}, why: call first}
  - {name: new, when: {buyer_orders: 0}, why: say hello}
"""


def key_of(buyer: str, shop: str = "tb") -> str:
    table = pl.DataFrame({"platform": ["taobao"], "shop": [shop], "buyer_ref": [buyer]})
    return str(table.select(buyer_key(KEY)).item())


def history(*past: tuple[str, str, int, int]) -> Facts:
    rows = [(key_of(buyer), at, "CNY", spent, back) for buyer, at, spent, back in past]
    return Facts(history=pl.DataFrame(rows, HISTORY, orient="row"))


def shipments(**changes: Any) -> pl.DataFrame:
    usual = {"platform": "taobao", "shop": "tb", "currency": "CNY", "placed_at": "2026-11-20T00:00:00Z"}
    return merge(
        orders(order("1", **{**usual, "buyer_ref": "样例买家", **changes})), MergeRules(), Facts(), NOW
    )


PAST = history(
    ("样例买家", "2026-10-01T00:00:00Z", 5000, 0),
    ("样例买家", "2026-11-01T00:00:00Z", 0, 1),
    ("样例买家", "2026-11-20T00:00:00Z", 9900, 0),
    ("样例买家", "2026-11-21T00:00:00Z", 9900, 0),
    ("another", "2026-10-01T00:00:00Z", 7000, 0),
)


def known(frame: pl.DataFrame, facts: Facts) -> tuple[Any, ...]:
    table = with_history(frame, facts, NAMES)
    return tuple(table[name][0] if name in table.columns else "absent" for name in NAMES)


def test_counted_is_what_was_placed_before() -> None:
    assert known(shipments(), PAST) == (2, 5000, 1)
    assert known(shipments(placed_at="2026-11-22T00:00:00Z"), PAST) == (4, 24800, 1)
    assert known(shipments(buyer_ref="nobody"), PAST) == (0, 0, 0)
    assert known(shipments(shop="other"), PAST) == (0, 0, 0), "an account belongs to its shop"
    assert known(shipments(buyer_ref=None), PAST) == (None, None, None)
    assert known(shipments(), Facts()) == ("absent",) * 3


def test_rules_ask_for_it_and_explain_tells_it() -> None:
    book = parse(RULES)
    (row,) = route(shipments(), book, PAST, NOW).to_dicts()
    assert "held" in [p["code"] for p in row["problems"]]
    told = explain(row, book, PAST, NOW).render()
    assert "regular" in told
    (fresh,) = route(shipments(buyer_ref="nobody"), book, PAST, NOW).to_dicts()
    assert "new" in explain(fresh, book, PAST, NOW).render()
    (unknown,) = route(shipments(), book, Facts(), NOW).to_dicts()
    assert "fact_missing" in [p["code"] for p in unknown["problems"]], "what nobody looked up is not zero"


def test_it_is_frozen_with_the_other_facts() -> None:
    again = parse_facts(PAST.to_json(), "facts.json")
    assert again.hash == PAST.hash
    assert again.history is not None
    assert again.history.equals(
        (PAST.history if PAST.history is not None else pl.DataFrame()).sort(HISTORY.names())
    )
    assert parse_facts(Facts().to_json(), "facts.json").history is None


def test_what_an_order_counts_for() -> None:
    cases: list[tuple[dict[str, Any], tuple[int | None, int]]] = [
        ({"status": "completed", "paid_at": NOW, "total_minor": 500}, (500, 0)),
        ({"status": "completed", "paid_at": NOW, "total_minor": 500, "refunded_minor": 200}, (300, 1)),
        ({"status": "closed", "paid_at": NOW, "total_minor": 500}, (0, 1)),
        ({"status": "closed", "paid_at": None, "total_minor": 500}, (None, 1)),
        ({"status": "wait_pay", "paid_at": None, "total_minor": 500}, (None, 0)),
    ]
    for changes, wanted in cases:
        found = orders(order("1", **changes)).select(**spent_of())
        assert (found["spent_minor"][0], found["returned"][0]) == wanted, changes


def test_the_ledger_tells_it_only_where_the_rules_ask(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "ledger.db", run_id="r", host="h") as ledger:
        assert loaded(Facts(), parse(RULES), ledger).history is not None
        assert loaded(Facts(), parse("holds: [{name: a, when: {country: CN}}]"), ledger).history is None
