"""Whatever a client sends, a stand-in gives a well-formed answer and keeps its books straight."""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderctl.sandbox import Sandbox
from orderctl.sandbox.answer import Answer, Request
from tests.sandbox.callers import PLAIN, Clock, Kuaidi100, Taobao

CLOCK = Clock()
NOWHERE = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(500)))
FORM = {"content-type": "application/x-www-form-urlencoded"}
GRAPHQL = {"content-type": "application/json", "x-shopify-access-token": "shpat_sandbox"}
TEXT = st.text(max_size=30) | st.sampled_from(
    [
        "0",
        "-1",
        "9" * 30,
        "true",
        "2026-11-18 00:00:00",
        "0001-01-01 00:00:00",
        "tid,orders",
        "ZTO",
        "[]",
        "{}",
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def world() -> Iterator[Sandbox]:
    with tempfile.TemporaryDirectory() as folder, Sandbox(Path(folder), orders=60, now=CLOCK) as sandbox:
        yield sandbox


def send(world: Sandbox, path: str, headers: dict[str, str], body: bytes) -> Answer:
    _, answer = world.serve_request(Request("POST", path, {}, headers, body, "http://127.0.0.1"))
    assert answer is not None
    return answer


@given(
    method=st.sampled_from([
        "taobao.trades.sold.get", "taobao.trades.sold.increment.get", "taobao.trade.fullinfo.get",
        "taobao.top.oaid.merge", "taobao.trade.memo.update", "taobao.logistics.offline.send",
        "taobao.logistics.consign.resend", "taobao.logistics.companies.get", "taobao.top.auth.token.create",
    ]),
    more=st.dictionaries(
        st.sampled_from([
            "fields", "tid", "page_no", "page_size", "start_created", "end_created", "start_modified", "end_modified",
            "status", "type", "merge_list", "memo", "flag", "out_sid", "company_code", "is_split", "sub_tid", "code",
            "simplify", "use_has_next",
        ]),
        TEXT,
    ),
)  # fmt: skip
def test_taobao(world: Sandbox, method: str, more: dict[str, str]) -> None:
    caller = Taobao("", CLOCK, NOWHERE)
    params = caller.sign({k: v for k, v in (caller.params(method) | more).items() if v})
    answer = send(world, "/taobao/router/rest", FORM, str(httpx.QueryParams(params)).encode())
    (root, body), *rest = json.loads(answer.body).items()
    assert answer.status == 200
    assert not world.books("ship")
    if more.get("simplify") != "true":
        assert not rest
        assert body["code"] if root == "error_response" else root.endswith("_response")


@given(
    change=st.dictionaries(
        st.sampled_from([*PLAIN, "count", "width", "oaid", "thirdOrderId", "needChild"]), JSON
    )
)
def test_kuaidi100(world: Sandbox, change: dict[str, Any]) -> None:
    before = len(world.books("waybill"))
    form = Kuaidi100("", CLOCK, NOWHERE).form("order", PLAIN | {"reorder": True} | change)
    answer = json.loads(
        send(world, "/kuaidi100/label/order", FORM, str(httpx.QueryParams(form)).encode()).body
    )
    assert answer["success"] == (answer["code"] == 200)
    assert len(world.books("waybill")) - before == int(
        answer["success"] and change.get("reorder", True) is not False
    )


@given(filter=st.text(alphabet="abcdefnamestatusid_:<>='\"()-0123 #ORANDT", max_size=60) | TEXT, after=JSON)
def test_shopify_filters_and_cursors(world: Sandbox, filter: str, after: Any) -> None:
    cursor = base64.b64encode(json.dumps(after).encode()).decode()
    for variables in ({"f": filter}, {"f": filter, "a": cursor}, {"f": after, "a": after}):
        query = "query($f: String, $a: String) { orders(first: 3, query: $f, after: $a) { nodes { id } } }"
        body = json.dumps({"query": query, "variables": variables}).encode()
        answer = send(world, "/shopify/sf-demo/admin/api/2026-10/graphql.json", GRAPHQL, body)
        found = json.loads(answer.body)
        assert answer.status == 200
        assert found.get("errors") or len(found["data"]["orders"]["nodes"]) <= 3
    world.control({"bucket": {"shop": "sf-demo", "maximum": 2000, "restore_rate": 100}})


@given(body=JSON, query=st.text(alphabet="{}()query orders first:1$Int!nodeid ...", max_size=60))
def test_shopify_bodies(world: Sandbox, body: Any, query: str) -> None:
    for content in (json.dumps(body), json.dumps({"query": query, "variables": body}), query):
        answer = send(world, "/shopify/sf-demo/admin/api/2026-10/graphql.json", GRAPHQL, content.encode())
        assert answer.status in (200, 400)
        assert "errors" in json.loads(answer.body) or answer.status == 200


@given(
    wish=st.dictionaries(
        st.sampled_from(["touch", "set", "faults", "quota", "access", "bucket", "shop"]), JSON
    )
)
def test_control(world: Sandbox, wish: Any) -> None:
    answer = send(world, "/_control", {"content-type": "application/json"}, json.dumps(wish).encode())
    assert answer.status in (200, 400)
    world.control({"faults": None, "quota": {"taobao": None, "kuaidi100": None}})
    world.control({"access": {"shop": "sf-demo"}})
