"""Everything a pure stage must know besides batch and rules, as one value that can be frozen to a file.

The same facts, batch, rules and `now` give the same bytes; the hash of the facts stands in each run's journal.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from orderctl.model.errors import DataError
from orderctl.model.identity import digest
from orderctl.model.text import Text

COMMITMENTS = pl.Schema(
    {
        "shipment_id": pl.String(),
        "order_id": pl.String(),
        "line_ref": pl.String(),
        "quantity": pl.Int64(),
        "warehouse": pl.String(),
        "courier": pl.String(),
        "service": pl.String(),
        "account": pl.String(),
        "issuer": pl.String(),
        "trail": pl.String(),
    }
)
DECISIONS = pl.Schema(
    {
        "subject": pl.String(),
        "decision": pl.String(),
        "payload": pl.String(),
        "reason": pl.String(),
        "actor": pl.String(),
        "at": pl.String(),
    }
)
SEEN = pl.Schema(
    {
        name: pl.String()
        for name in ("order_id", "buyer", "recipient", "placed_at", "notes_at", "recipient_at")
    }
)
HISTORY = pl.Schema(
    {
        "buyer": pl.String(),
        "placed_at": pl.String(),
        "currency": pl.String(),
        "spent_minor": pl.Int64(),
        "returned": pl.Int64(),
    }
)
STOCK = pl.Schema(
    {
        "warehouse": pl.String(),
        "sku": pl.String(),
        "location": pl.String(),
        "quantity": pl.Int64(),
        "counted_at": pl.String(),
    }
)
QUOTA_USED = pl.Schema(
    {"courier": pl.String(), "account": pl.String(), "warehouse": pl.String(), "parcels": pl.Int64()}
)
RESERVED = pl.Schema(
    {
        "shipment_id": pl.String(),
        "warehouse": pl.String(),
        "sku": pl.String(),
        "quantity": pl.Int64(),
        "at": pl.String(),
    }
)


@dataclass(frozen=True)
class Facts:
    """What the ledger and the configuration know that a stage may use.

    `commitments` binds line quantities to shipments that have begun to act (columns COMMITMENTS); `decisions` are
    people's pins, forces and never-merges (columns DECISIONS); `shop_groups` maps shop to group; `key` keys the
    hashes of recipients; `seen` is what `fetch` has noticed of orders over time (columns SEEN): who ordered and who
    receives as hashes, and since when notes or recipient are other ones. It holds only what the rules ask for.

    `stock` is what lies where (columns STOCK), None where no stock is configured, and `reserved` what shipments have
    been bound to take of it, and since when (columns RESERVED); `partial` are the shops whose platforms take an
    order in parts. `history` are the orders of buyers (hashes) who ordered more than once (columns HISTORY; `returned` is 1
    where goods came back or were never sent), None where the rules do not ask for it. `quota_used` counts the parcels that got their numbers today (columns QUOTA_USED).
    """

    commitments: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=COMMITMENTS))
    decisions: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=DECISIONS))
    shop_groups: dict[str, str] = field(default_factory=dict)
    key: bytes = b"orderctl"
    seen: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SEEN))
    history: pl.DataFrame | None = None
    stock: pl.DataFrame | None = None
    reserved: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=RESERVED))
    partial: frozenset[str] = frozenset()
    quota_used: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=QUOTA_USED))

    def to_json(self) -> str:
        """Write the facts as JSON text, rows sorted, so equal facts are equal bytes."""
        written: dict[str, Any] = {
            "schema": "facts/1",
            "commitments": _rows(self.commitments),
            "decisions": _rows(self.decisions),
            "shop_groups": self.shop_groups,
            "key": self.key.hex(),
            "seen": _rows(self.seen),
        }
        if self.history is not None:
            written["history"] = _rows(self.history)
        if self.stock is not None:
            written |= {"stock": _rows(self.stock), "reserved": _rows(self.reserved)}
            written["partial"] = sorted(self.partial)
        if self.quota_used.height:
            written["quota_used"] = _rows(self.quota_used)
        return json.dumps(written, ensure_ascii=False, sort_keys=True)

    @property
    def hash(self) -> str:
        """Give the digest of the facts, for the journal."""
        return digest(self.to_json())


def parse_facts(text: str, source: str) -> Facts:
    """Read facts written by `Facts.to_json`. Raises: DataError if `text` is not `facts/1`."""
    try:
        found: dict[str, Any] = json.loads(text)
        if found["schema"] != "facts/1":
            raise KeyError("schema")
        return Facts(
            commitments=_table(found["commitments"], COMMITMENTS),
            decisions=_table(found["decisions"], DECISIONS),
            shop_groups=dict(found["shop_groups"]),
            key=bytes.fromhex(found["key"]),
            seen=_table(found.get("seen", []), SEEN),
            history=_table(found["history"], HISTORY) if found.get("history") is not None else None,
            stock=_table(found["stock"], STOCK) if found.get("stock") is not None else None,
            reserved=_table(found.get("reserved", []), RESERVED),
            partial=frozenset(map(str, found.get("partial", []))),
            quota_used=_table(found.get("quota_used", []), QUOTA_USED),
        )
    except (ValueError, KeyError, TypeError, RecursionError, pl.exceptions.PolarsError) as error:
        raise DataError(Text("{source}: is no facts/1 file", source=source)) from error


def _rows(table: pl.DataFrame) -> list[dict[str, Any]]:
    return table.sort(table.columns).to_dicts()


def _table(rows: list[dict[str, Any]], schema: pl.Schema) -> pl.DataFrame:
    """Make a frame of `rows`, each value as it stands there. Raises: ValueError, TypeError, PolarsError."""
    frame = pl.DataFrame([dict(row) for row in rows], schema=schema)
    if frame.to_dicts() != [{name: row.get(name) for name in schema} for row in rows]:
        raise ValueError("a value of another type")
    return frame
