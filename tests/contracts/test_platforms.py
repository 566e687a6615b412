"""What every platform of the registry brings with it. Its conduct is tried in the files beside this one.

The rest of the contract walks the registry by itself: a connector is tried against the stand-in of its platform, and
every format against its golden orders (tests/ports/platforms).
"""

from __future__ import annotations

import csv
import string
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from orderctl.model.couriers import COURIERS
from orderctl.model.errors import ConfigError
from orderctl.model.text import sentences
from orderctl.ports import platforms
from orderctl.ports.platforms.formats import mappers
from orderctl.ports.platforms.port import Shop
from orderctl.sandbox import standins
from tests.contracts.world import CLIENTS
from tests.ports.http.clock import NOW, http_over
from tests.ports.http.rehearsal import TokensInMemory

FIXTURES = Path(__file__).parents[1] / "ports" / "platforms"


def test_every_client_has_a_stand_in_to_rehearse_with() -> None:
    assert set(CLIENTS) == set(platforms.clients())


@pytest.mark.parametrize("name", CLIENTS)
def test_every_entry_loads(name: str) -> None:
    found = platforms.load(name)
    assert found.name == name
    assert 0 < found.ship_settling_s <= 3600
    assert found.__module__.startswith(f"orderctl.ports.platforms.{name}.")
    assert "Settings:" in (import_module(found.__module__).__doc__ or "") + (found.__doc__ or "")


def test_an_unknown_platform_is_named() -> None:
    with pytest.raises(ConfigError, match="taobao"):
        platforms.load("nobody")


@pytest.mark.parametrize("form", [form for form in mappers() if form != "map/1"])
def test_every_format_has_recorded_orders_and_golden_ones(form: str) -> None:
    platform, kind = form.split("/")
    golden = FIXTURES / platform / f"expected-{kind}.jsonl"
    assert golden.exists(), f"{golden} is missing"
    assert golden.read_text("utf-8").count("\n") >= 3
    assert len(list((FIXTURES / platform).iterdir())) > 1


@pytest.mark.parametrize("name", CLIENTS)
def test_couriers_are_a_table_of_codes_and_names(name: str) -> None:
    path = Path(platforms.__file__).parent / name / "couriers.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["courier", "code", "name"]
    assert all(row["courier"] and row["code"] and row["name"] for row in rows)
    ours = [row["courier"] for row in rows]
    assert len(ours) == len(set(ours))
    assert len(set(ours) & set(COURIERS)) >= 5


@pytest.mark.parametrize("name", CLIENTS)
def test_plain_http_to_another_machine_is_refused(name: str) -> None:
    http, _ = http_over(lambda _: pytest.fail("sent"))
    shop = next(shop for shop in standins.load(standins.PLATFORMS[name]).shops)
    settings = standins.load(standins.PLATFORMS[name]).settings
    with pytest.raises(ConfigError, match="only https"):
        given = settings(None, shop)
        client = platforms.load(name)(Shop("s", name, "http://a.example.com", given), http, TokensInMemory())
        list(client.fetch_orders(["1"], now=NOW))


@pytest.mark.parametrize("name", [n for n in CLIENTS if find_spec(f"orderctl.ports.platforms.{n}.meaning")])
def test_every_sentence_of_a_table_has_its_chinese(name: str) -> None:
    chinese = sentences("zh")
    module = import_module(f"orderctl.ports.platforms.{name}.meaning")
    tables = [value for value in vars(module).values() if isinstance(value, dict)]
    templates = {v for table in tables for v in table.values() if isinstance(v, str) and "{operation}" in v}
    for template in templates:
        assert fields(chinese[template]) == fields(template)


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}
