"""Recipients sealed in a way the issuer cannot have opened: told at once, and nobody is asked for a number."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from orderctl.ports.couriers.kuaidi100.client import Kuaidi100
from orderctl.ports.couriers.port import Account
from tests.cli.desk import LABELS, opened
from tests.ports.http.clock import http_over


@pytest.mark.parametrize(
    "sealed",
    [
        {"scheme": "pdd/cipher", "ref": "sample", "blob": None},
        {"scheme": "taobao/oaid", "ref": None, "blob": "sample"},
    ],
    ids=["another platform's", "without a reference"],
)
def test_a_seal_nobody_opens_is_told_and_costs_nothing(
    routed: Path, tmp_path: Path, sealed: dict[str, str | None]
) -> None:
    shutil.copytree(routed, tmp_path / "desk")
    with opened(tmp_path / "desk") as desk:
        rows = [
            row for row in desk.rows("routed.jsonl") if row["recipient"]["sealed"] and not row["problems"]
        ]
        spoiled, other = rows[0], rows[1]
        spoiled["recipient"]["sealed"] = sealed
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in (spoiled, other))
        desk.path("two.jsonl").write_text(text, "utf-8")
        ran = desk.run("print", "two.jsonl", *LABELS, "--offline", "-o", "printed.jsonl")
        assert ran.code == 3, ran.err
        assert f"sealed as {sealed['scheme']}" in ran.err
        first, second = desk.rows("printed.jsonl")
        assert [(p["code"], p["severity"]) for p in first["problems"]] == [("seal_not_opened", "block")]
        assert first["parcels"][0]["number"] is None
        assert second["parcels"][0]["number"]
        assert len(desk.sandbox.books("waybill")) == 1


def test_an_account_may_serve_further_seals() -> None:
    http, _ = http_over(lambda _: pytest.fail("nothing is asked"))
    given = {"key": "k", "secret": "s", "seals": "pdd/cipher, douyin/cipher"}
    issuer = Kuaidi100(Account("k", None, given), http=http, take_number=lambda *_: "")
    assert issuer.capabilities.seals == {"taobao/oaid", "jd/oaid", "pdd/cipher", "douyin/cipher"}
