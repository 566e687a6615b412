"""From tables to the puzzle of who gets what: everything that columns can settle is settled before it is posed.

Where all that could ever be asked of a warehouse is there, it does not matter who comes first: a shipment whose best
warehouse is such a one gets it at once, and only the others enter the ordered pass. The answer is the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from orderctl.model.facts import Facts
from orderctl.model.instant import FORMAT
from orderctl.model.money import exponent_of
from orderctl.stages.allocating.puzzle import PLENTY, Asked, Group, Offer, Puzzle
from orderctl.stages.allocating.stock import free_stock
from orderctl.stages.conditions.facts import Moment
from orderctl.stages.rules.sections.allocation import AllocationSection

WAITS = 10
"""An order that waits counts as so many times the dearest parcel, the most urgent twice as much."""


@dataclass(frozen=True)
class Posed:
    """The puzzle; `rows` and `skus` say which shipment and SKU its numbers mean, `settled` ([row]) got its best offer."""

    puzzle: Puzzle
    rows: list[int]
    skus: list[str]
    settled: pl.DataFrame


def posed(
    turns: pl.DataFrame,
    offers: pl.DataFrame,
    lines: pl.DataFrame,
    light: pl.DataFrame,
    rules: AllocationSection,
    facts: Facts,
    moment: Moment,
) -> Posed:
    """Give the puzzle.

    Args:
        turns: [row, turn], who is served first.
        offers: the offers of each row with their number `offer`, the best 0, and `cost`.
        lines: as `demands` gives them.
        light: [row, warehouse, light_g, light_cost] for each offer of the rows that may be split.
    """
    skus = lines.select(pl.col("sku").drop_nulls().unique().sort()).with_columns(
        sku_no=pl.int_range(pl.len(), dtype=pl.Int64)
    )
    houses = offers.select(pl.col("warehouse").unique().sort()).with_columns(
        house=pl.int_range(pl.len(), dtype=pl.Int64)
    )
    numbered = offers.join(houses, on="warehouse", maintain_order="left")
    needs = lines.filter(pl.col("sku").is_not_null()).group_by("row", "sku").agg(pl.col("quantity").sum())
    needs = needs.join(skus, on="sku").sort("row", "sku_no")
    free = _cells(houses, skus, rules, facts)
    rooms = _rooms(houses, rules, facts, moment)
    settled = _settled(numbered, needs, free, rooms)
    open_ = turns.join(settled, on="row", how="anti").sort("turn")
    asked = _asked(open_, numbered, needs, lines, light)
    return Posed(
        Puzzle(
            skus=skus.height,
            free=free["free"].to_list(),
            rooms=rooms["room"].to_list(),
            orders=asked,
            split_cost=int(rules.split_cost.scaleb(exponent_of(_currency(offers)))),
        ),
        open_["row"].to_list(),
        skus["sku"].to_list(),
        settled,
    )


def _currency(offers: pl.DataFrame) -> str | None:
    """Give the currency that most offers are in, the first by name of several."""
    names = offers["freight_currency"].drop_nulls()
    return str(names.mode().sort()[0]) if names.len() else None


def _cells(houses: pl.DataFrame, skus: pl.DataFrame, rules: AllocationSection, facts: Facts) -> pl.DataFrame:
    """Give [house, sku_no, free] for every SKU in every warehouse, in this order."""
    every = houses.join(skus, how="cross").join(
        free_stock(facts), on=["warehouse", "sku"], how="left", maintain_order="left"
    )
    counted = ~pl.col("warehouse").is_in(rules.not_counted)
    pieces = pl.when(counted).then(pl.col("free").fill_null(0)).otherwise(PLENTY)
    return every.select("house", "sku_no", free=pieces)


def _rooms(houses: pl.DataFrame, rules: AllocationSection, facts: Facts, moment: Moment) -> pl.DataFrame:
    """Give [house, room]: how many parcels may leave each warehouse today besides those that have a waybill."""
    limits = pl.DataFrame(
        list(rules.capacity.items()), schema={"warehouse": pl.String(), "limit": pl.Int64()}, orient="row"
    )
    at = pl.col("at").str.to_datetime(FORMAT, time_zone="UTC").dt.convert_time_zone(moment.zone).dt.date()
    today = moment.local.date() if moment.local else None
    sent = (
        facts.reserved.filter(at == pl.lit(today, dtype=pl.Date()))
        .group_by("warehouse")
        .agg(sent=pl.col("shipment_id").n_unique().cast(pl.Int64))
    )
    joined = houses.join(limits, on="warehouse", how="left", maintain_order="left")
    joined = joined.join(sent, on="warehouse", how="left", maintain_order="left")
    room = (pl.col("limit") - pl.col("sent").fill_null(0)).clip(lower_bound=0)
    return joined.select("house", room=room.fill_null(PLENTY))


def _settled(
    offers: pl.DataFrame, needs: pl.DataFrame, free: pl.DataFrame, rooms: pl.DataFrame
) -> pl.DataFrame:
    """Give [row] of those whose best warehouse has all that could be asked of it in these SKUs, and room for all."""
    wanted = offers.select("row", "house", "offer").join(needs.select("row", "sku_no", "quantity"), on="row")
    most = wanted.group_by("house", "sku_no").agg(pl.col("quantity").sum())
    scarce = most.join(free, on=["house", "sku_no"]).filter(pl.col("quantity") > pl.col("free"))
    crowds = offers.group_by("house").agg(many=pl.len())
    crowded = crowds.join(rooms, on="house").filter(pl.col("many") > pl.col("room"))
    tight = pl.concat(
        [
            wanted.filter(pl.col("offer") == 0)
            .join(scarce, on=["house", "sku_no"], how="semi")
            .select("row"),
            offers.filter(pl.col("offer") == 0).join(crowded, on="house", how="semi").select("row"),
        ]
    )
    return offers.filter(pl.col("offer") == 0).select("row").join(tight, on="row", how="anti")


def _asked(
    open_: pl.DataFrame,
    offers: pl.DataFrame,
    needs: pl.DataFrame,
    lines: pl.DataFrame,
    light: pl.DataFrame,
) -> list[Asked]:
    """Give what each row of `open_` asks, in this order."""
    here = open_.select("row")
    needed = _pairs(needs.join(here, on="row", how="semi"), "row")
    groups = _groups(lines.join(here, on="row", how="semi").join(light, on="row", how="semi"), needs)
    shares = _shares(offers, lines, light)
    priced = offers.join(here, on="row", how="semi").join(shares, on=["row", "warehouse"], how="left")
    priced = priced.sort("row", "offer").with_columns(
        shares=pl.col("shares").fill_null([]), base=pl.col("cost") - pl.col("shares").list.sum().fill_null(0)
    )
    offered: dict[int, list[Offer]] = {}
    for row, house, cost, base, some in priced.select("row", "house", "cost", "base", "shares").iter_rows():
        offered.setdefault(row, []).append(Offer(house, cost, base, tuple(some)))
    dearest = int(offers["cost"].max() or 0)  # type: ignore[arg-type]
    count, wait = max(open_.height, 1), WAITS * max(dearest, 1)
    return [
        Asked(
            tuple(needed.get(row, ())),
            tuple(offered[row]),
            tuple(groups.get(row, ())),
            2 * wait - wait * turn // count,
        )
        for turn, row in enumerate(open_["row"])
    ]


def _pairs(needs: pl.DataFrame, *by: str) -> dict[int, list[tuple[int, int]]]:
    found: dict[int, list[tuple[int, int]]] = {}
    for row, sku, pieces in needs.select(*by, "sku_no", "quantity").iter_rows():
        found.setdefault(row, []).append((sku, pieces))
    return found


def _groups(lines: pl.DataFrame, needs: pl.DataFrame) -> dict[int, list[Group]]:
    """Give the groups of each row in their order."""
    numbers = needs.select("sku", "sku_no").unique()
    summed = lines.group_by("row", "group", "gift", "sku", maintain_order=True).agg(pl.col("quantity").sum())
    whole = summed.join(numbers, on="sku", how="left").sort("row", "group", "sku_no", nulls_last=True)
    gathered = whole.group_by("row", "group", maintain_order=True).agg(
        pl.col("gift").first(), pl.col("sku_no"), pl.col("quantity")
    )
    found: dict[int, list[Group]] = {}
    for row, _, gift, skus, pieces in gathered.iter_rows():
        some = tuple((sku, n) for sku, n in zip(skus, pieces, strict=True) if sku is not None)
        found.setdefault(row, []).append(Group(some, gift))
    return found


def _shares(offers: pl.DataFrame, lines: pl.DataFrame, light: pl.DataFrame) -> pl.DataFrame:
    """Give [row, warehouse, shares]: what each group adds to the price of a parcel, by its weight."""
    weights = (
        lines.join(light, on="row", how="semi")
        .group_by("row", "group")
        .agg(group_g=pl.col("weight_g").sum())
        .with_columns(whole_g=pl.col("group_g").sum().over("row"))
    )
    both = light.join(offers.select("row", "warehouse", "cost"), on=["row", "warehouse"]).join(
        weights, on="row"
    )
    more = (pl.col("cost") - pl.col("light_cost").fill_null(pl.col("cost"))).clip(lower_bound=0)
    steep = more * pl.col("group_g") // (pl.col("whole_g") - pl.col("light_g")).clip(lower_bound=1)
    flat = pl.col("cost") * pl.col("group_g") // pl.col("whole_g").clip(lower_bound=1)
    share = pl.min_horizontal(steep, flat).fill_null(0)
    return (
        both.with_columns(share=share)
        .sort("row", "warehouse", "group")
        .group_by("row", "warehouse", maintain_order=True)
        .agg(shares="share")
    )
