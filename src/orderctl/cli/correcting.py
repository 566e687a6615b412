"""Telling platforms another number than was told them, on a person's command.

Safe to run again at any moment: a correction is one effect of the ledger, and the platform is asked first whether it
has the new number already, so that a repetition uses up none of the few corrections some platforms allow.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from orderctl.cli.acting import judge, show_plan
from orderctl.cli.desk import actor
from orderctl.cli.session import Session
from orderctl.cli.shipping import CODES, STAGE, newest_last, read_amends
from orderctl.cli.shops import has_api, open_shop
from orderctl.model.effect import Effect, Entry, State
from orderctl.model.errors import ConfigError, DataError, UsageError
from orderctl.model.text import Text
from orderctl.ports.ledger import Ledger
from orderctl.ports.ledger.perform import Result, perform
from orderctl.ports.platforms.port import ShipLine, ShipRequest
from orderctl.stages.plans import ships

PURPOSES = ("sale", "resend", "exchange", "return")


class Wanted(NamedTuple):
    """What is to be told of one telling instead: the entry of that telling, the request, the number to replace."""

    ship: Entry
    shop: str
    request: ShipRequest
    before: str
    fix: ships.Correction
    effect: Effect


def refuse_without_correct(**given: str | int | None) -> None:
    """Raise UsageError if an option is given that means nothing without --correct."""
    named = ", ".join(f"--{name}" for name, value in given.items() if value is not None)
    if named:
        raise UsageError(Text("{options}: only with --correct", options=named))


def correct_named(
    session: Session,
    name: str,
    number: str | None,
    courier: str | None,
    parcel: int | None,
    reason: str | None,
    *,
    dry_run: bool,
) -> None:
    """Do what `orderctl ship --correct` says, and tell how it went. Raises: UsageError if an option is missing."""
    if not number or not reason:
        lacking = ", ".join(o for o, v in (("--number", number), ("--reason", reason)) if not v)
        raise UsageError(Text("--correct needs {options}", options=lacking))
    corrected, before = correct(
        session, name, number=number, courier=courier, parcel=parcel, reason=reason, dry_run=dry_run
    )
    told = {"corrected": corrected, "before": before, "blocked": session.tally.blocked}
    session.console.summary(
        Text("{corrected} orders corrected, {before} were before, {blocked} blocked", **told), **told
    )


def correct(
    session: Session,
    name: str,
    *,
    number: str,
    courier: str | None,
    parcel: int | None,
    reason: str,
    dry_run: bool,
) -> tuple[int, int]:
    """Correct what was told of the order or shipment `name`; give how many orders were in this run, and before it.

    Raises: UsageError, before anything is done, unless all of it was told and the ledger knows with which number.
    """
    with session.ledger() as ledger:
        told = _told(ledger, name)
        amends = read_amends(ledger, {e.shipment_id for e in told if e.shipment_id})
        wanted = [
            _want(
                session,
                ledger,
                entry,
                amends.get(entry.subject, []),
                number=number,
                courier=courier,
                parcel=parcel,
            )
            for entry in told
        ]
        if dry_run:
            show_plan(w.effect for w in wanted)
            return 0, 0
        opened = [_opened(session, ledger, w, amends.get(w.ship.subject, []), reason) for w in wanted]
        return _perform(session, ledger, opened)


def _told(ledger: Ledger, name: str) -> list[Entry]:
    """Find what was told of an order, or of all orders of a shipment. Raises: UsageError unless all of it is done."""
    found = ledger.entries(ships.KIND, shipments=[name])
    if not found:
        bound = [ledger.commitments([name], purpose=p)["shipment_id"].to_list() for p in PURPOSES]
        subjects = {ships.subject_of(name, shipment) for shipments in bound for shipment in shipments}
        found = ledger.entries(ships.KIND, subjects)
    newest = list({e.subject: e for e in newest_last(found)}.values())
    if not newest:
        raise DataError(
            Text("nothing was told to a platform of {name}", name=name),
            hint=Text("an order or a shipment, as orderctl view and ledger show tell them"),
        )
    for entry in newest:
        if entry.state is not State.DONE:
            raise UsageError(
                Text(
                    "{key} is {state}: only what was told can be corrected", key=entry.key, state=entry.state
                )
            )
    shipments = sorted({e.shipment_id or "" for e in newest})
    if len(shipments) > 1:
        raise UsageError(
            Text(
                "{order} was told in several shipments: name one of {shipments}",
                order=name,
                shipments=", ".join(shipments),
            )
        )
    return newest


def _want(
    session: Session,
    ledger: Ledger,
    ship: Entry,
    amends: Sequence[Entry],
    *,
    number: str,
    courier: str | None,
    parcel: int | None,
) -> Wanted:
    order_id = ship.subject.rpartition("/")[0]
    shop = order_id.split(":", 2)[1]
    configured = session.config.shops.get(shop)
    if configured is None or not has_api(configured):
        raise ConfigError(Text("{shop} is no shop with an API here", shop=shop))
    request = _request(ledger, ship, order_id)
    if parcel is None and request.more:
        raise UsageError(
            Text(
                "{subject} was told with {count} parcels: say which one with --parcel",
                subject=ship.subject,
                count=len(request.numbers),
            )
        )
    parcel_no = parcel or 1
    numbers, by = list(request.numbers), request.courier
    for done in ships.corrections_of(amends, ship.revision):
        numbers[done.parcel_no - 1], by = done.number, done.courier
    if not 1 <= parcel_no <= len(numbers):
        raise UsageError(Text("{subject} has no parcel {parcel}", subject=ship.subject, parcel=parcel_no))
    before = numbers.pop(parcel_no - 1)
    fix = ships.Correction(parcel_no, number, courier or by, before, by)
    if (before, by) == (fix.number, fix.courier) and not amends:
        raise UsageError(
            Text("{subject} has the number {number} already", subject=ship.subject, number=number)
        )
    request = replace(request, number=number, more=tuple(numbers), courier=fix.courier, tracking_url=None)
    return Wanted(ship, shop, request, before, fix, _effect(ledger, ship, fix, 1))


def _effect(ledger: Ledger, ship: Entry, fix: ships.Correction, revision: int) -> Effect:
    return ships.plan_amend(
        ship,
        parcel_no=fix.parcel_no,
        number=fix.number,
        courier=fix.courier,
        revision=revision,
        key=ledger.identity_key(),
    )


def _request(ledger: Ledger, ship: Entry, order_id: str) -> ShipRequest:
    """Give the request that was told; of one that a person settled, as much as the ledger knows."""
    result: Mapping[str, Any] = ship.result or {}
    if told := result.get("request"):
        lines = tuple(ShipLine(**line) for line in told["lines"])
        return ShipRequest(**{**told, "lines": lines, "more": tuple(told["more"])})
    bought = newest_last(
        e for e in ledger.entries("waybill.buy", shipments=[ship.shipment_id or ""]) if e.result
    )
    parcels: Any = (bought[-1].result or {}).get("parcels") if bought else None
    numbers = [p["number"] for p in parcels or () if p.get("number")]
    bound = ledger.commitments([order_id], purpose=ship.purpose)
    couriers = bound.filter(bound["shipment_id"] == ship.shipment_id)["courier"].drop_nulls().to_list()
    if not numbers or not couriers:
        raise UsageError(
            Text("{subject}: the ledger does not know which number was told", subject=ship.subject)
        )
    lines = tuple(ShipLine(c.line_ref, c.quantity, c.quantity) for c in ship.claims)
    ref = order_id.split(":", 2)[2]
    return ShipRequest(ref, lines, numbers[0], couriers[0], whole=True, more=tuple(numbers[1:]))


def _opened(session: Session, ledger: Ledger, wanted: Wanted, amends: Sequence[Entry], reason: str) -> Wanted:
    """Give the effect in the revision to be done: the one begun already, or a new one, journaled with its reason."""
    effect, now = wanted.effect, session.clock()
    mine = newest_last(e for e in amends if e.subject == effect.subject)
    revision = ledger.current_revision(ships.AMEND, effect.subject, effect.purpose)
    last = next((e for e in reversed(mine) if e.revision == revision), None)
    other = last is not None and last.fingerprint != effect.fingerprint
    if last and (last.state is State.VOIDED or (last.state is State.DONE and other)):
        revision = ledger.reissue(
            ships.AMEND, effect.subject, actor=actor(), reason=reason, now=now, purpose=effect.purpose
        )
    elif (last is None and revision == 1) or (last and last.state is State.FAILED and other):
        ledger.note(
            "revision.opened",
            now,
            kind=ships.AMEND,
            subject=effect.subject,
            purpose=effect.purpose,
            revision=revision,
            actor=actor(),
            reason=reason,
        )
    return wanted._replace(effect=replace(effect, revision=revision))


def _perform(session: Session, ledger: Ledger, wanted: Sequence[Wanted]) -> tuple[int, int]:
    by_shop: dict[str, list[Wanted]] = defaultdict(list)
    for item in wanted:
        by_shop[item.shop].append(item)
    now = before = 0
    for shop, items in by_shop.items():
        for item, performed in zip(items, _one_shop(session, ledger, shop, items), strict=True):
            if judge(session, performed, {"problems": []}, STAGE, CODES):
                now += performed.decision != "replay"
                before += performed.decision == "replay"
                ledger.begin([_again(item.ship)], session.clock())  # a conflict about the old number is over
    return now, before


def _again(ship: Entry) -> Effect:
    """Give the telling as it stands: to begin it does nothing but drop the conflict noted about it."""
    return Effect(ship.kind, ship.subject, ship.purpose, ship.revision, ship.fingerprint)


def _one_shop(session: Session, ledger: Ledger, shop: str, items: Sequence[Wanted]) -> Sequence[Any]:
    platform = open_shop(session, ledger, shop)
    asked = {item.effect.key: item for item in items}

    def act(effect: Effect) -> Result:
        item = asked[effect.key]
        found = platform.lookup_amend(item.request, item.before) or platform.amend(item.request, item.before)
        return {**found, **item.fix._asdict(), "of": item.ship.revision, "at": session.clock()}

    return perform(ledger, [i.effect for i in items], act, now=session.clock)
