"""Addresses written as one text, taken apart at the head by the division table.

One invariant: nothing typed is lost. An address that begins with no region comes out whole as `street`, and whoever
splits an address keeps the original beside the parts.
"""

from __future__ import annotations

import polars as pl

from orderctl.model.regions.divisions import ROOT
from orderctl.model.regions.placing import WHOLE_CITIES, blank_to_null
from orderctl.model.regions.provinces import BLANKS
from orderctl.model.regions.walk import met, names, names_of, walk

_TOWN_ENDING = "街道|镇|乡|苏木|农场|林场|团场"
_SPACED_OUT = r"^((?:\p{Han} ){3,})"
_LABEL = r"^[\s,，;；:：]*(?:(?:收货|收件|详细|寄送|送货|所在|家庭|邮寄)?(?:地址|地区)[:：]\s*)+"


def split_addresses(addresses: pl.Series) -> pl.DataFrame:
    """Split Chinese addresses written as one text: `省 市 区 街道+详细(邮编)`, with or without the blanks.

    Gives `province province_code city district town street postcode`, each null where the text does not show it;
    former names stay in the text, as does a level that contradicts the ones before it.
    """
    text = (
        addresses.to_frame("text")
        .select(
            zipped=pl.col("text").str.strip_chars(BLANKS).str.extract(r"[(（](\d{6})[)）]$", 1),
            body=pl.col("text")
            .str.strip_chars(BLANKS)
            .str.replace(r"\s*[(（](?:\d{6})?[)）]$", "")
            .str.replace_all(r"[ \t\u{3000}\u{a0}]+", " ")
            .str.replace(_LABEL, ""),
        )
        .with_columns(body=joined(pl.col("body")))
    )
    given = text.with_row_index("row").with_columns(
        state=pl.lit(ROOT, dtype=pl.Int32), town=pl.lit(None, dtype=pl.String), rest="body"
    )
    ended, path = walk(given.drop_nulls("rest"), notes=())
    written = met(path).select("row", "written")
    ended = ended.hstack(names_of(ended)).join(written, on="row", how="left", maintain_order="left")
    ended = ended.select(
        "row",
        *("state", "town", "rest"),
        province=pl.when(names("province")).then("province"),
        province_code=pl.when(names("province")).then("province_code"),
        city=pl.when(names("city")).then("city"),
        district=pl.when(names("district")).then("district"),
        known=pl.col("state") != ROOT,
    )
    found = given.select("row", "body", "zipped").join(ended, on="row", how="left", maintain_order="left")
    found = _shaped(found)
    return found.select(
        *("province", "province_code", "city", "district", "town"),
        street=blank_to_null(pl.when("known").then("rest").otherwise("body")),
        postcode=pl.when(pl.col("zipped") != "000000").then("zipped"),
    )


def joined(text: pl.Expr) -> pl.Expr:
    """Give a text without the blanks between single characters at its head: 广 东 省 深 圳 市."""
    head = text.str.extract(_SPACED_OUT, 1)
    rest = text.str.slice(head.str.len_chars().fill_null(0))
    return pl.concat_str(head.str.replace_all(" ", "", literal=True).fill_null(""), rest)


def _shaped(found: pl.DataFrame) -> pl.DataFrame:
    """Take levels that no table knows off the head where blanks part them, and sub-districts by their ending."""
    whole_city = pl.col("city").is_in(WHOLE_CITIES).fill_null(False)
    above = pl.col("known") & pl.col("district").is_null()
    city, after_city = _take(pl.col("rest"), r"^(\p{Han}{1,9}(?:市|自治州|地区|盟)) ")
    no_city = above & pl.col("city").is_null() & pl.col("province").is_not_null() & city.is_not_null()
    found = found.with_columns(
        city=pl.when(no_city).then(city).otherwise("city"),
        rest=pl.when(no_city).then(after_city).otherwise("rest"),
    )
    district, after_district = _take(pl.col("rest"), r"^(\p{Han}{1,11}(?:区|县|市|旗)) ")
    no_district = (
        above & pl.col("city").is_not_null() & ~whole_city & pl.col("town").is_null() & district.is_not_null()
    )
    found = found.with_columns(
        district=pl.when(no_district).then(district).otherwise("district"),
        rest=pl.when(no_district).then(after_district).otherwise("rest"),
    )
    town, rest = take_town(pl.col("rest"))
    no_town = pl.col("known") & pl.col("town").is_null() & town.is_not_null()
    return found.with_columns(
        town=pl.when(no_town).then(town).otherwise("town"), rest=pl.when(no_town).then(rest).otherwise("rest")
    )


def _take(text: pl.Expr, pattern: str) -> tuple[pl.Expr, pl.Expr]:
    """Split off what group 1 of an anchored `pattern` matches: (match or null, the rest)."""
    found = text.str.extract(pattern, 1)
    rest = text.str.slice(found.str.len_chars().fill_null(0)).str.strip_chars_start(BLANKS + ",，")
    return found, rest


def take_town(rest: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Split off a sub-district or town by its ending: (it or null, the rest).

    Without a blank behind it only 街道 is sure (景德镇路 is a road).
    """
    spaced, after_spaced = _take(rest, rf"^(\p{{Han}}{{1,11}}(?:{_TOWN_ENDING})) ")
    joined, after_joined = _take(rest, r"^(\p{Han}{1,9}?街道)(?:[^办路]|$)")
    found = pl.coalesce(spaced, joined)
    return found, pl.when(spaced.is_not_null()).then(after_spaced).otherwise(after_joined)
