"""Choose warehouse, courier, label template and freight of every shipment, by the first rule that matches, and say why.

Row by row, unless stock is dealt out or the rules say what only the whole batch can tell (`needs_whole`): else any
division of a batch gives the same rows, so blocks may be routed as they are read. Without rules for waves `wave` and `sequence` are
left as they are: the place in a printed run is given where the run is made. What a row carries from an earlier routing
is decided anew; what the ledger holds as committed is kept, and a person's pin goes before the rules.
Rows with problems are routed too, so that a person sees the whole; the actions skip them.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from orderctl.model.facts import Facts
from orderctl.model.problem import problem
from orderctl.model.records import Param, Step
from orderctl.model.schema import PROBLEM, SHIPMENT, fields
from orderctl.stages.allocating.allocate import RULED, TOLD, Solver, allocate
from orderctl.stages.allocating.greedy import greedy
from orderctl.stages.allocating.splitting import MARK, rejoined, split
from orderctl.stages.choosing.choose import BOUND, choose, needed
from orderctl.stages.choosing.holding import standing_of
from orderctl.stages.choosing.quota import room_of
from orderctl.stages.committed import restore
from orderctl.stages.conditions.facts import Moment, facts_frame
from orderctl.stages.freight.pricing import PARCEL
from orderctl.stages.history import with_history
from orderctl.stages.pins import ATTRIBUTES, CARRIED, pinned, said_of
from orderctl.stages.rules.book import RuleBook
from orderctl.stages.waves import placing

STAGE = "route"
STEPS = ("split", "tag", "warehouse", "courier", "template", "hold", "tariff")
_STEP, _PARAM = pl.Struct(fields(Step)), pl.Struct(fields(Param))
_CHOSEN = (*ATTRIBUTES, "template", "freight_minor", "freight_currency")


def route(
    shipments: pl.DataFrame, book: RuleBook, facts: Facts, now: str, solver: Solver | None = greedy
) -> pl.DataFrame:
    """Give `shipments` (a batch `shipment/1`) their decisions, the trail of them, and what could not be decided.

    Args:
        facts: its `commitments` are kept, its `decisions` of kind `pin` go before the rules.
        now: the instant (RFC 3339, UTC) that hours, dates and seasons are told by.
        solver: what deals stock out, where there is any; None: nothing does.

    Raises: DataError if the payload of a pin is no JSON object of texts.
    """
    shipments = untagged(rejoined(shipments.rechunk(), facts))
    moment = Moment(now, book.rules.timezone)
    shipments, chosen = _decided(shipments, book, facts, moment, solver)
    chosen = chosen.hstack(said_of(chosen, shipments, facts))
    rows = shipments.drop(_CHOSEN).hstack(chosen).with_columns(_tags())
    trail = _decision(chosen, _kept(rows, "decision", ~pl.col("item").struct.field("step").is_in(STEPS)))
    routed = rows.with_columns(trail, _problems(rows)).select(SHIPMENT.names())
    kept = restore(routed, facts, STAGE, ("decision", "template", "freight_minor", "freight_currency"))
    return _waved(kept, book, facts, moment)


def needs_whole(book: RuleBook, facts: Facts) -> bool:
    """Say whether `route` must be given the whole batch at once: what one shipment gets depends on the others."""
    return book.is_of_the_whole or _deals_out(book, facts)


def _deals_out(book: RuleBook, facts: Facts) -> bool:
    return facts.stock is not None and bool(book.rules.warehouses)


def _decided(
    shipments: pl.DataFrame, book: RuleBook, facts: Facts, moment: Moment, solver: Solver | None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give the shipments, parts of split ones each on its own, and what is chosen for them: as `choose` says it, and TOLD."""
    table, bound = facts_of(shipments, book, facts, moment), bound_by(shipments, facts)
    if solver is None or not _deals_out(book, facts):
        chosen = choose(table, bound, parcels_of(shipments), book, moment, room_of(shipments, facts))
        return shipments, chosen.with_columns(pl.lit(None, dtype=t).alias(n) for n, t in _UNTOLD.items())
    rows = shipments.with_row_index("row").cast({"row": pl.Int64()})
    found = allocate(rows, table, bound, parcels_of(shipments), book, facts, moment, solver)
    parted = split(rows, found.parts, facts)
    told = found.plan_of(parted)
    shipments = parted.select(SHIPMENT.names())
    if found.parts.height:
        table = facts_of(shipments, book, facts, moment)
    bound = bound_by(shipments, facts).join(
        told.select("row", *_PROPOSED), on="row", how="full", coalesce=True
    )
    bound = bound.with_columns(pl.coalesce(new, old).alias(old) for new, old in _PROPOSED.items())
    room = room_of(shipments, facts)
    chosen = choose(table, bound.select(BOUND.names()), parcels_of(shipments), book, moment, room)
    return shipments, chosen.with_columns(*told.select(*RULED, *TOLD), *parted.select(MARK.names()))


def facts_of(shipments: pl.DataFrame, book: RuleBook, facts: Facts, moment: Moment) -> pl.DataFrame:
    """Give what `choose` asks of `shipments`: the facts frame, and what people and stock say to holds."""
    names = needed(book)
    table = facts_frame(with_history(shipments, facts, names), names, moment)
    return table.hstack(standing_of(shipments, book.rules.holds, facts))


_UNTOLD = {**dict.fromkeys(TOLD, pl.String()), **MARK}
_PROPOSED = {"proposed": "warehouse", "proposed_how": "warehouse_how"}


def _waved(routed: pl.DataFrame, book: RuleBook, facts: Facts, moment: Moment) -> pl.DataFrame:
    """Give `routed` its waves: those that are committed, and where the rules have a section, new ones for what is ready."""
    rows = routed.with_columns(row=pl.int_range(pl.len(), dtype=pl.Int64))
    held = rows.join(placing.kept(rows, facts), on="row", how="left", maintain_order="left", suffix="_held")
    rows = held.with_columns(pl.coalesce(f"{n}_held", n).alias(n) for n in ("wave", "sequence"))
    if book.rules.waves is None:
        return rows.select(SHIPMENT.names())
    begun = pl.col("shipment_id").is_in(facts.commitments["shipment_id"].implode())
    placed = placing.place(rows, book, facts, moment)
    step = pl.struct(
        step=pl.lit(placing.STEP),
        rule="wave_rule",
        outcome="wave",
        reason="wave_reason",
        params=_params(placed, *placing.PARAMS),
    )
    old = _kept(rows.filter(~begun), "decision", pl.col("item").struct.field("step") != placing.STEP)
    held = _kept(rows.filter(begun), "decision", pl.lit(True))
    decision = _gathered(rows, _STEP, [old, held, placed.select("row", item=step)]).alias("decision")
    given = placed.select("row", wave_given="wave", sequence_given="sequence")
    joined = rows.join(given, on="row", how="left", maintain_order="left")
    return joined.with_columns(
        decision,
        *(pl.when(begun).then(n).otherwise(f"{n}_given").alias(n) for n in ("wave", "sequence")),
    ).select(SHIPMENT.names())


def untagged(shipments: pl.DataFrame) -> pl.DataFrame:
    """Give `shipments` without the tags that an earlier routing put on them."""
    step = pl.element().struct
    given = pl.col("decision").list.eval(step.field("outcome").filter(step.field("step") == "tag"))
    return shipments.with_columns(
        pl.when(given.list.len() > 0)
        .then(pl.col("tags").list.set_difference(given))
        .otherwise("tags")
        .alias("tags")
    )


def _tags() -> pl.Expr:
    added = pl.col("tags_added").list.eval(pl.element().struct.field("tag"))
    return pl.concat_list("tags", added).list.unique(maintain_order=True).alias("tags")


def parcels_of(shipments: pl.DataFrame) -> pl.DataFrame:
    """Give the parcels of every shipment (columns PARCEL); an only parcel weighs and measures what its shipment does."""
    sizes = [name for name in PARCEL if name != "row"]
    only = pl.col("parcels").list.len() <= 1
    rows = shipments.select(
        pl.int_range(pl.len(), dtype=pl.Int64).alias("row"),
        "parcels",
        *(pl.when(only).then(pl.col(name)).alias(name) for name in sizes),
    ).explode("parcels", empty_as_null=True)
    parcel = pl.col("parcels").struct
    return rows.select("row", *(pl.coalesce(parcel.field(name), name).alias(name) for name in sizes))


def bound_by(shipments: pl.DataFrame, facts: Facts) -> pl.DataFrame:
    """Give what is bound already, as columns BOUND: by what has been begun, else by a person's pin."""
    rows = shipments.select(pl.int_range(pl.len(), dtype=pl.Int64).alias("row"), "shipment_id", "orders")
    begun = _committed(rows, facts)
    pins = pinned(shipments, facts).rename({name: f"{name}_pin" for name in ATTRIBUTES})
    both = begun.join(pins, on="row", how="full", coalesce=True)
    kept = pl.col("courier").is_not_null()
    courier = {name: pl.when(kept).then(name).otherwise(f"{name}_pin") for name in CARRIED}
    return both.select(
        "row",
        warehouse=pl.coalesce("warehouse", "warehouse_pin"),
        **courier,
        warehouse_how=_how("warehouse"),
        courier_how=_how("courier"),
    ).select(BOUND.names())


def _how(name: str) -> pl.Expr:
    pinned = pl.when(pl.col(f"{name}_pin").is_not_null()).then(pl.lit("pinned"))
    return pl.when(pl.col(name).is_not_null()).then(pl.lit("committed")).otherwise(pinned)


def _committed(rows: pl.DataFrame, facts: Facts) -> pl.DataFrame:
    held = facts.commitments.group_by("shipment_id", maintain_order=True).agg(
        pl.col(ATTRIBUTES).drop_nulls().first()
    )
    return rows.select("row", "shipment_id").join(held, on="shipment_id").select("row", *ATTRIBUTES)


# ----------------------------------------------------------------------------------- lists of findings
# polars builds a list of structs out of columns row by row; stacked and grouped the same costs a hundredth.


def _gathered(rows: pl.DataFrame, dtype: pl.DataType, parts: Sequence[pl.DataFrame]) -> pl.Series:
    """Give for each of `rows` the list (of `dtype`) of the `item`s that `parts` hold for it (columns row, item)."""
    empty = pl.DataFrame(schema={"row": pl.Int64(), "item": dtype})
    stacked = pl.concat([empty, *(part.cast({"item": dtype}) for part in parts if part.height)])
    lists = stacked.sort("row", maintain_order=True).group_by("row", maintain_order=True).agg(pl.col("item"))
    whole = rows.select("row").join(lists, on="row", how="left", maintain_order="left")
    return whole.select(pl.col("item").fill_null(pl.lit([], dtype=pl.List(dtype)))).to_series()


def _kept(rows: pl.DataFrame, column: str, keep: pl.Expr) -> pl.DataFrame:
    """Give what stands in a list column already, one row each, if `keep` (over the field `item`) says so."""
    some = rows.select("row", item=pl.col(column)).filter(pl.col("item").list.len() > 0)
    return some.explode("item", empty_as_null=True).filter(keep)


def _params(rows: pl.DataFrame, *names: str) -> pl.Series:
    """Give the named columns that are not null as a list of parameters."""
    parts = [
        rows.select("row", value=pl.col(name).cast(pl.String))
        .filter(pl.col("value").is_not_null())
        .select("row", item=pl.struct(pl.lit(_SHOWN.get(name, name)).alias("name"), "value"))
        for name in names
    ]
    return _gathered(rows, _PARAM, parts)


_SHOWN = {
    "zone_id": "zone",
    **dict.fromkeys(("warehouse_pin_by", "courier_pin_by"), "pinned_by"),
    **dict.fromkeys(("warehouse_pin_why", "courier_pin_why"), "pinned_why"),
    "courier_refused": "not_served",
    "hold_needs": "needs",
    "hold_until": "until",
    "courier_full": "full",
    "courier_score": "score",
    "courier_over": "over",
    "stock_candidates": "candidates",
    "stock_missing": "missing",
    "stock_room": "no_room",
    "split_part": "part",
    "split_parts": "parts",
    **{f"{step}_doubt": "passed_over" for step in STEPS},
}
_TRAIL: dict[str, tuple[str, str, tuple[str, ...]]] = {  # step: rule, outcome, parameters
    "split": ("warehouse_rule", "split_of", ("split_part", "split_parts")),
    "warehouse": (
        "warehouse_rule",
        "warehouse",
        (*TOLD, "warehouse_pin_by", "warehouse_pin_why", "warehouse_doubt"),
    ),
    "courier": (
        "courier_rule",
        "courier",
        (
            "service",
            "account",
            "issuer",
            "courier_pin_by",
            "courier_pin_why",
            "courier_score",
            "courier_over",
            "courier_refused",
            "courier_full",
            "courier_doubt",
        ),
    ),
    "template": ("template_rule", "template", ("template_doubt",)),
    "hold": ("hold_rule", "hold", ("hold_needs", "hold_until", "hold_doubt")),
    "tariff": ("tariff_id", "freight_minor", ("zone_id", "billed_g", "parcel_count")),
}


def _decision(rows: pl.DataFrame, earlier: pl.DataFrame) -> pl.Series:
    """Give the trail: what earlier stages wrote, then the steps of this one."""
    none = pl.lit([], dtype=pl.List(_PARAM))
    tags = rows.select("row", "tags_added").filter(pl.col("tags_added").list.len() > 0)
    given = tags.explode("tags_added", empty_as_null=True).unnest("tags_added")
    item = pl.struct(step=pl.lit("tag"), rule="rule", outcome="tag", reason=pl.lit("rule"), params=none)
    parts = [earlier, given.select("row", item=item)]
    for step, (rule, outcome, params) in _TRAIL.items():
        reason = "warehouse_reason" if step == "split" else f"{step}_reason"
        taken = rows.filter(
            pl.col(reason).is_not_null() & ((step != "split") | pl.col(outcome).is_not_null())
        )
        item = pl.struct(
            step=pl.lit(step),
            rule=pl.col(rule),
            outcome=pl.col(outcome).cast(pl.String),
            reason=pl.col(reason),
            params=_params(taken, *params),
        )
        parts.append(taken.select("row", item=item))
    return _gathered(rows, _STEP, parts).alias("decision")


def _unweighed() -> pl.Expr:
    line = pl.element().struct
    name = pl.coalesce(
        line.field("sku"), line.field("platform_sku"), line.field("title"), line.field("line_ref")
    )
    unknown = pl.when(line.field("unit_weight_g").is_null() & (line.field("quantity") > 0)).then(name)
    names = (
        pl.col("lines").list.eval(unknown).list.drop_nulls().list.unique(maintain_order=True).list.join(", ")
    )
    return pl.when(names != "").then(names)


def _problems(rows: pl.DataFrame) -> pl.Series:
    """Give the problems: those of other stages stay, those of this one are found anew."""
    parts = [_kept(rows, "problems", pl.col("item").struct.field("stage") != STAGE)]
    wide = rows.lazy()  # lazy, so that only the columns a finding needs are filtered
    parts += [wide.filter(condition).select("row", item=found).collect() for condition, found in _findings()]
    return _gathered(rows, PROBLEM, parts).alias("problems")


def _holds() -> list[tuple[pl.Expr, pl.Expr]]:
    held, needs = pl.col("hold").is_not_null(), pl.col("hold_needs")
    preorder = pl.col("hold_lane").is_not_null()
    timed, why, until = needs == "time", pl.col("hold"), pl.col("hold_until")
    return [
        (held & needs.is_null(), problem("held", stage=STAGE, holds=why)),
        (held & timed & ~preorder, problem("held_until", stage=STAGE, holds=why, until=until)),
        (held & timed & preorder, problem("preorder", stage=STAGE, holds=why, until=until)),
        (held & (needs == "person"), problem("held_for_person", stage=STAGE, holds=why)),
    ]


def _findings() -> list[tuple[pl.Expr, pl.Expr]]:
    place = pl.coalesce(
        pl.col("recipient").struct.field("province"), pl.col("recipient").struct.field("country")
    )
    refused = (pl.col("courier_reason") == "not_served") | (
        (pl.col("courier_reason") == "pinned") & pl.col("courier_refused").is_not_null()
    )
    full = pl.col("courier_reason") == "full"
    unweighed = (pl.col("courier_reason") == "ranked") & pl.col("courier_unweighed").is_not_null()
    unpriced = pl.col("tariff_reason").is_in(["no_tariff", "no_zone", "too_heavy"])
    doubts = [
        (
            pl.col(f"{step}_doubt").is_not_null(),
            problem("fact_missing", stage=STAGE, rule=pl.col(f"{step}_doubt"), facts=pl.col(f"{step}_lacks")),
        )
        for step in STEPS
        if step not in ("split", "tag", "tariff")
    ]
    return [
        (pl.col("warehouse_reason") == "no_match", problem("no_warehouse", stage=STAGE, field="warehouse")),
        (
            pl.col("stock_missing").is_not_null(),
            problem("out_of_stock", stage=STAGE, field="warehouse", missing=pl.col("stock_missing")),
        ),
        (
            pl.col("stock_room").is_not_null(),
            problem("warehouse_full", stage=STAGE, field="warehouse", warehouses=pl.col("stock_room")),
        ),
        (pl.col("courier_reason") == "no_match", problem("no_courier", stage=STAGE, field="courier")),
        (refused, problem("not_served", stage=STAGE, field="courier", refused=pl.col("courier_refused"))),
        (full, problem("courier_full", stage=STAGE, field="courier", full=pl.col("courier_full"))),
        (unweighed, problem("courier_unweighed", stage=STAGE, couriers=pl.col("courier_unweighed"))),
        *_holds(),
        (
            pl.col("weight_g").is_null(),
            problem("weight_unknown", stage=STAGE, field="weight_g", skus=_unweighed()),
        ),
        (unpriced, problem("no_tariff", stage=STAGE, courier=pl.col("courier"), province=place)),
        *doubts,
    ]
