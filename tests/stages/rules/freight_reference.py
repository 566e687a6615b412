"""What a freight must be: one parcel at a time in decimals, from a tariff as plain data as a price sheet tells it.

It shares nothing with the program, neither its models nor its tables of provinces. Divisions that do not end are
carried to 80 digits; `settled` cuts them to 40 decimals where something is compared or rounded, and only there. A number
here is a fraction whose denominator has fewer than 25 digits, so what is nearer to a limit than that is the limit itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal, localcontext
from typing import Any

Data = Mapping[str, Any]
EXACT = Context(prec=80, rounding=ROUND_HALF_EVEN)
PROVINCES = {"浙江省": "浙江", "上海市": "上海", "新疆维吾尔自治区": "新疆", "广东省": "广东"}
DIGITS = {"JPY": 0, "KWD": 3}


def settled(value: Decimal) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-40), context=EXACT)


def whole(value: Decimal, rounding: str) -> Decimal:
    return settled(value).to_integral_value(rounding=rounding)


def up_to_step(value: Decimal, step: Decimal) -> Decimal:
    return whole(value / step, ROUND_CEILING) * step


def half_up_to_step(value: Decimal, step: Decimal) -> Decimal:
    return whole(value / step + Decimal("0.5"), ROUND_FLOOR) * step


def dec(data: Data, name: str, default: str | None = None) -> Decimal:
    value = data.get(name)
    return Decimal(str(value if value is not None else default))


# ------------------------------------------------------------------------------------- which tariff, which zone


def collect_day(tariff: Data, local: tuple[str, str] | None) -> str | None:
    """The day of collection for what is routed on (day, time)."""
    if local is None:
        return None
    day, time = local
    late = "collected_until" in tariff and time >= tariff["collected_until"]
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat() if late else day


def tariff_of(tariffs: list[Data], shipment: Data, local: tuple[str, str] | None) -> Data | None:
    for tariff in tariffs:
        day = collect_day(tariff, local)
        if day is not None and "valid_from" in tariff and day < tariff["valid_from"]:
            continue
        if day is not None and "valid_to" in tariff and day > tariff["valid_to"]:
            continue
        if shipment["tariff_id"] is not None:
            if tariff["id"] == shipment["tariff_id"]:
                return tariff
            continue
        if tariff["courier"] != shipment["courier"]:
            continue
        if tariff.get("service") is not None and tariff["service"] != shipment["service"]:
            continue
        if tariff.get("warehouse") is not None and tariff["warehouse"] != shipment["warehouse"]:
            continue
        return tariff
    return None


def short(name: str | None) -> str | None:
    return PROVINCES.get(name, name) if name is not None else None


def city(name: str) -> str:
    return name.removesuffix("市")


def in_districts(names: list[str], shipment: Data, *, with_city: bool) -> bool:
    for name in names:
        first, slash, last = name.partition("/")
        here = slash and shipment["city"] is not None and city(first) == city(shipment["city"])
        if with_city and here and last == shipment["district"]:
            return True
        if not with_city and not slash and name == shipment["district"]:
            return True
    return False


def named_at(level: str, places: Data, shipment: Data) -> bool:
    if level == "district of a city":
        return in_districts(places.get("districts", []), shipment, with_city=True)
    if level == "district":
        return in_districts(places.get("districts", []), shipment, with_city=False)
    if level == "city":
        return shipment["city"] is not None and city(shipment["city"]) in map(city, places.get("cities", []))
    if level == "province":
        return shipment["province"] is not None and short(shipment["province"]) in map(
            short, places.get("provinces", [])
        )
    return shipment["country"] is not None and shipment["country"] in places.get("countries", [])


LEVELS = ("district of a city", "district", "city", "province", "country")


def zone_of(tariff: Data, shipment: Data) -> Data | None:
    for level in LEVELS:
        for zone in tariff["zones"]:
            if named_at(level, zone, shipment):
                return zone
    return next((zone for zone in tariff["zones"] if "*" in zone.get("countries", [])), None)


# --------------------------------------------------------------------------------------------- weight and price


def billed_kg(tariff: Data, parcel: Data) -> Decimal:
    actual = Decimal(parcel["weight_g"] or 0) / 1000
    volume, longest = parcel["volume_cm3"], parcel["longest_cm"]
    vol = Decimal(0)
    if "volumetric_divisor" in tariff and volume is not None:
        vol = volume / tariff["volumetric_divisor"]
    if "volumetric_round_to_kg" in tariff:
        vol = up_to_step(vol, dec(tariff, "volumetric_round_to_kg"))
    raw = max(actual, vol)
    if "bubble_ratio" in tariff and not settled(vol) > settled(actual * dec(tariff, "bubble_ratio")):
        raw = actual
    if "bubble_min_side_cm" in tariff and (longest is None or longest < dec(tariff, "bubble_min_side_cm")):
        raw = actual
    raw = max(raw, dec(tariff, "min_weight_kg", "0"))
    q = dec(tariff, "round_to_kg", "1")
    for band in tariff.get("round_above", []):
        if settled(raw) > dec(band, "over_kg"):
            q = dec(band, "round_to_kg")
    k = whole(raw / q, ROUND_FLOOR)
    if settled(raw - k * q) <= dec(tariff, "tolerance_kg", "0") and k >= 1:
        raw = k * q
    rounding = tariff.get("rounding", "up")
    if rounding == "up":
        return up_to_step(raw, q)
    return half_up_to_step(raw, q) if rounding == "half_up" else raw


def first_and_steps(billed: Decimal, first_kg: Decimal, first: Decimal, terms: Data) -> Decimal:
    step, price, more = dec(terms, "step_kg", "1"), dec(terms, "step_price"), billed - first_kg
    if terms.get("step_mode", "step") == "linear":
        return first + more * price / step
    return first + whole(more / step, ROUND_CEILING) * price


def zone_price(zone: Data, billed: Decimal) -> Decimal | None:
    """The price of a zone; None where it ends below the weight."""
    if "brackets" not in zone:
        first_kg, first = dec(zone, "first_weight_kg"), dec(zone, "first_price")
        if settled(billed) <= first_kg:
            return first
        return None if zone.get("step_price") is None else first_and_steps(billed, first_kg, first, zone)
    for bracket in zone["brackets"]:
        if settled(billed) <= dec(bracket, "upto_kg"):
            return dec(bracket, "price")
    over = zone.get("over")
    if over is None:
        return None
    last = zone["brackets"][-1]
    if "first_weight_kg" in over:
        return first_and_steps(billed, dec(over, "first_weight_kg"), dec(over, "first_price"), over)
    return first_and_steps(billed, dec(last, "upto_kg"), dec(last, "price"), over)


# ------------------------------------------------------------------------------------------------- surcharges


def oversize_of(surcharges: Data, parcel: Data) -> Decimal:
    total = Decimal(0)
    kg, longest = Decimal(parcel["weight_g"] or 0) / 1000, parcel["longest_cm"] or Decimal(0)
    for entry in surcharges.get("oversize", []):
        fits = True
        for value, over, upto in ((longest, "over_cm", "upto_cm"), (kg, "over_kg", "upto_kg")):
            if over in entry and not value > dec(entry, over):
                fits = False
            if upto in entry and not value <= dec(entry, upto):
                fits = False
        if fits:
            started = max(Decimal(1), whole(kg, ROUND_CEILING))
            total += dec(entry, "fixed", "0") + started * dec(entry, "per_kg", "0")
    return total


def insurance_fee(terms: Data, declared: Decimal) -> Decimal:
    if "unit" in terms:
        declared = up_to_step(declared, dec(terms, "unit"))
    return max(dec(terms, "min_fee", "0"), declared * dec(terms, "rate_percent") / 100)


def cod_fee(terms: Data, collected: Decimal) -> Decimal:
    fee = max(dec(terms, "min_fee", "0"), collected * dec(terms, "rate_percent") / 100)
    return min(fee, dec(terms, "max_fee")) if "max_fee" in terms else fee


def is_there(peak: Data, tariff: Data, shipment: Data) -> bool:
    """A season is everywhere unless it names something; then it is where any of that is."""
    if not any(peak.get(name) for name in ("zones", "provinces", "cities", "districts")):
        return True
    zone = zone_of(tariff, shipment)
    if zone is not None and zone["id"] in peak.get("zones", []):
        return True
    return any(named_at(level, peak, shipment) for level in LEVELS[:-1])


def fuel_percent(surcharges: Data, day: str | None) -> Decimal:
    """The percentage of a day: that of the last entry begun, unless it is over by then."""
    percent = dec(surcharges, "fuel_percent", "0")
    for entry in surcharges.get("fuel", []):
        if day is not None and day >= entry["from"]:
            over = "to" in entry and day > entry["to"]
            percent = dec(surcharges, "fuel_percent", "0") if over else dec(entry, "percent")
    return percent


def surcharges_of(tariff: Data, shipment: Data, billed: Decimal, day: str | None, *, first: bool) -> Decimal:
    s = tariff.get("surcharges", {})
    started = max(Decimal(1), whole(billed, ROUND_CEILING))
    total = dec(s, "label_fee", "0")
    for far in s.get("remote", []):
        if any(named_at(level, far, shipment) for level in LEVELS[:-1]):
            total += dec(far, "fixed", "0") + started * dec(far, "per_kg", "0")
    for peak in s.get("peak", []):
        if day is not None and peak["from"] <= day <= peak["to"] and is_there(peak, tariff, shipment):
            total += dec(peak, "fixed", "0") + started * dec(peak, "per_kg", "0")
    currency = tariff.get("currency", "CNY")
    coin = Decimal(1).scaleb(-DIGITS.get(currency, 2))
    if first and shipment["currency"] == currency:
        if "insurance" in s and shipment["insured_minor"]:
            total += insurance_fee(s["insurance"], shipment["insured_minor"] * coin)
        if "cod" in s and shipment["collect_minor"]:
            total += cod_fee(s["cod"], shipment["collect_minor"] * coin)
    return total


# ------------------------------------------------------------------------------------------------- the freight


def sized(parcel: Data) -> dict[str, Any]:
    sides = [parcel["length_mm"], parcel["width_mm"], parcel["height_mm"]]
    known = [Decimal(side) / 10 for side in sides if side is not None]
    volume = known[0] * known[1] * known[2] if len(known) == 3 else None
    return {
        "weight_g": parcel["weight_g"],
        "volume_cm3": volume,
        "longest_cm": max(known, default=None),
    }


def together(parcels: list[dict[str, Any]]) -> dict[str, Any]:
    volumes = [p["volume_cm3"] for p in parcels if p["volume_cm3"] is not None]
    sides = [p["longest_cm"] for p in parcels if p["longest_cm"] is not None]
    return {
        "weight_g": sum(p["weight_g"] or 0 for p in parcels),
        "volume_cm3": sum(volumes, Decimal(0)) if volumes else None,
        "longest_cm": max(sides, default=None),
    }


def freight_minor(tariffs: list[Data], shipment: Data, local: tuple[str, str] | None) -> int | None:
    """The freight of a shipment in minor units, routed at (day, time) on the wall clock; None if it has no price."""
    with localcontext(EXACT):
        tariff = tariff_of(tariffs, shipment, local)
        zone = None if tariff is None else zone_of(tariff, shipment)
        if tariff is None or zone is None:
            return None
        s, day = tariff.get("surcharges", {}), collect_day(tariff, local)
        single = [sized(p) for p in shipment["parcels"]]
        parcels = [(p, oversize_of(s, p)) for p in single]
        if tariff.get("price_per", "parcel") == "shipment":
            parcels = [(together(single), sum((fee for _, fee in parcels), Decimal(0)))]
        digits = DIGITS.get(tariff.get("currency", "CNY"), 2)
        coin = dec(tariff, "money_round_to", str(Decimal(1).scaleb(-digits)))
        minor = Decimal(0)
        for number, (parcel, oversize) in enumerate(parcels):
            billed = billed_kg(tariff, parcel)
            price = zone_price(zone, billed)
            if price is None:
                return None
            added = oversize + surcharges_of(tariff, shipment, billed, day, first=number == 0)
            added += price * fuel_percent(s, day) / 100
            left = 1 - dec(tariff, "discount_percent", "0") / 100
            on_total = tariff.get("discount_on", "zone") == "total"
            total = (price + added) * left if on_total else price * left + added
            total = max(total, dec(tariff, "min_charge", "0"))
            minor += half_up_to_step(total, coin) * Decimal(10) ** digits
        return int(minor)
