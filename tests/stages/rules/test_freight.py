from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import polars as pl
import pytest

from orderctl.stages.rules.facts_table import Moment
from orderctl.stages.rules.freight import PARCEL, price_parcels
from orderctl.stages.rules.freight_book import PriceBook
from orderctl.stages.rules.sections.tariffs import Tariff

MOMENT = Moment("2026-11-11T02:00:00Z", "Asia/Shanghai")
SHORT = {"新疆维吾尔自治区": "新疆", "浙江省": "浙江", "上海市": "上海"}


def priced(tariffs: list[Tariff], rows: list[dict[str, Any]], moment: Moment = MOMENT) -> list[int | None]:
    """Price `rows` by the columns under test, each by its courier's first tariff; None where there is no price."""
    table = pl.DataFrame(
        [{k: v for k, v in row.items() if k != "parcels"} for row in rows],
        schema={
            **dict.fromkeys(["courier", "service", "warehouse", "tariff_id"], pl.String()),
            **dict.fromkeys(["district", "city", "province", "country", "currency"], pl.String()),
            **dict.fromkeys(["insured_minor", "collect_minor"], pl.Int64()),
        },
    ).with_columns(row=pl.int_range(pl.len(), dtype=pl.Int64))
    parcels = pl.DataFrame(
        [{"row": n, **p} for n, row in enumerate(rows) for p in row["parcels"]], schema=PARCEL
    )
    book = PriceBook(tariffs)
    found = price_parcels(book.placed(table, moment), parcels, book, moment)
    total = pl.when(pl.col("freight_minor").is_not_null().all()).then(pl.col("freight_minor").sum())
    sums = dict(found.group_by("row").agg(total).iter_rows())
    return [sums.get(n) for n in range(len(rows))]


# ------------------------------------------------------------------ the reference: exact, one parcel at a time


def _steps(weight: Fraction, step: Decimal) -> int:
    return -(-weight // Fraction(step))  # type: ignore[return-value]


def billed_kg(t: Tariff, parcel: dict[str, Any]) -> Fraction:
    actual = Fraction(parcel["weight_g"] or 0, 1000)
    sides = [parcel["length_mm"], parcel["width_mm"], parcel["height_mm"]]
    vol = Fraction(0)
    if t.volumetric_divisor and None not in sides:
        cm3 = Fraction(sides[0], 10) * Fraction(sides[1], 10) * Fraction(sides[2], 10)
        vol = cm3 / t.volumetric_divisor
    if t.volumetric_round_to_kg:
        vol = _steps(vol, t.volumetric_round_to_kg) * Fraction(t.volumetric_round_to_kg)
    counts = not (t.bubble_ratio is not None and not vol > actual * Fraction(t.bubble_ratio))
    if t.bubble_min_side_cm is not None and (
        None in sides or Fraction(max(sides), 10) < Fraction(t.bubble_min_side_cm)
    ):
        counts = False
    raw = max(actual, vol) if counts else actual
    raw = max(raw, Fraction(t.min_weight_kg))
    q = Fraction(t.round_to_kg)
    k = raw // q
    if raw - k * q <= Fraction(t.tolerance_kg) and k >= 1:
        raw = k * q
    if t.rounding == "up":
        return -(-raw // q) * q
    return (raw / q + Fraction(1, 2)) // 1 * q if t.rounding == "half_up" else raw


def zone_of(t: Tariff, row: dict[str, Any]) -> Any:
    short = SHORT.get(row["province"], row["province"])
    for zone in t.zones:
        if row["city"] is not None and row["city"].removesuffix("市") in [
            c.removesuffix("市") for c in zone.cities
        ]:
            return zone
    for zone in t.zones:
        if short is not None and short in [SHORT.get(p, p) for p in zone.provinces]:
            return zone
    for zone in t.zones:
        if row["country"] is not None and row["country"] in zone.countries:
            return zone
    return next((z for z in t.zones if "*" in z.countries), None)


def zone_price(zone: Any, billed: Fraction) -> Fraction | None:
    if zone.brackets:
        for bracket in zone.brackets:
            if billed <= Fraction(bracket.upto_kg):
                return Fraction(bracket.price)
        if zone.over is None:
            return None
        first, price, over = zone.brackets[-1].upto_kg, zone.brackets[-1].price, zone.over
    else:
        first, price, over = zone.first_weight_kg, zone.first_price, zone
        if billed <= Fraction(first):
            return Fraction(price)
        if zone.step_price is None:
            return None
    more = billed - Fraction(first)
    steps = more / Fraction(over.step_kg) if over.step_mode == "linear" else _steps(more, over.step_kg)
    return Fraction(price) + steps * Fraction(over.step_price)


def reference(t: Tariff, row: dict[str, Any], day: str = "2026-11-11") -> int | None:
    zone = zone_of(t, row)
    if zone is None:
        return None
    parcels = row["parcels"]
    total_minor = 0
    for number, parcel in enumerate(parcels):
        billed = billed_kg(t, parcel)
        base = zone_price(zone, billed)
        if base is None:
            return None
        started = max(1, -(-billed // 1))
        s = t.surcharges
        extra = Fraction(s.label_fee)
        short = SHORT.get(row["province"], row["province"])
        for r in s.remote:
            if (
                short in [SHORT.get(p, p) for p in r.provinces]
                or (row["city"] or "?").removesuffix("市") in r.cities
            ):
                extra += Fraction(r.fixed) + started * Fraction(r.per_kg)
        for p in s.peak:
            if p.from_ <= day <= p.to:
                extra += Fraction(p.fixed) + started * Fraction(p.per_kg)
        if number == 0 and s.insurance and row["insured_minor"] and row["currency"] == t.currency:
            declared = Fraction(row["insured_minor"], 100)
            if s.insurance.unit:
                declared = -(-declared // Fraction(s.insurance.unit)) * Fraction(s.insurance.unit)
            extra += max(Fraction(s.insurance.min_fee), declared * Fraction(s.insurance.rate_percent) / 100)
        extra += base * Fraction(s.fuel_percent) / 100
        left = 1 - Fraction(t.discount_percent) / 100
        total = (base + extra) * left if t.discount_on == "total" else base * left + extra
        coin = Fraction(t.money_round_to or Decimal("0.01"))
        total_minor += int((total / coin + Fraction(1, 2)) // 1 * coin * 100)
    return total_minor


def random_tariff(random: Random) -> Tariff:
    def dec(*choices: str) -> Decimal:
        return Decimal(random.choice(choices))

    def price() -> dict[str, Any]:
        over = {
            "step_kg": dec("1", "0.5", "0.1", "0.333"),
            "step_price": dec("1.20", "8", "0.3333"),
            "step_mode": random.choice(["step", "linear"]),
        }
        if random.random() < 0.5:
            return {"first_weight_kg": dec("1", "0.5", "3"), "first_price": dec("3.00", "4.1234"), **over}
        rungs = random.choice([["0.5"], ["0.5", "1"], ["0.3", "1", "3"]])
        brackets = [{"upto_kg": kg, "price": dec("2.2", "2.65", "4")} for kg in rungs]
        return {"brackets": brackets, "over": over if random.random() < 0.8 else None}

    zones = [
        {"id": "city", "cities": ["杭州", "喀什市"], **price()},
        {"id": "near", "provinces": ["浙江", "上海市"], **price()},
        {"id": "far", "provinces": ["新疆"], "countries": random.choice([["CN"], ["*"]]), **price()},
    ]
    surcharges: dict[str, Any] = {"label_fee": dec("0", "0.30"), "fuel_percent": dec("0", "18.5", "0.0001")}
    if random.random() < 0.6:
        surcharges["remote"] = [
            {"provinces": ["新疆维吾尔自治区"], "fixed": dec("2", "0.5"), "per_kg": dec("0", "1.1")},
            {"cities": ["喀什"], "provinces": ["新疆"], "fixed": "1"},
        ]
    if random.random() < 0.6:
        surcharges["peak"] = [
            {
                "from": random.choice(["2026-11-01", "2026-11-12"]),
                "to": "2026-11-15",
                "fixed": "0.5",
                "per_kg": dec("0", "0.2"),
            }
        ]
    if random.random() < 0.6:
        surcharges["insurance"] = {
            "rate_percent": dec("0.5", "0.3333"),
            "min_fee": dec("0", "1"),
            "unit": random.choice([None, "100", "0.5"]),
        }
    return Tariff.model_validate(
        {
            "id": "t", "courier": "YTO", "zones": zones, "surcharges": surcharges,
            "price_per": "parcel",
            "volumetric_divisor": random.choice([None, 5000, 6000, 8000]),
            "volumetric_round_to_kg": random.choice([None, None, "0.5"]),
            "bubble_ratio": random.choice([None, None, "1.5"]),
            "bubble_min_side_cm": random.choice([None, None, "60"]),
            "min_weight_kg": dec("0", "0", "0.6"), "tolerance_kg": dec("0", "0.05", "0.1"),
            "round_to_kg": dec("1", "0.5", "0.1", "0.001"), "rounding": random.choice(["up", "half_up", "none"]),
            "discount_percent": dec("0", "10", "33.3333"), "discount_on": random.choice(["zone", "total"]),
            "money_round_to": random.choice([None, "0.1", "1", "0.05"]),
        }
    )  # fmt: skip


def random_row(random: Random) -> dict[str, Any]:
    def parcel() -> dict[str, Any]:
        sides = [random.choice([100, 200, 350, 600, random.randrange(1, 900)]) for _ in range(3)]
        sides = [None, *sides[1:]] if random.random() < 0.3 else sides
        weight = random.choice([None, 0, 1000, 1001, 500, 1500, 3000, random.randrange(1, 40_000)])
        return {"weight_g": weight, "length_mm": sides[0], "width_mm": sides[1], "height_mm": sides[2]}

    return {
        "courier": "YTO", "service": None, "warehouse": "hz", "tariff_id": None,
        "city": random.choice(["杭州市", "喀什", "宁波市", None]),
        "province": random.choice(["浙江省", "新疆", "新疆维吾尔自治区", "上海", "广东", None]),
        "country": random.choice(["CN", "US", None]), "currency": random.choice(["CNY", "USD"]),
        "insured_minor": random.choice([None, 0, 1, 99_999, 100_000, 123_450]),
        "parcels": [parcel() for _ in range(random.choice([1, 1, 1, 2]))],
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(40))
def test_columns_equal_the_exact_reference(seed: int) -> None:
    random = Random(seed)
    tariff = random_tariff(random)
    rows = [random_row(random) for _ in range(250)]
    expected = [reference(tariff, row) for row in rows]
    assert priced([tariff], rows) == expected
    assert any(e is not None for e in expected)


def _tariff(**changes: Any) -> Tariff:
    zone = {
        "id": "Z",
        "provinces": ["浙江"],
        "first_weight_kg": 1,
        "first_price": "3.00",
        "step_price": "1.00",
    }
    return Tariff.model_validate({"id": "t", "courier": "YTO", "zones": [zone], **changes})


def _row(*weights: int | None, **changes: Any) -> dict[str, Any]:
    parcels = [dict.fromkeys(["length_mm", "width_mm", "height_mm"]) | {"weight_g": w} for w in weights]
    plain = dict.fromkeys(["service", "warehouse", "tariff_id", "city", "country", "insured_minor"])
    return {**plain, "courier": "YTO", "province": "浙江省", "currency": "CNY", "parcels": parcels, **changes}


@pytest.mark.parametrize(
    ("grams", "minor"), [(0, 300), (None, 300), (1000, 300), (1001, 400), (2000, 400), (2001, 500)]
)
def test_the_limit_belongs_to_the_step_below(grams: int | None, minor: int) -> None:
    assert priced([_tariff()], [_row(grams)]) == [minor]


def test_a_place_without_zone_has_no_price() -> None:
    assert priced([_tariff()], [_row(100, province="广东"), _row(100, province=None)]) == [None, None]


def test_a_parcel_is_priced_by_itself_unless_the_tariff_prices_the_shipment() -> None:
    rows = [_row(1001, 1001)]
    assert priced([_tariff()], rows) == [800]
    assert priced([_tariff(price_per="shipment")], rows) == [500]


def test_the_total_is_rounded_once_and_half_up() -> None:
    tariff = _tariff(surcharges={"label_fee": "0.0025", "fuel_percent": "0.0834"})  # 3 + 0.0025 + 0.002502
    assert priced([tariff], [_row(100)]) == [301]
    assert priced([_tariff(surcharges={"label_fee": "0.005"})], [_row(100)]) == [301]
    assert priced([_tariff(surcharges={"label_fee": "0.0049"})], [_row(100)]) == [300]


def test_a_season_is_told_by_the_wall_clock() -> None:
    tariff = _tariff(surcharges={"peak": [{"from": "2026-11-11", "to": "2026-11-11", "fixed": "0.50"}]})
    moments = ["2026-11-10T15:59:59Z", "2026-11-10T16:00:00Z", "2026-11-11T15:59:59Z", "2026-11-11T16:00:00Z"]
    found = [priced([tariff], [_row(100)], Moment(now, "Asia/Shanghai"))[0] for now in moments]
    assert found == [300, 350, 350, 300]
    assert priced([tariff], [_row(100)], Moment(None, "Asia/Shanghai")) == [300]


def test_the_named_tariff_goes_before_the_first_that_fits() -> None:
    dear = _tariff(id="dear", discount_percent=0, surcharges={"label_fee": 1})
    other = _tariff(id="other", courier="ZTO", surcharges={"label_fee": 2})
    only_la = _tariff(id="la", warehouse="la", service="x", surcharges={"label_fee": 3})
    rows = [
        _row(1),
        _row(1, tariff_id="other"),
        _row(1, tariff_id="none"),
        _row(1, courier="SF"),
        _row(1, warehouse="la", service="x"),
    ]
    assert priced([only_la, dear, other], rows) == [400, 500, None, None, 600]


def test_money_of_a_currency_without_small_coins() -> None:
    tariff = _tariff(currency="JPY", surcharges={"label_fee": "0.5"})
    assert priced([tariff], [_row(100)]) == [4]


def test_the_reference_itself_on_a_case_worked_by_hand() -> None:
    tariff = _tariff(volumetric_divisor=8000, surcharges={"label_fee": "0.30"}, discount_percent=10)
    row = _row(800)
    row["parcels"][0] |= {
        "length_mm": 300,
        "width_mm": 300,
        "height_mm": 200,
    }  # 18000 cm³ = 2.25 kg, billed 3 kg
    assert reference(tariff, row) == 480  # (3 + 2) * 0.9 + 0.30
    assert priced([tariff], [row]) == [480]
