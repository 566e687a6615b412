"""Couriers ranked the slow way: one shipment after the other, in fractions. Shares no code with the columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from fractions import Fraction
from typing import Any

CITIES = {"杭州": "浙江", "宁波": "浙江", "乌鲁木齐": "新疆", "广州": "广东"}


@dataclass
class World:
    """The rules as plain data, and the day and minute everything is decided at."""

    rules: dict[str, Any]
    today: date
    minute: int
    used: list[tuple[str, str | None, str | None, int]] = field(default_factory=list)

    def now(self) -> datetime:
        there = timezone(timedelta(hours=8))
        return datetime(self.today.year, self.today.month, self.today.day, tzinfo=there) + timedelta(
            minutes=self.minute
        )

    def weekday(self) -> int:
        return self.today.isoweekday()


@dataclass
class Parcel:
    """One shipment as the reference sees it."""

    id: str
    ship_by: str | None
    warehouse: str | None
    province: str
    city: str
    weight_g: int
    wish: str | None
    avoid: str | None
    parcels: int = 1


def _fits(entry: dict[str, Any], of: dict[str, Any], names: tuple[str, ...]) -> bool:
    return all(entry.get(n) is None or entry[n] == of.get(n) for n in names)


def _in_force(entry: dict[str, Any], today: date) -> bool:
    first, last = entry.get("from", entry.get("on")), entry.get("until")
    return (first is None or first <= today.isoformat()) and (last is None or last >= today.isoformat())


def _told(entry: dict[str, Any], names: tuple[str, ...]) -> tuple[bool, ...]:
    return tuple(entry.get(n) is not None for n in names)


def _lookup(
    entries: list[dict[str, Any]], of: dict[str, Any], today: date, names: tuple[str, ...]
) -> dict[str, Any] | None:
    best: dict[str, Any] | None = None
    for entry in entries:
        if entry["courier"] != of["courier"] or not _fits(entry, of, names) or not _in_force(entry, today):
            continue
        begun = entry.get("from", entry.get("on")) or ""
        key = (_told(entry, names), begun)
        if best is None or key > (_told(best, names), best.get("from", best.get("on")) or ""):
            best = entry
    return best


WHERE = ("city", "province", "warehouse", "service")


def score(world: World, parcel: Parcel, use: dict[str, Any], rank: dict[str, Any]) -> Fraction | None:
    """Give the score of a candidate in the currency; None when something that counts is not known."""
    of = {"warehouse": parcel.warehouse, "province": parcel.province, "city": parcel.city, **use}
    w = {
        k: Fraction(str(rank.get(k, 1 if k == "price" else 0)))
        for k in ("price", "day", "late", "exception", "penalty", "wish", "avoid")
    }
    total = Fraction(0)
    if w["price"]:
        tariff = next((t for t in world.rules["tariffs"] if t["courier"] == use["courier"]), None)
        if tariff is None:
            return None
        zone = tariff["zones"][0]
        kilos = max(1, -(-parcel.weight_g // 1000))
        first, step = Fraction(str(zone["first_price"])), Fraction(str(zone["step_price"]))
        total += w["price"] * (
            first * parcel.parcels + (kilos - 1) * step
        )  # all but the first box weigh nothing
    enough = [e for e in world.rules["performance"] if e["parcels"] >= rank.get("enough_parcels", 30)]
    if w["day"]:
        measured = _lookup([e for e in enough if "days" in e], of, world.today, WHERE)
        promised = _lookup(world.rules["transit"], of, world.today, WHERE)
        found = (measured or promised or {}).get("days", rank.get("unknown_days"))
        if found is None:
            return None
        total += w["day"] * (Fraction(str(found)) + waits(world, parcel, use))
    if w["exception"]:
        entry = _lookup([e for e in enough if "exception_percent" in e], of, world.today, WHERE)
        share = (entry or {}).get("exception_percent", rank.get("unknown_exception_percent"))
        if share is None:
            return None
        total += w["exception"] * Fraction(str(share)) / 100
    if parcel.ship_by is not None:
        hours = (datetime.fromisoformat(parcel.ship_by) - world.now()) // timedelta(hours=1)
        total += w["late"] * (waits(world, parcel, use) * 24 > hours)
    for notice in world.rules["notices"]:
        if notice.get("courier") in (None, use["courier"]) and notice.get("province") in (
            None,
            parcel.province,
        ):
            total += w["penalty"] * notice["penalty"]
    total -= w["wish"] * (parcel.wish == use["courier"])
    return total + w["avoid"] * (parcel.avoid == use["courier"])


def limit_of(world: World, parcel: Parcel, use: dict[str, Any]) -> dict[str, Any] | None:
    of = {"courier": use["courier"], "account": use.get("account"), "warehouse": parcel.warehouse}
    return _lookup(world.rules["limits"], of, world.today, ("account", "warehouse"))


def waits(world: World, parcel: Parcel, use: dict[str, Any]) -> int:
    limit = limit_of(world, parcel, use)
    if limit is None:
        return 0
    cut = limit.get("cut_off")
    day = 1 if cut is not None and world.minute >= int(cut[:2]) * 60 + int(cut[3:]) else 0
    while (world.weekday() - 1 + day) % 7 + 1 in limit.get("closed", []):
        day += 1
    return day


def choose(world: World, parcels: list[Parcel]) -> dict[str, tuple[str | None, Fraction | None]]:
    """Give courier and score of every shipment, asked one after the other in the order of their promises."""
    rule = world.rules["couriers"][0]
    room = {id(x): x["parcels"] for x in world.rules["limits"] if x.get("parcels") is not None}
    for courier, account, warehouse, count in world.used:
        dummy = Parcel("", None, warehouse, "", "", 0, None, None)
        limit = limit_of(world, dummy, {"courier": courier, "account": account})
        if id(limit) in room:
            room[id(limit)] -= count
    found: dict[str, tuple[str | None, Fraction | None]] = {}
    for parcel in sorted(parcels, key=lambda p: (p.ship_by is None, p.ship_by or "", p.id)):
        uses = [u if isinstance(u, dict) else {"courier": u} for u in rule["use"]]
        scored = [(score(world, parcel, use, rule["rank"]), n, use) for n, use in enumerate(uses)]
        order = sorted(scored, key=lambda one: (one[0] is None, one[0] or 0, one[1]))
        order += [(None, 0, {"courier": u}) for u in rule.get("otherwise", [])]
        found[parcel.id] = (None, None)
        for points, _, use in order:
            if any(
                r["courier"] == use["courier"] and r["province"] == parcel.province
                for r in world.rules["not_served"]
            ):
                continue
            limit = limit_of(world, parcel, use)
            if id(limit) in room:
                if room[id(limit)] < parcel.parcels:
                    room[id(limit)] = -1  # closed: nobody after is let in before
                    continue
                room[id(limit)] -= parcel.parcels
            found[parcel.id] = (use["courier"], points)
            break
    return found
