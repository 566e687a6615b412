"""From Shopify's answers to our orders: what the mapper reads is asked for, affordable, and adds up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
)

from orderctl.ports.platforms.shopify import queries
from orderctl.ports.platforms.shopify.lines import LINE
from orderctl.ports.platforms.shopify.mapper import GRAPHQL
from orderctl.ports.platforms.shopify.orders import LINES, LINES_MORE, PAGE_SIZE
from orderctl.sandbox.shopify.cost import MAXIMUM_COST, Costing
from orderctl.sandbox.shopify.graph import SCHEMA
from tests.ports.http.rehearsal import NOW, world
from tests.ports.platforms.golden import by_ref, raw_frame, to_orders

UNASKED = {"customer.id"}  # needs an access scope of its own


def split(text: str) -> tuple[OperationDefinitionNode, dict[str, FragmentDefinitionNode]]:
    document: DocumentNode = parse(text)
    (operation,) = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    parts = [node for node in document.definitions if isinstance(node, FragmentDefinitionNode)]
    return operation, {part.name.value: part for part in parts}


def asked(chosen: SelectionSetNode, parts: dict[str, FragmentDefinitionNode], at: str = "") -> Iterator[str]:
    """Give the path of every leaf below a selection."""
    for node in chosen.selections:
        if isinstance(node, FragmentSpreadNode):
            yield from asked(parts[node.name.value].selection_set, parts, at)
        elif isinstance(node, FieldNode) and node.selection_set:
            yield from asked(node.selection_set, parts, f"{at}{node.name.value}.")
        elif isinstance(node, FieldNode):
            yield at + node.name.value


def read(kind: pl.DataType, at: str = "") -> Iterator[str]:
    """Give the path of every leaf of a payload."""
    inner = kind.inner if isinstance(kind, pl.List) else kind
    if isinstance(inner, pl.Struct):
        for field in inner.fields:
            assert isinstance(field.dtype, pl.DataType)
            yield from read(field.dtype, f"{at}.{field.name}" if at else field.name)
    else:
        yield at


@pytest.mark.parametrize("text", [queries.ORDER_PAGE, queries.ORDERS_BY_ID])
def test_every_field_the_mapper_reads_is_asked_for(text: str) -> None:
    _, parts = split(text)
    assert set(read(GRAPHQL.dtype)) - set(asked(parts["All"].selection_set, parts)) == UNASKED


def test_the_lines_that_come_later_are_asked_for_as_fully() -> None:
    _, parts = split(queries.ORDER_LINES)
    assert set(read(LINE)) <= set(asked(parts["Line"].selection_set, parts))


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        (queries.ORDER_PAGE, {"first": PAGE_SIZE, "lines": LINES}),
        (queries.ORDERS_BY_ID, {"ids": ["x"] * PAGE_SIZE, "lines": LINES}),
        (queries.ORDER_LINES, {"lines": LINES_MORE}),
    ],
)
def test_a_page_of_the_usual_size_is_affordable(text: str, variables: dict[str, Any]) -> None:
    operation, parts = split(text)
    assert Costing(SCHEMA, parts, variables).operation(operation) <= MAXIMUM_COST


@pytest.fixture(scope="module")
def sold(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Orders of both sandbox shops: (node as fetched, order as mapped)."""
    found = []
    with world(tmp_path_factory.mktemp("sandbox"), orders=130) as rehearsal:
        for name in ("sf-demo", "sf-cny"):
            rows = [row for page in rehearsal.shop(name).fetch(now=NOW) for row in page.records]
            nodes = [json.loads(row["payload"] or "") for row in rows]
            raw = raw_frame("shopify/graphql", nodes, [str(row["platform_ref"]) for row in rows])
            found += list(zip(nodes, to_orders(raw).iter_rows(named=True), strict=True))
    return found


def test_line_payments_are_the_total_without_postage_taxes_and_tip(
    sold: list[tuple[dict[str, Any], dict[str, Any]]],
) -> None:
    for node, order in sold:
        other = order["postage_minor"] + order["tax_added_minor"] + order["adjust_minor"]
        assert sum(line["paid_minor"] for line in order["lines"]) == order["total_minor"] - other, node[
            "name"
        ]
    coded = [node for node, _ in sold if node["discountCodes"] and len(node["lineItems"]["nodes"]) > 1]
    assert len(coded) > 3
    assert any(order["adjust_minor"] for _, order in sold)
    assert any(node["originalTotalDutiesSet"] for node, _ in sold)


def test_what_is_pending_ships_only_if_it_is_paid_on_delivery(
    sold: list[tuple[dict[str, Any], dict[str, Any]]],
) -> None:
    pending = [order for node, order in sold if node["displayFinancialStatus"] == "PENDING"]
    (cod,) = [order for order in pending if order["payment"] == "cod"]
    assert cod["status"] == "wait_ship"
    assert cod["due_minor"] == cod["total_minor"] > cod["received_minor"] == 0
    assert cod["paid_at"] is None
    assert all(line["quantity_to_ship"] == line["quantity"] > 0 for line in cod["lines"])
    others = [order for order in pending if order is not cod]
    assert {(order["payment"], order["status"]) for order in others} == {("prepaid", "wait_pay")}


@pytest.mark.parametrize(
    ("ref", "payment", "status", "received", "due"),
    [
        ("5900011220019", "prepaid", "wait_pay", 0, 6400),  # a transfer is awaited
        ("5900011220020", "cod", "wait_ship", 0, 6400),
        ("5900011220028", "cod", "wait_ship", 2000, 4400),
        ("5900011220029", "cod", "shipped", 6400, 0),
        ("5900011220030", "cod", "closed", 0, 0),
    ],
)
def test_cash_on_delivery(ref: str, payment: str, status: str, received: int, due: int) -> None:
    order = by_ref("shopify/graphql", ref)
    told = tuple(order[name] for name in ("payment", "status", "received_minor", "due_minor"))
    assert told == (payment, status, received, due)


def test_shares_of_all_discounts_count() -> None:
    order = by_ref("shopify/graphql", "5900011220025")
    assert [line["paid_minor"] for line in order["lines"]] == [1867, 1680, 2053]
    assert [line["item_ref"] for line in order["lines"]] == ["8100000001", "8100000001", None]
    unread = by_ref("shopify/graphql", "5900011220026")
    assert [line["paid_minor"] for line in unread["lines"]] == [None]
    assert by_ref("shopify/graphql", "5900011220027")["tax_added_minor"] == 540 + 450
