"""Effects as the tests of the ledger want them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orderctl.model.effect import Claim, Effect, Outcome, State
from orderctl.ports.ledger import Ledger

NOW = "2026-11-11T08:00:00Z"
LATER = "2026-11-11T09:00:00Z"


@contextmanager
def opened(folder: Path, run_id: str = "r1", host: str = "desk") -> Iterator[Ledger]:
    with Ledger.open(folder / "ledger.db", run_id=run_id, host=host) as ledger:
        yield ledger


def buy(
    shipment: str, *lines: tuple[str, int, int], meaning: str = "m", revision: int = 1, **attributes: str
) -> Effect:
    """A label for a shipment of lines (order, quantity, available)."""
    return Effect(
        "waybill.buy",
        shipment,
        revision=revision,
        fingerprint=meaning,
        claims=tuple(Claim(order, "1", quantity, available) for order, quantity, available in lines),
        shipment_id=shipment,
        attributes=attributes,
    )


def label(shipment: str, job: str | None = None) -> Effect:
    return Effect("document.print", f"{shipment}/1/label", shipment_id=shipment, job=job)


def done(at: str = NOW, **result: str) -> Outcome:
    return Outcome(State.DONE, result, None, at)


def failed(at: str = NOW) -> Outcome:
    return Outcome(State.FAILED, None, "refused", at)


def unknown(at: str = NOW) -> Outcome:
    return Outcome(State.UNKNOWN, None, "unknown", at)


def voided(at: str = NOW) -> Outcome:
    return Outcome(State.VOIDED, None, None, at)
