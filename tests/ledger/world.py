"""A small world around a ledger: a courier, a printer and a platform that keep books of what truly happened, orders
that arrive, and operators who plan shipments from what they know and perform them, until something stops them.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from orderctl.model.effect import JSON, KINDS, Claim, Decision, Effect, Kind, Outcome, Ruling, State
from orderctl.model.errors import OutcomeUnknown, Refused, Temporary
from orderctl.model.identity import short_id
from orderctl.model.instant import parse_instant, write_instant
from orderctl.model.text import Text
from orderctl.ports.ledger import Ledger, Performed, perform, perform_jobs

HOUR = 3600


class Crash(BaseException):
    """The process is gone: nothing catches it, nothing is tidied up."""


class Steps:
    """Counts the places where a process can die, and dies at the one that is asked for."""

    def __init__(self) -> None:
        self.taken = 0
        self.fatal: int | None = None
        self.meanwhile: dict[int, Callable[[], None]] = {}

    def reach(self) -> None:
        here, self.taken = self.taken, self.taken + 1
        if here in self.meanwhile:
            self.meanwhile.pop(here)()
        if here == self.fatal:
            self.fatal = None
            raise Crash


class MortalLedger(Ledger):
    """A ledger whose process may die right before and right after each of its writes."""

    def __init__(self, path: Path, *, run_id: str, host: str, key: str | None = None, steps: Steps) -> None:
        super().__init__(path, run_id=run_id, host=host, key=key)
        self.steps = steps

    def begin(self, wanted: Sequence[Effect], now: str, kinds: Mapping[str, Kind] = KINDS) -> list[Ruling]:
        self.steps.reach()
        rulings = super().begin(wanted, now, kinds)
        self.steps.reach()
        return rulings

    def take_over(
        self, wanted: Sequence[Effect], now: str, kinds: Mapping[str, Kind] = KINDS
    ) -> list[Ruling]:
        taken = super().take_over(wanted, now, kinds)
        if taken:
            self.steps.reach()
        return taken

    def settle_many(self, ended: object) -> list[bool]:
        self.steps.reach()
        kept = super().settle_many(ended)  # type: ignore[arg-type]
        self.steps.reach()
        return kept

    def die(self) -> None:
        """Leave as a killed process does: locks fall, nothing is written."""
        self._database.close()
        if self._lease._lock is not None:
            os.close(self._lease._lock)
            self._lease._lock = None


@dataclass
class Books:
    """What truly happened, by effect key; nobody but the outside world writes here."""

    taken: Counter[str] = field(default_factory=Counter)
    effects: dict[str, Effect] = field(default_factory=dict)
    under_way: list[Effect] = field(default_factory=list)  # left us, and will arrive within the settling time
    faults: Iterator[str] = field(default_factory=lambda: iter(()))

    def take(self, effect: Effect, result: Mapping[str, JSON], steps: Steps) -> Mapping[str, JSON]:
        """Let an effect happen, unless a fault or death comes first; or let it happen and nobody hears of it."""
        fault = next(self.faults, "none")
        steps.reach()
        if fault == "refused":
            raise Refused(Text("refused"), code="bad_address")
        if fault == "temporary":
            raise Temporary(Text("try later"))
        if fault == "lost":
            raise OutcomeUnknown(Text("no answer"))
        if fault == "slow" and effect.kind != "document.print":
            self.under_way.append(effect)
            raise OutcomeUnknown(Text("no answer"))
        self.arrive(effect)
        if fault == "silent":
            raise OutcomeUnknown(Text("no answer"))
        steps.reach()
        return result

    def arrive(self, effect: Effect) -> None:
        self.taken[effect.key] += 1
        self.effects[effect.key] = effect


@dataclass(frozen=True)
class Dispatch:
    """A planned shipment: so many pieces of these lines, for one recipient."""

    shipment_id: str
    lines: tuple[tuple[str, int, int], ...]  # order_id, quantity here, quantity ordered


class World:
    """The orders, the books, the clock and the one ledger file that the operators share."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.orders: dict[str, tuple[str, int]] = {}  # order_id -> recipient, quantity
        self.books = Books()
        self.now = "2026-11-11T00:00:00Z"
        self.runs = 0

    def later(self, seconds: int) -> None:
        """Let time pass; what was slow arrives well within the settling time of its kind."""
        if seconds >= 50:
            while self.books.under_way:
                self.books.arrive(self.books.under_way.pop())
        self.now = write_instant(parse_instant(self.now) + timedelta(seconds=seconds))

    def order(self, recipient: str, quantity: int) -> str:
        order_id = f"o:{len(self.orders)}"
        self.orders[order_id] = recipient, quantity
        return order_id

    def open(self, steps: Steps) -> MortalLedger:
        self.runs += 1
        return MortalLedger(self.path, run_id=f"run{self.runs}", host="desk", steps=steps)

    @contextmanager
    def looking(self) -> Iterator[Ledger]:
        self.runs += 1
        with Ledger.open(self.path, run_id=f"look{self.runs}", host="desk") as ledger:
            yield ledger

    def plan(self, ledger: Ledger, *, alone: bool, stock: int) -> list[Dispatch]:
        """Group lines: bound ones stay in their shipment, free ones are grouped anew, `stock` pieces of each at most."""
        bound: dict[str, dict[str, int]] = {}
        free = {order_id: quantity for order_id, (_, quantity) in self.orders.items()}
        for row in ledger.commitments().iter_rows(named=True):
            bound.setdefault(row["shipment_id"], {})[row["order_id"]] = row["quantity"]
            free[row["order_id"]] -= row["quantity"]
        groups: dict[str, dict[str, int]] = {}
        for order_id, quantity in free.items():
            if quantity > 0:
                group = order_id if alone else self.orders[order_id][0]
                groups.setdefault(group, {})[order_id] = min(quantity, stock)
        # what is left of a line beside what is bound is another shipment, though it looks the same
        fresh = {short_id("s", *sorted((o, q, free[o]) for o, q in g.items())): g for g in groups.values()}
        return [
            Dispatch(name, tuple((o, q, self.orders[o][1]) for o, q in sorted(lines.items())))
            for name, lines in {**bound, **fresh}.items()
        ]

    # what an operator's command does with a plan

    def perform(
        self, ledger: MortalLedger, plan: Sequence[Dispatch], *, workers: int = 1
    ) -> list[dict[str, JSON]]:
        """Buy labels, print them in one job, tell the platform; give one output row per shipment."""
        buys = [self._buy(d) for d in plan]
        bought = perform(
            ledger,
            buys,
            lambda e: self.books.take(e, {"number": short_id("n", e.key)}, ledger.steps),
            now=self.now,
            lookup=self.look,
            workers=workers,
        )
        labelled = [d for d, b in zip(plan, bought, strict=True) if _is_done(b)]
        job = f"{ledger.run_id}-labels"
        prints = [
            Effect("document.print", f"{d.shipment_id}/1/label", shipment_id=d.shipment_id, job=job)
            for d in labelled
        ]
        printed = {
            p.effect.subject: p
            for p in perform_jobs(ledger, prints, lambda es: self._print(es, ledger.steps), now=self.now)
        }
        tells = [self._tell(d, line) for d in labelled for line in d.lines]
        told = perform(
            ledger,
            tells,
            lambda e: self.books.take(e, {"state": "shipped"}, ledger.steps),
            now=self.now,
            lookup=self.look,
            workers=workers,
        )
        by_shipment = {
            d.shipment_id: [t for t in told if t.effect.shipment_id == d.shipment_id] for d in plan
        }
        return [
            {
                "shipment_id": d.shipment_id,
                "lines": [list(line) for line in d.lines],
                "number": _result(b),
                "printed": _confirmed(printed.get(f"{d.shipment_id}/1/label")),
                "shipped": [_result(t) for t in by_shipment[d.shipment_id]],
            }
            for d, b in zip(plan, bought, strict=True)
        ]

    def look(self, effect: Effect) -> Mapping[str, JSON] | str | None:
        """Answer as courier and platform would."""
        if not self.books.taken[effect.key]:
            return "absent"
        return {"number": short_id("n", effect.key)} if effect.kind == "waybill.buy" else {"state": "shipped"}

    def look_at_paper(self) -> None:
        """Let a person settle every silent print by what lies in the tray."""
        with self.looking() as ledger:
            silent = [
                p for p in ledger.pending(self.now) if p.kind == "document.print" and p.reason == "silence"
            ]
            for job in dict.fromkeys(p.job for p in silent):
                assert job is not None
                pages = ledger.entries(job=job)
                through = max([e.page or 0 for e in pages if self.books.taken[e.key]], default=0)
                shown = Outcome(State.DONE, {"confirmed": "spooled"}, None, self.now)
                ledger.resolve(
                    job, outcome=shown, actor="测试甲", reason="tray", now=self.now, printed_through=through
                )

    def _print(self, effects: Sequence[Effect], steps: Steps) -> list[Mapping[str, JSON]]:
        """Print a job page by page: death may come between two pages, and then the rest stays white.

        A printer that stops in mid-job cannot claim that nothing happened.
        """
        printed: list[Mapping[str, JSON]] = []
        try:
            printed.extend(self.books.take(e, {"confirmed": "spooled"}, steps) for e in effects)
        except (Refused, Temporary) as error:
            if any(self.books.taken[e.key] for e in effects):
                raise OutcomeUnknown(Text("stopped in mid-job")) from error
            raise
        return printed

    def _buy(self, d: Dispatch) -> Effect:
        claims = tuple(Claim(order_id, "1", quantity, ordered) for order_id, quantity, ordered in d.lines)
        return Effect(
            "waybill.buy",
            d.shipment_id,
            fingerprint=json.dumps(d.lines),
            claims=claims,
            shipment_id=d.shipment_id,
            attributes={"courier": "SF"},
        )

    def _tell(self, d: Dispatch, line: tuple[str, int, int]) -> Effect:
        order_id, quantity, ordered = line
        return Effect(
            "platform.ship",
            f"{order_id}/{d.shipment_id}",
            fingerprint=f"{quantity}",
            claims=(Claim(order_id, "1", quantity, ordered),),
            shipment_id=d.shipment_id,
        )

    # what must always hold

    def check(self) -> None:
        """Nothing twice, nothing too much, nothing forgotten."""
        assert not (twice := {k: n for k, n in self.books.taken.items() if n > 1}), twice
        for kind in ("waybill.buy", "platform.ship"):
            sent: Counter[str] = Counter()
            for effect in self.books.effects.values():
                if effect.kind == kind:
                    sent.update({c.order_id: c.quantity for c in effect.claims})
            too_much = {o: n for o, n in sent.items() if n > self.orders[o][1]}
            assert not too_much, (kind, too_much)
        with self.looking() as ledger:
            assert [str(t) for t in ledger.verify()] == []
            for key in self.books.taken:
                entry = ledger.entry(key)
                assert entry is not None, key
                assert entry.state in (State.DONE, State.STARTED, State.UNKNOWN), (key, entry.state)

    def sent(self) -> dict[str, int]:
        """How many pieces of each order the platform was told of."""
        told: Counter[str] = Counter()
        for effect in self.books.effects.values():
            if effect.kind == "platform.ship":
                told.update({c.order_id: c.quantity for c in effect.claims})
        return dict(told)


def _is_done(performed: Performed) -> bool:
    return performed.outcome.state is State.DONE and performed.decision is not Decision.CONFLICT


def _result(performed: Performed | None) -> JSON:
    return None if performed is None else performed.outcome.result


def _confirmed(printed: Performed | None) -> JSON:
    """Leave out the page: it may be another one of a later job."""
    return (printed.outcome.result or {}).get("confirmed") if printed else None
