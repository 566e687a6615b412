"""Random tariffs, as plain data, and random shipments: most of them near the limits where freights go wrong."""

from __future__ import annotations

from random import Random
from typing import Any

DAYS = ("2026-11-09", "2026-11-10", "2026-11-11", "2026-11-12")
TIMES = ("00:00", "17:29", "17:30", "23:59")


def maybe(random: Random, chance: float, **values: Any) -> dict[str, Any]:
    """Give `values` or nothing; none of them is written when left out."""
    return values if random.random() < chance else {}


def _steps(random: Random) -> dict[str, Any]:
    return {
        "step_kg": random.choice(["1", "0.5", "0.1", "0.333", "3"]),
        "step_price": random.choice(["1.20", "8", "0.3333", "0.0001"]),
        **maybe(random, 0.4, step_mode=random.choice(["step", "linear"])),
    }


def _price(random: Random) -> dict[str, Any]:
    if random.random() < 0.5:
        first = {
            "first_weight_kg": random.choice(["1", "0.5", "3", "0"]),
            "first_price": random.choice(["3", "4.1234"]),
        }
        return first | (_steps(random) if random.random() < 0.9 else {})
    rungs = random.choice([["0.5"], ["0.5", "1"], ["0.3", "1", "3"], ["0.5", "1", "2", "3", "5"]])
    brackets = [{"upto_kg": kg, "price": random.choice(["2.2", "2.65", "4", "0.0005"])} for kg in rungs]
    over = _steps(random) | maybe(random, 0.3, first_weight_kg=rungs[0], first_price="2.5")
    return {"brackets": brackets, **maybe(random, 0.8, over=over)}


def _zones(random: Random) -> list[dict[str, Any]]:
    zones: list[dict[str, Any]] = [
        {"id": "near", "provinces": ["浙江", "上海市"]},
        {"id": "far", "provinces": ["新疆"], **maybe(random, 0.8, countries=random.choice([["CN"], ["*"]]))},
        {"id": "city", "cities": ["杭州", "喀什市"]},
        {"id": "district", "districts": random.choice([["伊宁县"], ["杭州/淳安县"], ["宁波市/鼓楼区", "淳安县"]])},
        {"id": "again", "provinces": ["浙江省"], "cities": ["宁波"]},
    ]  # fmt: skip
    random.shuffle(zones)
    return [zone | _price(random) for zone in zones[: random.randint(2, 5)]]


def _surcharges(random: Random) -> dict[str, Any]:
    remote = [
        {"provinces": ["新疆维吾尔自治区"], "fixed": "2", "per_kg": random.choice(["0", "1.1"])},
        {"cities": ["喀什"], "provinces": ["新疆"], "fixed": "1"},
        {"districts": ["杭州市/淳安县", "伊宁县"], "per_kg": "0.3"},
    ]
    peak = [
        {"from": "2026-11-10", "to": "2026-11-11", "fixed": "0.5"},
        {"from": random.choice(["2026-11-01", "2026-11-11"]), "to": "2026-11-15", "per_kg": "0.25"},
        {"from": "2026-11-09", "to": "2026-11-11", "fixed": "0.7", "zones": random.sample(["near", "far", "city", "again"], 2)},
        {"from": "2026-11-10", "to": "2026-11-12", "fixed": "1.1", "per_kg": "0.07", "provinces": ["新疆", "上海"], "zones": ["far"]},
        {"from": "2026-11-11", "to": "2026-11-11", "per_kg": "0.9", "cities": ["杭州"], "districts": ["喀什/伊宁县", "鼓楼区"]},
    ]  # fmt: skip
    oversize = [
        {"over_cm": "60", "upto_cm": "80", "fixed": "10"},
        {"over_cm": "80", "fixed": "20.5"},
        {"over_kg": "10", "upto_kg": "30", "per_kg": "0.1"},
        {"over_kg": "0.5", "over_cm": "35", "fixed": "1"},
    ]
    fuel = [
        {"from": "2026-10-01", "percent": "7.25"},
        {"from": "2026-11-10", "percent": "12", **maybe(random, 0.5, to=random.choice(["2026-11-10", "2026-11-11"]))},
        {"from": "2026-11-12", "percent": "3.3333"},
    ]  # fmt: skip
    insurance = {
        "rate_percent": random.choice(["0.5", "0.3333"]),
        **maybe(random, 0.5, min_fee="1"),
        **maybe(random, 0.5, unit=random.choice(["100", "0.5"])),
    }
    cod = {"rate_percent": random.choice(["1", "0.0005"]), **maybe(random, 0.5, min_fee="2"), **maybe(random, 0.5, max_fee="5")}  # fmt: skip
    return {
        **maybe(random, 0.5, label_fee=random.choice(["0.30", "0.005"])),
        **maybe(random, 0.5, fuel_percent=random.choice(["18.5", "0.0001"])),
        **maybe(random, 0.5, fuel=fuel[random.randrange(2) :]),
        **maybe(random, 0.6, remote=random.sample(remote, random.randint(1, 3))),
        **maybe(random, 0.6, peak=random.sample(peak, random.randint(1, 4))),
        **maybe(random, 0.5, oversize=random.sample(oversize, random.randint(1, 4))),
        **maybe(random, 0.6, insurance=insurance),
        **maybe(random, 0.6, cod=cod),
    }


def random_tariff(random: Random, number: int) -> dict[str, Any]:
    """Give a tariff of one of three couriers, as it is written in YAML."""
    currency = random.choice(["CNY", "CNY", "CNY", "JPY"])
    coins = ["1", "10"] if currency == "JPY" else ["0.1", "1", "0.05"]
    bands = [{"over_kg": "2.5", "round_to_kg": "1"}, {"over_kg": "20", "round_to_kg": "2"}]
    return {
        "id": f"t{number}",
        "courier": random.choice(["YTO", "SF", "ZTO"]),
        **maybe(random, 0.2, service=random.choice(["a", "b"])),
        **maybe(random, 0.2, warehouse=random.choice(["hz", "gz"])),
        **maybe(random, 0.2, valid_from=random.choice(DAYS)),
        **maybe(random, 0.2, valid_to=DAYS[-1]),
        **maybe(random, 0.3, collected_until="17:30"),
        **maybe(random, 0.5, currency=currency, money_round_to=random.choice(coins)),
        **maybe(random, 0.3, price_per="shipment"),
        **maybe(random, 0.8, volumetric_divisor=random.choice([5000, 6000, 8000, 12000])),
        **maybe(random, 0.2, volumetric_round_to_kg="0.5"),
        **maybe(random, 0.3, bubble_ratio=random.choice(["1.5", "2", "0.5"])),
        **maybe(random, 0.3, bubble_min_side_cm="60"),
        **maybe(random, 0.3, min_weight_kg=random.choice(["0.6", "2.5"])),
        **maybe(random, 0.4, tolerance_kg=random.choice(["0.05", "0.1", "0.999"])),
        **maybe(random, 0.7, round_to_kg=random.choice(["0.5", "0.1", "0.001"])),
        **maybe(random, 0.3, round_above=bands[: random.randint(1, 2)]),
        **maybe(random, 0.5, rounding=random.choice(["half_up", "none"])),
        **maybe(random, 0.5, discount_percent=random.choice(["10", "33.3333", "100"])),
        **maybe(random, 0.5, discount_on=random.choice(["zone", "total"])),
        **maybe(random, 0.3, min_charge=random.choice(["5", "8.008"])),
        "zones": _zones(random),
        **maybe(random, 0.9, surcharges=_surcharges(random)),
    }


def _parcel(random: Random) -> dict[str, Any]:
    if (
        random.random() < 0.2
    ):  # 36000 cm³, and what weighs just two thirds, half or twice that by some divisor
        exact = random.choice([1500, 2000, 2250, 3000, 3600, 4000, 4800, 6000, 9000, 12_000, 14_400])
        return {"weight_g": exact, "length_mm": 600, "width_mm": 300, "height_mm": 200}
    sides = [random.choice([100, 200, 350, 600, 601, 800, random.randrange(1, 900)]) for _ in range(3)]
    missing = random.choice([(), (), (0,), (0, 1, 2)])
    length, width, height = (None if n in missing else side for n, side in enumerate(sides))
    near = random.choice([500, 1000, 1500, 2500, 3000, 10_000, 20_000]) + random.choice(
        [-1, 0, 1, 50, 51, 100]
    )
    weight = random.choice([None, 0, near, near, near, random.randrange(1, 40_000)])
    return {"weight_g": weight, "length_mm": length, "width_mm": width, "height_mm": height}


def random_shipment(random: Random, tariffs: int) -> dict[str, Any]:
    """Give a shipment for one of `tariffs` tariffs, or for its courier's first that fits."""
    return {
        "courier": random.choice(["YTO", "SF", "ZTO"]),
        "service": random.choice([None, "a", "b"]),
        "warehouse": random.choice([None, "hz", "gz"]),
        "tariff_id": random.choice([None, f"t{random.randrange(tariffs)}"]),
        "district": random.choice(["淳安县", "伊宁县", "鼓楼区", None]),
        "city": random.choice(["杭州市", "喀什", "宁波市", None]),
        "province": random.choice(["浙江省", "浙江", "新疆", "新疆维吾尔自治区", "上海", "广东", None]),
        "country": random.choice(["CN", "CN", "US", None]),
        "currency": random.choice(["CNY", "CNY", "JPY"]),
        "insured_minor": random.choice([None, 0, 1, 99_999, 100_000, 123_450]),
        "collect_minor": random.choice([None, 0, 1, 19_900, 70_000]),
        "parcels": [_parcel(random) for _ in range(random.choice([1, 1, 1, 2, 3]))],
    }
