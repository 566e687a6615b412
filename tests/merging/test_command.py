"""`orderctl merge` with what a person decides: kept with a reason, followed by the next merge."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orderctl.cli.commands import merge
from orderctl.cli.session import Session
from orderctl.model.errors import UsageError
from orderctl.model.facts import Facts
from orderctl.ports import batches
from orderctl.stages.normalize import NormalizeRules, normalize
from tests.stages.samples import order, orders

NOW = "2026-11-24T00:00:00Z"
ONE, TWO, THREE = (f"shopify:main:{ref}" for ref in "123")
Run = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Merge two orders of one person and one of another; give the shipments."""
    monkeypatch.chdir(tmp_path)
    Path("rules.yaml").write_text("{}", "utf-8")
    other = {"name": "测试乙", "phone": "13800000002", "street": "样例路2号"}
    rows = orders(order("1"), order("2"), order("3", recipient=other))
    found = normalize(rows, NormalizeRules(), Facts(), NOW)
    batches.write_batch([found], "orders.jsonl", kind="order/1", format="jsonl")

    def call(batch: str = "orders.jsonl", **options: Any) -> list[dict[str, Any]]:
        session = Session("merge", state_path=str(tmp_path / "state"), asked_now=NOW, rules_path="rules.yaml")
        merge.run(session, batch, "shipments.jsonl", **options)
        session.close()
        made = Path("shipments.jsonl")
        return [json.loads(line) for line in made.read_text("utf-8").splitlines()] if made.exists() else []

    return call


def groups(shipments: list[dict[str, Any]]) -> list[str]:
    return sorted("+".join(one["platform_ref"] for one in row["orders"]) for row in shipments)


def test_a_merge_is_undone_and_done_again(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    first = run()
    assert groups(first) == ["1+2", "3"]
    [shipment] = [row["shipment_id"] for row in first if len(row["orders"]) == 2]
    run("shipments.jsonl", undo=shipment, reason="two gifts")
    assert "go apart from now on" in capsys.readouterr().err
    assert groups(run()) == ["1", "2", "3"]
    run(pin=(ONE, TWO), reason="after all")
    again = run()
    assert groups(again) == ["1+2", "3"]
    assert shipment in {row["shipment_id"] for row in again}  # the same content has the same name
    assert run() == again


def test_a_pin_says_where_the_parcel_goes(run: Run) -> None:
    run(pin=(THREE, ONE), reason="asked on the phone")
    found = run()
    assert groups(found) == ["1+3", "2"]  # the other order of the first person was not asked for
    [row] = [row for row in found if len(row["orders"]) == 2]
    assert (row["recipient"]["name"], row["merge"]["why"]) == ("测试乙", "pinned")


def test_a_pair_that_is_never_to_meet(run: Run) -> None:
    run(never=(ONE, TWO), reason="quarrel")
    found = run()
    assert groups(found) == ["1", "2", "3"]
    assert {row["merge"]["why"] for row in found if row["orders"][0]["order_id"] in (ONE, TWO)} == {"never"}


def test_shipments_of_the_batch_are_joined_and_kept_apart_with_all_their_orders(run: Run) -> None:
    first = sorted(run(), key=lambda row: -len(row["orders"]))
    both, single = (row["shipment_id"] for row in first)
    run("shipments.jsonl", pin=(both, single), reason="asked on the phone")
    assert groups(run()) == ["1+2+3"]
    run("shipments.jsonl", never=(ONE, THREE), reason="no")
    run("shipments.jsonl", never=(TWO, THREE), reason="no")
    assert groups(run()) == ["1+2", "3"]
    first = sorted(run(), key=lambda row: -len(row["orders"]))
    run("shipments.jsonl", never=(first[0]["shipment_id"], first[1]["shipment_id"]), reason="no")
    assert groups(run()) == ["1+2", "3"]  # not each order apart from each


def test_suggestions_are_told_with_the_command_that_shows_them(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = orders(
        order("1"), order("2", recipient={"name": "测试甲", "phone": "13800000009", "street": "样例路1号"})
    )
    found = normalize(rows, NormalizeRules(), Facts(), NOW)
    batches.write_batch([found], "some.jsonl", kind="order/1", format="jsonl")
    merged = run("some.jsonl")
    said = capsys.readouterr().err
    assert [len(row["merge"]["with"]) for row in merged] == [1, 1]
    assert "2 shipments may belong with others: orderctl view shipments.jsonl" in said
    run("orders.jsonl")
    assert "may belong" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pin": (ONE, TWO)}, "--reason is needed"),
        ({"pin": (ONE, TWO), "never": (ONE, TWO), "reason": "r"}, "one of --undo, --pin and --never"),
        ({"never": (ONE, ONE), "reason": "r"}, "is one order"),
        ({"never": (ONE, "2"), "reason": "r"}, "2 is no id of an order"),
        ({"undo": "S-NONE", "reason": "r", "batch": "shipments.jsonl"}, "no shipment S-NONE"),
    ],
)
def test_what_cannot_be_decided_is_told_and_nothing_is_kept(
    run: Run, options: dict[str, Any], message: str
) -> None:
    before = run()
    with pytest.raises(UsageError, match=message):
        run(**options)
    assert run() == before
