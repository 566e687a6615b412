"""What keeps an order from being shipped."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from pydantic import ValidationError

from orderctl.model.facts import DECISIONS, Facts
from orderctl.model.problem import KINDS
from orderctl.model.schema import empty
from orderctl.model.text import sentences
from orderctl.stages.normalize import NormalizeRules, normalize
from orderctl.stages.rules.sections.audit import AuditSection
from tests.stages.samples import codes, line, only, order, orders

NOW = "2026-11-24T00:00:00Z"
SEALED = {"scheme": "taobao/oaid", "ref": "oaid-1", "blob": None}
HOLD = {"code": "presale", "source": "platform", "until": None, "why": None}


def audit(*, recipient: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    return only(normalize(orders(order("1", recipient=recipient, **changes)), NormalizeRules(), Facts(), NOW))


def message(row: dict[str, Any], code: str) -> str:
    return str(next(found["message"] for found in row["problems"] if found["code"] == code))


def missing(**recipient: Any) -> str | None:
    row = audit(recipient=recipient)
    found = [one["params"][0]["value"] for one in row["problems"] if one["code"] == "recipient_incomplete"]
    return found[0] if found else None


def test_a_good_order_has_no_problems() -> None:
    assert audit()["problems"] == []


@pytest.mark.parametrize(
    ("changes", "code", "severity"),
    [
        ({"lines": []}, "no_lines", "block"),
        ({"refund_open": True}, "refund_open", "block"),
        ({"lines": [line(refund="requested")]}, "refund_open", "block"),
        ({"status": "wait_pay"}, "not_paid", "wait"),
        ({"holds": [HOLD]}, "held", "wait"),
        ({"holds": [HOLD | {"code": "address_review"}]}, "held_by_platform", "block"),
        (
            {"holds": [HOLD | {"code": "address_review", "until": "2026-12-01T00:00:00Z"}]},
            "held",
            "wait",
        ),
        ({"holds": [HOLD | {"code": "look", "source": "person"}]}, "held", "wait"),
        ({"total_minor": 999}, "total_mismatch", "block"),
        ({"postage_minor": None}, "total_unverifiable", "info"),
        ({"currency": None}, "currency_missing", "block"),
        ({"lines": [line(quantity_shipped=1)]}, "nothing_to_ship", "info"),
        ({"status": "completed", "total_minor": 1, "recipient": {"name": None}}, "nothing_to_ship", "info"),
    ],
)
def test_each_finding(changes: dict[str, Any], code: str, severity: str) -> None:
    assert codes(audit(**changes)) == {code: severity}


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "wait_pay", "payment": "cod"},
        {"holds": [HOLD | {"until": NOW}]},
        {"discount_seller_minor": 100, "tax_added_minor": 7, "total_minor": 907, "tax_included_minor": 55},
        {"lines": [line(refund="partly", quantity=2, quantity_refunded=1)]},
    ],
)
def test_what_is_no_finding(changes: dict[str, Any]) -> None:
    assert codes(audit(**changes)) == {}


def test_all_findings_show_at_once() -> None:
    row = audit(
        status="wait_pay",
        refund_open=True,
        total_minor=1,
        currency=None,
        holds=[HOLD],
        recipient={"name": None, "street": None},
        lines=[line(merchant_code=None)],
    )
    assert set(codes(row)) == {
        "recipient_incomplete",
        "sku_unmapped",
        "refund_open",
        "not_paid",
        "held",
        "total_mismatch",
        "currency_missing",
    }


@pytest.mark.parametrize(
    ("currency", "shown"),
    [
        ("CNY", "the amounts add up to 10.00, the total says -0.05"),
        ("JPY", "the amounts add up to 1000, the total says -5"),
        ("KWD", "the amounts add up to 1.000, the total says -0.005"),
    ],
)
def test_amounts_are_written_with_the_decimals_of_their_currency(currency: str, shown: str) -> None:
    assert message(audit(total_minor=-5, currency=currency), "total_mismatch") == shown


def test_what_a_plain_recipient_needs_depends_on_the_country() -> None:
    abroad = {"district": None, "phone": None, "province": None}
    assert missing() is None
    assert missing(name=None, phone=None, province=None, city=None, street=None) == (
        "name, phone, province, city, street"
    )
    assert missing(phone="138****0001") == "phone"
    assert missing(country=None) == "country"
    assert missing(street=None, address_lines=["样例路1号"]) is None
    assert missing(country="DE", postcode="00000", **abroad) is None
    assert missing(country="DE", **abroad) == "postcode"
    assert missing(country="US", postcode="00000", **abroad) == "province"
    assert missing(country="HK", city=None, province=None) is None
    assert missing(country="IE", city=None, **abroad) == "city"


def test_a_sealed_or_masked_recipient_needs_what_opens_it_and_a_region() -> None:
    hidden = {"name": "测*", "phone": None, "street": None}
    assert missing(privacy="sealed", sealed=SEALED, **hidden) is None
    assert missing(privacy="sealed", sealed=SEALED | {"ref": None, "blob": "cipher"}, **hidden) is None
    assert missing(privacy="sealed", sealed=SEALED, province=None, city=None, **hidden) == "province, city"
    assert missing(privacy="masked", sealed=SEALED, **hidden) is None
    assert missing(privacy="masked", **hidden) == "sealed.ref"


def test_a_person_may_force_what_is_forceable_and_nothing_else() -> None:
    rows = [
        {"subject": "shopify:main:1", "decision": "force", "payload": '{"code": "total_mismatch"}'},
        {"subject": "shopify:main:1", "decision": "force", "payload": '"refund_open"'},
        {"subject": "shopify:main:2", "decision": "never_merge", "payload": '"total_mismatch"'},
    ]
    facts = Facts(decisions=pl.DataFrame(rows, schema=DECISIONS))
    batch = orders(order("1", total_minor=1, refund_open=True), order("2", total_minor=1))
    first, second = normalize(batch, NormalizeRules(), facts, NOW).to_dicts()
    assert codes(first) == {"total_mismatch": "info", "refund_open": "block"}
    assert codes(second) == {"total_mismatch": "block"}


def test_the_rules_may_change_severities_but_not_let_pass_what_must_stop() -> None:
    rules = NormalizeRules(audit=AuditSection(severity={"total_mismatch": "warn", "held": "block"}))
    row = only(normalize(orders(order("1", total_minor=1, holds=[HOLD])), rules, Facts(), NOW))
    assert codes(row) == {"total_mismatch": "warn", "held": "block"}
    for severity in ({"refund_open": "warn"}, {"not_paid": "info"}, {"no_such_code": "warn"}):
        with pytest.raises(ValidationError):
            AuditSection.model_validate({"severity": severity})


def test_problems_of_other_stages_stay_and_own_ones_go_when_mended() -> None:
    theirs = {
        "code": "amount_unreadable",
        "params": [{"name": "field", "value": "postage_minor"}],
        "field": "postage_minor",
        "severity": "block",
        "forceable": False,
        "stage": "read",
        "message": "postage_minor is no amount",
    }
    row = audit(total_minor=1, problems=[theirs])
    assert codes(row) == {"amount_unreadable": "block", "total_mismatch": "block"}
    mended = orders(row | {"total_minor": 1000})
    assert codes(only(normalize(mended, NormalizeRules(), Facts(), NOW))) == {"amount_unreadable": "block"}


def test_what_is_left_to_ship_is_never_more_than_the_platform_says() -> None:
    lines = [
        line(line_ref="1", quantity=5, quantity_refunded=1, quantity_shipped=2),
        line(line_ref="2", quantity=2, quantity_to_ship=1),
        line(line_ref="3", refund="refunded"),
        line(line_ref="4", quantity=1, quantity_shipped=3),
        line(line_ref="5", quantity=2, quantity_to_ship=None),
    ]
    row = audit(lines=lines, status="partly_shipped")
    assert [one["quantity_to_ship"] for one in row["lines"]] == [2, 1, 0, 0, 2]
    assert [one["quantity_to_ship"] for one in audit(lines=lines, status="closed")["lines"]] == [0] * 5


def test_an_empty_batch_stays_empty() -> None:
    assert_frame_equal(normalize(empty("order/1"), NormalizeRules(), Facts(), NOW), empty("order/1"))


def test_the_order_of_rows_and_their_pieces_do_not_matter() -> None:
    batch = orders(*(order(str(at), total_minor=1000 + at % 2) for at in range(6)))
    whole = normalize(batch, NormalizeRules(), Facts(), NOW)
    pieces = pl.concat([batch[at : at + 1] for at in range(6)], rechunk=False)
    assert_frame_equal(normalize(pieces, NormalizeRules(), Facts(), NOW), whole)
    assert_frame_equal(normalize(batch.reverse(), NormalizeRules(), Facts(), NOW).reverse(), whole)


def test_every_problem_has_a_chinese_sentence_with_the_same_slots() -> None:
    chinese = sentences("zh")
    for code, kind in KINDS.items():
        for text in filter(None, (kind.sentence, kind.advice)):
            assert text in chinese, (code, text)
            slots = {piece.split("}")[0] for piece in text.split("{")[1:]}
            assert {piece.split("}")[0] for piece in chinese[text].split("{")[1:]} == slots
