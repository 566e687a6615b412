"""Which shipments may belong together though they were not joined, how likely, and what speaks for it.

Only shipments that share something selective are looked at: a buyer, a phone, or the numbers of an address in one city
together with a name, an end of a name, or half of a phone. A suggestion is never joined by itself: a person pins it, or
forbids it and is not asked again.
"""

from __future__ import annotations

import polars as pl

from orderctl.model.facts import Facts
from orderctl.model.identity import SEPARATOR
from orderctl.stages.merging.addresses import address_text, numbers
from orderctl.stages.merging.decisions import Said
from orderctl.stages.merging.keys import REASONS, scope_of
from orderctl.stages.merging.likeness import (
    NEAR,
    compared_name,
    likeness,
    near_names,
    near_phones,
    simplified,
)
from orderctl.stages.rules.sections.merge import MergeSection

AT_MOST = 10
TOO_MANY = 200
"""What so many shipments share (the phone of a reseller, one buyer for all guests) says nothing of any two of them."""
WEIGHTS = {"buyer": 0.5, "phone": 0.6, "near_phone": 0.3, "name": 0.4, "near_name": 0.2, "address": 0.6}
"""How much each agreement alone says that two shipments belong together; together they add up to less than 1."""
NONE = pl.DataFrame(
    schema={"shipment_id": pl.String, "other": pl.String, "score": pl.String, "evidence": pl.String}
)
_JOINABLE = (
    *("no_other", "no_key", "no_buyer", "printed", "outside_window", "parcel_full", "pin_forbidden"),
    *("same_recipient", "same_buyer_address", "same_buyer", "pinned", "split"),
    *(reason for reason in REASONS.values() if reason != "presale"),
)
"""How orders came to their shipment that a person could still join."""


def suggested(placed: pl.DataFrame, rules: MergeSection, facts: Facts, said: Said) -> pl.DataFrame:
    """Give `shipment_id other score evidence`: at most AT_MOST others for each, the likeliest first.

    `score` is a text (`0.76`), `evidence` lists what agrees: names of WEIGHTS, and `near_address` for an address that is
    not equal. Nothing is named that is blocked, waiting, committed, paid at the door, or kept apart by a person.

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
    scored = _scored(pairs, heads).filter(pl.col("percent") >= round(rules.suggest_from * 100))
    ranked = scored.sort("shipment_id", -pl.col("percent"), "other")
    ranked = ranked.filter(pl.int_range(pl.len()).over("shipment_id") < AT_MOST)
    percent = pl.col("percent").cast(pl.String).str.zfill(3)
    score = pl.concat_str(percent.str.head(1), percent.str.tail(2), separator=".")
    return ranked.select("shipment_id", "other", "evidence", score=score).select(NONE.columns)


def _heads(placed: pl.DataFrame, rules: MergeSection, facts: Facts) -> pl.DataFrame:
    """Give for each shipment that could be joined what is compared of its first order; null where it is not plain."""
    recipient = pl.col("recipient").struct
    plain = recipient.field("privacy") == "plain"
    city = [recipient.field(level).fill_null("") for level in ("country", "province", "city")]
    circle = pl.concat_str(
        scope_of(rules, facts), "currency", pl.col("payment").fill_null("?"), separator="|"
    )
    compared = placed.select(
        "shipment_id", "why", "platform", "shop", "buyer_ref", "currency", "payment", "recipient"
    )
    first = pl.col("shipment_id").is_first_distinct()
    heads = (
        compared.filter(pl.col("why").is_in(_JOINABLE) & first)
        .select(
            "shipment_id",
            "recipient",
            circle=circle,
            buyer=pl.concat_str("platform", "shop", "buyer_ref", separator=":"),
            phone=pl.when(plain).then(recipient.field("phone")),
            phone_ext=recipient.field("phone_ext").fill_null(""),
            name=pl.when(plain).then(compared_name()),
            city=pl.when(plain).then(pl.concat_str(city, separator=SEPARATOR)),
            district=recipient.field("district"),
            text=pl.when(plain).then(simplified(address_text())),
        )
        .drop_nulls("circle")
    )
    return heads.with_columns(numbers=numbers(pl.col("text"))).drop("recipient")


def _close(heads: pl.DataFrame) -> pl.DataFrame:
    """Give `shipment_id`, `trait`: what a shipment shares with at least one other, as a text that says all of it."""
    there = heads.drop_nulls("city").filter(pl.col("numbers") != "")
    there = there.filter(pl.len().over("circle", "city", "numbers") > 1)
    flats = there.filter(pl.col("numbers").str.contains(" "))
    traits = [
        _trait(heads, "buyer", "buyer"),
        _trait(heads, "phone", "phone", "phone_ext"),
        _trait(there, "first", "city", "numbers", pl.col("name").str.head(1)),
        _trait(there, "last", "city", "numbers", pl.col("name").str.tail(1)),
        _trait(flats, "head", "city", "numbers", pl.col("phone").str.head(6)),
        _trait(flats, "tail", "city", "numbers", pl.col("phone").str.tail(5)),
    ]
    shared = pl.concat(traits).drop_nulls("trait")
    return shared.filter(pl.len().over("trait").is_between(2, TOO_MANY))


def _trait(heads: pl.DataFrame, kind: str, *parts: str | pl.Expr) -> pl.DataFrame:
    return heads.select(
        "shipment_id", trait=pl.concat_str(pl.lit(kind), "circle", *parts, separator=SEPARATOR)
    )


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
    """Give `pairs` with `percent` (0 to 100) and `evidence`, what speaks for them.

    Addresses agree when they lie in one place, their numbers are equal and their texts are near; how near weighs. A name
    or a phone that is not equal counts at one address only, a phone moreover only in a flat or room of it, or with a name.
    An address alone says nothing: many people live in a house.
    """
    known = heads.drop("circle")
    both = pairs.join(known, on="shipment_id").join(
        known, left_on="other", right_on="shipment_id", suffix="_other"
    )
    near_place = (pl.col("city") == pl.col("city_other")) & (
        (pl.col("district") == pl.col("district_other")).fill_null(True)
    )
    comparable = near_place & (pl.col("numbers") == pl.col("numbers_other"))
    measured = likeness(pl.when(comparable).then("text"), pl.col("text_other"))
    same = {
        n: (pl.col(n) == pl.col(f"{n}_other")).fill_null(False)
        for n in ("buyer", "name", "phone", "phone_ext")
    }
    here = pl.col("address") > 0
    flat = pl.col("numbers").str.contains(" ")
    both = both.with_columns(address=measured.fill_null(0.0))
    both = both.with_columns(address=pl.when(pl.col("address") >= NEAR).then("address").otherwise(0.0))
    both = both.with_columns(
        buyer=same["buyer"],
        name=same["name"],
        phone=same["phone"] & same["phone_ext"],
        name_one=pl.when(here & ~same["name"]).then("name"),
        phone_one=pl.when(here & ~same["phone"] & same["phone_ext"]).then("phone"),
    )
    both = both.with_columns(
        near_name=near_names(pl.col("name_one"), pl.col("name_other")).fill_null(False),
    ).with_columns(
        near_phone=near_phones(pl.col("phone_one"), pl.col("phone_other")).fill_null(False)
        & (flat | pl.col("name") | pl.col("near_name")),
    )
    both = both.filter(pl.any_horizontal(trait for trait in WEIGHTS if trait != "address"))
    doubt = pl.lit(1.0)
    for trait, weight in WEIGHTS.items():
        doubt = doubt * (1 - weight * pl.col(trait).cast(pl.Float64))
    says: list[pl.Expr] = [pl.when(pl.col(t)).then(pl.lit(t)) for t in WEIGHTS if t != "address"]
    says.append(
        pl.when(pl.col("address") == 1).then(pl.lit("address")).when(here).then(pl.lit("near_address"))
    )
    return both.select(
        "shipment_id",
        "other",
        percent=((1 - doubt) * 100).round().cast(pl.Int64),
        evidence=pl.concat_list(says).list.drop_nulls().list.join(", "),
    )
