"""A shop fed from export files gets its API: orders that began from the file and come again are never sent twice.

The label was bought for what the file told. Taobao's file has the platform's own numbers of lines, so the parcel is
recognised; Shopify's has none, so the order is held and says what to do.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.desk import LABELS, QUARTER, STEPS, Desk

NAMES = ("测试甲", "测试乙")
REGION = ("浙江省", "杭州市", "西湖区")


class TwoWays(Desk):
    """A desk of one shop, fed from files until `ask_the_platform`."""

    shop: str

    def begin(self, shop: str) -> None:
        found = yaml.safe_load(self.path("orderctl.yaml").read_text("utf-8"))
        self.shop, self.settings = shop, found["shops"][shop]
        self.configure(shops={shop: self.settings})
        self.run("fetch", "-o", "peek.jsonl", env={"ORDERCTL_STATE": "elsewhere"})
        kept = {name: value for name, value in self.settings.items() if name in ("platform", "language")}
        self.configure(shops={shop: kept | {"files": ["*.csv"]}})

    def ask_the_platform(self) -> None:
        self.configure(shops={self.shop: self.settings})

    def payloads(self) -> list[dict[str, Any]]:
        """What the platform says of orders that may be shipped, with two lines or more."""
        ran = self.run("normalize", "peek.jsonl", env={"ORDERCTL_STATE": "elsewhere"})
        ready = {
            row["platform_ref"]
            for row in ran.rows
            if len(row["lines"]) > 1 and row["status"] == "wait_ship"
            and not {p["severity"] for p in row["problems"]} & {"block", "wait"}
        }  # fmt: skip
        return [row["payload"] for row in self.rows("peek.jsonl") if row["platform_ref"] in ready]


def shopify_rows(at: int, node: dict[str, Any]) -> Iterator[dict[str, str]]:
    """The rows of an order in the export of the admin, with a recipient who may be printed here."""
    money = {
        name: node[f"{name}Set"]["shopMoney"]["amount"]
        for name in ("totalPrice", "totalShippingPrice", "totalTax")
    }
    head = {
        "Id": node["legacyResourceId"], "Financial Status": "paid", "Fulfillment Status": "unfulfilled", "Currency": node["currencyCode"],
        "Shipping": money["totalShippingPrice"], "Taxes": money["totalTax"], "Total": money["totalPrice"],
        "Discount Amount": node["totalDiscountsSet"]["shopMoney"]["amount"], "Created at": "2026-11-18 10:00:00 +0000",
        "Shipping Name": NAMES[at], "Shipping Address1": f"样例路{at}号", "Shipping City": "杭州市西湖区", "Shipping Zip": "310000",
        "Shipping Province": "ZJ", "Shipping Country": "CN", "Shipping Phone": f"1380000000{at}", "Outstanding Balance": "0",
    }  # fmt: skip
    for place, line in enumerate(node["lineItems"]["nodes"]):
        yield {
            "Name": node["name"], "Lineitem quantity": str(line["quantity"]), "Lineitem name": line["title"],
            "Lineitem price": line["originalUnitPriceSet"]["shopMoney"]["amount"], "Lineitem sku": line["sku"],
            "Lineitem fulfillment status": "pending", **(head if place == 0 else {}),
        }  # fmt: skip


def taobao_rows(at: int, trade: dict[str, Any]) -> tuple[dict[str, str], list[dict[str, str]]]:
    """The row of a trade in the order report, and those in the item report, with a recipient in plain words."""
    head = {
        "订单编号": trade["tid_str"], "订单状态": "买家已付款，等待卖家发货", "总金额": trade["payment"], "买家应付邮费": trade["post_fee"],
        "买家应付货款": str(Decimal(trade["payment"]) - Decimal(trade["post_fee"])), "买家实际支付金额": trade["payment"], "收货人姓名": NAMES[at], "联系手机": f"1380000000{at}",
        "收货地址": " ".join((*REGION, f"样例街道样例路{at}号")), "订单创建时间": trade["created"], "订单付款时间": trade["pay_time"],
    }  # fmt: skip
    lines = [
        {"子订单编号": line["oid_str"], "主订单编号": trade["tid_str"], "标题": line["title"], "价格": line["price"],
         "购买数量": str(line["num"]), "外部系统编号": line.get("outer_sku_id") or "", "商品属性": ""}
        for line in trade["orders"]["order"]
    ]  # fmt: skip
    return head, lines


def written(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)), restval="")
        out.writeheader()
        out.writerows(rows)
    return path


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TwoWays]:
    one = TwoWays(tmp_path / "desk", orders=40)
    yield one
    one.close()


def begin_by_file(desk: TwoWays, shop: str) -> tuple[set[str], dict[str, str]]:
    """Print two orders from files; give their numbers at the platform and the waybill number of each."""
    desk.begin(shop)
    payloads = desk.payloads()[: len(NAMES)]
    assert len(payloads) == len(NAMES)
    if shop == "sf-cny":
        written(
            desk.path("orders.csv"),
            [row for at, node in enumerate(payloads) for row in shopify_rows(at, node)],
        )
        files = ["--file", "orders.csv"]
    else:
        both = [taobao_rows(at, trade) for at, trade in enumerate(payloads)]
        written(desk.path("orders.csv"), [head for head, _ in both])
        written(desk.path("items.csv"), [line for _, lines in both for line in lines])
        files = ["--file", "orders.csv", "--file", "items.csv"]
    ran = desk.run("fetch", *files, "--shop", shop, "-o", "raw.jsonl")
    assert ran.code == 0, ran.err
    desk.steps("normalize", "print")
    numbers = {
        row["orders"][0]["platform_ref"]: row["parcels"][0]["number"] for row in desk.rows("printed.jsonl")
    }
    assert len(desk.sandbox.books("waybill")) == len(set(numbers.values())) == len(NAMES)
    desk.path("printed.jsonl").rename(desk.path("printed-from-file.jsonl"))
    desk.ask_the_platform()
    desk.clock.at += QUARTER
    return set(numbers), numbers


def again(desk: TwoWays) -> dict[str, int]:
    """Fetch by the API and run the whole pipe; give the exit code of each step."""
    ran = desk.run("fetch", "--since", "2026-11-01T00:00:00Z", "-o", "raw.jsonl")
    assert ran.code == 0, ran.err
    return {name: desk.step(name, *(LABELS if name == "print" else ())).code for name in STEPS[1:]}


def mine(desk: TwoWays, refs: set[str]) -> list[dict[str, Any]]:
    return [row for row in desk.rows("shipped.jsonl") if row["orders"][0]["platform_ref"] in refs]


def told(desk: TwoWays, refs: set[str]) -> dict[str, str]:
    """The numbers the platform was told of these orders; no line of them twice."""
    books = [entry for entry in desk.sandbox.books("ship") if entry["subject"] in refs]
    assert all(len(entries) == 1 for entries in _by_line(books).values())
    return {entry["subject"]: entry["number"] for entry in books}


def _by_line(books: list[dict[str, Any]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for entry in books:
        for line in entry["detail"]["lines"]:
            found.setdefault(str(line["line"]), []).append(entry["number"])
    return found


def test_without_numbers_of_lines_the_order_is_held_until_a_person_says_what_became_of_the_parcel(
    desk: TwoWays,
) -> None:
    refs, numbers = begin_by_file(desk, "sf-cny")
    ran = desk.run("ship", "printed-from-file.jsonl")
    since = [p for row in ran.rows for p in row["problems"] if p["code"] == "changed_since"]
    fields = [{param["name"]: param["value"] for param in problem["params"]} for problem in since]
    assert len(fields) == len(refs)
    assert all("lines" in found["fields"] for found in fields)

    assert again(desk) == {"normalize": 0, "merge": 0, "route": 0, "print": 3, "ship": 3}
    rows = mine(desk, refs)
    assert len(rows) == len(refs)
    for row in rows:
        assert "lines_renumbered" in {problem["code"] for problem in row["problems"]}
        assert row["parcels"][0]["number"] is None
    shown = desk.run("explain", rows[0]["orders"][0]["order_id"], "shipped.jsonl")
    assert "give its number to the platform by hand" in shown.out.decode()
    assert told(desk, refs) == {}
    assert not {entry["number"] for entry in desk.sandbox.books("ship")} & set(numbers.values())

    for row in desk.rows("printed-from-file.jsonl"):  # the parcels were never handed over
        key = f"waybill.buy|{row['shipment_id']}|sale|1"
        ran = desk.run("ledger", "resolve", key, "--as", "voided", "--reason", "the shop has its API now")
        assert ran.code == 0, ran.err
    again(desk)
    fresh = told(desk, refs)
    assert fresh.keys() == refs
    assert not set(fresh.values()) & set(numbers.values())
    assert desk.run("ledger", "verify").code == 0


def test_with_the_numbers_of_lines_the_parcel_is_recognised_and_told_once(desk: TwoWays) -> None:
    refs, numbers = begin_by_file(desk, "tb-demo")
    codes = again(desk)
    assert (codes["print"], codes["ship"]) == (4, 3)  # the recipient is sealed now: a person is asked
    for row in mine(desk, refs):
        assert [problem["code"] for problem in row["problems"] if problem["stage"] == "print"] == ["conflict"]
    assert told(desk, refs) == numbers
    for row in desk.rows("printed-from-file.jsonl"):
        key = f"waybill.buy|{row['shipment_id']}|sale|1"
        assert desk.run("ledger", "leave", key, "--reason", "the same person").code == 0
    again(desk)
    assert told(desk, refs) == numbers
    for command in ("pending", "verify"):
        assert desk.run("ledger", command).code == 0
