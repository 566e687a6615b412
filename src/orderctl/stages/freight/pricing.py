"""What a shipment will cost, from the tariffs of the rules: exact integer columns, one pass over all parcels.

Nothing is ever rounded but what the tariff says, and the total once. Weights are whole multiples of 1/divisor gram,
so that a volumetric weight (mm³/divisor gram) is a whole number; amounts are whole multiples of 1/10000 of the
currency, carried over a common denominator as 128-bit integers until the total is rounded.

The order of calculation: volumetric weight, the greater of the two, minimum, tolerance, rounding, price of the zone,
discount, surcharges, least charge, one rounding of the total.
"""

from __future__ import annotations

import polars as pl

from orderctl.stages.conditions.facts import Moment
from orderctl.stages.freight.book import MONEY, PERCENT, PriceBook

WIDE = pl.Int128()

PARCEL = pl.Schema(
    {
        "row": pl.Int64(),
        "weight_g": pl.Int64(),
        "length_mm": pl.Int64(),
        "width_mm": pl.Int64(),
        "height_mm": pl.Int64(),
    }
)
ADDED = (
    "label",
    "remote",
    "peak",
    "oversize",
)  # surcharges in 1/10000 of the currency, in the order they are told


def ceil_div(value: pl.Expr, by: pl.Expr) -> pl.Expr:
    """Divide whole numbers that are not negative, rounding up."""
    return (value + by - 1) // by


def _wide(name: str) -> pl.Expr:
    return pl.col(name).cast(WIDE)


def price_parcels(rows: pl.DataFrame, parcels: pl.DataFrame, book: PriceBook, moment: Moment) -> pl.DataFrame:
    """Price every parcel, keeping each step of the calculation as a column for whoever asks why.

    Args:
        rows: one a shipment, as `PriceBook.placed` gives them, with currency, insured_minor and collect_minor.
        parcels: columns PARCEL, in order, the mother first; only she is insured and collects.

    Returns: the parcels that have a zone, with `billed` (in 1/`divisor` gram), `fee`, `freight_minor` and the rest.
    """
    priced = rows.filter(pl.col("zone").is_not_null()).join(
        book.terms(moment), on="tariff", how="left", suffix="_of_tariff"
    )
    priced = priced.join(book.zones, on="zone", how="left")
    found = _measured(parcels).join(priced, on="row", how="inner", maintain_order="left")
    found = _summed(_with_oversize(found, book.oversize))
    same_currency = (pl.col("currency") == pl.col("currency_of_tariff")).fill_null(False)
    values = pl.col("insured_minor", "collect_minor")
    mother = pl.col("row").is_first_distinct()
    found = found.with_columns(
        pl.when(mother & same_currency).then(values),
        foreign=mother
        & ~same_currency
        & (pl.max_horizontal("insured_minor", "collect_minor").fill_null(0) > 0),
    )
    for group in [*_billed(book.bands), *_zone_price(book.rungs), *_surcharges(), *_total()]:
        found = found.with_columns(group)
    return found


def _measured(parcels: pl.DataFrame) -> pl.DataFrame:
    sides = [_wide(n) for n in ("length_mm", "width_mm", "height_mm")]
    return parcels.select(
        "row", "weight_g", volume_mm3=sides[0] * sides[1] * sides[2], longest_mm=pl.max_horizontal(sides)
    ).with_row_index("parcel")


def _with_oversize(found: pl.DataFrame, terms: pl.DataFrame) -> pl.DataFrame:
    """Add `oversize`: what a parcel costs more because it is long or heavy by itself."""

    def within(size: str, over: str, upto: str) -> pl.Expr:
        value, low, high = pl.col(size).fill_null(0), pl.col(over), pl.col(upto)
        return low.is_null() | ((value > low) & (high.is_null() | (value <= high)))

    hits = (
        found.select("parcel", "tariff", "weight_g", "longest_mm")
        .join(terms, on="tariff", how="inner")
        .filter(within("longest_mm", "over_mm", "upto_mm") & within("weight_g", "over_g", "upto_g"))
    )
    started_kg = ceil_div(_wide("weight_g").fill_null(0), pl.lit(1000, dtype=WIDE))
    fee = (_wide("fixed") + started_kg.clip(lower_bound=1) * _wide("per_kg")).sum()
    sums = hits.group_by("parcel").agg(oversize=fee)
    filled = pl.col("oversize").fill_null(0)
    return found.join(sums, on="parcel", how="left", maintain_order="left").with_columns(filled)


def _summed(found: pl.DataFrame) -> pl.DataFrame:
    """Make one parcel of those whose tariff prices the shipment: weights and volumes added, the longest side kept."""
    whole = found.filter("whole")
    if not whole.height:
        return found
    added = {
        "weight_g": pl.col("weight_g").sum(),
        "volume_mm3": pl.col("volume_mm3").sum(),
        "longest_mm": pl.col("longest_mm").max(),
        "oversize": pl.col("oversize").sum(),
    }
    others = [pl.col(c).first() for c in found.columns if c not in (*added, "row")]
    joined = whole.group_by("row", maintain_order=True).agg(*others, **added).select(found.columns)
    return pl.concat([found.filter(~pl.col("whole")), joined]).sort("row", "parcel")


def _billed(bands: int) -> list[list[pl.Expr]]:
    """Give the steps from weights to `billed`, in 1/divisor gram, as groups of columns to add one after another."""
    div = _wide("divisor")
    volume = pl.when(~pl.col("no_volume")).then(pl.col("volume_mm3")).fill_null(0)
    step = _wide("volume_step_g") * div
    stepped = pl.coalesce(ceil_div(pl.col("vol"), step) * step, pl.col("vol"))
    long_enough = (pl.col("longest_mm") >= pl.col("side_mm")).fill_null(pl.col("side_mm").is_null())
    bulky = (pl.col("vol") * MONEY > pl.col("actual") * pl.col("ratio")).fill_null(True)
    raw = pl.when(long_enough & bulky).then(pl.max_horizontal("actual", "vol")).otherwise(pl.col("actual"))
    above = [
        pl.when(pl.col("raw") > _wide(f"band_{k}") * div).then(_wide(f"band_round_{k}"))
        for k in reversed(range(bands))
    ]
    q, tolerance = pl.col("q"), _wide("tolerance_g") * div
    whole = pl.col("raw") // q
    forgiven = (pl.col("raw") - whole * q <= tolerance) & (whole >= 1)
    up, half = ceil_div(pl.col("raw"), q) * q, (2 * pl.col("raw") + q) // (2 * q) * q
    rounded = (
        pl.when(pl.col("rounding") == "up")
        .then(up)
        .when(pl.col("rounding") == "half_up")
        .then(half)
        .otherwise("raw")
    )
    return [
        [(_wide("weight_g").fill_null(0) * div).alias("actual"), volume.cast(WIDE).alias("vol")],
        [stepped.alias("vol")],
        [raw.alias("heavier")],
        [pl.max_horizontal("heavier", _wide("min_g") * div).alias("raw")],
        [(pl.coalesce(*above, _wide("round_g")) * div).alias("q")],
        [pl.when(forgiven).then(whole * q).otherwise("raw").alias("raw")],
        [rounded.alias("billed")],
    ]


def _zone_price(rungs: int) -> list[list[pl.Expr]]:
    """Give the steps from `billed` to `fee`, in 1/(10000 * `over`) of the currency."""
    div, billed = _wide("divisor"), pl.col("billed")
    over = pl.when(pl.col("linear")).then(_wide("step_g") * div).otherwise(pl.lit(1, dtype=WIDE))
    excess = billed - _wide("last_g") * div
    steps = pl.when(pl.col("linear")).then(excess).otherwise(ceil_div(excess, _wide("step_g") * div))
    fixed = pl.coalesce(
        pl.when(billed <= _wide(f"upto_{k}") * div).then(_wide(f"price_{k}")) for k in range(rungs)
    )
    above = _wide("last_price") * pl.col("over") + steps * _wide("step_price")
    return [[over.alias("over")], [pl.coalesce(fixed * pl.col("over"), above).alias("fee")]]


def _surcharges() -> list[list[pl.Expr]]:
    """Give the columns ADDED but `oversize`, and `insurance` and `cod` in 1/(10000 * PERCENT) of the currency."""
    kilograms = ceil_div(pl.col("billed"), _wide("divisor") * 1000)
    started_kg = kilograms.clip(lower_bound=1)  # no parcel weighs nothing
    unit = _wide("insurance_unit")
    declared = ceil_div(_wide("insured_minor") * pl.col("minor"), unit) * unit
    premium = pl.max_horizontal(declared * _wide("insurance_rate"), _wide("insurance_min") * PERCENT)
    insured = (pl.col("insured_minor") > 0) & pl.col("insurance_rate").is_not_null()
    by_rate = _wide("collect_minor") * pl.col("minor") * _wide("cod_rate")
    at_least = pl.max_horizontal(by_rate, _wide("cod_min") * PERCENT)
    collects = (pl.col("collect_minor") > 0) & pl.col("cod_rate").is_not_null()
    return [
        [
            _wide("label_fee").alias("label"),
            (_wide("remote_fixed") + started_kg * _wide("remote_per_kg")).alias("remote"),
            (
                _wide("peak_fixed")
                + _wide("peak_there_fixed")
                + started_kg * (_wide("peak_per_kg") + _wide("peak_there_per_kg"))
            ).alias("peak"),
            pl.when(insured).then(premium).otherwise(0).cast(WIDE).alias("insurance"),
            pl.when(collects)
            .then(pl.min_horizontal(at_least, _wide("cod_max") * PERCENT))
            .otherwise(0)
            .cast(WIDE)
            .alias("cod"),
        ]
    ]


def _total() -> list[list[pl.Expr]]:
    """Give the steps from `fee` and surcharges to `freight_minor`: discount, least charge and the one rounding."""
    wide, off, over = pl.lit(PERCENT, dtype=WIDE), _wide("discount"), pl.col("over")
    on_zone = pl.when(~pl.col("on_total")).then(off).otherwise(0)
    on_total = pl.when(pl.col("on_total")).then(off).otherwise(0)
    before = (
        pl.col("fee") * (wide - on_zone + _wide("fuel"))
        + pl.sum_horizontal(ADDED) * wide * over
        + (pl.col("insurance") + pl.col("cod")) * over
    )
    least = _wide("min_charge") * wide * wide * over
    below = wide * wide * over * _wide("coin")
    coins = (2 * pl.col("sum") + below) // (2 * below)
    return [
        [(before * (wide - on_total)).alias("before_least")],
        [pl.when(pl.col("before_least") < least).then(least).otherwise("before_least").alias("sum")],
        [(coins * pl.col("coin") // pl.col("minor")).cast(pl.Int64).alias("freight_minor")],
    ]
