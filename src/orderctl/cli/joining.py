"""What a person decides about joining, kept in the ledger: these orders apart, these together."""

from __future__ import annotations

import polars as pl

from orderctl.cli.desk import actor
from orderctl.cli.session import Session
from orderctl.model.errors import UsageError
from orderctl.model.text import Text
from orderctl.ports import batches
from orderctl.stages.merging.decisions import plan_decisions


def decide_joining(
    session: Session,
    batch: str,
    *,
    undo: str | None,
    pin: tuple[str, str] | None,
    never: tuple[str, str] | None,
    reason: str,
) -> None:
    """Keep one decision about joining. What was decided before to the contrary of these orders is taken back.

    Raises: UsageError for more than one decision at once, no reason, or orders that cannot be told.
    """
    if sum(given is not None for given in (undo, pin, never)) > 1:
        raise UsageError(Text("give one of --undo, --pin and --never at a time"))
    if not reason:
        raise UsageError(Text("--reason is needed: it is journaled with your name"))
    sides = [_orders_named(session, batch, name) for name in pin or never or ()]
    sides = sides or [_orders_of(session, batch, undo or "")]
    orders = list(dict.fromkeys(order for side in sides for order in side))
    if len(orders) < 2 or (len(sides) == 2 and set(sides[0]) & set(sides[1])):
        raise UsageError(Text("{order} is one order: name two", order=orders[0]))
    # two shipments are kept apart from each other, not each of them taken apart
    sets = [[one, other] for one in sides[0] for other in sides[1]] if never else [orders]
    now, made = session.clock(), 0
    with session.ledger() as ledger:
        for some in sets:
            planned = plan_decisions(ledger.decisions(), some, together=pin is not None)
            made += len(planned)
            for (subject, decision), payload in planned.items():
                if payload is None:
                    ledger.withdraw(subject, decision, reason, actor(), now)
                else:
                    ledger.decide(subject, decision, reason, actor(), now, payload)
    named = ", ".join(orders)
    text = (
        Text("{orders} go together from now on; merge again", orders=named)
        if pin
        else Text("{orders} go apart from now on; merge again", orders=named)
    )
    session.console.summary(text, orders=orders, decisions=made)


def _orders_named(session: Session, batch: str, name: str) -> list[str]:
    """Give the order `name`, or the orders of the shipment of the batch that is called so. Raises: UsageError."""
    if name.count(":") > 1:
        return [name]
    if batch == "-" or not name.startswith("S"):
        raise UsageError(
            Text("{order} is no id of an order", order=name),
            hint=Text(
                "an id is PLATFORM:SHOP:NUMBER, as in order_id of a batch; to name a shipment, name its batch too"
            ),
        )
    return _orders_of(session, batch, name)


def _orders_of(session: Session, batch: str, shipment_id: str) -> list[str]:
    """Give the ids of the orders of a shipment in a batch."""
    refused = session.rejects(None)
    with batches.open_source(batch) as source:
        frame = batches.read_whole(source, ["shipment/1"], refused).frame
    session.finish_rejects(refused)
    found = frame.filter(pl.col("shipment_id") == shipment_id)
    if found.is_empty():
        raise UsageError(
            Text("the batch has no shipment {shipment}", shipment=shipment_id),
            hint=Text("name the batch it stands in: orderctl merge --undo SHIPMENT shipments.jsonl"),
        )
    orders: list[str] = (
        found["orders"].explode().struct.field("order_id").unique(maintain_order=True).to_list()
    )
    return orders
