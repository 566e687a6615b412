"""The answers of a simulation as frames of figures: counts, money, money by rule, the mixes, and who is affected.

All but the list are made of the sums alone. Laws: the differences by rule add up to that of `freight`; a mix counts
every shipment once before and once after.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from orderctl.stages.simulating.comparing import side_by_side
from orderctl.stages.simulating.replay import REPLAYED

NAMES = ("totals", "freight", "transit", "splits", "rules", "couriers", "warehouses", "shipments")
TITLES: Mapping[str, str] = {
    "totals": "What changes",
    "freight": "Freight",
    "transit": "Days until delivery",
    "splits": "Dealt out of the stock",
    "rules": "Freight by rule",
    "couriers": "Couriers",
    "warehouses": "Warehouses",
    "shipments": "Shipments affected",
}
LIST = (
    *("shipment_id", "at", "changed", "currency_old", "currency", "freight_old_minor", "freight_new_minor"),
    *("difference_minor", "courier_old", "courier_new", "service_old", "service_new", "rule_old", "rule_new"),
    *("warehouse_old", "warehouse_new", "tariff_old", "tariff_new", "zone_old", "zone_new"),
    *("billed_old_g", "billed_new_g"),
)
_RULE = ("rule_old", "tariff_old", "rule_new", "tariff_new")
PINNED = "(pin)"  # stands for the rule where a person had chosen


def totals(sums: pl.DataFrame) -> pl.DataFrame:
    """Count shipments before and after: [what, old, new, difference]."""

    def count(of: pl.Expr) -> pl.Expr:
        return pl.col("shipments").filter(of).sum()

    always = pl.lit(True)
    kinds: dict[str, tuple[pl.Expr, pl.Expr]] = {
        "shipments": (always, always),
        "no_courier": (pl.col("courier_old").is_null(), pl.col("courier_new").is_null()),
        "no_warehouse": (pl.col("warehouse_old").is_null(), pl.col("warehouse_new").is_null()),
        "unpriced": (~pl.col("priced_old"), ~pl.col("priced_new")),
        "held": (pl.col("hold_old").is_not_null(), pl.col("hold_new").is_not_null()),
    }
    counted = [
        sums.select(what=pl.lit(what), old=count(old), new=count(new)) for what, (old, new) in kinds.items()
    ]
    return pl.concat(counted).with_columns(difference=pl.col("new") - pl.col("old"))


def affected(sums: pl.DataFrame) -> int:
    """Count the shipments of which anything changes."""
    return int(sums.filter("changed")["shipments"].sum())


def freight(sums: pl.DataFrame) -> pl.DataFrame:
    """Give the money of each currency, of shipments that both sides price in it; of the others apart what each prices.

    Returns: [currency, shipments, freight_old_minor, freight_new_minor, difference_minor, share_permille, only_old,
        only_old_minor, only_new, only_new_minor]; `share_permille` is the difference in thousandths of the old sum.
    """
    both = pl.col("currency_old") == pl.col("currency_new")
    shared = (
        sums.filter(both)
        .group_by(currency="currency_new")
        .agg(pl.col("shipments", "freight_old_minor", "freight_new_minor").sum())
    )
    for side in ("old", "new"):
        alone = sums.filter(~both.fill_null(False) & pl.col(f"priced_{side}"))
        found = alone.group_by(currency=f"currency_{side}").agg(
            pl.col("shipments").sum().alias(f"only_{side}"),
            pl.col(f"freight_{side}_minor").sum().alias(f"only_{side}_minor"),
        )
        shared = shared.join(found, on="currency", how="full", coalesce=True)
    old, new = pl.col("freight_old_minor"), pl.col("freight_new_minor")
    return (
        shared.with_columns(pl.all().exclude("currency").fill_null(0))
        .with_columns(difference_minor=new - old)
        .with_columns(share_permille=_permille(pl.col("difference_minor"), old))
        .select(
            *("currency", "shipments", "freight_old_minor", "freight_new_minor", "difference_minor"),
            *("share_permille", "only_old", "only_old_minor", "only_new", "only_new_minor"),
        )
        .sort("currency")
    )


def _permille(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    """Give `part` in thousandths of `whole`, rounded half away from zero; null where the whole is 0."""
    size = (part.abs() * 2000 + whole) // (whole * 2)
    return pl.when(whole > 0).then(pl.when(part < 0).then(-size).otherwise(size)).cast(pl.Int64)


def transit(sums: pl.DataFrame) -> pl.DataFrame:
    """Give the mean days until delivery, of shipments of which both sides tell them; no row where none does.

    Returns: [what, shipments, days_old_hundredths, days_new_hundredths, difference_days_hundredths, unknown], for all
        and for those that go with another courier; `unknown` counts those of which a side does not tell.
    """
    other = pl.struct("courier_old", "service_old") != pl.struct(
        courier_old="courier_new", service_old="service_new"
    )
    both = pl.col("timed_old") & pl.col("timed_new")
    parts = [
        sums.filter(of).select(
            pl.lit(what).alias("what"),
            pl.col("shipments").filter(both).sum(),
            *(pl.col(f"days_{side}").filter(both).sum() for side in ("old", "new")),
            unknown=pl.col("shipments").filter(~both).sum(),
        )
        for what, of in (("shipments", pl.lit(True)), ("another_courier", other))
    ]
    mean = {side: _halves_up(pl.col(f"days_{side}"), pl.col("shipments")) for side in ("old", "new")}
    return (
        pl.concat(parts)
        .filter(pl.col("shipments") > 0)
        .select(
            "what",
            "shipments",
            *(mean[side].alias(f"days_{side}_hundredths") for side in ("old", "new")),
            _halves_up(pl.col("days_new") - pl.col("days_old"), pl.col("shipments")).alias(
                "difference_days_hundredths"
            ),
            "unknown",
        )
    )


def _halves_up(sum_of: pl.Expr, count: pl.Expr) -> pl.Expr:
    """Divide, rounding half away from zero."""
    size = (sum_of.abs() * 2 + count) // (count * 2)
    return pl.when(sum_of < 0).then(-size).otherwise(size)


def rules(sums: pl.DataFrame) -> pl.DataFrame:
    """Explain the money: one row for each pair of old and new courier rule with their tariffs, the greatest change first.

    Returns: [rule_old, tariff_old, rule_new, tariff_new, shipments, changed, currency_old, currency,
        freight_old_minor, freight_new_minor, difference_minor]. A side without a price has null, and no difference.
    """
    named = sums.with_columns(*(_rule(side) for side in ("old", "new")))
    found = named.group_by(*_RULE, "currency_old", currency="currency_new").agg(
        pl.col("shipments").sum(),
        changed=pl.col("shipments").filter("changed").sum(),
        freight_old_minor=pl.when(pl.col("priced_old").all()).then(pl.col("freight_old_minor").sum()),
        freight_new_minor=pl.when(pl.col("priced_new").all()).then(pl.col("freight_new_minor").sum()),
    )
    return (
        found.with_columns(_difference())
        .select(
            *(*_RULE, "shipments", "changed", "currency_old", "currency"),
            *("freight_old_minor", "freight_new_minor", "difference_minor"),
        )
        .sort(
            -pl.col("difference_minor").abs(), -pl.col("shipments"), *_RULE, "currency_old", nulls_last=True
        )
    )


def _difference() -> pl.Expr:
    same = pl.col("currency_old") == pl.col("currency")
    change = pl.col("freight_new_minor") - pl.col("freight_old_minor")
    return pl.when(same).then(change).alias("difference_minor")


def _rule(side: str) -> pl.Expr:
    """Name the courier rule; where there is a courier without one, a person had chosen."""
    pinned = pl.when(pl.col(f"courier_{side}").is_not_null()).then(pl.lit(PINNED))
    return pl.coalesce(f"courier_rule_{side}", pinned).alias(f"rule_{side}")


def mix(sums: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """Count shipments and money before and after by what was chosen, such as `("courier", "service")`.

    Returns: `keys`, [currency, shipments_old, shipments_new, difference, share_old_permille, share_new_permille,
        freight_old_minor, freight_new_minor]; the shares are of all shipments, and the largest now comes first.
    """
    parts = []
    for side in ("old", "new"):
        named = [pl.col(f"{key}_{side}").alias(key) for key in (*keys, "currency")]
        part = sums.group_by(named).agg(
            pl.col("shipments").sum().alias(f"shipments_{side}"),
            pl.when(pl.col(f"priced_{side}").any())
            .then(pl.col(f"freight_{side}_minor").sum())
            .alias(f"freight_{side}_minor"),
        )
        parts.append(part)
    whole = parts[0].join(parts[1], on=[*keys, "currency"], how="full", coalesce=True, nulls_equal=True)
    counts = ["shipments_old", "shipments_new"]
    return (
        whole.with_columns(pl.col(counts).fill_null(0))
        .with_columns(
            difference=pl.col("shipments_new") - pl.col("shipments_old"),
            share_old_permille=_permille(pl.col("shipments_old"), pl.col("shipments_old").sum()),
            share_new_permille=_permille(pl.col("shipments_new"), pl.col("shipments_new").sum()),
        )
        .select(
            *(*keys, "currency", *counts, "difference", "share_old_permille", "share_new_permille"),
            *("freight_old_minor", "freight_new_minor"),
        )
        .sort(-pl.col("shipments_new"), -pl.col("shipments_old"), *keys, "currency", nulls_last=True)
    )


def listed(compared: pl.DataFrame) -> pl.DataFrame:
    """Give the affected rows of a block (columns LIST)."""
    return (
        compared.filter(pl.col("changed") != "")
        .with_columns(*(_rule(side) for side in ("old", "new")), currency="currency_new")
        .rename({"billed_g_old": "billed_old_g", "billed_g_new": "billed_new_g"})
        .select(LIST)
    )


def no_rows() -> pl.DataFrame:
    """Give a list of affected shipments without a row."""
    nobody = pl.DataFrame(schema=REPLAYED)
    return listed(side_by_side(nobody, nobody, pl.Series("at", [], dtype=pl.String)))


def in_order(rows: pl.DataFrame) -> pl.DataFrame:
    """Sort the affected: the greatest change of money first, those without one last."""
    return rows.sort(-pl.col("difference_minor").abs(), "at", "shipment_id", nulls_last=True)


def tables_of(sums: pl.DataFrame, rows: pl.DataFrame | None) -> dict[str, pl.DataFrame]:
    """Give every table by its name; `rows` is the list of the affected, where it is wanted."""
    found = {
        "totals": totals(sums),
        "freight": freight(sums),
        "transit": transit(sums),
        "rules": rules(sums),
        "couriers": mix(sums, ("courier", "service")),
        "warehouses": mix(sums, ("warehouse",)),
    }
    return found if rows is None else {**found, "shipments": in_order(rows)}
