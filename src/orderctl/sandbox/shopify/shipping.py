"""The mutations of the Shopify stand-in: ship, and correct a tracking number.

The one invariant: no unit is shipped twice; asking for more than remains is a user error, and booked as refused.
"""

from __future__ import annotations

from typing import Any

from orderctl.sandbox.shopify.orders import fulfil, refresh
from orderctl.sandbox.shopify.view import Context, Info, to_node
from orderctl.sandbox.store import Order
from orderctl.sandbox.texts import utc

MOST_LINES = 512


class UserError(Exception):
    """A refusal inside the payload of a mutation; `field` is the path to what is wrong."""

    def __init__(self, field: list[str], message: str) -> None:
        super().__init__(message)
        self.field, self.message = field, message


def create(_: Any, info: Info, fulfillment: dict[str, Any], **_message: str | None) -> dict[str, Any]:
    """Mutation.fulfillmentCreate: ship what remains, or given quantities, of one order from one location."""
    context: Context = info.context
    context.need("write_merchant_managed_fulfillment_orders", "fulfillmentCreate")
    order = None
    with context.store.transaction():
        try:
            order, take = plan(context, fulfillment["lineItemsByFulfillmentOrder"])
            tracking = read_tracking(fulfillment.get("trackingInfo") or {}, ["fulfillment", "trackingInfo"])
        except UserError as error:
            return refused(context, "fulfillmentCreate", order, error, fulfillment)
        number = 5_100_000_000_000 + context.store.count("fulfilments")
        made = fulfil(order.body, take, tracking, context.now, number)
        lines = {line["id"]: line["sku"] for line in order.body["lineItems"]}
        units = [
            {"line": item["_line"], "quantity": item["quantity"], "sku": lines[item["_line"]]}
            for item in made["fulfillmentLineItems"]
        ]
        detail = {
            "fulfillment": made["id"],
            "lines": units,
            "company": tracking[0]["company"] if tracking else None,
            "numbers": [one["number"] for one in tracking],
            "notified": bool(fulfillment.get("notifyCustomer")),
        }
        save(context, order, "ship", tracking, detail, fulfillment)
    return {"fulfillment": shown(order, made["id"]), "userErrors": []}


def update(_: Any, info: Info, **args: Any) -> dict[str, Any]:
    """Mutation.fulfillmentTrackingInfoUpdate: replace the numbers of a fulfilment."""
    context: Context = info.context
    context.need("write_merchant_managed_fulfillment_orders", "fulfillmentTrackingInfoUpdate")
    asked = {"fulfillmentId": args["fulfillmentId"], "trackingInfoInput": args["trackingInfoInput"]}
    fulfilment = asked["fulfillmentId"]
    with context.store.transaction():
        order = context.store.find_part("shopify", context.shop.name, fulfilment)
        try:
            if order is None or "/Fulfillment/" not in fulfilment:
                raise UserError(["fulfillmentId"], "Fulfillment does not exist.")
            tracking = read_tracking(asked["trackingInfoInput"], ["trackingInfoInput"])
        except UserError as error:
            return refused(context, "fulfillmentTrackingInfoUpdate", order, error, asked)
        made = next(one for one in order.body["fulfillments"] if one["id"] == fulfilment)
        before = [one["number"] for one in made["trackingInfo"]]
        made |= {"trackingInfo": tracking, "updatedAt": utc(context.now)}
        detail = {
            "fulfillment": fulfilment,
            "before": before,
            "numbers": [one["number"] for one in tracking],
            "notified": bool(args.get("notifyCustomer")),
        }
        save(context, order, "amend", tracking, detail, asked)
    return {"fulfillment": shown(order, fulfilment), "userErrors": []}


def plan(context: Context, groups: list[dict[str, Any]]) -> tuple[Order, dict[str, dict[str, int]]]:
    """Give the order and the quantities to ship by fulfilment order and line. Raises: UserError."""
    at = ["fulfillment", "lineItemsByFulfillmentOrder"]
    if not groups:
        raise UserError(at, "Fulfillment order line items can't be blank.")
    if sum(len(group.get("fulfillmentOrderLineItems") or ()) for group in groups) > MOST_LINES:
        raise UserError(at, f"Cannot fulfill more than {MOST_LINES} line items at once.")
    order: Order | None = None
    take: dict[str, dict[str, int]] = {}
    locations = set()
    for index, group in enumerate(groups):
        found = context.store.find_part("shopify", context.shop.name, group["fulfillmentOrderId"])
        parts = found.body["fulfillmentOrders"] if found else []
        part = next((one for one in parts if one["id"] == group["fulfillmentOrderId"]), None)
        if found is None or part is None:
            raise UserError(["fulfillment"], "Fulfillment order does not exist.")
        if order is not None and order.ref != found.ref:
            raise UserError(at, "All fulfillment orders must belong to the same order.")
        order = order or found
        locations.add(part["assignedLocation"]["location"]["id"])
        if part["id"] in take:
            raise UserError([*at, str(index)], "Fulfillment order is given twice.")
        take[part["id"]] = quantities(part, group.get("fulfillmentOrderLineItems"), [*at, str(index)])
    if len(locations) > 1:
        raise UserError(at, "All fulfillment orders must be assigned to the same location.")
    assert order is not None
    return order, take


def quantities(part: dict[str, Any], chosen: list[dict[str, Any]] | None, at: list[str]) -> dict[str, int]:
    """Give what to ship of one fulfilment order: the chosen quantities, or all that remains. Raises: UserError."""
    if part["requestStatus"] != "UNSUBMITTED" or part["status"] not in ("OPEN", "IN_PROGRESS"):
        state = (
            part["status"].lower() if part["requestStatus"] == "UNSUBMITTED" else "requested from a service"
        )
        raise UserError(
            at, f"Fulfillment order {part['id'].rsplit('/', 1)[-1]} has an unfulfillable status= {state}."
        )
    remaining = {
        item["id"]: item["remainingQuantity"] for item in part["lineItems"] if item["remainingQuantity"]
    }
    if chosen is None:
        return remaining
    taken: dict[str, int] = {}
    for index, item in enumerate(chosen):
        here = [*at, "fulfillmentOrderLineItems", str(index)]
        if item["id"] not in {line["id"] for line in part["lineItems"]} or item["id"] in taken:
            raise UserError([*here, "id"], "Fulfillment order line item does not exist.")
        if not 1 <= item["quantity"] <= remaining.get(item["id"], 0):
            raise UserError([*here, "quantity"], "Invalid fulfillment order line item quantity requested.")
        taken[item["id"]] = item["quantity"]
    return taken


def read_tracking(given: dict[str, Any], at: list[str]) -> list[dict[str, Any]]:
    """Read tracking numbers in either form. Raises: UserError for both forms at once or a url without its number."""
    one, many = given.get("number"), given.get("numbers")
    url, urls = given.get("url"), given.get("urls")
    if (one is not None or url is not None) and (many is not None or urls is not None):
        raise UserError(at, "Use either number and url or numbers and urls.")
    numbers = many if many is not None else [one] if one else []
    links = urls if urls is not None else [url] if url else []
    if len(links) > len(numbers):
        raise UserError(at, "A tracking url needs its number.")
    links = [*links, *[None] * (len(numbers) - len(links))]
    return [
        {"company": given.get("company"), "number": number, "url": link}
        for number, link in zip(numbers, links, strict=True)
    ]


def refused(
    context: Context, name: str, order: Order | None, error: UserError, asked: dict[str, Any]
) -> dict[str, Any]:
    """Book a refused attempt and give its payload."""
    subject = order.ref if order else first_owner(context, asked)
    context.store.book(
        context.now,
        "shopify",
        context.shop.name,
        "refused",
        subject,
        None,
        {"mutation": name, "message": error.message},
        asked,
    )
    return {"fulfillment": None, "userErrors": [{"field": error.field, "message": error.message}]}


def first_owner(context: Context, asked: dict[str, Any]) -> str:
    """Say of which order a refused attempt spoke, or which id it gave."""
    groups = asked.get("lineItemsByFulfillmentOrder") or [{}]
    part = str(groups[0].get("fulfillmentOrderId", asked.get("fulfillmentId", "")))
    owner = context.store.find_part("shopify", context.shop.name, part)
    return owner.ref if owner else part


def save(
    context: Context, order: Order, kind: str, tracking: list[dict[str, Any]], detail: dict[str, Any],
    asked: dict[str, Any],
) -> None:  # fmt: skip
    """Write the changed order and enter the effect into the books."""
    order.body["updatedAt"] = utc(max(context.now, order.modified))
    refresh(order)
    context.store.save(order, context.now)
    number = tracking[0]["number"] if tracking else None
    context.store.book(
        context.now,
        "shopify",
        context.shop.name,
        kind,
        order.ref,
        number,
        {**detail, "order": order.body["id"], "name": order.body["name"]},
        asked,
    )


def shown(order: Order, fulfilment: str) -> dict[str, Any]:
    """Give a fulfilment as the graph shows it."""
    return next(one for one in to_node(order)["fulfillments"] if one["id"] == fulfilment)
