"""A big world: made in bulk, served from indexes."""

from __future__ import annotations

from pathlib import Path

import httpx

from orderctl.sandbox import Sandbox
from orderctl.sandbox.store import CHUNK
from tests.sandbox.callers import FIELDS, Clock, Shopify, Taobao, beijing
from tests.sandbox.plans import scans

BOTH = """query($f: String, $a: String) {
  orders(first: 100, query: $f, after: $a, sortKey: UPDATED_AT) { nodes { id } pageInfo { endCursor } }
  ordersCount(query: $f, limit: null) { count }
}"""


def test_no_list_reads_the_whole_table(tmp_path: Path, clock: Clock, http: httpx.Client) -> None:
    with Sandbox(tmp_path, orders=2 * CHUNK + 500, now=clock) as sandbox:
        url = sandbox.start()
        taobao = Taobao(f"{url}/taobao/router/rest", clock, http)
        shopify = Shopify(f"{url}/shopify/sf-demo", http)
        sandbox.set_churn("tb-demo", 2)
        day = {"start_modified": beijing(clock.at - 86_000), "end_modified": beijing(clock.at - 10)}
        with scans(sandbox) as found:
            trades = taobao.trades(page_no=4)
            taobao.trades(status="WAIT_SELLER_SEND_GOODS")
            taobao.ask("taobao.trades.sold.increment.get", fields=FIELDS, page_no=2, **day)
            taobao.detail(trades[0]["tid_str"])
            taobao.ship(taobao.ready()[0]["tid"])
            after = None
            for _ in range(3):
                page = shopify.data(BOTH, f="updated_at:>='2020-01-01T00:00:00Z'", a=after)
                after = page["orders"]["pageInfo"]["endCursor"]
        assert found == []
        assert page["ordersCount"]["count"] == sandbox.store.size("shop = 'sf-demo'", ())


def test_a_scan_is_noticed(tmp_path: Path, clock: Clock) -> None:
    with Sandbox(tmp_path, orders=5, now=clock) as sandbox:
        with scans(sandbox) as found:
            sandbox.store.select("body LIKE ?", ("%x%",), "")
        assert len(found) == 1


def test_chunks_lose_nothing(tmp_path: Path, clock: Clock) -> None:
    with Sandbox(tmp_path, shops=["taobao"], orders=CHUNK + 1, now=clock) as sandbox:
        numbers = [row[0] for row in sandbox.store.rows("SELECT number FROM orders ORDER BY id")]
        assert len(set(numbers)) == CHUNK + 1
        assert numbers == sorted(numbers)
