"""The Shopify graph: how each field of the schema finds its value.

The one invariant: resolvers only read, apart from the two mutations; amounts leave as money bags, lists as pages.
"""

from __future__ import annotations

import base64
import json
from importlib.resources import files
from typing import Any

from graphql import GraphQLError, GraphQLObjectType, build_schema, get_named_type
from graphql.type import GraphQLSchema

from orderctl.sandbox.shopify import shipping
from orderctl.sandbox.shopify.search import to_sql
from orderctl.sandbox.shopify.view import Context, Info, to_node
from orderctl.sandbox.standins import Shop
from orderctl.sandbox.texts import utc

SORTED_BY = {"CREATED_AT": "created", "UPDATED_AT": "modified", "PROCESSED_AT": "created"}
FULFILMENT_SCOPE = "read_merchant_managed_fulfillment_orders"
PROTECTED = {
    "Order": ("email", "phone"),
    "MailingAddress": ("firstName", "lastName", "name", "address1", "address2", "zip", "phone"),
}


def encode(cursor: dict[str, Any]) -> str:
    """Write a cursor."""
    return base64.b64encode(json.dumps(cursor, separators=(",", ":")).encode()).decode()


def decode(text: str, key: str, *names: str) -> list[int]:
    """Read the numbers `names` of a cursor made for the sort key `key`. Raises: GraphQLError for any other text."""
    try:
        cursor = json.loads(base64.b64decode(text, validate=True))
        numbers = [cursor[name] for name in names]
        if cursor["key"] == key and all(type(number) is int and abs(number) < 2**63 for number in numbers):
            return numbers
    except (ValueError, KeyError, TypeError, IndexError):
        pass
    raise GraphQLError(
        f"Invalid cursor for current pagination sort: {text}", extensions={"code": "BAD_REQUEST"}
    )


def page(nodes: list[Any], cursors: list[str], *, before: bool, after: bool) -> dict[str, Any]:
    """Give one page of a connection; the flags tell whether there is more before and after it."""
    info = {
        "hasNextPage": after,
        "hasPreviousPage": before,
        "startCursor": cursors[0] if cursors else None,
        "endCursor": cursors[-1] if cursors else None,
    }
    edges = [{"cursor": cursor, "node": node} for cursor, node in zip(cursors, nodes, strict=True)]
    return {"nodes": nodes, "edges": edges, "pageInfo": info}


def resolve_orders(_: Any, info: Info, **args: Any) -> dict[str, Any]:
    """Query.orders: a page by keys, never by offset."""
    context: Context = info.context
    context.need("read_orders", "orders")
    where, values = condition(context, info, args.get("query"))
    key = args.get("sortKey") or "PROCESSED_AT"
    column = SORTED_BY.get(key, "number")
    backwards = args.get("first") is None
    size = args["last"] if backwards else args["first"]
    down = bool(args.get("reverse")) != backwards
    edge = args.get("before") if backwards else args.get("after")
    if edge is not None:
        where += f" AND ({column}, number) {'<' if down else '>'} (?, ?)"
        values += decode(edge, key, "value", "id")
    turn = "DESC" if down else "ASC"
    found = context.store.select(
        where, [*values, size + 1], f"ORDER BY {column} {turn}, number {turn} LIMIT ?"
    )
    rows, more = found[:size], len(found) > size
    if backwards:
        rows.reverse()
    cursors = [encode({"key": key, "value": getattr(row, column), "id": row.number}) for row in rows]
    there = edge is not None
    nodes = [to_node(row) for row in rows]
    return page(nodes, cursors, before=more if backwards else there, after=there if backwards else more)


def resolve_count(_: Any, info: Info, **args: Any) -> dict[str, Any]:
    """Query.ordersCount: exact up to its limit."""
    context: Context = info.context
    context.need("read_orders", "ordersCount")
    where, values = condition(context, info, args.get("query"))
    count, limit = context.store.size(where, values), args.get("limit") or 10**9
    return {"count": min(count, limit), "precision": "EXACT" if count <= limit else "AT_LEAST"}


def condition(context: Context, info: Info, text: str | None) -> tuple[str, list[Any]]:
    """Give the SQL condition of a filter text; what it ignores is kept as a warning."""
    where, values, warnings = to_sql(text, context.shop.zone)
    if warnings:
        context.warnings.append({"path": list(info.path.as_list()), "query": text, "warnings": warnings})
    return f"platform = 'shopify' AND shop = ? AND {where}", [context.shop.name, *values]


def resolve_connection(source: dict[str, Any], info: Info, **args: Any) -> dict[str, Any]:
    """Give a page of a list that lies inside an object."""
    items = list(source[info.field_name])
    if info.field_name == "fulfillmentOrders" and FULFILMENT_SCOPE not in info.context.scopes:
        items = []
    if info.field_name == "fulfillmentOrders":
        items = [item for item in items if item["createdAt"] <= utc(info.context.now)]
    if args.get("reverse"):
        items.reverse()
    low, high = 0, len(items)
    if args.get("after"):
        low = decode(args["after"], info.field_name, "at")[0] + 1
    if args.get("before"):
        high = min(high, decode(args["before"], info.field_name, "at")[0])
    if args.get("first") is not None:
        high = min(high, low + args["first"])
    if args.get("last") is not None:
        low = max(low, high - args["last"])
    cursors = [encode({"key": info.field_name, "at": at}) for at in range(low, high)]
    return page(items[low:high], cursors, before=low > 0, after=high < len(items))


def resolve_list(source: dict[str, Any], info: Info, **args: Any) -> list[Any]:
    """Give a plain list, cut at its optional `first`."""
    items: list[Any] = source[info.field_name]
    return items if args.get("first") is None else items[: args["first"]]


def resolve_protected(source: dict[str, Any], info: Info) -> Any:
    """Give customer data only to those who were granted it; the rest of the answer stays good."""
    if not info.context.customer_data:
        raise GraphQLError(
            f"This app is not approved to access the {info.field_name} field.",
            extensions={"code": "ACCESS_DENIED"},
        )
    return source[info.field_name]


def resolve_node(_: Any, info: Info, id: str) -> dict[str, Any] | None:
    """Query.node and its kin: whatever has this global id in this shop."""
    context: Context = info.context
    kind, _, number = id.removeprefix("gid://shopify/").partition("/")
    if not id.startswith("gid://shopify/") or not number.isdigit():
        raise GraphQLError(f"Invalid global id '{id}'", extensions={"code": "argumentLiteralsIncompatible"})
    if kind == "Shop":
        return resolve_shop(None, info)
    if kind == "Order":
        found = context.store.find("shopify", context.shop.name, number)
        return to_node(found) if found else None
    names = {"FulfillmentOrder": "fulfillmentOrders", "Fulfillment": "fulfillments"}
    owner = context.store.find_part("shopify", context.shop.name, id) if kind in names else None
    if owner is None:
        return None
    parts: list[dict[str, Any]] = to_node(owner)[names[kind]]
    return next(part for part in parts if part["id"] == id)


def typed(kind: str) -> Any:
    """Make the resolver of a field that takes the id of one kind only."""

    def resolve(source: Any, info: Info, id: str) -> dict[str, Any] | None:
        return resolve_node(source, info, id) if id.startswith(f"gid://shopify/{kind}/") else None

    return resolve


def resolve_nodes(source: Any, info: Info, ids: list[str]) -> list[dict[str, Any] | None]:
    """Query.nodes: one entry per id, null for the unknown."""
    if len(ids) > 250:
        raise GraphQLError(
            "The input array size is greater than the maximum of 250", extensions={"code": "MAX_INPUT"}
        )
    return [resolve_node(source, info, one) for one in ids]


def resolve_shop(_: Any, info: Info) -> dict[str, Any]:
    """Query.shop."""
    shop: Shop = info.context.shop
    return {
        "__typename": "Shop", "id": f"gid://shopify/Shop/{60_000_000_000 + sum(shop.name.encode())}",
        "name": shop.title, "email": "owner@example.com", "myshopifyDomain": f"{shop.name}.myshopify.com",
        "currencyCode": shop.currency, "ianaTimezone": shop.zone, "timezoneOffset": "+0000",
        "plan": {"partnerDevelopment": True, "publicDisplayName": "Sandbox", "shopifyPlus": False},
    }  # fmt: skip


def resolve_installation(_: Any, info: Info) -> dict[str, Any]:
    """Query.currentAppInstallation."""
    scopes = [
        {"handle": scope, "description": scope.replace("_", " ")} for scope in sorted(info.context.scopes)
    ]
    return {"__typename": "AppInstallation", "id": "gid://shopify/AppInstallation/1", "accessScopes": scopes}


def make_schema() -> GraphQLSchema:
    """Build the executable schema."""
    schema = build_schema(files("orderctl.sandbox.shopify").joinpath("schema.graphql").read_text("utf-8"))
    for kind in schema.type_map.values():
        if (
            not isinstance(kind, GraphQLObjectType)
            or kind.name.startswith("__")
            or kind.name in ("Query", "Mutation")
        ):
            continue
        for name, spec in kind.fields.items():
            if get_named_type(spec.type).name.endswith("Connection"):
                spec.resolve = resolve_connection
            elif "first" in spec.args:
                spec.resolve = resolve_list
            elif name in PROTECTED.get(kind.name, ()):
                spec.resolve = resolve_protected
    roots = {
        "Query": {
            "currentAppInstallation": resolve_installation, "shop": resolve_shop, "order": typed("Order"), "orders": resolve_orders, "ordersCount": resolve_count,
            "fulfillment": typed("Fulfillment"), "fulfillmentOrder": typed("FulfillmentOrder"), "node": resolve_node,
            "nodes": resolve_nodes,
        },
        "Mutation": {
            "fulfillmentCreate": shipping.create, "fulfillmentTrackingInfoUpdate": shipping.update,
        },
    }  # fmt: skip
    for root, resolvers in roots.items():
        kind = schema.type_map[root]
        assert isinstance(kind, GraphQLObjectType)
        for name, resolver in resolvers.items():
            kind.fields[name].resolve = resolver
    return schema


SCHEMA = make_schema()
