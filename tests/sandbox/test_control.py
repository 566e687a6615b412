"""The control words: who is meant, and that nothing happens by half."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from orderctl.sandbox import Sandbox
from tests.sandbox.callers import Clock, Kuaidi100, Shopify, Taobao


def test_a_quota_of_one_or_of_all_who_count(taobao: Taobao, kuaidi100: Kuaidi100, sandbox: Sandbox) -> None:
    sandbox.set_quota({"taobao": 0})
    assert taobao.ask("taobao.time.get")["code"] == 7
    assert kuaidi100.order()["success"]
    sandbox.set_quota(0)
    assert kuaidi100.order(orderId="S-2")["code"] == 601
    sandbox.set_quota(None)
    assert "time" in taobao.ask("taobao.time.get")
    assert kuaidi100.order(orderId="S-2")["success"]


def test_tokens_expire_of_one_shop_platform_or_kind(
    taobao: Taobao, shopify: Shopify, sandbox: Sandbox, http: httpx.Client
) -> None:
    form = {
        "client_id": "sandbox-client",
        "client_secret": "sandbox-client-secret",
        "grant_type": "client_credentials",
    }
    shopify.token = http.post(f"{shopify.url}/admin/oauth/access_token", data=form).json()["access_token"]

    def alive() -> tuple[bool, bool]:
        told = taobao.ask("taobao.user.seller.get", fields="nick")
        return "user" in told, shopify.post("{ shop { name } }").status_code == 200

    assert alive() == (True, True)
    sandbox.control({"expire_tokens": {"of": "tb-demo", "kinds": ["refresh"]}})
    assert alive() == (True, True)
    refused = taobao.ask("taobao.top.auth.token.refresh", refresh_token="sandbox-taobao-refresh")
    assert refused["sub_code"] == "isv.invalid-refresh"
    sandbox.expire_tokens("sf-demo")
    assert alive() == (True, False)
    sandbox.expire_tokens("taobao")
    assert alive() == (False, False)


@pytest.mark.parametrize(
    "wrong",
    [
        {"expire_tokens": "moon"},
        {"expire_tokens": {"of": 7}},
        {"quota": "many"},
        {"quota": {"taobao": -1}},
        {"quota": {"shopify": 1}},
        {"bucket": {"shop": "tb-demo", "maximum": 1, "restore_rate": 1}},
        {"access": {"shop": "sf-demo", "colour": 1}},
        {"touch": "moon:1"},
    ],
)
def test_what_means_nothing_changes_nothing(tmp_path: Path, clock: Clock, wrong: dict[str, Any]) -> None:
    with Sandbox(tmp_path, orders=20, now=clock) as sandbox:
        before = sandbox.store.rows("SELECT * FROM orders"), sandbox.store.rows("SELECT * FROM meta")
        with pytest.raises((ValueError, TypeError, KeyError)):
            sandbox.control({"add_orders": 2, **wrong})
        assert (
            sandbox.store.rows("SELECT * FROM orders"),
            sandbox.store.rows("SELECT * FROM meta"),
        ) == before


def test_an_order_is_found_by_every_name_it_has(shopify: Shopify, sandbox: Sandbox) -> None:
    order = sandbox.store.select("shop = 'sf-demo'", (), "ORDER BY id LIMIT 1")[0]
    for number, name in enumerate((order.ref, f"sf-demo:{order.ref}", order.body["id"])):
        sandbox.touch(name, note=f"note {number}")
        found = sandbox.store.find("shopify", "sf-demo", order.ref)
        assert found is not None and found.body["note"] == f"note {number}"
    with pytest.raises(ValueError, match="no order"):
        sandbox.touch(f"sf-cny:{order.ref}", note="x")


def test_books_of_one_shop(taobao: Taobao, kuaidi100: Kuaidi100, url: str) -> None:
    taobao.ship(taobao.ready()[0]["tid"])
    kuaidi100.order()
    told = taobao.http.get(f"{url}/_books", params={"shop": "tb-demo"}).json()
    assert [row["platform"] for row in told] == ["taobao"]
    assert len(taobao.http.get(f"{url}/_books").json()) == 2


def test_a_wrong_plan_of_faults_stops_the_rest(sandbox: Sandbox) -> None:
    before = sandbox.store.size("1", ())
    with pytest.raises(ValueError, match="unknown fault"):
        sandbox.control(
            {"add_orders": 1, "churn": {"shop": "tb-demo", "per_call": 2}, "faults": [["*", 1, "flood"]]}
        )
    assert sandbox.store.size("1", ()) == before
    assert sandbox._control._churn == {}
