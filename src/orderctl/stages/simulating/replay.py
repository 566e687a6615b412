"""One block of past shipments decided anew under a book of rules, as if nothing had begun yet.

What the ledger holds as committed is history, so it does not count here: the question is what the rules would have
chosen. A person's pin is no rule: it counts where it is among the facts given.
"""

from __future__ import annotations

import polars as pl

from orderctl.model.facts import Facts
from orderctl.stages.choosing.choose import choose, needed
from orderctl.stages.choosing.timetable import expected
from orderctl.stages.choosing.timetable import facts_for as journeys
from orderctl.stages.history import with_history
from orderctl.stages.route import bound_by, parcels_of, untagged
from orderctl.stages.rules.book import RuleBook
from orderctl.stages.simulating.times import days, facts_at

CHOICE = ("warehouse", "courier", "service", "account", "issuer", "template", "hold", "freight_minor")
WHY = ("warehouse_rule", "courier_rule", "hold_rule", "tariff", "zone", "currency", "billed_g", "days")
REPLAYED = pl.Schema(
    {
        name: pl.Int64() if name in ("freight_minor", "billed_g", "days") else pl.String()
        for name in ("shipment_id", *CHOICE, *WHY)
    }
)
_NAMED = {"tariff_id": "tariff", "zone_id": "zone", "freight_currency": "currency"}


def replay(shipments: pl.DataFrame, book: RuleBook, pins: Facts, at: pl.Series) -> pl.DataFrame:
    """Give what `book` chooses for each of `shipments` (a batch `shipment/1`) at its own time `at`.

    Args:
        pins: whose `decisions` of kind `pin` go before the rules; its commitments do not count.

    Returns: columns REPLAYED, rows as in `shipments`; `days` counts hundredths of a day. A rule that was not asked, because a person had spoken, is null.
    """
    free = Facts(decisions=pins.decisions, shop_groups=pins.shop_groups, key=pins.key, history=pins.history)
    numbered = untagged(shipments.rechunk()).with_row_index("place")
    asked = needed(book) | journeys(book)
    found = []
    for moment, rows in days(at, book):
        part = numbered.filter(rows)
        known = with_history(part, free, asked)
        facts = facts_at(known, asked, at.filter(rows), book.rules.timezone)
        chosen = choose(facts, bound_by(part, free), parcels_of(part), book, moment)
        chosen = chosen.with_columns(expected(chosen, facts, book, moment))
        found.append(part.select("place", "shipment_id").hstack(chosen).rename(_NAMED))
    whole = pl.concat([part.select("place", *REPLAYED.names()).cast(dict(REPLAYED)) for part in found])  # type: ignore[arg-type]
    return whole.sort("place").drop("place")
