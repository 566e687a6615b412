"""Which shipments may belong together though they were not joined, how likely, and what speaks for it.

Only shipments that share something selective are looked at: a buyer, a phone, or a name with the numbers of an
address in one city. A suggestion is never joined by itself: a person pins it, or forbids it and is not asked again.
"""

from __future__ import annotations

import polars as pl

from orderctl.model.facts import Facts
from orderctl.model.identity import SEPARATOR
from orderctl.stages.merging.addresses import NEAR, address_text, likeness, numbers
from orderctl.stages.merging.decisions import Said
from orderctl.stages.merging.keys import REASONS, scope_of
from orderctl.stages.rules.sections.merge import MergeSection

AT_MOST = 10
TOO_MANY = 200
"""What so many shipments share (the phone of a reseller, one buyer for all guests) says nothing of any two of them."""
WEIGHTS = {"buyer": 0.5, "phone": 0.6, "name": 0.4, "address": 0.6}
"""How much each agreement alone says that two shipments belong together; together they add up to less than 1."""
NONE = pl.DataFrame(schema={"shipment_id": pl.String, "with": pl.List(pl.String), "told": pl.String})
_JOINABLE = (
    *("no_other", "no_key", "no_buyer", "printed", "outside_window", "parcel_full", "pin_forbidden"),
    *("same_recipient", "same_buyer_address", "same_buyer", "pinned", "split"),
    *(reason for reason in REASONS.values() if reason != "presale"),
)
"""How orders came to their shipment that a person could still join."""


def suggested(placed: pl.DataFrame, rules: MergeSection, facts: Facts, said: Said) -> pl.DataFrame:
    """Give `shipment_id`, `with` (others, the likeliest first) and `told` (the same with score and what agrees).

    Nothing is named that is blocked, waiting, committed, paid at the door, or kept apart by a person.

    Args:
        placed: as `placements` gives it.
        rules: scope and from which score on.
        facts: groups of shops.
        said: pairs that are to stay apart.
    """
    if not rules.suggest:
        return NONE
    heads = _heads(placed, rules, facts)
    pairs = _pairs(_close(heads))
    pairs = _without(pairs, placed, said)
    scored = _scored(pairs, heads).filter(pl.col("score") >= rules.suggest_from)
    ranked = scored.sort("shipment_id", -pl.col("score"), "other")
    told = pl.format("{} ({}: {})", "other", pl.col("score").round(2), "agrees")
    return ranked.group_by("shipment_id", maintain_order=True).agg(
        pl.col("other").head(AT_MOST).alias("with"), told.head(AT_MOST).str.join(", ").alias("told")
    )


def _heads(placed: pl.DataFrame, rules: MergeSection, facts: Facts) -> pl.DataFrame:
    """Give for each shipment that could be joined what is compared of its first order; null where it is not plain."""
    recipient = pl.col("recipient").struct
    plain = recipient.field("privacy") == "plain"
    name = recipient.field("name").str.to_uppercase().str.replace_all(r"[^\p{L}\p{N}]", "")
    phone = pl.concat_str(recipient.field("phone"), recipient.field("phone_ext").fill_null(""), separator="-")
    city = [recipient.field(level).fill_null("") for level in ("country", "province", "city")]
    circle = pl.concat_str(
        scope_of(rules, facts), "currency", pl.col("payment").fill_null("?"), separator="|"
    )
    return (
        placed.filter(pl.col("why").is_in(_JOINABLE))
        .unique("shipment_id", keep="first", maintain_order=True)
        .select(
            "shipment_id",
            "recipient",
            circle=circle,
            buyer=pl.concat_str("platform", "shop", "buyer_ref", separator=":"),
            phone=pl.when(plain).then(phone),
            name=pl.when(plain & (name != "")).then(name),
            city=pl.when(plain).then(pl.concat_str(city, separator=SEPARATOR)),
            district=recipient.field("district"),
        )
        .drop_nulls("circle")
    )


def _close(heads: pl.DataFrame) -> pl.DataFrame:
    """Give `shipment_id`, `trait`: what a shipment shares with at least one other, as a text that says all of it."""
    named = heads.drop_nulls(["name", "city"])
    named = named.filter(pl.len().over("circle", "name", "city") > 1)
    there = named.with_columns(numbers=numbers(address_text())).filter(pl.col("numbers") != "")
    traits = [
        heads.select(
            "shipment_id", trait=pl.concat_str(pl.lit("buyer"), "circle", "buyer", separator=SEPARATOR)
        ),
        heads.select(
            "shipment_id", trait=pl.concat_str(pl.lit("phone"), "circle", "phone", separator=SEPARATOR)
        ),
        there.select(
            "shipment_id",
            trait=pl.concat_str(pl.lit("name"), "circle", "name", "city", "numbers", separator=SEPARATOR),
        ),
    ]
    shared = pl.concat(traits).drop_nulls("trait")
    return shared.filter(pl.len().over("trait").is_between(2, TOO_MANY))


def _pairs(shared: pl.DataFrame) -> pl.DataFrame:
    """Give `shipment_id`, `other`; of a trait that many share, a few are enough to say so."""
    groups = shared.group_by("trait").agg(other=pl.col("shipment_id").sort().head(AT_MOST + 1))
    pairs = shared.join(groups, on="trait").select("shipment_id", "other").explode("other").unique()
    return pairs.filter(pl.col("other") != pl.col("shipment_id"))


def _without(pairs: pl.DataFrame, placed: pl.DataFrame, said: Said) -> pl.DataFrame:
    """Leave out pairs of shipments of which a person keeps two orders apart."""
    if not said.apart:
        return pairs
    home = placed.select("order_id", "shipment_id")
    apart = said.pairs.join(home, on="order_id").join(
        home.select(other="order_id", other_id="shipment_id"), on="other"
    )
    return pairs.join(apart.select("shipment_id", other="other_id"), on=["shipment_id", "other"], how="anti")


def _scored(pairs: pl.DataFrame, heads: pl.DataFrame) -> pl.DataFrame:
    """Give `pairs` with `score` (0 to 1) and `agrees`, what speaks for them.

    Addresses agree when they lie in one place, their numbers are equal and their texts are near; how near weighs.
    """
    named = pl.concat([pairs["shipment_id"], pairs["other"]]).unique()
    known = heads.filter(pl.col("shipment_id").is_in(named.implode())).with_columns(text=address_text())
    known = known.with_columns(numbers=numbers(pl.col("text"))).drop("recipient", "circle")
    both = pairs.join(known, on="shipment_id").join(
        known, left_on="other", right_on="shipment_id", suffix="_other"
    )
    near_place = (pl.col("city") == pl.col("city_other")) & (
        (pl.col("district") == pl.col("district_other")).fill_null(True)
    )
    comparable = near_place & (pl.col("numbers") == pl.col("numbers_other"))
    measured = likeness(pl.when(comparable).then("text"), pl.col("text_other"))
    both = both.with_columns(alike=measured).with_columns(
        alike=pl.when(pl.col("alike") >= NEAR).then("alike").otherwise(0.0)
    )
    strength = {
        n: (pl.col(n) == pl.col(f"{n}_other")).fill_null(False).cast(pl.Float64)
        for n in WEIGHTS
        if n != "address"
    }
    strength["address"] = pl.col("alike").fill_null(0.0)
    doubt = pl.lit(1.0)
    for trait, weight in WEIGHTS.items():
        doubt = doubt * (1 - weight * strength[trait])
    says = [pl.when(found > 0).then(pl.lit(trait)) for trait, found in strength.items()]
    return both.select(
        "shipment_id",
        "other",
        score=(1 - doubt).round(2),
        agrees=pl.concat_list(says).list.drop_nulls().list.join(" + "),
    )
