"""Commitments: which shipment so many pieces of an order's line belong to.

Invariant: over the live shipments of one purpose, the pieces of a line never exceed what may be sent of it. Lines
stay bound as long as any claiming effect of their shipment is live (started, done or unknown).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final

import polars as pl

from orderctl.model.effect import LIVE, Claim, Effect

ATTRIBUTES: Final = ("courier", "service", "account", "issuer", "warehouse", "trail")
COMMITMENT: Final = pl.Schema(
    {
        "shipment_id": pl.String(),
        "order_id": pl.String(),
        "line_ref": pl.String(),
        "quantity": pl.Int64(),
        **{name: pl.String() for name in ATTRIBUTES},
        "first_at": pl.String(),
    }
)
_LIVE: Final = ", ".join(f"'{state}'" for state in sorted(LIVE))


BOUGHT: Final = pl.Schema(
    {"courier": pl.String(), "account": pl.String(), "warehouse": pl.String(), "parcels": pl.Int64()}
)


def read_bought(db: sqlite3.Connection, since: str, until: str) -> pl.DataFrame:
    """Give how many parcels began to get their waybill numbers from `since` to before `until` (columns BOUGHT).

    What may have happened counts, as one parcel where the answer is not known.
    """
    rows = db.execute(
        "SELECT courier, account, warehouse, sum(coalesce(json_array_length(result, '$.parcels'), 1)) "
        "FROM effect JOIN shipment USING (shipment_id) "
        "WHERE key >= 'waybill.buy|' AND key < 'waybill.buy}' "
        f"AND state IN ({_LIVE}) AND started_at >= ? AND started_at < ? GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
        (since, until),
    )
    return pl.DataFrame([tuple(r) for r in rows], schema=BOUGHT, orient="row")


def write_claims(claims: Iterable[Claim]) -> str:
    """Give claims as the JSON text the ledger keeps."""
    return json.dumps([[c.order_id, c.line_ref, c.quantity, c.available] for c in claims], ensure_ascii=False)


def parse_claims(text: str) -> tuple[Claim, ...]:
    """Read claims written by `write_claims`."""
    return tuple(Claim(*fields) for fields in json.loads(text))


def read_free(db: sqlite3.Connection, claim: Claim, purpose: str, shipment_id: str | None) -> int:
    """Give how many pieces of the line shipments other than `shipment_id` leave."""
    taken: int = db.execute(
        "SELECT coalesce(sum(quantity), 0) FROM commitment "
        "WHERE order_id = ? AND line_ref = ? AND purpose = ? AND shipment_id IS NOT ?",
        (claim.order_id, claim.line_ref, purpose, shipment_id),
    ).fetchone()[0]
    return claim.available - taken


def is_overlapping(db: sqlite3.Connection, effect: Effect) -> bool:
    """Say whether the effect claims more of a line than other shipments leave."""
    return any(c.quantity > read_free(db, c, effect.purpose, effect.shipment_id) for c in effect.claims)


def commit(db: sqlite3.Connection, effect: Effect, now: str) -> None:
    """Bind the claimed lines to the effect's shipment, and the shipment to the effect's attributes.

    Raises: ValueError if an attribute is none of ATTRIBUTES.
    """
    if not effect.claims:
        return
    if not effect.attributes.keys() <= set(ATTRIBUTES):
        raise ValueError(f"a shipment is not bound to {sorted(effect.attributes.keys() - set(ATTRIBUTES))}")
    bound = [effect.attributes.get(name) for name in ATTRIBUTES]
    renew = ", ".join(f"{name} = excluded.{name}" for name in ("revision", *ATTRIBUTES))
    db.execute(
        f"INSERT INTO shipment (shipment_id, revision, {', '.join(ATTRIBUTES)}, first_at) "
        f"VALUES (?, ?, {', '.join('?' * len(ATTRIBUTES))}, ?) "
        f"ON CONFLICT DO UPDATE SET {renew} WHERE excluded.revision > shipment.revision",
        (effect.shipment_id, effect.revision if effect.attributes else 0, *bound, now),
    )
    db.executemany(
        "INSERT INTO commitment VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT DO UPDATE SET quantity = max(quantity, excluded.quantity)",
        [(c.order_id, c.line_ref, effect.purpose, effect.shipment_id, c.quantity) for c in effect.claims],
    )


def release(db: sqlite3.Connection, shipment_id: str | None) -> None:
    """Set the lines of a shipment free if no effect that claims lines for it is live any more."""
    live = db.execute(
        f"SELECT 1 FROM effect WHERE shipment_id = ? AND claims <> '[]' AND state IN ({_LIVE}) LIMIT 1",
        (shipment_id,),
    ).fetchone()
    if live is None:
        db.execute("DELETE FROM commitment WHERE shipment_id = ?", (shipment_id,))
        db.execute("DELETE FROM shipment WHERE shipment_id = ?", (shipment_id,))


def read_commitments(db: sqlite3.Connection, order_ids: Sequence[str] | None, purpose: str) -> pl.DataFrame:
    """Give the bound lines of one purpose with what their shipment is bound to (columns COMMITMENT), in line order."""
    asked = "" if order_ids is None else "AND c.order_id IN (SELECT value FROM json_each(?2)) "
    rows = db.execute(
        f"SELECT c.shipment_id, c.order_id, c.line_ref, c.quantity, {', '.join(f's.{a}' for a in ATTRIBUTES)}, "
        "s.first_at FROM commitment c JOIN shipment s USING (shipment_id) WHERE c.purpose = ?1 "
        f"{asked}ORDER BY c.order_id, c.line_ref, c.shipment_id",
        (purpose,) if order_ids is None else (purpose, json.dumps(list(order_ids))),
    )
    return pl.DataFrame([tuple(r) for r in rows], schema=COMMITMENT, orient="row")
