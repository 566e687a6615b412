from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from typing import Literal

import pytest
from pydantic import Field

from orderctl.model.errors import ConfigError
from orderctl.model.yamlfile import Section, compose, load_validated, load_with_nodes, locate


class Inner(Section):
    weight_g: int = 0
    code: str = ""
    price: Decimal = Field(Decimal(0), ge=0, decimal_places=2)
    kind: Literal["up", "down"] = "up"


class Outer(Section):
    items: list[Inner] = Field(default_factory=list)
    named: dict[str, Inner] = Field(default_factory=dict)


def refused(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_validated(text, "x.yaml", Outer)
    return caught.value.render().splitlines()


@pytest.mark.parametrize(
    "written",
    ["NO", "off", "0123", "12:30", "190:20:30", "2026-01-02", "1_000", "0x1F", "1e3", ".5", "=", "<<"],
)
def test_what_yaml_1_1_would_turn_into_something_else_stays_text(written: str) -> None:
    assert load_validated(f"items: [{{code: {written}}}]", "x", Outer).items[0].code == written


def test_numbers_keep_every_digit_and_may_stand_for_texts() -> None:
    (item,) = load_validated("items: [{code: 310000, price: 0.10, weight_g: 5}]", "x", Outer).items
    assert (item.code, str(item.price), item.weight_g) == ("310000", "0.10", 5)
    assert load_validated("items: [{code: 1.10}]", "x", Outer).items[0].code == "1.10"


def test_keys_are_the_words_as_written() -> None:
    assert set(load_validated("named: {NO: {}, 1: {}, true: {}, 0123: {}}", "x", Outer).named) == {
        "NO",
        "1",
        "true",
        "0123",
    }


def test_anchors_may_repeat_a_piece() -> None:
    found = load_validated("items: [&a {weight_g: 5}, *a]", "x", Outer)
    assert [item.weight_g for item in found.items] == [5, 5]


def test_nothing_is_an_empty_file() -> None:
    for text in ("", "# only a comment\n", "---\n", "{}"):
        assert load_validated(text, "x", Outer) == Outer()


def test_all_mistakes_come_at_once_each_with_its_place() -> None:
    text = """items:
  - wieght_g: 1
    kind: dwn
    kind: up
  - 5
  - price: 1.234
    weight_g: [1]
named: {a: {weigth_g: 1, price: -1}}
"""
    assert refused(text) == [
        "x.yaml:2:5: unknown field 'wieght_g' (did you mean 'weight_g'?)",
        "x.yaml:3:11: 'dwn' is none of up, down (did you mean 'down'?)",
        "x.yaml:4:5: 'kind' is written twice; first in line 3",
        "x.yaml:5:5: expected fields with values",
        "x.yaml:6:12: at most 2 digits after the point",
        "x.yaml:7:15: expected a whole number",
        "x.yaml:8:13: unknown field 'weigth_g' (did you mean 'weight_g'?)",
        "x.yaml:8:33: must not be less than 0",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("items: [1", "x.yaml:2:1: this is no YAML"),
        ("a: 1\n---\nb: 2", "x.yaml:2:1: this is no YAML"),
        ("items: \x00", "x.yaml:1:1: this is no YAML"),
        ("\tx: 1", "x.yaml:1:1: this is no YAML"),
        ("- 1", "x.yaml:1:1: expected fields with values"),
        ("named: {a: &a {b: *a}}", "x.yaml:1:12: this alias never ends"),
        (
            "items: [{code: !!python/name:os.system x}]",
            "x.yaml:1:16: the tag tag:yaml.org,2002:python/name:os.system",
        ),
        ("? [a]\n: 1", "x.yaml:1:3: a key must be one word"),
    ],
)
def test_files_that_are_no_yaml_of_ours(text: str, expected: str) -> None:
    assert any(line.startswith(expected) for line in refused(text)), refused(text)


def test_aliases_that_unfold_without_end_are_refused() -> None:
    bomb = "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n" + "\n".join(
        f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)
    )
    assert any("this alias never ends" in line for line in refused(bomb))


def test_messages_are_in_the_readers_language() -> None:
    with pytest.raises(ConfigError) as caught:
        load_validated("items: [{wieght_g: 1}]", "x.yaml", Outer)
    assert caught.value.render("zh") == "x.yaml:1:10: 未知字段“wieght_g” (是否想写“weight_g”？)"


def test_places_are_found_for_keys_values_and_what_is_absent() -> None:
    _, node = load_with_nodes("items:\n  - weight_g: 5\n", "x", Outer)
    assert locate(node, ("items", 0, "weight_g")) == (2, 15)
    assert locate(node, ("items", 0, "weight_g"), key=True) == (2, 5)
    assert locate(node, ("items", 0, "code")) == (2, 5)
    assert locate(node, ("items", 7)) == (2, 3)
    assert locate(compose("", "x"), ("items",)) == (1, 1)


def test_reading_yaml_brings_in_no_frames() -> None:
    """The configuration is read by every command, also by those that never touch a batch."""
    code = "import sys, orderctl.model.yamlfile; sys.exit('polars' in sys.modules or 'httpx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
