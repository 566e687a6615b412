"""What a person should look at: each check is found exactly on its condition, up to the last unit of its limit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from pydantic import ValidationError

from orderctl.model.facts import DECISIONS, SEEN, Facts
from orderctl.model.problem import KINDS
from orderctl.stages.merge import MergeRules, merge
from orderctl.stages.normalize import NormalizeRules, normalize
from orderctl.stages.normalizing.audit_known import person_keys
from orderctl.stages.rules.parse import parse
from orderctl.stages.rules.sections.audit import SOFT, WEIGHTS, AuditSection
from orderctl.stages.rules.sections.skus import SkusSection
from tests.stages.samples import codes, line, only, order, orders

NOW = "2026-11-24T00:00:00Z"
INVOICE = {"kind": "invoice", "value": None, "avoid": False, "source": "option", "evidence": "invoice"}
COSTS = SkusSection.model_validate({"catalogue": [{"sku": "TS-BLK-L", "cost": "10"}, {"sku": "SOCK"}]})


def audit(
    limits: dict[str, Any] | None = None,
    *,
    recipient: dict[str, Any] | None = None,
    facts: Facts | None = None,
    skus: SkusSection | None = None,
    **changes: Any,
) -> dict[str, Any]:
    rules = NormalizeRules(skus or SkusSection(), AuditSection.model_validate(limits or {}))
    return only(normalize(orders(order("1", recipient=recipient, **changes)), rules, facts or Facts(), NOW))


def param(row: dict[str, Any], code: str, name: str) -> str | None:
    found = next(one for one in row["problems"] if one["code"] == code)
    return {one["name"]: one["value"] for one in found["params"]}[name]


def lines(*pieces: int, **changes: Any) -> list[dict[str, Any]]:
    return [line(line_ref=str(at), quantity=count, **changes) for at, count in enumerate(pieces)]


def paid(goods: int, discount: int = 0, adjust: int = 0, **changes: Any) -> dict[str, Any]:
    total = goods - discount + adjust
    return {
        "goods_minor": goods, "discount_seller_minor": discount, "adjust_minor": adjust, "total_minor": total,
    } | changes  # fmt: skip


# (limits, order on the last unit that passes, order on the first that does not)
BOUNDS: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "weight_high": (
        {"max_weight_g": 1000},
        {"lines": lines(2, unit_weight_g=500)},
        {"lines": lines(1, unit_weight_g=1001)},
    ),
    "value_low": ({"min_total": {"CNY": "10.00"}}, paid(1000), paid(999)),
    "value_high": ({"max_total": {"CNY": 10}}, paid(1000), paid(1001)),
    "discount_high": ({"max_discount_percent": "33.33"}, paid(10000, 3333), paid(10000, 3334)),
    "promise_near": (
        {"promise_hours": 4},
        {"ship_by": "2026-11-24T04:00:01Z"},
        {"ship_by": "2026-11-24T04:00:00Z"},
    ),
    "promise_missed": (
        {"promise_hours": 0},
        {"ship_by": "2026-11-24T00:00:01Z"},
        {"ship_by": "2026-11-23T23:59:59Z"},
    ),
    "just_paid": (
        {"wait_after_payment_minutes": 30},
        {"paid_at": "2026-11-23T23:30:00Z"},
        {"paid_at": "2026-11-23T23:30:01Z"},
    ),
    "free_order": ({}, paid(1), paid(0)),
    "only_gifts": ({}, {"lines": [line(), line(line_ref="2", kind="gift")]}, {"lines": [line(kind="gift")]}),
    "invoice_wanted": ({}, {"wishes": [INVOICE | {"avoid": True}]}, {"wishes": [INVOICE]}),
}
SEVERITIES = {"just_paid": "wait", "invoice_wanted": "info"}


@pytest.mark.parametrize("code", BOUNDS)
def test_a_finding_begins_exactly_at_its_limit(code: str) -> None:
    limits, passes, stops = BOUNDS[code]
    assert codes(audit(limits, **passes)) == {}
    assert codes(audit(limits, **stops)) == {code: SEVERITIES.get(code, "warn")}
    assert codes(audit(limits | {"off": [code]}, **stops)) == {}


@pytest.mark.parametrize("code", [code for code, (limits, *_) in BOUNDS.items() if limits])
def test_without_its_limit_a_check_is_not_made(code: str) -> None:
    assert codes(audit({}, **BOUNDS[code][2])) == {}


def test_what_has_no_limit_in_its_currency_or_no_goods_is_not_found() -> None:
    assert codes(audit({"max_total": {"USD": 1}, "min_total": {"USD": 100}})) == {}
    assert codes(audit({"max_discount_percent": 0}, **paid(0, 0, 500))) == {}
    assert codes(audit({"max_weight_g": 1}, lines=lines(1))) == {}  # an unknown weight is no weight


def test_a_price_lowered_by_the_seller_counts_as_discount_and_the_platforms_own_does_not() -> None:
    limits = {"max_discount_percent": 50}
    assert codes(audit(limits, **paid(1000, 300, -201))) == {"discount_high": "warn"}
    assert codes(audit(limits, **paid(1000, 300, -200))) == {}
    platform = {"discount_platform_minor": 900, "total_minor": 100}
    assert codes(audit(limits, **(paid(1000) | platform))) == {}


@pytest.mark.parametrize(
    ("pieces", "items"),
    [((5, 5), None), ((6, 1), "TS-BLK-L x 6"), ((5, 5, 1), "11 in all"), ((6, 5), "TS-BLK-L x 6, 11 in all")],
)
def test_many_pieces_of_a_line_or_in_all(pieces: tuple[int, ...], items: str | None) -> None:
    row = audit({"max_line_pieces": 5, "max_pieces": 10}, lines=lines(*pieces))
    assert codes(row) == ({} if items is None else {"quantity_unusual": "warn"})
    assert items is None or param(row, "quantity_unusual", "items") == items


@pytest.mark.parametrize(
    ("margin", "given", "found"),
    [
        (0, [line(paid_minor=1000)], False),
        (0, [line(paid_minor=999)], True),
        (10, [line(paid_minor=1100)], False),
        (10, [line(paid_minor=1099)], True),
        (0, [line(paid_minor=1, merchant_code="SOCK")], False),  # its cost is not known
        (0, [line(paid_minor=None)], False),
        (0, [line(quantity=2, paid_minor=1999)], True),
        (0, [line(paid_minor=2000), line(line_ref="2", paid_minor=0, kind="gift")], False),
        (0, [line(paid_minor=1999), line(line_ref="2", paid_minor=0, kind="gift")], True),
    ],
)
def test_below_cost_compares_what_is_paid_with_what_all_of_it_costs(
    margin: int, given: list[dict[str, Any]], found: bool
) -> None:
    row = audit({"min_margin_percent": margin}, skus=COSTS, lines=given)
    assert codes(row) == ({"below_cost": "warn"} if found else {})


def test_a_cost_in_another_currency_says_nothing() -> None:
    assert codes(audit(skus=COSTS, currency="USD", lines=[line(paid_minor=1)])) == {}


@pytest.mark.parametrize(
    ("recipient", "missing"),
    [
        ({}, None),
        ({"street": "样例路"}, "house number, more of the street"),
        ({"street": "样例路东侧"}, "house number"),
        ({"street": "样例村"}, "more of the street"),
        ({"street": "样例村委会旁"}, None),
        ({"street": "样例路十二号"}, None),
        ({"street": "1号"}, "more of the street"),
        ({"district": None, "street": "样例路1号"}, "district"),
        ({"district": None, "city": "东莞市", "province": "广东省"}, None),
        ({"street": "样例路", "address_lines": ["1号楼"]}, None),
        ({"country": "DE", "street": "Beispiel", "district": None, "postcode": "00000", "phone": None}, None),
        ({"privacy": "sealed", "sealed": {"scheme": "s", "ref": "r", "blob": None}, "street": "样**"}, None),
    ],
)
def test_what_an_address_lacks(recipient: dict[str, Any], missing: str | None) -> None:
    row = audit(recipient=recipient)
    assert codes(row).get("address_incomplete") == (missing and "warn")
    assert missing is None or param(row, "address_incomplete", "missing") == missing


@pytest.mark.parametrize(
    ("phone", "why"),
    [
        ("13800000001", None),
        ("17000000001", None),
        ("021-00000001", None),
        ("0571-1234567", None),
        ("400-000-0001", None),
        ("+85200000001", None),
        ("138****0001", "masked"),
        ("13888888888", "all the same digits"),
        ("88888888", "all the same digits"),
        ("13800138000", "a test number"),
        ("13812345678", "a test number"),
        ("1380000001", "too short"),
        ("138000000012", "too long"),
        ("60000001", "no area code"),
        ("12345", "too short"),
        ("12000000001", "no such number"),
        ("000000000000000001", "too long"),
        ("不知道", "not only digits"),
    ],
)
def test_which_phone_numbers_are_doubtful(phone: str, why: str | None) -> None:
    row = audit(recipient={"phone": phone})
    assert codes(row).get("phone_doubtful") == (why and "warn")
    if why:
        assert param(row, "phone_doubtful", "why") == why
        text = next(one["message"] for one in row["problems"] if one["code"] == "phone_doubtful")
        assert phone not in text


def test_a_number_nobody_answers_may_be_named_in_the_rules() -> None:
    assert codes(audit({"test_phones": ["00000001"]})) == {"phone_doubtful": "warn"}


def test_who_is_sealed_is_not_judged_by_a_phone() -> None:
    sealed = {"privacy": "masked", "sealed": {"scheme": "s", "ref": "r", "blob": None}, "phone": "1*"}
    assert codes(audit(recipient=sealed)) == {}


def test_cash_on_delivery_waits_from_when_it_was_placed() -> None:
    limits = {"wait_after_payment_minutes": 30}
    placed = {"paid_at": None, "placed_at": "2026-11-23T23:50:00Z"}
    row = audit(limits, payment="cod", **placed)
    assert codes(row) == {"just_paid": "wait"}
    assert param(row, "just_paid", "until") == "2026-11-24T00:20:00Z"
    assert codes(audit(limits, payment="prepaid", **placed)) == {}


def test_how_much_is_left_of_a_promise_is_told() -> None:
    row = audit({"promise_hours": 4}, ship_by="2026-11-24T02:05:59Z")
    assert param(row, "promise_near", "left") == "2 h 5 min"


def test_of_what_is_over_nothing_soft_is_told() -> None:
    limits = {"max_weight_g": 1, "risk": {}}
    over = {"status": "completed", "ship_by": "2026-01-01T00:00:00Z", "recipient": {"phone": "1"}} | paid(0)
    assert codes(audit(limits, **over)) == {"nothing_to_ship": "info"}


# people and time


def decided(decision: str, payload: str, *, at: str = NOW, subject: str = "shopify:main:1") -> dict[str, str]:
    return {
        "subject": subject, "decision": decision, "payload": payload, "reason": "seen", "actor": "a", "at": at,
    }  # fmt: skip


def decisions(*rows: dict[str, str]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=DECISIONS)


def seen(*rows: dict[str, str | None]) -> pl.DataFrame:
    return pl.DataFrame([dict.fromkeys(SEEN) | row for row in rows], schema=SEEN)


@pytest.mark.parametrize(
    ("of", "other"),
    [
        ("buyer", {"buyer_ref": "b-2"}),
        ("recipient", {"recipient": {"name": "样例乙"}}),
        ("phone", {"recipient": {"phone": "13800000009"}}),
    ],
)
def test_who_is_on_the_blacklist_is_known_by_a_hash(of: str, other: dict[str, Any]) -> None:
    mine = normalize(orders(order("1", buyer_ref="b-1")), NormalizeRules(), Facts(), NOW)
    key = person_keys(mine, Facts().key)[of][0]
    facts = Facts(decisions=decisions(decided("blacklist", f'{{"keys": ["{key}"]}}', subject="other")))
    row = audit(facts=facts, buyer_ref="b-1")
    assert codes(row) == {"blacklisted": "block"}
    assert (param(row, "blacklisted", "who"), param(row, "blacklisted", "why")) == (of, "seen")
    assert codes(audit(facts=facts, **({"buyer_ref": "b-1"} | other))) == {}
    assert codes(audit({"off": ["blacklisted"]}, facts=facts, buyer_ref="b-1")) == {}
    another = Facts(key=b"another", decisions=facts.decisions)
    assert codes(audit(facts=another, buyer_ref="b-1")) == {}
    table = pl.DataFrame({"key": [key], "why": ["from the table"]})
    rules = NormalizeRules(blacklist=table)
    assert codes(only(normalize(orders(order("1", buyer_ref="b-1")), rules, Facts(), NOW))) == {
        "blacklisted": "block"
    }


@pytest.mark.parametrize("at_least", [2, 3])
@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 60)), min_size=1, max_size=8),
    st.integers(1, 24),
)
@settings(max_examples=30, deadline=None)
def test_orders_are_counted_in_every_time_that_holds_the_order(
    at_least: int, placed: list[tuple[str, int]], hours: int
) -> None:
    def instant(hour: int) -> str:
        return f"2026-11-{10 + hour // 24:02}T{hour % 24:02}:00:00Z"

    rows = [
        {"order_id": f"shopify:main:{at}", "buyer": who, "placed_at": instant(hour)}
        for at, (who, hour) in enumerate(placed)
    ]
    batch = orders(*(order(str(at)) for at in range(len(placed))))
    rules = NormalizeRules(
        audit=AuditSection.model_validate({"many_orders": {"hours": hours, "of_buyer": at_least}})
    )
    found = normalize(batch, rules, Facts(seen=seen(*rows)), NOW).to_dicts()
    for row, (who, hour) in zip(found, placed, strict=True):
        windows = [
            sum(1 for one, h in placed if one == who and end - hours < h <= end)
            for end in range(hour, hour + hours)
        ]
        most = max(windows)
        assert codes(row) == ({"many_orders": "warn"} if most >= at_least else {})
        if most >= at_least:
            assert param(row, "many_orders", "counts") == f"buyer {most}"


@pytest.mark.parametrize(
    ("code", "column"), [("notes_changed", "notes_at"), ("address_changed", "recipient_at")]
)
def test_a_change_shows_until_a_person_has_seen_this_very_one(code: str, column: str) -> None:
    at = "2026-11-23T00:00:00Z"
    changed = seen({"order_id": "shopify:main:1", column: at})

    def found(*rows: dict[str, str]) -> dict[str, str]:
        return codes(audit(facts=Facts(seen=changed, decisions=decisions(*rows))))

    force = f'{{"code": "{code}"}}'
    assert found() == {code: "warn"}
    assert found(decided("force", force, at=at)) == {code: "info"}
    assert found(decided("force", force, at="2026-11-22T23:59:59Z")) == {code: "warn"}
    assert found(decided("force", '{"code": "risk"}')) == {code: "warn"}


# severities, force, risk

EVERY: dict[str, Any] = {
    "recipient": {"phone": "1", "street": "样例路", "district": None},
    "lines": [line(quantity=9, unit_weight_g=9, paid_minor=0)],
    "wishes": [INVOICE],
    "ship_by": "2026-11-23T00:00:00Z",
} | paid(0)
STRICT = {"max_weight_g": 1, "max_line_pieces": 1, "min_total": {"CNY": 1}}


@pytest.mark.parametrize("code", [code for code in SOFT if KINDS[code].forceable])
def test_every_finding_that_can_be_forced_is_info_when_a_person_says_so(code: str) -> None:
    limits, changes, facts = (
        STRICT,
        EVERY,
        seen({"order_id": "shopify:main:1", "notes_at": "2026-01-01T00:00:00Z"}),
    )
    if code in BOUNDS:
        limits, _, changes = BOUNDS[code]
    if code == "address_changed":
        facts = facts.with_columns(recipient_at="notes_at")
    if code == "many_orders":
        limits = {"many_orders": {"of_buyer": 2}}
        one = {"order_id": "shopify:main:1", "buyer": "b", "placed_at": NOW}
        facts = seen(one, one | {"order_id": "shopify:main:2"})
    mine = normalize(orders(order("1", buyer_ref="b-1")), NormalizeRules(), Facts(), NOW)
    keys = f'{{"keys": ["{person_keys(mine, Facts().key)["buyer"][0]}"]}}'
    listed = [decided("blacklist", keys, subject="x")] if code == "blacklisted" else []

    def found(*forced: dict[str, str]) -> dict[str, str]:
        rows = decisions(*listed, *forced)
        return codes(
            audit(limits, facts=Facts(seen=facts, decisions=rows), skus=COSTS, buyer_ref="b-1", **changes)
        )

    before, after = found(), found(decided("force", f'{{"code": ["{code}"]}}'))
    assert before[code] == KINDS[code].severity != "info"
    assert after == before | {code: "info"}


def test_severities_are_those_of_the_rules() -> None:
    assert codes(audit({"severity": {"free_order": "block"}}, **paid(0))) == {"free_order": "block"}
    for wrong in (
        {"off": ["not_paid"]},
        {"severity": {"risk": "block"}},
        {"risk": {"weights": {"no_such": 1}}},
        {"max_total": {"CNY": "1.005"}},
        {"max_total": {"JPY": "1.5"}},
    ):
        with pytest.raises(ValidationError):
            AuditSection.model_validate(wrong)


def scored(limits: dict[str, Any], *forced: str, **changes: Any) -> tuple[str | None, str, str] | None:
    rows = decisions(decided("force", str(list(forced)))) if forced else decisions()
    row = audit(limits, facts=Facts(decisions=rows), **changes)
    if "risk" not in codes(row):
        return None
    assert row["problems"][-1]["code"] == "risk"
    return param(row, "risk", "score"), str(param(row, "risk", "reasons")), codes(row)["risk"]


def test_the_score_is_the_sum_of_its_reasons() -> None:
    doubtful = {"recipient": {"phone": "13888888888"}} | paid(0)
    told = "phone_doubtful 20, free_order 10"
    assert scored({}, **doubtful) is None
    assert scored({"risk": {}}) is None
    assert scored({"risk": {}}, **doubtful) == ("30", told, "warn")
    assert scored({"risk": {"review_from": 31}}, **doubtful) == ("30", told, "info")
    assert scored({"risk": {"block_from": 30}}, **doubtful) == ("30", told, "block")
    assert scored({"risk": {"block_from": 30}}, "risk", **doubtful) == ("30", told, "info")
    assert scored({"risk": {}}, "free_order", **doubtful) == ("20", "phone_doubtful 20", "info")
    weights = {"weights": {"free_order": 0, "phone_doubtful": 7}}
    assert scored({"risk": weights}, **doubtful) == ("7", "phone_doubtful 7", "info")
    heavy = {"weights": {"free_order": 100, "phone_doubtful": 7}}
    assert scored({"risk": heavy}, **doubtful) == ("100", "free_order 100, phone_doubtful 7", "warn")
    assert scored({"risk": {}}, status="completed", **doubtful) is None


def test_weights_are_those_of_findings() -> None:
    assert set(WEIGHTS) <= set(KINDS)
    assert all(KINDS[code].forceable for code in WEIGHTS)


# laws

LIMITS: dict[str, Any] = STRICT | {
    "max_pieces": 3,
    "max_discount_percent": 10,
    "promise_hours": 48,
    "wait_after_payment_minutes": 60,
    "many_orders": {"of_buyer": 2, "of_recipient": 2},
    "risk": {"review_from": 20, "block_from": 50},
}
ROWS = st.fixed_dictionaries(
    {
        "total_minor": st.sampled_from([0, 1000, 5000]),
        "discount_seller_minor": st.sampled_from([0, 500]),
        "ship_by": st.sampled_from([None, "2026-11-23T00:00:00Z", "2026-11-25T00:00:00Z"]),
        "paid_at": st.sampled_from([None, "2026-11-01T00:00:00Z", "2026-11-23T23:45:00Z"]),
        "status": st.sampled_from(["wait_pay", "wait_ship", "completed"]),
        "wishes": st.sampled_from([[], [INVOICE]]),
        "phone": st.sampled_from(["13800000001", "13888888888", "1"]),
        "street": st.sampled_from(["样例路1号", "样例路"]),
        "quantity": st.integers(1, 4),
        "kind": st.sampled_from(["goods", "gift"]),
    }
)


def batch_of(rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    made = []
    for at, row in enumerate(rows):
        rest = {k: v for k, v in row.items() if k not in ("phone", "street", "quantity", "kind")}
        to = {"phone": row["phone"], "street": row["street"]}
        one = line(quantity=row["quantity"], kind=row["kind"], unit_weight_g=1, paid_minor=row["total_minor"])
        made.append(order(str(at), recipient=to, buyer_ref="b-1", lines=[one], **rest))
    return orders(*made)


@given(st.lists(ROWS, min_size=1, max_size=5), st.data())
@settings(max_examples=12, deadline=None)
def test_rows_are_audited_one_by_one_and_twice_is_once(
    rows: list[dict[str, Any]], data: st.DataObject
) -> None:
    batch = batch_of(rows)
    ids = batch["order_id"].to_list()
    facts = Facts(
        seen=seen(
            *({"order_id": one, "buyer": "b", "placed_at": NOW} for one in ids),
            {"order_id": ids[0], "notes_at": "2026-11-20T00:00:00Z"},
        ),
        decisions=decisions(decided("force", '{"code": ["free_order"]}', subject=ids[-1])),
    )
    rules = NormalizeRules(COSTS, AuditSection.model_validate(LIMITS))
    whole = normalize(batch, rules, facts, NOW)
    assert_frame_equal(normalize(whole, rules, facts, NOW), whole)
    order_of_rows = data.draw(st.permutations(range(batch.height)))
    moved = normalize(batch[list(order_of_rows)], rules, facts, NOW)
    assert_frame_equal(moved, whole[list(order_of_rows)])
    pieces = [normalize(batch[at : at + 1], rules, facts, NOW) for at in range(batch.height)]
    assert_frame_equal(pl.concat(pieces), whole)
    without = NormalizeRules(COSTS, AuditSection.model_validate({"off": list(SOFT)}))
    assert_frame_equal(normalize(whole, without, facts, NOW), normalize(batch, without, facts, NOW))


def test_rules_name_costs_and_a_blacklist_in_files() -> None:
    tables = {
        "catalogue.csv": pl.DataFrame(
            {"sku": ["TS-BLK-L", "X"], "cost": ["12.50", ""], "currency": ["", ""]}
        ),
        "blacklist.csv": pl.DataFrame({"key": ["phone:h:" + "0" * 32], "why": ["fraud"]}),
    }
    text = "skus: {catalogue: catalogue.csv}\naudit: {blacklist: blacklist.csv}\n"
    rules = parse(text, tables=tables.__getitem__).normalize
    assert rules.known_costs.rows() == [("TS-BLK-L", 1250, "CNY")]
    assert rules.blacklist is not None
    assert rules.blacklist.rows() == [("phone:h:" + "0" * 32, "fraud")]
    for name, broken, said in (
        ("catalogue.csv", {"sku": ["A"], "cost": ["1.005"]}, "1.005 is no amount of CNY"),
        ("blacklist.csv", {"key": ["13800000001"]}, "entry 1 is no key of a person"),
        ("blacklist.csv", {"phone": ["1"]}, "has no column key"),
    ):
        with pytest.raises(Exception, match=said):
            parse(text, tables=(tables | {name: pl.DataFrame(broken)}).__getitem__)


def test_who_waits_for_a_second_order_is_joined_with_it() -> None:
    rules = NormalizeRules(audit=AuditSection(wait_after_payment_minutes=30))
    batch = orders(order("1"), order("2", paid_at="2026-11-23T23:50:00Z"))
    shipment = only(merge(normalize(batch, rules, Facts(), NOW), MergeRules(), Facts(), NOW))
    assert len(shipment["orders"]) == 2
    assert codes(shipment) == {"just_paid": "wait"}
    alone = merge(
        normalize(orders(order("1"), order("2", status="wait_pay")), rules, Facts(), NOW),
        MergeRules(),
        Facts(),
        NOW,
    )
    assert alone.height == 2
