"""The levels of an address that its source gives apart, as labels show them.

One invariant: nothing typed is lost. What names no known region stays as it was given.
"""

from __future__ import annotations

import polars as pl

from orderctl.model.regions.divisions import ROOT, regions
from orderctl.model.regions.provinces import (
    BLANKS,
    DIRECT_UNITS,
    MUNICIPALITIES,
    PSEUDO_LEVELS,
    UNDIVIDED_CITIES,
    province_code,
    province_full,
)
from orderctl.model.regions.walk import MET, WRITTEN, conflicts, met, names, names_of, walk

LEVELS = ("province", "city", "district", "town")
WHOLE_CITIES = (*UNDIVIDED_CITIES, *DIRECT_UNITS)
"""Cities without districts: what comes below them is a town."""
PLACES = ("province", "province_code", "city", "district", "town")
_OURS = [f"_{name}" for name in PLACES]
_NAMED = [pl.col(f"_{name}").alias(name) for name in PLACES]


def placed(parts: pl.DataFrame) -> pl.DataFrame:
    """Give `province province_code city district town` as labels show them, a row for each row of `parts`.

    `parts` has the columns LEVELS as a platform gave them. Names get their full form; a municipality is its own city
    (上海市 上海市); words that name no place are dropped; a county-level unit directly under a province stands as the
    city; what stands below an undivided city (东莞市) is a town. Former names stay, and no level is filled in.
    """
    found = parts.select(LEVELS)
    settled = _settled(found.unique())
    joined = found.join(settled, on=LEVELS, how="left", nulls_equal=True, maintain_order="left")
    return joined.select(_NAMED)


def located(parts: pl.DataFrame) -> pl.DataFrame:
    """Give the same with former names replaced, and levels filled in where the others leave no doubt.

    Besides the columns of `placed`: `state`, the code from which a walk through the street goes on (ROOT if nothing
    is given, null if what is given is not understood), and `met`, a list of what there is to say (`note word other`):
    `former` or `divided` (the old name, the new ones), `ambiguous` (the name), or `conflict` (a name, and the region
    it does not lie in).
    """
    found = parts.select(LEVELS)
    understood = _understood(found.unique())
    joined = found.join(understood, on=LEVELS, how="left", nulls_equal=True, maintain_order="left")
    return joined.select(*_NAMED, "state", pl.col("met").fill_null([]))


def _settled(parts: pl.DataFrame) -> pl.DataFrame:
    """Give `parts` with `_province` ... `_town`: as the table has them where all their words are found there."""
    known = _in_table(parts)
    unsure = known.filter(pl.col("state").is_null())
    if unsure.is_empty():
        return known
    walked = _walked(unsure, notes=())
    named = {"_province": "province", "_province_code": "province", "_city": "city", "_district": "district"}
    walked = walked.with_columns(
        pl.when(names(level)).then(name).alias(name) for name, level in named.items()
    )
    return _merged(known, walked)


def _understood(parts: pl.DataFrame) -> pl.DataFrame:
    """Give `parts` with `_province` ... `_town`, `state`, and what was `met` on the way."""
    known = _in_table(parts)
    unsure = known.filter(pl.col("state").is_null())
    if unsure.is_empty():
        return known.with_columns(met=pl.lit(None, dtype=MET))
    walked = _walked(unsure)
    against = conflicts(walked.filter(pl.col("rest") != ""))
    met = pl.concat([walked.select("row", "met").explode("met").drop_nulls("met"), against])
    told = met.group_by("row", maintain_order=True).agg("met")
    return _merged(known, walked).join(told, on="row", how="left")


def _in_table(parts: pl.DataFrame) -> pl.DataFrame:
    """Give `parts` by the rules of writing, with `row`, and `state` where the table has exactly these levels."""
    labels = regions().select(_province="province", _city="city", _district="district", state="code")
    levels = ["_province", "_city", "_district"]
    seen = _as_given(parts).with_row_index("row")
    seen = seen.join(labels, on=levels, how="left", nulls_equal=True, maintain_order="left")
    nothing = pl.all_horizontal(pl.col(f"_{name}").is_null() for name in LEVELS)
    return seen.select(
        "row", *LEVELS, *_OURS, state=pl.when(nothing).then(pl.lit(ROOT, dtype=pl.Int32)).otherwise("state")
    )


def _walked(unsure: pl.DataFrame, notes: tuple[str, ...] | None = None) -> pl.DataFrame:
    """Walk the levels written one after the other: `row`, `_province` ... `_town`, `state`, and what was met.

    A walk is understood when it used all words but a town, or a district (a zone no table knows): these stay.
    """
    city, zone, last = (_place(pl.col(name)) for name in LEVELS[1:])
    province = province_full(_place(pl.col("province")))
    given = unsure.select(
        "row",
        state=pl.lit(ROOT, dtype=pl.Int32),
        town=pl.lit(None, dtype=pl.String),
        rest=pl.concat_str(province, city, zone, last, separator=" ", ignore_nulls=True),
    )
    ended, path = walk(given, notes=notes)
    given_too = unsure.select(zone=zone, last=last)
    named = (
        ended.hstack(names_of(ended))
        .hstack(given_too)
        .join(met(path), on="row", how="left", maintain_order="left")
    )
    whole_city = pl.col("city").is_in(WHOLE_CITIES)
    left, zone, last = pl.col("rest"), pl.col("zone"), pl.col("last")
    both = pl.concat_str(zone, last, separator=" ", ignore_nulls=True)
    to_zone = (left == both) & pl.col("city").is_not_null() & pl.col("district").is_null()
    as_district = (to_zone & ~whole_city).fill_null(False)
    as_town = ((left == last) | (to_zone & whole_city & last.is_null())).fill_null(False)
    understood = ((left == "") | as_district | as_town) & (pl.col("state") != ROOT)
    return named.select(
        *("row", "state", "rest", "met"),
        written=pl.col("written") | pl.when(as_district).then(WRITTEN["district"]).otherwise(0).cast(pl.Int8),
        understood=understood,
        _province="province",
        _province_code="province_code",
        _city="city",
        _district=pl.when(as_district).then(zone).otherwise("district"),
        _town=pl.when(as_district).then(last).when(as_town).then(left).otherwise("town"),
    )


def _merged(known: pl.DataFrame, walked: pl.DataFrame) -> pl.DataFrame:
    """Put what a walk understood in the place of what the rules of writing gave."""
    better = walked.filter("understood").select(
        "row", *(pl.col(n).alias(f"w{n}") for n in [*_OURS, "state"]), found=True
    )
    both = known.join(better, on="row", how="left", maintain_order="left")
    found = pl.col("found").fill_null(False)
    return both.select(
        "row",
        *LEVELS,
        *(pl.when(found).then(f"w{name}").otherwise(name).alias(name) for name in [*_OURS, "state"]),
    )


def _place(name: pl.Expr) -> pl.Expr:
    clean = name.str.strip_chars(BLANKS)
    return pl.when((clean != "") & ~clean.is_in(PSEUDO_LEVELS)).then(clean)


def _as_given(parts: pl.DataFrame) -> pl.DataFrame:
    """Give the levels by the rules of writing alone, as `_province` ... `_town`: right for regions no table knows."""
    full, city, district = pl.col("_province"), pl.col("_city"), pl.col("_district")
    seen = parts.with_columns(
        _province=province_full(blank_to_null(pl.col("province"))),
        _city=_place(pl.col("city")),
        _district=_place(pl.col("district")),
        _town=blank_to_null(pl.col("town")),
    ).with_columns(
        own=full.is_in(MUNICIPALITIES).fill_null(False),
        _city=pl.when(city.is_in([c[:-1] for c in UNDIVIDED_CITIES])).then(city + "市").otherwise(city),
    )
    # "北京 朝阳区 ...": the district stands in the city's place, and what follows is the town
    slipped = pl.col("own") & city.is_not_null() & (province_full(city) != full)
    seen = seen.with_columns(
        _district=pl.when(slipped).then(city).otherwise(district),
        _town=pl.when(slipped).then(pl.coalesce("_town", "_district")).otherwise("_town"),
    ).with_columns(
        direct=(district.is_in(DIRECT_UNITS) & (city.is_null() | (city == district))).fill_null(False)
    )
    seen = seen.with_columns(
        _city=pl.when("own").then(full).when("direct").then(district).otherwise(city),
        _district=pl.when(~pl.col("direct")).then(district),
    )
    whole = city.is_in(WHOLE_CITIES).fill_null(False)
    below = pl.when(district != city).then(district)
    return seen.with_columns(
        _province_code=province_code(full),
        _town=pl.when(whole).then(pl.coalesce("_town", below)).otherwise("_town"),
        _district=pl.when(~whole).then(district),
    )


def blank_to_null(text: pl.Expr) -> pl.Expr:
    """Give a text without blanks around it; null when nothing is left."""
    clean = text.str.strip_chars(BLANKS)
    return pl.when(clean != "").then(clean)
