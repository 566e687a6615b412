"""The forms of the answers we ask for, as far as we look into them; a form that does not fit is an unreadable answer."""

from __future__ import annotations

from typing import Any

import msgspec


class Shape(msgspec.Struct, rename="camel"):
    """Base of every form: names as the platform writes them, unknown fields passed over."""


class PageInfo(Shape):
    """Where a page ends, and whether more follows."""

    has_next_page: bool = False
    end_cursor: str | None = None


class Ref(Shape):
    """A thing named by its global id."""

    id: str


class Records(Shape):
    """A page of objects that are kept as they came."""

    nodes: list[dict[str, Any]]
    page_info: PageInfo


class OrderPage(Shape):
    """Answer to OrderPage."""

    orders: Records


class Nodes(Shape):
    """Answer to OrdersById; null stands for what does not exist."""

    nodes: list[dict[str, Any] | None]


class OrderHead(Shape):
    """What we read of an order that is otherwise kept as it came."""

    id: str
    legacy_resource_id: str | int
    line_items: Records
    created_at: str | None = None
    updated_at: str | None = None

    @property
    def ref(self) -> str:
        """Give the order's number as text."""
        return str(self.legacy_resource_id)


class OrderLinesPart(Shape):
    """An order's lines."""

    line_items: Records


class OrderLines(Shape):
    """Answer to OrderLines."""

    order: OrderLinesPart | None


class Count(Shape):
    """A number of orders."""

    count: int


class OrderCount(Shape):
    """Answer to OrderCount."""

    orders_count: Count


class ShopPart(Shape):
    """A shop."""

    id: str


class ShopAnswer(Shape):
    """Answer to Shop."""

    shop: ShopPart


class Tracking(Shape):
    """A tracking number."""

    number: str | None = None


class Fulfilment(Shape):
    """A dispatch, as the platform knows it."""

    id: str
    status: str | None = None
    tracking_info: list[Tracking] = []


class ShippedOrder(Shape):
    """An order's dispatches."""

    fulfillments: list[Fulfilment]
    cancelled_at: str | None = None


class Shipped(Shape):
    """Answer to Shipped."""

    order: ShippedOrder | None


class ShippedItem(Shape):
    """So many of a line in a dispatch."""

    line_item: Ref
    quantity: int | None = None


class ShippedItems(Shape):
    """A page of what lies in a dispatch."""

    nodes: list[ShippedItem]
    page_info: PageInfo


class ShippedLinesPart(Shape):
    """A dispatch and what lies in it."""

    fulfillment_line_items: ShippedItems


class ShippedLines(Shape):
    """Answer to ShippedLines."""

    fulfillment: ShippedLinesPart | None


class Item(Shape):
    """A line of a fulfilment order and how many remain to be shipped."""

    id: str
    remaining_quantity: int
    line_item: Ref


class Items(Shape):
    """A page of lines of a fulfilment order."""

    nodes: list[Item]
    page_info: PageInfo


class Place(Shape):
    """Where a fulfilment order is shipped from."""

    name: str | None = None
    location: Ref | None = None


class Method(Shape):
    """How a fulfilment order reaches the buyer."""

    method_type: str | None = None


class Action(Shape):
    """What may be done with a fulfilment order."""

    action: str


class FulfilmentOrder(Shape):
    """What is to be shipped from one place."""

    id: str
    status: str
    line_items: Items
    supported_actions: list[Action]
    request_status: str | None = None
    assigned_location: Place | None = None
    delivery_method: Method | None = None


class FulfilmentOrders(Shape):
    """A page of fulfilment orders."""

    nodes: list[FulfilmentOrder]
    page_info: PageInfo


class ToShipOrder(Shape):
    """An order's fulfilment orders."""

    fulfillment_orders: FulfilmentOrders


class ToShip(Shape):
    """Answer to ToShip."""

    order: ToShipOrder | None


class ToShipLinesPart(Shape):
    """A fulfilment order's lines."""

    line_items: Items


class ToShipLines(Shape):
    """Answer to ToShipLines."""

    fulfillment_order: ToShipLinesPart | None


class UserError(Shape):
    """A refusal; its text is for people and never shown."""

    field: list[str] | None = None


class Payload(Shape):
    """What a mutation gives back."""

    user_errors: list[UserError]
    fulfillment: Ref | None = None


class Created(Shape):
    """Answer to Ship."""

    fulfillment_create: Payload


class Amended(Shape):
    """Answer to Amend."""

    fulfillment_tracking_info_update: Payload


class Scope(Shape):
    """A right the shop gave to the app."""

    handle: str


class Installation(Shape):
    """The app in the shop."""

    access_scopes: list[Scope]


class Rights(Shape):
    """Answer to Rights."""

    current_app_installation: Installation


# msgspec reads the fields of a form when it first meets it. A second thread, another Shopify shop, that meets the form
# half read crashes the process; so all are read here, where only one thread can be.
for _shape in Shape.__subclasses__():
    msgspec.json.Decoder(_shape)
