"""What can be wrong with the section `gifts`, and how its rules are tried out."""

from __future__ import annotations

import polars as pl
import pytest

from orderctl.model.errors import ConfigError
from orderctl.stages.checking.lint import lint, run_tests
from orderctl.stages.rules.book import RuleBook
from orderctl.stages.rules.parse import parse

HEAD = (
    "skus: { catalogue: [{ sku: SOCKS }, { sku: CARD }], bundles: [{ sku: SET, parts: [{ sku: CARD }] }] }\n"
)


def read(gifts: str, head: str = HEAD, stock: pl.DataFrame | None = None) -> RuleBook:
    table = pl.DataFrame({"sku": ["SOCKS"], "available": ["5"]}) if stock is None else stock
    return parse(head + "gifts:\n" + gifts, tables=lambda _: table)


@pytest.mark.parametrize(
    ("rule", "mistake"),
    [
        ("{ name: a, give: [{ sku: SOKS }] }", "3:30: the catalogue has no article 'SOKS' (did you mean 'SOCKS'?)"),
        ("{ name: a, give: [{ sku: SET }] }", "3:30: 'SET' is a bundle: give its parts"),
        ("{ name: a, give: [] }", "3:22: must not be empty"),
        ("{ name: 'a:b', give: [{ sku: CARD }] }", "3:13: a name has characters that can be seen, and no colon"),
        ("{ name: a, give: [{ sku: CARD }, { sku: CARD }] }", "3:45: CARD stands here twice"),
        ("{ name: a, when: { courier: SF }, give: [{ sku: CARD }] }", "3:24: the fact 'courier' is not known yet in this section"),
        ("{ name: a, when: { totl_minor: 1 }, give: [{ sku: CARD }] }", "3:24: unknown fact 'totl_minor' (did you mean 'total_minor'?)"),
        ("{ name: a, give: [{ sku: CARD }], per: { each: 2, of: quantiy } }", "3:59: 'quantiy' is none of"),
        ("{ name: a, give: [{ sku: CARD }], per: { each: 2, where: { skuu: A } } }", "3:64: unknown fact 'skuu' (did you mean 'sku'?)"),
        ("{ name: a, give: [{ sku: CARD }], per: { each: 2, of: total_minor, where: { sku: A } } }", "3:79: total_minor is of the whole shipment"),
        ("{ name: a, give: [{ sku: CARD }], until: 2026-11-01, from: 2026-11-02 }", "3:46: it ends before it begins"),
        ("{ name: a, give: [{ sku: CARD }], from: soon }", "3:45: expected a time"),
        ("{ name: a, give: [{ sku: CARD }], stock_floor: 3 }", "3:52: there is no stock to look at: name its table as 'stock'"),
        ("{ name: a, give: [{ sku: CARD }], choose: first_available }", "3:47: first_available looks at the stock"),
        ("{ name: a, give: [{ sku: CARD }], quta: 3 }", "3:39: unknown field 'quta' (did you mean 'quota'?)"),
        ("{ name: a, give: [{ sku: CARD }] }\n  - { name: a, give: [{ sku: CARD }] }", "4:13: another gift has the name 'a'"),
    ],
)  # fmt: skip
def test_mistakes_are_named_with_their_place(rule: str, mistake: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(f"  - {rule}\n")
    assert f"rules.yaml:{mistake}" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("table", "mistake"),
    [
        (
            {"sku": ["A", "B"], "available": ["3", "many"]},
            "stock.csv:3:2: available: many is no whole number",
        ),
        ({"sku": [None], "available": ["3"]}, "stock.csv:2:1: sku is missing"),
        ({"sku": ["A"]}, "stock.csv: has no column available"),
    ],
)
def test_mistakes_in_the_stock_are_named_with_their_place(table: dict[str, list[str]], mistake: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read("  []", HEAD + "stock: stock.csv\n", pl.DataFrame(table))
    assert mistake in str(caught.value)


def test_stock_of_several_places_is_added_up_and_headings_may_be_chinese() -> None:
    table = pl.DataFrame(
        {"我方SKU": ["A", "A", "B"], "可用库存": ["3", "4.0", "-2"], "仓库": ["x", "y", "x"]}
    )
    assert read("  []", HEAD + "stock: stock.csv\n", table).gifts.stock == {"A": 7, "B": -2}


def test_lint_finds_a_rule_that_never_gives() -> None:
    found = lint(
        read("""
  - { name: limited, group: g, give: [{ sku: CARD }], quota: 3 }
  - { name: second, group: g, give: [{ sku: CARD }] }
  - { name: third, group: g, when: { quantity: 3 }, give: [{ sku: CARD }] }
  - { name: other group, group: h, give: [{ sku: CARD }] }
""")
    )
    assert [(one.code, one.place, str(one.text)) for one in found] == [
        ("shadowed", "rules.yaml:6:5", "'third' can never give: 'second' above it in its group gives first")
    ]


def test_examples_may_expect_gifts() -> None:
    results = run_tests(
        read("""
  - { name: a, when: { sku: CARD }, give: [{ sku: SOCKS, quantity: 2 }], per: { each: 2 }, from: 2026-11-01 }
  - { name: b, give: [{ sku: CARD }], per_customer: 1, quota: 1 }
tests:
  - name: two
    given: { paid_at: "2026-11-02T00:00:00Z", lines: [{ sku: CARD, quantity: 5 }] }
    expect: { gifts: { SOCKS: 4, CARD: 1 } }
  - name: too early
    given: { paid_at: "2026-10-02T00:00:00Z", lines: [{ sku: CARD, quantity: 5 }] }
    expect: { gifts: { SOCKS: 4 } }
  - { name: none, given: { lines: [{ sku: X }] }, expect: { gifts: {} } }
""")
    )
    assert [str(one.text) for one in results] == [
        "rules.yaml:7:5: 'two' holds",
        "rules.yaml:10:5: 'too early': gifts should be SOCKS x4, is CARD x1",
        "rules.yaml:13:5: 'none': gifts should be -, is CARD x1",
    ]
