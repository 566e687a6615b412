"""The price of single parcels, element by element, with the amounts worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from orderctl.stages.conditions.facts import Moment
from tests.stages.rules.freight_pricing import priced as priced_at

MOMENT = Moment("2026-11-11T02:00:00Z", "Asia/Shanghai")


def priced(
    tariffs: list[dict[str, Any]], rows: list[dict[str, Any]], moment: Moment = MOMENT
) -> list[int | None]:
    return priced_at(tariffs, rows, moment)


def _tariff(**changes: Any) -> dict[str, Any]:
    zone = {
        "id": "Z",
        "provinces": ["浙江"],
        "first_weight_kg": 1,
        "first_price": "3.00",
        "step_price": "1.00",
    }
    return {"id": "t", "courier": "YTO", "zones": [zone], **changes}


def _row(*weights: int | None, **changes: Any) -> dict[str, Any]:
    parcels = [dict.fromkeys(["length_mm", "width_mm", "height_mm"]) | {"weight_g": w} for w in weights]
    absent = [
        "service",
        "warehouse",
        "tariff_id",
        "district",
        "city",
        "country",
        "insured_minor",
        "collect_minor",
    ]
    plain = dict.fromkeys(absent)
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


def _sized(weight_g: int, length_mm: int, width_mm: int, height_mm: int, **changes: Any) -> dict[str, Any]:
    row = _row(weight_g, **changes)
    row["parcels"][0] |= {"length_mm": length_mm, "width_mm": width_mm, "height_mm": height_mm}
    return row


def test_volume_weighs_what_the_divisor_says() -> None:
    tariff = _tariff(volumetric_divisor=8000, surcharges={"label_fee": "0.30"}, discount_percent=10)
    rows = [_sized(800, 300, 300, 200), _sized(800, 200, 200, 200), _sized(800, 200, 200, 201)]
    # 18000 cm³ = 2.25 kg, billed 3: (3 + 2) * 0.9 + 0.30; 8000 cm³ = 1 kg is the first weight still; 8040 is not
    assert priced([tariff], rows) == [480, 300, 390]


def test_a_side_or_a_ratio_makes_a_bulky_parcel() -> None:
    row = _sized(1000, 600, 300, 100)  # 18000 cm³ = 2.25 kg, 2.25 times what it weighs
    assert priced([_tariff(volumetric_divisor=8000)], [row]) == [500]
    for changes, minor in [
        ({"bubble_ratio": "2.25"}, 300),
        ({"bubble_ratio": "2.2499"}, 500),
        ({"bubble_min_side_cm": 60}, 500),
        ({"bubble_min_side_cm": "60.1"}, 300),
    ]:
        assert priced([_tariff(volumetric_divisor=8000, **changes)], [row]) == [minor]


def test_so_much_over_a_step_is_forgiven_but_never_the_first_step() -> None:
    tariff = _tariff(tolerance_kg="0.1")
    assert priced([tariff], [_row(2100), _row(2101), _row(50), _row(1100)]) == [400, 500, 300, 300]


def test_heavier_parcels_are_rounded_to_another_step() -> None:
    tariff = _tariff(round_to_kg="0.5", round_above=[{"over_kg": 20, "round_to_kg": 1}])
    tariff["zones"][0] |= {"step_kg": "0.5"}
    assert priced([tariff], [_row(19_600), _row(20_000), _row(20_001)]) == [4100, 4100, 4300]


def test_above_a_ladder_weight_may_be_counted_anew() -> None:
    ladder = {"brackets": [{"upto_kg": 1, "price": "2.6"}, {"upto_kg": 3, "price": 4}]}
    zone = {"id": "Z", "provinces": ["浙江"], **ladder}
    going_on = {**zone, "over": {"step_price": "1.2"}}
    anew = {**zone, "over": {"first_weight_kg": 1, "first_price": 3, "step_price": 1}}
    rows = [_row(1000), _row(1001), _row(3000), _row(3001), _row(5000)]
    assert priced([_tariff(zones=[zone])], rows) == [260, 400, 400, None, None]
    assert priced([_tariff(zones=[going_on])], rows) == [260, 400, 400, 520, 640]
    assert priced([_tariff(zones=[anew])], rows) == [260, 400, 400, 600, 700]


def test_long_and_heavy_parcels_are_looked_at_one_by_one() -> None:
    oversize = [{"over_cm": 120, "upto_cm": 180, "fixed": 10}, {"over_cm": 180, "fixed": 30}]
    heavy = [{"over_kg": 30, "per_kg": "0.5"}]
    tariff = _tariff(surcharges={"oversize": oversize})
    rows = [_sized(500, side, 50, 50) for side in (1200, 1201, 1800, 1801)]
    assert priced([tariff], rows) == [300, 1300, 1300, 3300]
    together = _tariff(price_per="shipment", surcharges={"oversize": heavy})
    assert priced([together], [_row(30_000, 30_000), _row(30_001, 1)]) == [6200, 3300 + 31 * 50]


@pytest.mark.parametrize(
    ("collect", "currency", "minor"),
    [
        (0, "CNY", 300),
        (None, "CNY", 300),
        (1, "CNY", 500),
        (30_000, "CNY", 600),
        (90_000, "CNY", 800),
        (90_000, "USD", 300),
    ],
)
def test_cash_on_delivery_costs_a_share_within_limits(collect: int | None, currency: str, minor: int) -> None:
    tariff = _tariff(surcharges={"cod": {"rate_percent": 1, "min_fee": 2, "max_fee": 5}})
    assert priced([tariff], [_row(100, collect_minor=collect, currency=currency)]) == [minor]


def test_insurance_is_for_whole_units_and_at_least_its_fee_and_for_the_first_parcel() -> None:
    tariff = _tariff(surcharges={"insurance": {"rate_percent": "0.5", "min_fee": 1, "unit": 100}})
    rows = [_row(1, insured_minor=value) for value in (None, 0, 1, 20_000, 20_001)]
    assert priced([tariff], rows) == [300, 300, 400, 400, 450]
    assert priced([tariff], [_row(1, 1, insured_minor=20_001)]) == [750]


def test_a_parcel_costs_at_least_the_least_charge() -> None:
    tariff = _tariff(min_charge=5, discount_percent=50, discount_on="total")
    assert priced([tariff], [_row(1), _row(8000), _row(9000)]) == [500, 500, 550]


def test_a_surcharge_by_weight_is_for_started_kilograms_and_for_one_at_least() -> None:
    remote = {"provinces": ["浙江"], "fixed": 2, "per_kg": 1}
    tariff = _tariff(round_to_kg="0.1", surcharges={"remote": [remote]})
    assert priced([tariff], [_row(0), _row(1000), _row(1100)]) == [600, 600, 800]


def test_the_most_specific_place_counts_and_a_district_may_be_of_one_city_only() -> None:
    def zone(name: str, price: int, **places: Any) -> dict[str, Any]:
        return {"id": name, **places, "first_weight_kg": 1, "first_price": price}

    tariff = _tariff(
        zones=[
            zone("any", 1, countries=["*"]),
            zone("province", 2, provinces=["江苏"]),
            zone("city", 3, cities=["南京"]),
            zone("district", 4, districts=["鼓楼区"]),
            zone("part", 5, districts=["南京/鼓楼区"]),
        ]
    )
    at = {"province": "江苏省", "country": "CN"}
    rows = [
        _row(1, province=None),
        _row(1, **at, city="苏州市"),
        _row(1, **at, city="南京市"),
        _row(1, **at, city="徐州市", district="鼓楼区"),
        _row(1, **at, city="南京市", district="鼓楼区"),
    ]
    assert priced([tariff], rows) == [100, 200, 300, 400, 500]


def test_a_tariff_is_for_what_is_collected_within_its_days() -> None:
    old = _tariff(id="old", valid_to="2026-11-11", collected_until="17:30")
    new = _tariff(id="new", valid_from="2026-11-12", collected_until="17:30", surcharges={"label_fee": 1})
    before, after = (
        Moment("2026-11-11T09:29:59Z", "Asia/Shanghai"),
        Moment("2026-11-11T09:30:00Z", "Asia/Shanghai"),
    )
    rows = [_row(1), _row(1, tariff_id="old"), _row(1, tariff_id="new")]
    assert priced([old, new], rows, before) == [300, 300, None]
    assert priced([old, new], rows, after) == [400, None, 400]


def test_a_season_goes_by_the_day_of_collection() -> None:
    peak = [{"from": "2026-11-12", "to": "2026-11-12", "fixed": 1}]
    late = Moment("2026-11-11T10:00:00Z", "Asia/Shanghai")
    assert priced([_tariff(surcharges={"peak": peak})], [_row(1)], late) == [300]
    assert priced([_tariff(surcharges={"peak": peak}, collected_until="18:00")], [_row(1)], late) == [400]
