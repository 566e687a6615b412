"""Places in tariffs, and in which zone of which tariff a shipment lies.

A place is named at one of five levels, and the most specific one wins: a district of a city (`杭州/淳安县`), a
district of any city, a city, a province, a country. Names are compared in one form, short and full alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import polars as pl

from orderctl.stages.conditions.facts import comparable
from orderctl.stages.rules.sections.tariffs import Peak, Remote, Tariff, Zone

LEVELS = ("part", "district", "city", "province", "country")  # the more specific first
ZONE = "zone"  # a level of surcharges alone: the number of a zone, as text
ANYWHERE = "*"

_ENTRY = pl.Schema({"tariff": pl.Int32(), "level": pl.String(), "place": pl.String(), "entry": pl.Int32()})


def names_of(places: Zone | Remote | Peak) -> Iterator[tuple[str, str]]:
    """Give (level, name) of every place that a zone or a surcharge names."""
    yield from (("part" if "/" in name else "district", name) for name in places.districts)
    yield from (("city", name) for name in places.cities)
    yield from (("province", name) for name in places.provinces)
    if isinstance(places, Zone):
        yield from (("country", name) for name in places.countries)


def entries(rows: Iterable[tuple[int, Zone | Remote | Peak, int]]) -> pl.DataFrame:
    """Give [tariff, level, place, entry] for (tariff, what names places, its number), places in comparable form."""
    found = [(tariff, *named, number) for tariff, places, number in rows for named in names_of(places)]
    frame = pl.DataFrame(found, schema=_ENTRY, orient="row")
    city, _, district = (pl.col("place").str.splitn("/", 2).struct.field(f"field_{n}") for n in (0, 0, 1))
    form = pl.coalesce(
        pl.when(level="part").then(_part(city, district)),
        *(pl.when(level=level).then(_form(pl.col("place"), level)) for level in LEVELS[1:]),
    )
    return frame.with_columns(place=form)


def _part(city: pl.Expr, district: pl.Expr) -> pl.Expr:
    return pl.concat_str([_form(city, "city"), _form(district, "district")], separator="/")


def _form(name: pl.Expr, level: str) -> pl.Expr:
    if level == "country":
        return name.str.to_uppercase()
    if level == "district":
        return name.str.strip_chars()
    return comparable(name, "city" if level == "city" else "province")


def place_of(level: str) -> pl.Expr:
    """Give the place of a row (city, district, province, country, zone) at `level`, in comparable form."""
    if level == ZONE:
        return pl.col("zone").cast(pl.String)
    if level == "part":
        return _part(pl.col("city"), pl.col("district"))
    return _form(pl.col(level), level)


def zone_entries(tariffs: Iterable[Tariff]) -> pl.DataFrame:
    """Give [tariff, level, place, entry]: for each place the first zone that names it, zones counted over all tariffs."""
    zones = [(number, zone) for number, tariff in enumerate(tariffs) for zone in tariff.zones]
    found = entries((tariff, zone, at) for at, (tariff, zone) in enumerate(zones))
    return found.unique(["tariff", "level", "place"], keep="first", maintain_order=True)


def remote_entries(tariffs: Iterable[Tariff]) -> pl.DataFrame:
    """Give [tariff, level, place, entry]: the surcharges for far places, counted within their tariff."""
    return entries(
        (number, remote, at)
        for number, tariff in enumerate(tariffs)
        for at, remote in enumerate(tariff.surcharges.remote)
    ).unique()


def peak_entries(tariffs: Iterable[Tariff]) -> pl.DataFrame:
    """Give [tariff, level, place, entry]: the seasons that name places or zones, counted within their tariff."""
    zones: list[tuple[int, str]] = []
    peaks: list[tuple[int, Peak, int]] = []
    for number, tariff in enumerate(tariffs):
        zones += [(number, zone.id) for zone in tariff.zones]
        peaks += [(number, peak, at) for at, peak in enumerate(tariff.surcharges.peak)]
    in_zones = [
        (number, ZONE, str(zone), at)
        for number, peak, at in peaks
        for zone, (tariff_of, name) in enumerate(zones)
        if tariff_of == number and name in peak.zones
    ]
    return pl.concat([entries(peaks), pl.DataFrame(in_zones, schema=_ENTRY, orient="row")]).unique()


def with_zone(rows: pl.DataFrame, zones: pl.DataFrame) -> pl.DataFrame:
    """Add `zone`: where the row's `tariff` puts its place by `zone_entries`; null when nowhere."""
    found = rows
    for level in LEVELS:
        at_level = zones.filter(level=level).select("tariff", "place", pl.col("entry").alias(f"zone_{level}"))
        found = found.with_columns(place=place_of(level)).join(
            at_level, on=["tariff", "place"], how="left", maintain_order="left"
        )
    anywhere = zones.filter(level="country", place=ANYWHERE)
    found = found.join(
        anywhere.select("tariff", zone_anywhere="entry"), on="tariff", how="left", maintain_order="left"
    )
    zone = pl.coalesce(*(f"zone_{level}" for level in LEVELS), "zone_anywhere")
    return found.with_columns(zone=zone).select(*rows.columns, "zone")


def with_fees(rows: pl.DataFrame, name: str, places: pl.DataFrame, prices: pl.DataFrame) -> pl.DataFrame:
    """Add `{name}_fixed` and `{name}_per_kg`: the sum of the surcharges that fit the place, each counted once.

    Args:
        rows: with `tariff` and `zone`.
        places: `remote_entries` or `peak_entries`.
        prices: [tariff, entry, fixed, per_kg]; an entry without a price adds nothing.
    """
    fixed, per_kg = f"{name}_fixed", f"{name}_per_kg"
    priced = places.join(prices, on=["tariff", "entry"], how="inner")
    if not priced.height:
        return rows.with_columns(pl.lit(0, dtype=pl.Int64).alias(n) for n in (fixed, per_kg))
    hits = [
        rows.select("row", "tariff", place=place_of(level))
        .join(priced.filter(level=level), on=["tariff", "place"], how="inner")
        .select("row", "tariff", "entry", "fixed", "per_kg")
        for level in (*LEVELS, ZONE)
    ]
    sums = (
        pl.concat(hits)
        .unique(["row", "tariff", "entry"])
        .group_by("row")
        .agg(pl.col("fixed").sum().alias(fixed), pl.col("per_kg").sum().alias(per_kg))
    )
    filled = pl.col(fixed, per_kg).fill_null(0)
    return rows.join(sums, on="row", how="left", maintain_order="left").with_columns(filled)
