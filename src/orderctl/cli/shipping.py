"""Telling every platform the numbers of its orders, each once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

from orderctl.cli.acting import Codes, failed_or_new, judge, ready_rows, revisions, show_plan
from orderctl.cli.freshness import stale
from orderctl.cli.session import Session
from orderctl.cli.shops import has_api, open_shop
from orderctl.model.effect import KINDS, Decision, Effect, Entry, Kind
from orderctl.model.errors import ConfigError, OrderctlError
from orderctl.model.text import Text
from orderctl.ports.http import DEADLINE_S
from orderctl.ports.ledger import Ledger
from orderctl.ports.ledger.perform import Answer, Performed, Result, perform
from orderctl.ports.platforms.port import ShipLine, ShipRequest
from orderctl.stages.merging.gift_lines import is_our_gift
from orderctl.stages.plans import ships
from orderctl.stages.plans.rows import Row, carried, clear, note

STAGE = "ship"
REFUSALS = {
    "shipped_elsewhere": "shipped_elsewhere",
    "refunding": "ship_refunding",
    "bad_number": "ship_bad_number",
    "courier_unknown": "ship_courier_unknown",
    "order_not_found": "ship_order_not_found",
    "not_shippable": "ship_not_shippable",
    "partial_line": "ship_partial_line",
    "address_changed": "ship_address_changed",
    "held": "ship_held",
    "no_amend": "ship_no_amend",
}
"""What each refusal of a platform is called as a problem of a row."""
CODES = Codes("ship_refused", "ship_later", "ship_unknown", unauthorized="ship_unauthorized", apart=REFUSALS)


def ship_rows(session: Session, rows: list[Row], *, dry_run: bool, offline: bool, fresh: int | None) -> int:
    """Tell the platforms of `rows`, in place; give how many orders were told in this run."""
    with session.ledger() as ledger:
        key = ledger.identity_key()
        for row in rows:
            clear(row, STAGE)
        subjects = [ships.subject_of(o["order_id"], r["shipment_id"]) for r in rows for o in r["orders"]]
        known = revisions(ledger, ships.KIND, subjects)
        amends = read_amends(ledger, {r["shipment_id"] for r in rows})
        fixes = {s: ships.corrections_of(found, known.get(s, 1)) for s, found in amends.items()}
        plan = ships.plan_ships(ready_rows(session, rows), key=key, revisions=known, corrections=fixes)
        if dry_run:
            show_plan(t.effect for t in plan)
            return 0
        told = _perform(session, ledger, _fresh(session, ledger, plan, offline=offline, fresh=fresh))
        _fold(ledger, rows, subjects)
        _note_unnumbered(session, rows)
        return told


def _fresh(
    session: Session, ledger: Ledger, plan: list[ships.Telling], *, offline: bool, fresh: int | None
) -> list[ships.Telling]:
    new = failed_or_new(ledger, [t.effect for t in plan])
    asked = {t.row["shipment_id"]: t.row for t in plan if t.effect.key in new}
    seconds = session.config.fresh.ship_s if fresh is None else fresh
    orders = {t.order["order_id"] for t in plan if t.effect.key in new}
    rows = list(asked.values())
    refused = stale(session, ledger, rows, seconds=seconds, stage=STAGE, offline=offline, only=orders)
    return [t for t in plan if t.row["shipment_id"] not in refused or t.effect.key not in new]


def _perform(session: Session, ledger: Ledger, plan: list[ships.Telling]) -> int:
    by_shop: dict[str, list[ships.Telling]] = defaultdict(list)
    for telling in plan:
        by_shop[telling.order["shop"]].append(telling)
    with ThreadPoolExecutor(max(1, min(8, len(by_shop))), thread_name_prefix="shop") as pool:
        done = list(pool.map(lambda item: _one_shop(session, ledger, *item), by_shop.items()))
    told = 0
    for tellings, performed in done:
        for telling, what in zip(tellings, performed, strict=True):
            if judge(session, what, telling.row, STAGE, CODES):
                told += what.decision == "begin"
    return told


def _one_shop(
    session: Session, ledger: Ledger, shop: str, tellings: list[ships.Telling]
) -> tuple[list[ships.Telling], Sequence[Performed]]:
    configured = session.config.shops.get(shop)
    if configured is None or not has_api(configured):
        for telling in tellings:
            note(telling.row, STAGE, "no_api", shop=shop)
        session.tally.waiting += len(tellings)
        return [], []
    try:
        platform = open_shop(session, ledger, shop)
    except (ConfigError, OrderctlError) as error:
        session.console.say(
            "error", "shop.failed", Text("{shop}: {why}", shop=shop, why=error.text), shop=shop
        )
        session.tally.add(error)
        for telling in tellings:
            note(telling.row, STAGE, "ship_later", code=type(error).__name__)
        return [], []
    requests = {t.effect.key: to_request(t) for t in tellings}

    def told(request: ShipRequest, result: Mapping[str, str | None]) -> Result:
        return {**result, "at": session.clock(), "request": asdict(request)}

    def act(effect: Effect) -> Result:
        return told(requests[effect.key], platform.ship(requests[effect.key]))

    def lookup(effect: Effect) -> Answer:
        found = platform.lookup_ship(requests[effect.key])
        return "absent" if found is None else told(requests[effect.key], found)

    # "Not found" is proof once the longest call has ended and the platform has had its time to show it.
    patience = Kind(Decision.LOOKUP, settling_s=platform.ship_settling_s + int(DEADLINE_S))
    kinds = {**KINDS, ships.KIND: patience}
    effects = [t.effect for t in tellings]
    return tellings, perform(ledger, effects, act, now=session.clock, lookup=lookup, kinds=kinds)


def to_request(telling: ships.Telling) -> ShipRequest:
    """Say to the platform what of an order left, under which numbers."""
    row, order = telling.row, telling.order
    mine = [x for x in carried(row) if x["order_id"] == order["order_id"] and not is_our_gift(x)]
    lines = tuple(
        {(told := _ship_line(line)).line_ref: told for line in mine}.values()
    )  # parts of a bundle are one line there
    whole = (order["parts"] or 1) <= 1 and all(line.quantity >= line.of for line in lines)
    return ShipRequest(
        order_ref=order["platform_ref"],
        lines=lines,
        number=row["parcels"][0]["number"],
        courier=row["courier"],
        whole=whole,
        more=tuple(parcel["number"] for parcel in row["parcels"][1:]),
    )


def _ship_line(line: dict[str, Any]) -> ShipLine:
    left = max(line["quantity_to_ship"] or 0, line["quantity"])
    if line["parent_line_ref"] is None:
        return ShipLine(line_ref=line["line_ref"], quantity=line["quantity"], of=left)
    bundles = line["parent_quantity"] or 1  # the platform counts bundles, of which this line is a part
    return ShipLine(line_ref=line["parent_line_ref"], quantity=bundles * line["quantity"] // left, of=bundles)


def read_amends(ledger: Ledger, shipments: set[str]) -> dict[str, list[Entry]]:
    """Give the corrections of what was told of `shipments`, by the subject of the telling."""
    found: dict[str, list[Entry]] = defaultdict(list)
    for entry in ledger.entries(ships.AMEND, shipments=shipments):
        found[ships.told_subject(entry.subject)].append(entry)
    return found


def _fold(ledger: Ledger, rows: list[Row], subjects: list[str]) -> None:
    told = {e.subject: e for e in newest_last(ledger.entries(ships.KIND, subjects)) if e.state == "done"}
    amends = read_amends(ledger, {r["shipment_id"] for r in rows})
    for row in rows:
        for order in row["orders"]:
            entry = told.get(ships.subject_of(order["order_id"], row["shipment_id"]))
            if entry and entry.result:
                ships.fold_ship(row, order["order_id"], entry.result)
                for result in ships.amends_of(amends.get(entry.subject, ()), entry.revision):
                    ships.fold_amend(row, order["order_id"], result)


def newest_last(entries: Iterable[Entry]) -> list[Entry]:
    """Order entries by revision."""
    return sorted(entries, key=lambda e: e.revision)


def _note_unnumbered(session: Session, rows: list[Row]) -> None:
    for row in rows:
        if not row["problems"] and any(carried(row)) and not all(p["number"] for p in row["parcels"]):
            note(row, STAGE, "no_number")
            session.tally.waiting += 1
