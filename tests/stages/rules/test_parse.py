from __future__ import annotations

import polars as pl
import pytest

from orderctl.model.errors import ConfigError
from orderctl.stages.conditions.facts import FACTS, LINE_FACTS
from orderctl.stages.conditions.tree import COMBINERS, OPERATORS
from orderctl.stages.rules.book import Rules
from orderctl.stages.rules.parse import parse


def refused(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(text, "rules.yaml")
    return caught.value.render().splitlines()


def mistake(condition: str, section: str = "couriers") -> list[str]:
    """Give what is said of one condition, without file and line."""
    found = refused(f"{section}:\n  - name: a\n    use: X\n    when: {condition}\n")
    assert all(line.startswith("rules.yaml:4:") for line in found)
    return [line.removeprefix("rules.yaml:4:") for line in found]


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("{wieght_g: {lte: 1}}", "12: unknown fact 'wieght_g' (did you mean 'weight_g'?)"),
        ("{weight_g: {ltee: 1}}", "23: unknown operator 'ltee' (did you mean 'lte'?)"),
        (
            "{weight_g: {contains: a}}",
            "23: operator 'contains' does not fit 'weight_g', which is a whole number",
        ),
        ("{province: {gt: 1}}", "23: operator 'gt' does not fit 'province', which is a province"),
        ("{weight_g: 1.5}", "22: expected a whole number"),
        ("{weight_g: true}", "22: expected a whole number"),
        ("{weight_g: {between: [1]}}", "32: expected two values: from and to"),
        ("{weight_g: [1, x]}", "26: expected a whole number"),
        ("{province: }", "22: no value; write 'missing: true' to test for a missing one"),
        ("{note: {any: []}}", "24: expected a word or a list of words"),
        ("{note: {pattern: '('}}", "28: not a regular expression: unclosed group"),
        ("{placed_at: 2026-02-30}", "23: expected a time"),
        ("{weight_g: {missing: 1}}", "32: expected true or false"),
        ("{weight_g: {}}", "22: 'weight_g' is compared with nothing"),
        ("{}", "11: an empty condition; leave out 'when' for a rule that always matches"),
        ("[1]", "11: expected a condition: facts with values"),
        ("{all: {weight_g: 1}}", "17: expected a list of conditions"),
        ("{not: [1]}", "17: expected a condition: facts with values"),
        ("{any_line: {country: CN}}", "23: the fact 'country' can only be used over the shipment"),
        (
            "{unit_weight_g: 1}",
            "12: the fact 'unit_weight_g' can only be used inside any_line, all_lines or sum_lines",
        ),
        ("{any_line: {any_line: {sku: A}}}", "23: 'any_line' cannot stand inside a condition over lines"),
        (
            "{sum_lines: {gte: 1}}",
            "23: sum_lines needs 'of': one of quantity, unit_price_minor, paid_minor, unit_weight_g, weight_g",
        ),
        ("{courier: SF}", "12: the fact 'courier' is not known yet in this section"),
        ("{expr: 'weight_g > 1 AND wight > 2'}", "18: unknown fact 'wight' (did you mean 'weight_g'?)"),
        ("{expr: weight_g}", "18: the SQL must be true or false"),
        ("{expr: '1 = 1'}", "18: the SQL names no fact"),
        ("{expr: 5}", "18: expected SQL"),
        ("{expr: 'weight_g > \"x'}", "18: not an SQL condition: "),
    ],
)
def test_each_mistake_is_named_where_it_stands(condition: str, said: str) -> None:
    assert mistake(condition)[0].startswith(said.split(" (did", maxsplit=1)[0])
    if "(did" in said and "wight" not in condition:
        assert mistake(condition) == [said]


@pytest.mark.parametrize(
    "sql",
    [
        "weight_g > AVG(weight_g)",
        "COUNT(*) > weight_g",
        "ROW_NUMBER() OVER (ORDER BY weight_g) > 1",
        "LAG(weight_g) OVER (ORDER BY weight_g) > 1",
        "RANK() OVER (ORDER BY weight_g) > 1",
        "FIRST(weight_g) > 1",
        "weight_g >= QUANTILE_DISC(weight_g, 0.5)",
        "weight_g > 0 AND EXISTS (SELECT 1)",
        "weight_g IN (SELECT weight_g FROM x)",
        "UNNEST(tags) = 'a'",
    ],
)
def test_sql_that_looks_at_other_rows_is_refused(sql: str) -> None:
    assert mistake(f'{{expr: "{sql}"}}')


@pytest.mark.parametrize(
    "sql",
    [
        "placed_at < CAST(NOW() AS TEXT)",
        "weight_g > 1 AND CURRENT_DATE > DATE '2026-01-01'",
        "hour < EXTRACT(HOUR FROM NOW())",
    ],
)
def test_sql_that_asks_the_clock_is_refused(sql: str) -> None:
    assert "must not ask for the time" in mistake(f'{{expr: "{sql}"}}')[0]


def test_sql_that_could_fail_on_a_batch_is_refused() -> None:
    assert "not an SQL condition" in mistake('{expr: "CAST(postcode AS INT) > 5"}')[0]


@pytest.mark.parametrize(
    "sql",
    [
        "weight_g > 5 AND province IN ('Agg', 'Date')",
        "CASE WHEN weight_g IS NULL THEN FALSE ELSE TRUE END",
        "ARRAY_CONTAINS(tags, 'vip') OR ARRAY_LENGTH(sku) > 3",
        "LENGTH(street) > 40 AND street LIKE '%村%'",
        "total_minor / weight_g > 50",
        "GREATEST(weight_g, total_minor) BETWEEN 1 AND 9",
        "TRY_CAST(postcode AS INT) > 5",
    ],
)
def test_sql_on_one_shipment_is_welcome(sql: str) -> None:
    parse(f'couriers: [{{name: a, use: X, when: {{expr: "{sql}"}}}}]')


def test_a_section_knows_what_was_chosen_before_it() -> None:
    assert mistake("{warehouse: hz}", "warehouses") == [
        "12: the fact 'warehouse' is not known yet in this section"
    ]
    parse(
        "couriers: [{name: a, use: X, when: {warehouse: hz}}]\ntemplates: [{name: a, use: X, when: {courier: Y}}]"
    )


def test_all_mistakes_of_a_file_come_in_its_order() -> None:
    found = refused("couriers:\n  - use: {courier: X, servic: y}\n    when: {a: 1, b: 2}\nhold: []\n")
    places = [tuple(map(int, line.split(":")[1:3])) for line in found]
    assert places == sorted(places)
    assert [line.split(": ", 1)[1] for line in found] == [
        "'name' is missing",
        "unknown field 'servic' (did you mean 'service'?)",
        "unknown fact 'a'",
        "unknown fact 'b'",
        "unknown field 'hold' (did you mean 'holds'?)",
    ]


def test_dates_are_days_of_the_zone_of_the_rules() -> None:
    def spans(zone: str) -> object:
        return (
            parse(f"timezone: {zone}\ncouriers: [{{name: a, use: X, when: {{placed_at: 2026-11-11}}}}]")
            .rules.couriers[0]
            .when
        )

    assert "2026-11-10T16:00:00Z" in str(spans("Asia/Shanghai"))
    assert "2026-11-11T08:00:00Z" in str(spans("America/Los_Angeles"))
    assert refused("timezone: Mars/North") == ["rules.yaml:1:11: there is no time zone 'Mars/North'"]


@pytest.mark.parametrize(
    ("tariff", "said"),
    [
        ("{id: z, provinces: [浙江]}", "either first_weight_kg with first_price, or brackets"),
        (
            "{id: z, provinces: [浙江], first_weight_kg: 1, first_price: 1, brackets: [{upto_kg: 1, price: 1}]}",
            "either",
        ),
        ("{id: z, first_weight_kg: 1, first_price: 1}", "needs countries, provinces, cities or districts"),
        (
            "{id: z, provinces: [浙江], brackets: [{upto_kg: 2, price: 1}, {upto_kg: 1, price: 2}]}",
            "brackets must rise",
        ),
        (
            "{id: z, provinces: [浙江], first_weight_kg: 1.0001, first_price: 1}",
            "at most 3 digits after the point",
        ),
        ("{id: z, provinces: [浙江], first_weight_kg: 1, first_price: -1}", "must not be less than 0"),
    ],
)
def test_zones_that_cannot_be_meant(tariff: str, said: str) -> None:
    assert any(said in line for line in refused(f"tariffs: [{{id: t, courier: X, zones: [{tariff}]}}]"))


def test_a_tariff_knows_its_coins_and_days() -> None:
    zone = "zones: [{id: z, provinces: [浙江], first_weight_kg: 1, first_price: 1}]"
    assert (
        "JPY has no coin"
        in refused(f"tariffs: [{{id: t, courier: X, currency: JPY, money_round_to: 0.1, {zone}}}]")[0]
    )
    peak = "surcharges: {peak: [{from: 2026-02-30, to: 2026-03-01}]}"
    assert "no such day" in refused(f"tariffs: [{{id: t, courier: X, {zone}, {peak}}}]")[0]


def test_a_named_catalogue_is_read_by_whoever_can() -> None:
    table = pl.DataFrame({"sku": ["TS-BLK-L"], "location": ["A-01"], "weight_g": ["210"]})
    book = parse("skus: {catalogue: items.csv}", "rules.yaml", {"items.csv": table}.__getitem__)
    assert book.shelves().of("hz") == {"TS-BLK-L": "A-01"}
    assert refused("skus: {catalogue: items.csv}") == [
        "rules.yaml:1:19: the table items.csv cannot be read here"
    ]


def test_the_schema_can_be_published() -> None:
    assert set(Rules.model_json_schema()["properties"]) >= {"couriers", "warehouses", "tariffs", "tests"}


def test_words_of_the_language_do_not_collide() -> None:
    assert not set(COMBINERS) & (set(FACTS) | set(LINE_FACTS))
    assert not {"of", "where"} & set(OPERATORS)
