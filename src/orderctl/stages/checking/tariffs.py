"""What in tariffs cannot be meant: tariffs and zones that no shipment can reach, prices no weight leads to, sums made twice.

Every finding is sure: it says what holds for every shipment, by the very order in which freight is computed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from orderctl.model.text import Text
from orderctl.stages.checking.finding import Lint
from orderctl.stages.freight.places import entries, names_of
from orderctl.stages.rules.book import RuleBook
from orderctl.stages.rules.sections.tariffs import Peak, Tariff, Zone

_FIRST_DAY, _LAST_DAY = "0000-01-01", "9999-12-31"


def lint_tariffs(book: RuleBook) -> Iterator[Lint]:
    """Find tariffs that overlap, zones and rungs that are never used, and terms that undo each other."""
    for number, tariff in enumerate(book.rules.tariffs):
        yield from _order(book, number)
        yield from _zones(book, number, tariff)
        for at, zone in enumerate(tariff.zones):
            yield from _rungs(book, number, tariff, at, zone)
            yield from _falling(book, number, at, zone)
        yield from _terms(book, number, tariff)


# ------------------------------------------------------------------------------------------ between tariffs


def _order(book: RuleBook, number: int) -> Iterator[Lint]:
    """Of the tariffs that fit, the first in force counts; one that is named by a rule is used all the same."""
    tariff = book.rules.tariffs[number]
    if tariff.id in {rule.use.tariff for rule in book.rules.couriers}:
        return
    place = book.place("tariffs", number)
    for above in book.rules.tariffs[:number]:
        if above.id == tariff.id or not _as_wide(above, tariff) or not _meet(above, tariff):
            continue
        if _days(above)[0] <= _days(tariff)[0] and _days(above)[1] >= _days(tariff)[1]:
            text = Text(
                "the tariff '{tariff}' is never used: '{above}' above it fits first", tariff=tariff.id, above=above.id
            )  # fmt: skip
            yield Lint(place, "tariff_unreachable", "error", text)
            return
        text = Text(
            "the tariffs '{above}' and '{tariff}' are both for {first} to {last}; there '{above}' counts",
            above=above.id,
            tariff=tariff.id,
            first=max(_days(above)[0], _days(tariff)[0]),
            last=min(_days(above)[1], _days(tariff)[1]),
        )
        yield Lint(place, "tariff_overlap", "warning", text)


def _as_wide(above: Tariff, tariff: Tariff) -> bool:
    """True if whatever courier, service and warehouse `tariff` fits, `above` fits too."""
    same_cut_off = above.collected_until == tariff.collected_until
    dated = any((above.valid_from, above.valid_to, tariff.valid_from, tariff.valid_to))
    return (
        above.courier == tariff.courier
        and above.service in (None, tariff.service)
        and above.warehouse in (None, tariff.warehouse)
        and (same_cut_off or not dated)
    )


def _days(tariff: Tariff) -> tuple[str, str]:
    return tariff.valid_from or _FIRST_DAY, tariff.valid_to or _LAST_DAY


def _day_before(day: str) -> str:
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


def _meet(one: Tariff, other: Tariff) -> bool:
    return max(_days(one)[0], _days(other)[0]) <= min(_days(one)[1], _days(other)[1])


# ------------------------------------------------------------------------------------------------ zones


def _zones(book: RuleBook, number: int, tariff: Tariff) -> Iterator[Lint]:
    """Places are compared as freight compares them, so 浙江 and 浙江省 are one."""
    written = [(at, name) for at, zone in enumerate(tariff.zones) for _, name in names_of(zone)]
    keys = entries((0, zone, at) for at, zone in enumerate(tariff.zones)).select("level", "place").rows()
    first: dict[tuple[str, str], int] = {}
    taken: dict[int, list[Lint]] = {}
    left = {at for (at, _), key in zip(written, keys, strict=True) if first.setdefault(key, at) == at}
    for (at, name), key in zip(written, keys, strict=True):
        if first[key] == at:
            continue
        text = Text(
            "{place} is in zone '{first}' already, so zone '{zone}' never counts for it",
            place=name,
            first=tariff.zones[first[key]].id,
            zone=tariff.zones[at].id,
        )
        place = book.place("tariffs", number, "zones", at)
        taken.setdefault(at, []).append(Lint(place, "place_twice", "warning", text))
    for at, findings in taken.items():
        if at in left:
            yield from findings
            continue
        zone = tariff.zones[at].id
        text = Text("no shipment can reach zone '{zone}': all its places are in zones above", zone=zone)
        yield Lint(book.place("tariffs", number, "zones", at), "zone_unreachable", "error", text)


# ------------------------------------------------------------------------------------------------ weights


def _least(tariff: Tariff) -> Decimal:
    """Give a weight that no billed weight is below; tolerance and rounding half up may go below the minimum."""
    if tariff.rounding != "half_up" and tariff.tolerance_kg == 0:
        return tariff.min_weight_kg
    return min(tariff.min_weight_kg // step * step for step in _steps(tariff))


def _steps(tariff: Tariff) -> list[Decimal]:
    return [tariff.round_to_kg, *(band.round_to_kg for band in tariff.round_above)]


def _between_steps(tariff: Tariff, low: Decimal, upto: Decimal) -> bool:
    """True if no whole number of steps is above `low` and up to `upto`; half up, little weight comes to none at all."""
    if tariff.rounding == "none" or (tariff.rounding == "half_up" and low == 0):
        return False
    return all(upto // step == low // step for step in _steps(tariff))


def _rungs(book: RuleBook, number: int, tariff: Tariff, at: int, zone: Zone) -> Iterator[Lint]:
    """A billed weight is a whole number of steps and not below the minimum; a rung between two of them is never met."""
    low = Decimal(0)
    for rung in zone.brackets:
        if rung.upto_kg < _least(tariff) or _between_steps(tariff, low, rung.upto_kg):
            text = Text(
                "zone '{zone}': no parcel with a weight is billed above {low} and up to {upto} kg: that price is never used",
                zone=zone.id,
                low=_plain(low),
                upto=_plain(rung.upto_kg),
            )
            yield Lint(book.place("tariffs", number, "zones", at), "price_unreachable", "warning", text)
        low = rung.upto_kg


def _falling(book: RuleBook, number: int, at: int, zone: Zone) -> Iterator[Lint]:
    for lower, higher in zip(zone.brackets, zone.brackets[1:], strict=False):
        if higher.price < lower.price:
            text = Text(
                "zone '{zone}': up to {upto} kg costs less than up to {lower} kg",
                zone=zone.id,
                upto=_plain(higher.upto_kg),
                lower=_plain(lower.upto_kg),
            )
            yield Lint(book.place("tariffs", number, "zones", at), "price_falls", "warning", text)


def _both_added(one: Peak, other: Peak) -> bool:
    """True if two seasons have a day in common and are for the same place, or both for every place."""
    if one.to < other.from_ or other.to < one.from_:
        return False
    if one.everywhere or other.everywhere:
        return one.everywhere and other.everywhere
    keys = [set(entries([(0, p, 0)]).select("level", "place").rows()) | set(p.zones) for p in (one, other)]
    return bool(keys[0] & keys[1])


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


# ------------------------------------------------------------------------------------------------ terms


def _terms(book: RuleBook, number: int, tariff: Tariff) -> Iterator[Lint]:
    s = tariff.surcharges
    where = ("tariffs", number)
    if tariff.tolerance_kg >= tariff.round_to_kg:
        text = Text(
            "tolerance_kg is not less than round_to_kg: every weight above the first step is rounded down"
        )
        yield Lint(book.place(*where, "tolerance_kg"), "tolerance_whole", "warning", text)
    bulky = ("volumetric_round_to_kg", "bubble_ratio", "bubble_min_side_cm")
    for name in bulky if tariff.volumetric_divisor is None else ():
        if getattr(tariff, name) is not None:
            text = Text("{field} does nothing without volumetric_divisor", field=name)
            yield Lint(book.place(*where, name), "no_volume", "warning", text)
    for at, fuel in enumerate(s.fuel):
        last = fuel.to or next((_day_before(f.from_) for f in s.fuel[at + 1 :]), _LAST_DAY)
        if last < _days(tariff)[0] or fuel.from_ > _days(tariff)[1]:
            text = Text("the tariff is not for {first} to {last}", first=fuel.from_, last=last)
            yield Lint(book.place(*where, "surcharges", "fuel", at), "fuel_unreachable", "warning", text)
    for at, peak in enumerate(s.peak):
        place = book.place(*where, "surcharges", "peak", at)
        if peak.to < _days(tariff)[0] or peak.from_ > _days(tariff)[1]:
            text = Text("the tariff is not for {first} to {last}", first=peak.from_, last=peak.to)
            yield Lint(place, "peak_unreachable", "warning", text)
        above = next((p for p in s.peak[:at] if _both_added(p, peak)), None)
        if above is not None:
            text = Text(
                "the season from {first} and that from {other} are on the same days: both are added",
                first=above.from_,
                other=peak.from_,
            )
            yield Lint(place, "peak_twice", "warning", text)
