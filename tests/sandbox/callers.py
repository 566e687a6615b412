"""Honest clients of the stand-ins: they sign and ask as the platforms' own documents say."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import httpx

GMT8 = timezone(timedelta(hours=8))
FIELDS = (
    "tid,tid_str,type,status,created,modified,pay_time,payment,total_fee,post_fee,discount_fee,adjust_fee,"
    "step_trade_status,buyer_open_uid,title,receiver_name,receiver_state,receiver_city,receiver_district,"
    "receiver_town,receiver_address,receiver_mobile,receiver_phone,oaid,has_buyer_message,buyer_message,seller_memo,"
    "seller_flag,promotion_details,orders,consign_time,top_hold,team_buy_hold,rx_audit_status,is_sh_ship"
)


@dataclass
class Clock:
    """A clock that moves when told to; epoch seconds."""

    at: float = 1_795_000_000.0

    def __call__(self) -> float:
        return self.at


def beijing(at: float) -> str:
    return datetime.fromtimestamp(at, GMT8).strftime("%Y-%m-%d %H:%M:%S")


@dataclass
class Taobao:
    url: str
    clock: Clock
    http: httpx.Client
    session: str = "sandbox-taobao-session"

    def params(self, method: str, **business: str) -> dict[str, str]:
        common = {
            "method": method,
            "app_key": "12345678",
            "session": self.session,
            "timestamp": beijing(self.clock()),
            "v": "2.0",
            "format": "json",
            "sign_method": "md5",
        }
        return {**common, **business}

    def sign(self, params: dict[str, str]) -> dict[str, str]:
        text = "".join(k + v for k, v in sorted(params.items()))
        secret = "sandbox-taobao-secret"
        return params | {"sign": hashlib.md5(f"{secret}{text}{secret}".encode()).hexdigest().upper()}

    def post(self, params: dict[str, str]) -> httpx.Response:
        return self.http.post(self.url, data=params)

    def ask(self, method: str, **business: Any) -> dict[str, Any]:
        """Call a method and give the answer without its outermost wrapper, or the error."""
        texts = {key: str(value) for key, value in business.items()}
        answer = self.post(self.sign(self.params(method, **texts)))
        assert answer.status_code == 200
        (root, body), *rest = answer.json().items()
        assert not rest
        expected = method.removeprefix("taobao.").replace(".", "_") + "_response"
        assert root in (expected, "error_response")
        return dict(body)

    def trades(self, **business: Any) -> list[dict[str, Any]]:
        found = self.ask("taobao.trades.sold.get", **{"fields": FIELDS, "page_size": 100, **business})
        return list(found["trades"]["trade"]) if "trades" in found else []

    def detail(self, tid: str) -> dict[str, Any]:
        return dict(self.ask("taobao.trade.fullinfo.get", tid=tid, fields=FIELDS)["trade"])

    def ready(self) -> list[dict[str, Any]]:
        """Trades that may be shipped whole, oldest first."""
        found = [t for t in self.trades(status="WAIT_SELLER_SEND_GOODS")[::-1] if not held(t)]
        return [t for t in found if all(line["refund_status"] == "NO_REFUND" for line in lines(t))]

    def ship(self, tid: object, number: str = "73100000000001", **more: Any) -> dict[str, Any]:
        return self.ask(
            "taobao.logistics.offline.send", tid=tid, out_sid=number, **{"company_code": "ZTO", **more}
        )


def held(trade: dict[str, Any]) -> bool:
    holds = (trade.get("top_hold"), trade.get("team_buy_hold"), trade.get("is_sh_ship"))
    return any(holds) or trade.get("rx_audit_status") == "0"


def lines(trade: dict[str, Any]) -> list[dict[str, Any]]:
    return list(trade["orders"]["order"])


@dataclass
class Shopify:
    url: str
    http: httpx.Client
    token: str = "shpat_sandbox"
    version: str = "2026-10"

    def post(self, query: str, **variables: Any) -> httpx.Response:
        return self.http.post(
            f"{self.url}/admin/api/{self.version}/graphql.json",
            json={"query": query, "variables": variables},
            headers={"X-Shopify-Access-Token": self.token},
        )

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        answer = self.post(query, **variables)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def data(self, query: str, **variables: Any) -> dict[str, Any]:
        answer = self.ask(query, **variables)
        assert "errors" not in answer, answer["errors"]
        return dict(answer["data"])

    def names(self, filter: str | None = None) -> list[str]:
        query = "query($f: String) { orders(first: 250, query: $f, sortKey: CREATED_AT) { nodes { name } } }"
        return [node["name"] for node in self.data(query, f=filter)["orders"]["nodes"]]


@dataclass
class Kuaidi100:
    url: str
    clock: Clock
    http: httpx.Client

    def form(self, method: str, param: dict[str, Any]) -> dict[str, str]:
        text, t = json.dumps(param, ensure_ascii=False), str(int(self.clock() * 1000))
        signed = hashlib.md5(f"{text}{t}sandbox-keysandbox-secret".encode()).hexdigest().upper()
        return {"method": method, "key": "sandbox-key", "t": t, "param": text, "sign": signed}

    def ask(self, method: str, **param: Any) -> dict[str, Any]:
        answer = self.http.post(self.url, data=self.form(method, param))
        assert answer.status_code == 200
        return dict(answer.json())

    def order(self, **param: Any) -> dict[str, Any]:
        return self.ask("order", **{**PLAIN, **param})


PLAIN: dict[str, Any] = {
    "kuaidicom": "yuantong",
    "partnerId": "sandbox-partner",
    "cargo": "棉袜",
    "payType": "SHIPPER",
    "printType": "IMAGE",
    "orderId": "S-1",
    "reorder": False,
    "recMan": {"name": "测试甲", "mobile": "13800000001", "printAddr": "浙江省杭州市余杭区样例路1号"},
    "sendMan": {"name": "样例寄件人", "mobile": "13800000002", "printAddr": "江苏省苏州市工业园区样例路2号"},
}
