"""Which stored orders may still have to be shipped, and which of them only the platform can say share a recipient.

On the way it is noted who ordered, who receives and what the notes say, as keyed hashes, so that a change is seen.
The one invariant: whatever is in the ledger, only a piece of it is in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from orderctl.cli.mapping import mapped_rows
from orderctl.model.identity import SEPARATOR
from orderctl.model.schema import RAW
from orderctl.ports.ledger import Ledger
from orderctl.ports.ledger.versions import Looked
from orderctl.ports.platforms.port import Platform
from orderctl.stages.normalizing.audit_known import seen_marks, spent_of
from orderctl.stages.normalizing.recipients import canonical_recipients

CHUNK = 5_000
PIECE = 2_000
"""Orders in a question. Those of one place are divided only if they are more; who is not asked about is not joined."""
OPEN = ("wait_pay", "wait_ship", "partly_shipped")
_COLUMNS = [name for name in RAW.names() if name != "extra"]


def look(ledger: Ledger, shop: str) -> None:
    """Find out of each version new in the ledger whether the order may still have to be shipped, and where to."""
    key = ledger.identity_key()
    while True:
        raw, hashes = ledger.unlooked(shop, CHUNK)
        if not raw.height:
            return
        found = dict.fromkeys(
            hashes, Looked(open=False, place=None)
        )  # what no mapper reads is not shipped either
        found.update((name, looked) for name, looked in _looked(raw, key) if name in hashes)
        ledger.note_looked(found, hashes)


def _looked(raw: pl.DataFrame, key: bytes) -> Iterator[tuple[str, Looked]]:
    orders = mapped_rows(raw)
    recipient = pl.col("recipient").struct
    parts = [recipient.field(name).fill_null("") for name in ("province", "city", "district", "town")]
    asked = (recipient.field("privacy") != "plain") & recipient.field("match_kind").is_in(["none", "asked"])
    found = orders.select(
        "order_id",
        open=pl.col("status").is_in(OPEN),
        place=pl.when(asked).then(pl.concat_str(parts, separator=SEPARATOR)),
        placed_at="placed_at",
        **spent_of(),
    ).with_columns(place=pl.when("open").then("place"))
    marks = seen_marks(orders.with_columns(canonical_recipients(orders, key)[0]), key)
    told = found.hstack(marks.select("buyer", "recipient", "notes")).select("order_id", *Looked._fields)
    for order_id, *looked in told.iter_rows():
        yield order_id, Looked(*looked)


def ask_recipients(ledger: Ledger, platform: Platform, shop: str, since: str) -> None:
    """Ask which open orders share a recipient, at those places only where an order is new or has changed.

    All open orders of such a place are asked about together, so that their answers belong to one another.
    """
    for places in _pieces(ledger.places(shop, since)):
        raw, spot = ledger.at_places(shop, places, since, rows=PIECE)
        while raw.height:
            facts = platform.same_recipient(raw.select(_COLUMNS).to_dicts())
            ledger.save_facts(shop, raw["platform_ref"].to_list(), facts)
            raw, spot = ledger.at_places(shop, places, since, after=spot, rows=PIECE)


def _pieces(places: Sequence[tuple[str, int]]) -> Iterator[list[str]]:
    waiting: list[str] = []
    size = 0
    for place, count in places:
        if waiting and size + count > PIECE:
            yield waiting
            waiting, size = [], 0
        waiting.append(place)
        size += count
    if waiting:
        yield waiting
