"""The tariffs as frames to join with: whom each is for, where its zones lie, what they cost, and its terms on a day.

Amounts are whole numbers of 1/10000 of the currency, percentages of 1/10000 of a percent, weights of grams.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

import polars as pl

from orderctl.model.money import exponent_of
from orderctl.stages.conditions.facts import Moment
from orderctl.stages.freight.places import peak_entries, remote_entries, with_fees, with_zone, zone_entries
from orderctl.stages.rules.sections.tariffs import Peak, Remote, Tariff, Zone

MONEY = 10_000  # amounts are counted in 1/10000 of the currency
PERCENT = 1_000_000  # percentages are counted in 1/10000 of a percent
_NAMES = pl.Schema(
    {"tariff": pl.Int32(), "id": pl.String(), "courier": pl.String(), "service": pl.String(), "warehouse": pl.String()}
)  # fmt: skip


def scaled(amount: Decimal | None, scale: int = MONEY) -> int | None:
    """Give a decimal as a whole number of 1/`scale`; the sections allow no more decimals than that holds."""
    return None if amount is None else int(amount * scale)


def _grams(weight: Decimal | None) -> int | None:
    return scaled(weight, 1000)


def collected_on(tariff: Tariff, moment: Moment) -> date | None:
    """Give the day on which the courier is to collect what is routed at `moment`; None when that is not known."""
    if moment.local is None:
        return None
    late = tariff.collected_until is not None and f"{moment.local:%H:%M}" >= tariff.collected_until
    return moment.local.date() + timedelta(days=int(late))


def in_force(tariff: Tariff, moment: Moment) -> bool:
    """Say whether a tariff is for what is collected after `moment`; every one is while no time is known."""
    day = collected_on(tariff, moment)
    return day is None or (tariff.valid_from or "") <= day.isoformat() <= (tariff.valid_to or "9999-12-31")


@dataclass(frozen=True)
class PriceBook:
    """The tariffs of the rules, numbered in their order."""

    tariffs: Sequence[Tariff]

    @cached_property
    def rungs(self) -> int:
        """Give the number of rungs of the longest ladder."""
        return max((len(z.ladder()) for t in self.tariffs for z in t.zones), default=1)

    @cached_property
    def bands(self) -> int:
        """Give the largest number of steps for heavier parcels of a tariff."""
        return max((len(t.round_above) for t in self.tariffs), default=0)

    @cached_property
    def _zone_entries(self) -> pl.DataFrame:
        return zone_entries(self.tariffs)

    @cached_property
    def _remote_entries(self) -> pl.DataFrame:
        return remote_entries(self.tariffs)

    @cached_property
    def _remote_prices(self) -> pl.DataFrame:
        return _fees(
            (number, entry, remote)
            for number, t in enumerate(self.tariffs)
            for entry, remote in enumerate(t.surcharges.remote)
        )

    @cached_property
    def _peak_entries(self) -> pl.DataFrame:
        return peak_entries(self.tariffs)

    def _peak_prices(self, moment: Moment) -> pl.DataFrame:
        return _fees(
            (number, entry, peak)
            for number, t in enumerate(self.tariffs)
            for entry, peak in enumerate(t.surcharges.peak)
            if _is_season(peak, collected_on(t, moment))
        )

    @cached_property
    def oversize(self) -> pl.DataFrame:
        """Give the surcharges for long and heavy parcels, one row each."""
        rows = [
            (number, _mm(o.over_cm), _mm(o.upto_cm), _grams(o.over_kg), _grams(o.upto_kg), scaled(o.fixed), scaled(o.per_kg))
            for number, t in enumerate(self.tariffs)
            for o in t.surcharges.oversize
        ]  # fmt: skip
        names = ("over_mm", "upto_mm", "over_g", "upto_g", "fixed", "per_kg")
        return pl.DataFrame(rows, schema={"tariff": pl.Int32, **dict.fromkeys(names, pl.Int64)}, orient="row")

    @cached_property
    def zones(self) -> pl.DataFrame:
        """Give the prices of every zone over all tariffs, one row each, numbered by `zone`."""
        rows = [self._zone_row(z) for t in self.tariffs for z in t.zones]
        return pl.DataFrame(rows, infer_schema_length=None).with_row_index("zone").cast({"zone": pl.Int32})

    def _zone_row(self, zone: Zone) -> dict[str, Any]:
        ladder, over = zone.ladder(), zone.beyond()
        rungs = [*ladder, *[None] * (self.rungs - len(ladder))]
        from_kg, from_price = ladder[-1].upto_kg, ladder[-1].price
        if over and over.first_weight_kg is not None and over.first_price is not None:
            from_kg, from_price = over.first_weight_kg, over.first_price
        return {
            "zone_id": zone.id,
            **{f"upto_{k}": _grams(b.upto_kg) if b else None for k, b in enumerate(rungs)},
            **{f"price_{k}": scaled(b.price) if b else None for k, b in enumerate(rungs)},
            "last_g": _grams(from_kg),
            "last_price": scaled(from_price),
            "step_g": _grams(over.step_kg) if over else None,
            "step_price": scaled(over.step_price) if over else None,
            "linear": over is not None and over.step_mode == "linear",
        }

    def terms(self, moment: Moment) -> pl.DataFrame:
        """Give the terms of every tariff for what is routed at `moment`, one row each."""
        rows = [
            {"tariff": n, **_weighing(t, self.bands), **_adding(t, collected_on(t, moment))}
            for n, t in enumerate(self.tariffs)
        ]
        return pl.DataFrame(rows, infer_schema_length=None).cast({"tariff": pl.Int32})

    def placed(self, rows: pl.DataFrame, moment: Moment, named: str = "tariff_id") -> pl.DataFrame:
        """Add `tariff` and `zone` (numbers, null when there is none), and what is added for the place.

        The latter are `remote_fixed`, `remote_per_kg`, `peak_there_fixed` and `peak_there_per_kg`.

        The tariff is the one named, else the first that fits courier, service and warehouse; of both only what is
        in force.

        Args:
            rows: row, courier, service, warehouse, `named` (text or null), district, city, province, country.
        """
        found = self._with_tariff(rows, moment, named)
        found = with_zone(found, self._zone_entries)
        found = with_fees(found, "remote", self._remote_entries, self._remote_prices)
        return with_fees(found, "peak_there", self._peak_entries, self._peak_prices(moment))

    def _with_tariff(self, rows: pl.DataFrame, moment: Moment, named: str) -> pl.DataFrame:
        offered = [
            (n, t.id, t.courier, t.service, t.warehouse)
            for n, t in enumerate(self.tariffs)
            if in_force(t, moment)
        ]
        on = ["courier", "service", "warehouse", named]
        pairs = (
            rows.select(on)
            .unique()
            .join(pl.DataFrame(offered, schema=_NAMES, orient="row"), how="cross", suffix="_of")
        )
        is_named = pl.col(named) == pl.col("id")
        fits = pl.all_horizontal(
            pl.col("courier") == pl.col("courier_of"),
            *(
                pl.col(f"{c}_of").is_null() | (pl.col(c) == pl.col(f"{c}_of")).fill_null(False)
                for c in ("service", "warehouse")
            ),
        )
        chosen = (
            pairs.filter(pl.when(pl.col(named).is_null()).then(fits).otherwise(is_named))
            .group_by(on)
            .agg(pl.col("tariff").min())
        )
        return rows.join(chosen, on=on, how="left", nulls_equal=True, maintain_order="left")


def _mm(side: Decimal | None) -> int | None:
    return scaled(side, 10)


def _weighing(t: Tariff, bands: int) -> dict[str, Any]:
    """Give what turns weights and sizes into the billed weight."""
    above = [*t.round_above, *[None] * (bands - len(t.round_above))]
    return {
        "whole": t.price_per == "shipment",
        "divisor": t.volumetric_divisor or 1,
        "no_volume": t.volumetric_divisor is None,
        "volume_step_g": _grams(t.volumetric_round_to_kg),
        "ratio": scaled(t.bubble_ratio),
        "side_mm": _mm(t.bubble_min_side_cm),
        "min_g": _grams(t.min_weight_kg),
        "tolerance_g": _grams(t.tolerance_kg),
        "round_g": _grams(t.round_to_kg),
        **{f"band_{k}": _grams(b.over_kg) if b else None for k, b in enumerate(above)},
        **{f"band_round_{k}": _grams(b.round_to_kg) if b else None for k, b in enumerate(above)},
        "rounding": t.rounding,
    }


def _adding(t: Tariff, day: date | None) -> dict[str, Any]:
    """Give what is added to the price of a zone, and how the total is rounded."""
    s = t.surcharges
    peaks = [p for p in s.peak if p.everywhere and _is_season(p, day)]
    exponent = exponent_of(t.currency)
    return {
        "currency": t.currency,
        "label_fee": scaled(s.label_fee),
        "peak_fixed": _sum_of(peaks, "fixed"),
        "peak_per_kg": _sum_of(peaks, "per_kg"),
        "insurance_rate": scaled(s.insurance.rate_percent) if s.insurance else None,
        "insurance_min": scaled(s.insurance.min_fee) if s.insurance else 0,
        "insurance_unit": scaled(s.insurance.unit) if s.insurance and s.insurance.unit else 1,
        "cod_rate": scaled(s.cod.rate_percent) if s.cod else None,
        "cod_min": scaled(s.cod.min_fee) if s.cod else 0,
        "cod_max": scaled(s.cod.max_fee) if s.cod else None,
        "fuel": scaled(s.fuel_on(None if day is None else day.isoformat())),
        "discount": scaled(t.discount_percent),
        "on_total": t.discount_on == "total",
        "min_charge": scaled(t.min_charge),
        "coin": scaled(t.money_round_to or Decimal(1).scaleb(-exponent)),
        "minor": MONEY // 10**exponent,
    }


def _is_season(peak: Peak, day: date | None) -> bool:
    return day is not None and peak.from_ <= day.isoformat() <= peak.to


def _fees(rows: Iterable[tuple[int, int, Remote | Peak]]) -> pl.DataFrame:
    """Give [tariff, entry, fixed, per_kg] for (tariff, number of the surcharge, surcharge)."""
    found = [(tariff, entry, scaled(fee.fixed), scaled(fee.per_kg)) for tariff, entry, fee in rows]
    schema = {"tariff": pl.Int32, "entry": pl.Int32, "fixed": pl.Int64, "per_kg": pl.Int64}
    return pl.DataFrame(found, schema=schema, orient="row")


def _sum_of(peaks: Iterable[Peak], name: str) -> int:
    return sum(int(getattr(p, name) * MONEY) for p in peaks)
