"""Tariffs that cannot be meant are refused when the rules are read, each mistake at its place."""

from __future__ import annotations

import pytest

from orderctl.model.errors import ConfigError
from orderctl.stages.rules.parse import parse

ZONES = "zones: [{id: Z, provinces: [浙江], first_weight_kg: 1, first_price: 3}]"


@pytest.mark.parametrize(
    ("terms", "says"),
    [
        ("", "a tariff needs zones, or prices that name a table of them"),
        (f"valid_from: 2026-12-01, valid_to: 2026-11-30, {ZONES}", "the last day is before the first"),
        (f"valid_from: 2026-02-30, {ZONES}", "there is no such day: 2026-02-30"),
        (f"collected_until: '24:00', {ZONES}", "must have the form"),
        (f"round_above: [{{over_kg: 20, round_to_kg: 1}}, {{over_kg: 5, round_to_kg: 2}}], {ZONES}", "over_kg must rise"),
        (f"surcharges: {{peak: [{{from: 2026-11-02, to: 2026-11-01}}]}}, {ZONES}", "the last day is before the first"),
        (f"surcharges: {{fuel: [{{from: 2026-11-02, to: 2026-11-01, percent: 1}}]}}, {ZONES}", "the last day is before the first"),
        (f"surcharges: {{fuel: [{{from: 2026-11-31, percent: 1}}]}}, {ZONES}", "there is no such day: 2026-11-31"),
        (f"surcharges: {{fuel: [{{from: 2026-11-02, percent: 1}}, {{from: 2026-11-02, percent: 2}}]}}, {ZONES}", "2026-11-02 is in the entry above"),
        (
            f"surcharges: {{fuel: [{{from: 2026-11-01, to: 2026-11-30, percent: 1}}, {{from: 2026-11-30, percent: 2}}]}}, {ZONES}",
            "2026-11-30 is in the entry above already",
        ),
        (
            f"surcharges: {{peak: [{{from: 2026-11-01, to: 2026-11-11, zones: [Z, ZZ]}}]}}, {ZONES}",
            "the tariff has no zone 'ZZ' (did you mean 'Z'?)",
        ),
        (f"surcharges: {{remote: [{{fixed: 1}}]}}, {ZONES}", "needs provinces, cities or districts"),
        (f"surcharges: {{oversize: [{{fixed: 1}}]}}, {ZONES}", "needs over_cm or over_kg"),
        (f"surcharges: {{oversize: [{{over_cm: 9, upto_cm: 9}}]}}, {ZONES}", "upto_cm needs a smaller over_cm"),
        (f"surcharges: {{oversize: [{{over_cm: 9, upto_kg: 9}}]}}, {ZONES}", "upto_kg needs a smaller over_kg"),
        (f"surcharges: {{cod: {{rate_percent: 1, min_fee: 3, max_fee: 2}}}}, {ZONES}", "max_fee is less than min_fee"),
        (f"surcharges: {{insurance: {{rate_percent: 1, unit: 0}}}}, {ZONES}", "must be more than 0"),
        (
            "zones: [{id: Z, provinces: [浙江], brackets: [{upto_kg: 1, price: 1}], over: {first_weight_kg: 1, step_price: 1}}]",
            "first_weight_kg and first_price go together",
        ),
        (
            "zones: [{id: Z, provinces: [浙江], brackets: [{upto_kg: 1, price: 1}], over: {first_weight_kg: 2, first_price: 1, step_price: 1}}]",
            "the first weight above the ladder cannot be more than its last bracket",
        ),
        (f"min_charge: 0.00001, {ZONES}", "at most 4 digits after the point"),
    ],
)  # fmt: skip
def test_a_tariff_that_cannot_be_meant(terms: str, says: str) -> None:
    with pytest.raises(ConfigError, match=r"rules.yaml:2:\d+: ") as caught:
        parse(f"tariffs:\n  - {{id: t, courier: YTO, {terms}}}\n")
    assert says in str(caught.value)
