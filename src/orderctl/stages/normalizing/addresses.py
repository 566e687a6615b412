"""Addresses in one form: regions by the table, what was pasted into the street taken out, and what was done told.

One invariant: what cannot be proved from the address itself is not changed. A second pass finds nothing to do, and
says again only what is still doubtful.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from orderctl.model.problem import KINDS, problem
from orderctl.model.regions.divisions import ROOT
from orderctl.model.regions.placing import PLACES, WHOLE_CITIES, located
from orderctl.model.regions.provinces import PROVINCES
from orderctl.model.regions.splitting import joined, take_town
from orderctl.model.regions.walk import conflicts, met, names, names_of, walk
from orderctl.stages.normalizing.addresses_pasted import without_pasted

STAGE = "normalize"
LEVELS = ("province", "city", "district")
DOUBTS = ("address_conflict", "address_elsewhere", "address_divided", "address_ambiguous", "phone_in_address")
"""Findings that hold as long as the address is as it is; the others tell what was done once, and stay."""
_PARAMS = {
    "address_read": ("region",),
    "address_completed": ("region",),
    "address_repeated": ("region",),
    "address_renamed": ("old", "new"),
    "address_divided": ("old", "new"),
    "address_ambiguous": ("name",),
    "address_conflict": ("city", "province"),
    "address_elsewhere": ("district", "city"),
    "contact_in_address": ("what",),
    "phone_in_address": (),
}
_BY_NOTE = {
    "former": "address_renamed",
    "divided": "address_divided",
    "ambiguous": "address_ambiguous",
    "conflict": "address_conflict",
    "elsewhere": "address_elsewhere",
}
_PROVINCES = "|".join(p.full for p in PROVINCES)
_LATE_PROVINCE = rf"^([^\d]{{1,14}}?)(?:{_PROVINCES})"
FINDINGS = {"row": pl.UInt32, "code": pl.String, "one": pl.String, "two": pl.String}
"""A finding: the number of the row, its code, and the values of its (at most two) parameters."""
NOTHING = pl.DataFrame(schema=FINDINGS)


def addressed(found: pl.DataFrame, given: pl.Series) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give recipients with their regions settled and their streets cleared, and the FINDINGS about them.

    `found` has the columns of a recipient, already cleaned, and `row`; `given` is the address as its source wrote it,
    kept as `original` where its words change. Other countries' rows come back as they were.
    """
    chinese = pl.col("country").fill_null("CN") == "CN"
    plain = (chinese & (pl.col("privacy") == "plain") & pl.col("street").is_not_null()).fill_null(False)
    readable = found.select(plain).to_series().any()  # most batches of the large platforms are sealed
    cleared, pasted = without_pasted(found, plain) if readable else (found, NOTHING)
    places = located(cleared)
    settled = _settled(cleared, places, chinese)
    notes = places.select("met").with_columns(cleared.select("row", chinese=chinese))
    notes = notes.filter("chinese", pl.col("met").list.len() > 0)
    findings = [pasted, _told(notes.select("row", "met").explode("met")), _filled(cleared, settled)]
    if readable:
        walking = settled.hstack(places.select("state")).filter(plain & _may_walk())
        walked, told = _walked(walking)
        findings += told
        settled = _towns(settled.update(walked, on="row", include_nulls=True), plain)
        settled = _with_original(found, settled, plain, given)
    return settled, pl.concat(findings)


def _settled(found: pl.DataFrame, places: pl.DataFrame, chinese: pl.Expr) -> pl.DataFrame:
    """Put the levels of `places` into Chinese rows."""
    at_home = places.select(pl.col(name).alias(f"placed_{name}") for name in PLACES)
    ours = {name: pl.col(f"placed_{name}") for name in PLACES}
    ours["province_code"] = pl.coalesce("placed_province_code", "province_code")
    both = found.hstack(at_home)
    return both.with_columns(
        pl.when(chinese).then(new).otherwise(name).alias(name) for name, new in ours.items()
    ).select(found.columns)


def _may_walk() -> pl.Expr:
    """True where what is given is understood down to its last level, so that the street may go on from there."""
    to_county = pl.col("district").is_null() | (pl.col("state") % 100 != 0)
    return pl.col("state").is_not_null() & to_county


def _walked(walking: pl.DataFrame) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Read the regions at the head of the streets: the rows that changed (`row`, PLACES, `street`), and findings."""
    ended, path = _read(walking.select("row", "state", "town", rest=joined(pl.col("street"))))
    seen = met(path)
    doubts = pl.concat(
        [
            seen.select("row", "met").explode("met").drop_nulls("met"),
            conflicts(ended.join(seen, on="row", how="left", maintain_order="left")),
        ]
    )
    twice = path.filter(
        (pl.col("next") == pl.col("state")) & (pl.col("note") == "") & pl.col("town").is_null()
    )
    repeated = twice.group_by("row", maintain_order=True).agg(one=pl.col("word").str.join(""))
    named = ended.hstack(names_of(ended)).join(
        seen.select("row", "written"), on="row", how="inner", maintain_order="left"
    )
    before = walking.select("row", begun="state", **{f"was_{name}": name for name in (*PLACES, "street")})
    both = named.join(before, on="row", maintain_order="left")
    moved = pl.col("state") != pl.col("begun")
    changed = both.filter(moved | (pl.col("rest") != pl.col("was_street")))
    walked = changed.select(
        "row",
        *(pl.when(moved).then(name).otherwise(f"was_{name}").alias(name) for name in PLACES[:-1]),
        town="town",
        street=pl.when(pl.col("rest").str.strip_chars() != "").then("rest"),
    )
    fresh = {n: moved & pl.col(n).is_not_null() & pl.col(f"was_{n}").is_null() for n in LEVELS}
    written = {level: names(level) for level in LEVELS}
    read = _named(both, {n: fresh[n] & written[n] for n in LEVELS})
    filled = _named(both, {n: fresh[n] & ~written[n] for n in LEVELS})
    return walked, [
        _told(doubts),
        _findings(repeated, "address_repeated"),
        _findings(read, "address_read"),
        _findings(filled, "address_completed"),
    ]


def _read(texts: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Walk the texts; one that begins with something else (a name, a firm) from the first province in it.

    What stood before the province stands before the street then.
    """
    ended, path = walk(texts)
    lost = ended.filter((pl.col("state") == ROOT) & pl.col("rest").str.contains(_LATE_PROVINCE))
    if lost.is_empty():
        return ended, path
    before = pl.col("rest").str.extract(_LATE_PROVINCE, 1)
    parted = lost.select(
        "row", "state", "town", before=before, rest=pl.col("rest").str.slice(before.str.len_chars())
    )
    again, more = walk(parted.drop("before"))
    found = again.hstack(parted.select("before")).filter(pl.col("state") != ROOT)
    found = found.select("row", "state", "town", rest=pl.col("before").str.strip_chars() + pl.col("rest"))
    return ended.update(found, on="row", include_nulls=True), pl.concat([path, more])


def _named(rows: pl.DataFrame, where: dict[str, pl.Expr]) -> pl.DataFrame:
    """Give `row one`: the names of the levels for which it is true, joined; rows without any are left out."""
    named = [pl.when(true.fill_null(False)).then(name) for name, true in where.items()]
    seen = rows.select("row", one=pl.concat_str(named, ignore_nulls=True))
    return seen.filter(pl.col("one") != "")


def _filled(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Tell which levels are there now and were not before; a municipality's own city is no finding."""
    was = before.select("row", *(pl.col(name).alias(f"was_{name}") for name in LEVELS))
    both = after.hstack(was.drop("row"))
    gone = pl.any_horizontal(
        pl.col(f"was_{n}").is_not_null() & (pl.col(f"was_{n}") == pl.col("city")) for n in LEVELS
    )
    own = (pl.col("city") == pl.col("province")) | gone
    fresh = {n: pl.col(n).is_not_null() & pl.col(f"was_{n}").is_null() for n in LEVELS}
    fresh["city"] = fresh["city"] & ~own.fill_null(False)
    return _findings(_named(both, fresh), "address_completed")


def _told(doubts: pl.DataFrame) -> pl.DataFrame:
    """Give what was met on the way as FINDINGS."""
    about = pl.col("met").struct
    return doubts.select(
        pl.col("row").cast(pl.UInt32),
        code=about.field("note").replace_strict(_BY_NOTE, default=None, return_dtype=pl.String),
        one=about.field("word"),
        two=about.field("other"),
    )


def _findings(rows: pl.DataFrame, code: str) -> pl.DataFrame:
    return rows.select(
        pl.col("row").cast(pl.UInt32), code=pl.lit(code), one="one", two=pl.lit(None, dtype=pl.String)
    )


def _towns(settled: pl.DataFrame, plain: pl.Expr) -> pl.DataFrame:
    """Part a sub-district from the street by its ending where no table knows it."""
    town, rest = take_town(pl.col("street"))
    below = pl.col("district").is_not_null() | pl.col("city").is_in(WHOLE_CITIES)
    left = pl.when(rest != "").then(rest)
    found = (plain & below & pl.col("town").is_null() & town.is_not_null() & left.is_not_null()).fill_null(
        False
    )
    return settled.with_columns(
        town=pl.when(found).then(town).otherwise("town"), street=pl.when(found).then(left).otherwise("street")
    )


def _with_original(
    before: pl.DataFrame, settled: pl.DataFrame, plain: pl.Expr, given: pl.Series
) -> pl.DataFrame:
    """Keep the address as it was given wherever its words (not only their form or place) changed."""
    words = pl.concat_str(*LEVELS, "town", "street", ignore_nulls=True).str.replace_all(" ", "", literal=True)
    changed = plain & (words != before.select(words).to_series())
    return settled.with_columns(
        original=pl.coalesce("original", pl.when(changed.fill_null(False)).then(given))
    )


def address_problems(
    orders: pl.DataFrame, findings: pl.DataFrame, severities: Mapping[str, str]
) -> pl.Series:
    """Give the column `problems` of `orders` with those of addresses: doubts anew, what was done added once.

    `orders` has `row`, `problems`, `live` and `forced` (codes that people let pass) besides. Of an order of which
    nothing is left to ship only what was done is told.
    """
    about = pl.col("problem").struct
    old = (
        orders.filter(pl.col("problems").list.len() > 0).select("row", problem="problems").explode("problem")
    )
    kept = old.filter((about.field("stage") != STAGE) | ~about.field("code").is_in(DOUBTS))
    state = orders.select("row", "live", "forced")
    known = findings.unique(maintain_order=True).join(state, on="row", how="inner", maintain_order="left")
    known = known.filter(pl.col("live") | ~pl.col("code").is_in(DOUBTS))
    found = set(known["code"])
    fresh = {code: _built(known, code, severities.get(code)) for code in _PARAMS if code in found}
    done = about.field("code").is_in([code for code in _PARAMS if code not in DOUBTS])
    # always in one order, whatever was there before: what was done, what others found, what is doubtful
    every = pl.concat(
        [
            kept.filter(done),
            *(rows for code, rows in fresh.items() if code not in DOUBTS),
            kept.filter(~done),
            *(rows for code, rows in fresh.items() if code in DOUBTS),
        ]
    ).unique(maintain_order=True)
    per_row = every.group_by("row", maintain_order=True).agg(problems="problem")
    judged = orders.select("row").join(per_row, on="row", how="left", maintain_order="left")
    return judged.select(pl.col("problems").fill_null([]))["problems"]


def _built(known: pl.DataFrame, code: str, severity: str | None) -> pl.DataFrame:
    params = dict(zip(_PARAMS[code], (pl.col("one"), pl.col("two")), strict=False))
    found = known.filter(pl.col("code") == code).select(
        "row", "forced", problem=problem(code, stage=STAGE, field="recipient", **params)
    )
    kind = KINDS[code]
    passed = pl.lit(kind.forceable) & pl.col("forced").list.contains(code).fill_null(False)
    shown = pl.when(passed).then(pl.lit("info")).otherwise(pl.lit(severity or kind.severity))
    return found.select("row", pl.col("problem").struct.with_fields(shown.alias("severity")))
