"""How one request sees the Shopify stand-in: its shop, its rights, and stored orders in the shape of the graph."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo

from orderctl.sandbox.shopify.orders import with_money
from orderctl.sandbox.standins import Shop
from orderctl.sandbox.store import Order, Store

OPEN = ("OPEN", "IN_PROGRESS")


@dataclass
class Context:
    """What one request may see, and what its filters were warned of; `now` is epoch seconds."""

    store: Store
    now: float
    shop: Shop
    scopes: frozenset[str]
    customer_data: bool
    warnings: list[dict[str, Any]] = field(default_factory=list)

    def need(self, scope: str, name: str) -> None:
        """Insist on a scope. Raises: GraphQLError."""
        if scope not in self.scopes:
            raise GraphQLError(
                f"Access denied for {name} field. Required access: `{scope}` access scope.",
                extensions={"code": "ACCESS_DENIED", "requiredAccess": f"`{scope}`"},
            )


Info = GraphQLResolveInfo[Context]


def to_node(order: Order) -> dict[str, Any]:
    """Give a stored order as the graph shows it."""
    body = order.body
    node: dict[str, Any] = with_money(body, body["currencyCode"], body["presentmentCurrencyCode"])
    lines = {line["id"]: line | {"__typename": "LineItem"} for line in node["lineItems"]}
    node |= {
        "__typename": "Order",
        "number": int(body["name"].lstrip("#")),
        "lineItems": list(lines.values()),
    }
    if node["shippingLine"]:
        fee = node["totalShippingPriceSet"]
        node["shippingLine"] |= {"originalPriceSet": fee, "discountedPriceSet": fee}
    for part in node["fulfillmentOrders"]:
        part |= {
            "__typename": "FulfillmentOrder",
            "orderId": node["id"],
            "orderName": node["name"],
            "supportedActions": supported_actions(part),
        }
        for item in part["lineItems"]:
            line = lines[item["_line"]]
            item |= {"lineItem": line, "sku": line["sku"], "requiresShipping": line["requiresShipping"]}
    for part in node["fulfillments"]:
        part |= {"__typename": "Fulfillment", "order": node}
        for item in part["fulfillmentLineItems"]:
            item["lineItem"] = lines[item["_line"]]
    return node


def supported_actions(part: dict[str, Any]) -> list[dict[str, Any]]:
    """Say what may be done with a fulfilment order."""
    if part["requestStatus"] != "UNSUBMITTED":
        names = ["REQUEST_CANCELLATION"]
    elif part["status"] in OPEN:
        names = ["CREATE_FULFILLMENT", "MOVE", "HOLD", "SPLIT"]
    else:
        names = {"ON_HOLD": ["RELEASE_HOLD", "MOVE"], "SCHEDULED": ["MARK_AS_OPEN"]}.get(part["status"], [])
    return [{"action": name, "externalUrl": None} for name in names]
