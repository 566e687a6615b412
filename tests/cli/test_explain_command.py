"""`orderctl explain`, as it is called: what names a shipment, and the two languages."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from orderctl.cli.commands import explain
from orderctl.cli.session import Session
from orderctl.model.errors import DataError
from orderctl.ports import batches
from tests.stages.reports.world import sample

NOW = "2026-11-24T05:30:28Z"
Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)
    Path("rules.yaml").write_text("{}", "utf-8")
    batches.write_batch([sample()], "shipments.jsonl", kind="shipment/1", format="jsonl")

    def call(wanted: str, *, lang: str = "en", as_json: bool = False) -> str:
        session = Session(
            "explain", state_path=str(tmp_path / "state"), asked_now=NOW, lang=lang, rules_path="rules.yaml"
        )
        explain.run(session, wanted, "shipments.jsonl", as_json=as_json)
        return capsys.readouterr().out

    return call


@pytest.mark.parametrize("wanted", ["S1", "taobao:tmall-a:1001", "1001", "ZT0000000001"])
def test_a_shipment_is_named_by_its_id_its_orders_or_its_waybill(run: Run, wanted: str) -> None:
    text = run(wanted)
    assert text.startswith("shipment S1\nlines:\n")
    assert "taobao:tmall-a:1001, taobao:tmall-a:1002" in text or "joining:" not in text


def test_it_speaks_chinese_and_json(run: Run) -> None:
    assert run("S1", lang="zh").startswith("发货单 S1\n明细：\n")
    told = json.loads(run("S1", lang="zh", as_json=True))
    assert set(told["origins"]) == {"lines", "joined", "wishes", "address"}
    assert told["origins"]["lines"]


def test_what_is_not_there_is_told(run: Run) -> None:
    with pytest.raises(DataError, match="has no order or shipment ZT9"):
        run("ZT9")
