"""What a person should look at before an order is shipped, and may let pass. docs/audit.md has all of it in a table.

Each check is a condition that is cheap on every row, and parameters that are built on the few rows where it is found.
A check whose limit is not set is not made.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

import polars as pl

from orderctl.model.instant import FORMAT, parse_instant, write_instant
from orderctl.model.money import exponent_of
from orderctl.model.regions.placing import WHOLE_CITIES
from orderctl.stages.normalizing.audit_finding import Finding, amount
from orderctl.stages.rules.sections.audit import AuditSection

HUNDREDTHS = 10_000
"""A whole in hundredths of a percent, in which shares are compared exactly."""
SHORTEST_STREET = 4
# A street with a number, or a place that is found without one: a village, a hall, an office.
_NUMBERED = (
    r"[0-9]|[一二三四五六七八九十百]+(?:号|栋|幢|座|楼|单元|室|组|队|社|巷|弄|层|期|区)"
    r"|[村组屯庄寨堡营旗厂店院校站所馆局场园城厦府苑湾墅]|公司|大学|中学|小学|中心|小区|广场|机关|部队|信箱|车间|基地|农场"
)
_SOUND_CN = r"^(?:(?:\+?86)?1[3-9]\d{9}|(?:\+?86)?0\d{9,11}|[48]00\d{7}|\+\d{7,15})$"
_SOUND_ABROAD = r"^\+?\d{6,15}$"
_ALIKE = "|".join(f"{digit}{{8}}" for digit in range(10))
_TESTS = ("13800138000", "12345678", "123456789", "87654321")


def line_figures(section: AuditSection) -> dict[str, pl.Expr]:
    """Give what the checks have to know of the lines of an order, as aggregates over the lines.

    The lines have `quantity_to_ship`, `cost_minor` (of the whole line, null where it is not known) and `paid_minor`.
    """
    pieces = pl.col("quantity_to_ship")
    goes = pieces > 0
    costed = goes & pl.col("cost_minor").is_not_null() & pl.col("paid_minor").is_not_null()
    figures = {
        "bought": (goes & (pl.col("kind") != "gift")).any(),
        "cost": pl.col("cost_minor").filter(costed).sum(),
        "paid_of_cost": pl.col("paid_minor").filter(costed).sum(),
    }
    if section.max_weight_g is not None:
        figures["weight"] = (pl.col("unit_weight_g") * pieces).sum()
    if section.max_pieces is not None:
        figures["pieces"] = pieces.sum()
    if section.max_line_pieces is not None:
        article = pl.coalesce("sku", "merchant_code", "platform_sku", "title", "line_ref")
        many = pl.concat_str(article, pl.lit(" x "), pieces).filter(pieces > section.max_line_pieces)
        figures["heaped"] = many.str.join(", ")
    return figures


def soft_findings(section: AuditSection, now: str) -> list[Finding]:
    """Give the checks that the rules ask for.

    They look at `order/1` in our words, with the columns of `line_figures`, `known_of_orders`, `listed` and `why_listed`.
    """
    every = [
        *_of_people(section),
        *_of_figures(section),
        *_of_money(section),
        *_of_time(section, now),
        *_of_changes(section),
    ]
    live = pl.col("live")
    return [
        Finding(one.code, live & one.where, one.about, one.params, one.since)
        for one in every
        if one.code not in section.off
    ]


def _of(name: str) -> pl.Expr:
    return pl.col("recipient").struct.field(name)


def _of_people(section: AuditSection) -> list[Finding]:
    plain = _of("privacy") == "plain"
    at_home = _of("country").fill_null("CN") == "CN"
    no_district = (
        at_home & _of("city").is_not_null() & _of("district").is_null() & ~_of("city").is_in(WHOLE_CITIES)
    )
    door = pl.concat_str(_of("street"), _of("address_lines").list.join(" "), ignore_nulls=True)
    told = plain & at_home & (door != "")
    short = told & (door.str.len_chars() < SHORTEST_STREET)
    unnumbered = told & ~door.str.contains(_NUMBERED)
    gaps = {"district": no_district, "house number": unnumbered, "more of the street": short}
    missing = pl.concat_str(
        [pl.when(gap).then(pl.lit(name)) for name, gap in gaps.items()], separator=", ", ignore_nulls=True
    )
    doubted, why = _doubtful_phone(section, plain, at_home)
    return [
        Finding("address_incomplete", no_district | short | unnumbered, "recipient", {"missing": missing}),
        Finding("phone_doubtful", doubted, "recipient", {"why": why}),
        Finding(
            "blacklisted",
            pl.col("listed").is_not_null(),
            "recipient",
            {"who": pl.col("listed"), "why": pl.col("why_listed")},
        ),
    ]


def _doubtful_phone(section: AuditSection, plain: pl.Expr, at_home: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Tell where a phone number cannot be right, and why. The number itself stays out of the message."""
    phone = _of("phone")
    digits = phone.str.replace_all(r"[\s()./-]", "")
    tests = "|".join([*_TESTS, *section.test_phones])
    spoiled = rf"(?:{tests}|{_ALIKE})$"
    sound = (
        pl.when(at_home).then(digits.str.contains(_SOUND_CN)).otherwise(digits.str.contains(_SOUND_ABROAD))
    )
    size = digits.str.len_chars()
    begins_mobile = digits.str.contains(r"^1[3-9]")
    why = (
        pl.when(phone.str.contains(r"\*")).then(pl.lit("masked"))
        .when(digits.str.contains(rf"(?:{_ALIKE})$")).then(pl.lit("all the same digits"))
        .when(digits.str.contains(spoiled)).then(pl.lit("a test number"))
        .when(~digits.str.contains(r"^\+?\d+$")).then(pl.lit("not only digits"))
        .when(at_home & begins_mobile & (size < 11)).then(pl.lit("too short"))
        .when(at_home & begins_mobile).then(pl.lit("too long"))
        .when(at_home & size.is_between(7, 8) & ~digits.str.starts_with("0")).then(pl.lit("no area code"))
        .when(size < 9).then(pl.lit("too short"))
        .when(size > 11).then(pl.lit("too long"))
        .otherwise(pl.lit("no such number"))
    )  # fmt: skip
    return plain & (~sound | digits.str.contains(spoiled)), why


def _of_figures(section: AuditSection) -> list[Finding]:
    found = [Finding("only_gifts", ~pl.col("bought"), "lines")]
    if (most := section.max_weight_g) is not None:
        params = {"weight": pl.col("weight"), "limit": pl.lit(most)}
        found.append(Finding("weight_high", pl.col("weight") > most, "lines", params))
    heaped, too_many = [], []
    if section.max_line_pieces is not None:
        heaped.append(pl.when(pl.col("heaped") != "").then("heaped"))
        too_many.append(pl.col("heaped") != "")
    if section.max_pieces is not None:
        over = pl.col("pieces") > section.max_pieces
        heaped.append(pl.when(over).then(pl.concat_str("pieces", pl.lit(" in all"))))
        too_many.append(over)
    if too_many:
        items = pl.concat_str(heaped, separator=", ", ignore_nulls=True)
        found.append(Finding("quantity_unusual", pl.any_horizontal(too_many), "lines", {"items": items}))
    return found


def _minor_of(limits: Mapping[str, Decimal]) -> pl.Expr:
    """Give the limit in minor units of each order's currency, null where there is none."""
    minor = {code: int(limit.scaleb(exponent_of(code))) for code, limit in limits.items()}
    return pl.col("currency").replace_strict(minor, default=None, return_dtype=pl.Int64)


def _hundredths(percent: Decimal) -> int:
    return int(percent.scaleb(2))


def _of_money(section: AuditSection) -> list[Finding]:
    total, currency = pl.col("total_minor"), pl.col("currency")
    cost, paid = pl.col("cost"), pl.col("paid_of_cost")
    least = HUNDREDTHS + _hundredths(section.min_margin_percent)
    costs = {"paid": amount(paid), "currency": currency, "cost": amount(cost)}
    found = [
        Finding("below_cost", paid * HUNDREDTHS < cost * least, "lines", costs),
        Finding("free_order", total == 0, "total_minor"),
    ]
    for code, limits in (("value_low", section.min_total), ("value_high", section.max_total)):
        if limits:
            limit = _minor_of(limits)
            over = (total < limit) if code == "value_low" else (total > limit)
            shown = {"total": amount(total), "currency": currency, "limit": amount(limit)}
            found.append(Finding(code, over, "total_minor", shown))
    if (most := section.max_discount_percent) is not None:
        goods = pl.col("goods_minor")
        lowered = (-pl.col("adjust_minor").fill_null(0)).clip(lower_bound=0)
        off = pl.col("discount_seller_minor").fill_null(0) + lowered
        shown = {"discount": amount(off), "goods": amount(goods), "currency": currency}
        over = (goods > 0) & (off * HUNDREDTHS > goods * _hundredths(most))
        found.append(Finding("discount_high", over, "discount_seller_minor", shown))
    return found


def _of_time(section: AuditSection, now: str) -> list[Finding]:
    moment = parse_instant(now)
    ship_by = pl.col("ship_by")
    found = []
    if section.promise_hours is not None:
        found.append(Finding("promise_missed", ship_by < now, "ship_by", {"ship_by": ship_by}))
        soon = write_instant(moment + timedelta(hours=section.promise_hours))
        minutes = (_read(ship_by) - moment.replace(tzinfo=None)).dt.total_minutes()
        left = pl.format("{} h {} min", minutes // 60, minutes % 60)
        near = (ship_by >= now) & (ship_by <= soon)
        found.append(Finding("promise_near", near, "ship_by", {"ship_by": ship_by, "left": left}))
    if (minutes_long := section.wait_after_payment_minutes) is not None:
        after = timedelta(minutes=minutes_long)
        on_credit = pl.when(pl.col("payment").is_in(["cod", "credit"])).then("placed_at")
        paid_at = pl.coalesce("paid_at", on_credit)
        until = (_read(paid_at) + after).dt.strftime(FORMAT)
        found.append(
            Finding("just_paid", paid_at > write_instant(moment - after), "paid_at", {"until": until})
        )
    return found


def _read(instant: pl.Expr) -> pl.Expr:
    return instant.str.to_datetime(FORMAT, time_unit="ms")


def _of_changes(section: AuditSection) -> list[Finding]:
    wish = pl.element().struct
    wanted = (wish.field("kind") == "invoice") & ~wish.field("avoid")
    invoice = (pl.col("wishes").list.len() > 0) & pl.col("wishes").list.eval(wanted).list.any()
    found = [Finding("invoice_wanted", invoice, "wishes")]
    for code, column, about in (
        ("notes_changed", "notes_at", "buyer_note"),
        ("address_changed", "recipient_at", "recipient"),
    ):
        at = pl.col(column)
        found.append(Finding(code, at.is_not_null(), about, {"at": at}, since=column))
    if (many := section.many_orders) is not None:
        limits = {"buyer": many.of_buyer, "recipient": many.of_recipient}
        over = {who: pl.col(f"of_{who}") >= most for who, most in limits.items() if most is not None}
        shown = [
            pl.when(hit).then(pl.concat_str(pl.lit(f"{who} "), f"of_{who}")) for who, hit in over.items()
        ]
        if over:
            counts = pl.concat_str(shown, separator=", ", ignore_nulls=True)
            params = {"hours": pl.lit(many.hours), "counts": counts}
            found.append(Finding("many_orders", pl.any_horizontal(over.values()), "buyer_ref", params))
    return found
