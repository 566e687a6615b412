"""The notices that hold for one shipment: data for people, which changes no choice."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from orderctl.model.text import Text
from orderctl.stages.choosing.reach import FACTS, hits
from orderctl.stages.conditions.facts import Moment, facts_frame
from orderctl.stages.rules.book import RuleBook
from orderctl.stages.rules.sections.reach import WHERE


def notices(frame: pl.DataFrame, book: RuleBook, moment: Moment) -> Iterator[Text]:
    """Say each notice that holds for the one shipment of `frame`, of whatever courier, in the order they are written."""
    if not book.tables.notices.height:
        return
    found = hits(facts_frame(frame, FACTS, moment), book.tables.notices, moment)
    for one in found.iter_rows(named=True):
        told = one["why"] or " ".join(one[name] for name in WHERE if one[name])
        shown = {"courier": one["courier"] or "*", "why": told, "place": one["place"]}
        if one["penalty"] is None:
            yield Text("{courier}: {why} ({place})", **shown)
        else:
            yield Text("{courier}: {why}, penalty {penalty} ({place})", **shown, penalty=one["penalty"])
