"""Stock as the commands read it: files and databases of the configuration, and what the ledger holds of it."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import polars as pl
import pytest

from orderctl.cli.allocating import warn_unstocked
from orderctl.cli.config import Config, ShopConfig, StockConfig
from orderctl.cli.facts import facts_of, with_stock
from orderctl.cli.session import Session
from orderctl.model.effect import Effect, Outcome, State
from orderctl.model.errors import ConfigError, DataError, InputMissing
from orderctl.model.facts import STOCK, Facts
from orderctl.ports.ledger import Ledger
from orderctl.ports.tables.database import read_database
from orderctl.stages.plans.rows import bound, claims
from tests.ledger.samples import opened
from tests.stages.allocating.test_allocating import WHOLE, goods, merged, routed
from tests.stages.samples import codes, order

COUNTED, NOW = "2026-11-24T01:00:00Z", "2026-11-24T02:00:00Z"


def read(config: Config, base: Path, ledger: Ledger) -> Facts:
    return with_stock(facts_of(config, ledger), config, base, ledger)


def test_what_a_waybill_was_bought_for_is_not_there_for_the_next_route(tmp_path: Path) -> None:
    (tmp_path / "stock.csv").write_text(f"warehouse,sku,quantity,counted_at\nhz,A,1,{COUNTED}\n")
    config = Config(stock=[StockConfig(file="stock.csv")])
    rows = merged(order("1", lines=[goods("1", "A")]), order("2", lines=[goods("1", "A")]))
    with opened(tmp_path) as ledger:
        first, second = routed(rows, read(config, tmp_path, ledger))
        assert (codes(first).get("out_of_stock"), codes(second).get("out_of_stock")) == (None, "wait")
        buy = Effect(
            "waybill.buy", first["shipment_id"], claims=claims(first), shipment_id=first["shipment_id"],
            attributes={k: v for k, v in bound(first).items() if v is not None},
        )  # fmt: skip
        ledger.begin([buy], NOW)
        facts = read(config, tmp_path, ledger)
        assert facts.reserved.rows() == [(first["shipment_id"], "hz", "A", 1, NOW)]
        assert facts.to_json() == read(config, tmp_path, ledger).to_json()
        (alone,) = routed(rows.filter(pl.col("shipment_id") == second["shipment_id"]), facts)
        assert codes(alone)["out_of_stock"] == "wait"
        assert routed(rows, facts, WHOLE) == [first, second]

        ledger.settle(buy.key, Outcome(State.FAILED, None, "refused", NOW))
        assert read(config, tmp_path, ledger).reserved.is_empty()


def test_a_file_counts_from_when_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "stock.csv"
    path.write_text("仓库,我方SKU,数量\nhz,A,1\n")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    with opened(tmp_path) as ledger:
        facts = read(Config(stock=[StockConfig(file="stock.csv")]), tmp_path, ledger)
    assert facts.stock is not None
    assert facts.stock.rows() == [("hz", "A", None, 1, "2023-11-14T22:13:20Z")]


def test_files_and_databases_are_added_up(tmp_path: Path) -> None:
    pl.DataFrame({"warehouse": ["hz"], "sku": ["A"], "quantity": [2]}).write_parquet(tmp_path / "s.parquet")
    with sqlite3.connect(tmp_path / "wms.db") as db:
        db.execute('CREATE TABLE "on hand" (sku TEXT, warehouse TEXT, quantity INTEGER, counted_at TEXT)')
        db.execute("INSERT INTO \"on hand\" VALUES ('A', 'gz', 3, '2026-11-24 09:00')")
    db.close()
    config = Config(stock=[StockConfig(file="s.parquet"), StockConfig(database="wms.db", table="on hand")])
    with opened(tmp_path) as ledger:
        facts = read(config, tmp_path, ledger)
    assert facts.stock is not None
    assert facts.stock.select("warehouse", "quantity").rows() == [("hz", 2), ("gz", 3)]


def test_without_a_stock_there_is_none(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        assert read(Config(), tmp_path, ledger).stock is None


def test_shops_whose_platform_takes_parts(tmp_path: Path) -> None:
    (tmp_path / "stock.csv").write_text("warehouse,sku,quantity\n")
    shops = {
        "a": ShopConfig(platform="taobao"), "b": ShopConfig(platform="pdd"), "c": ShopConfig(platform="jd"),
        "d": ShopConfig(platform="jd", settings={"parts": "sp"}), "e": ShopConfig(platform="other"),
    }  # fmt: skip
    with opened(tmp_path) as ledger:
        facts = read(Config(stock=[StockConfig(file="stock.csv")], shops=shops), tmp_path, ledger)
    assert facts.partial == {"a", "d"}


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputMissing):
        read_database(tmp_path / "none.db", "stock")
    (tmp_path / "text.db").write_text("no database " * 100)
    with pytest.raises(DataError):
        read_database(tmp_path / "text.db", "stock")
    sqlite3.connect(tmp_path / "empty.db").close()
    (tmp_path / "empty.db").touch()
    with pytest.raises(DataError, match="no such table"):
        read_database(tmp_path / "empty.db", 'st"ock')
    with sqlite3.connect(tmp_path / "wms.db") as db:
        db.execute("CREATE TABLE stock (sku TEXT, warehouse TEXT, quantity INTEGER)")
    db.close()
    uncounted = Config(stock=[StockConfig(database="wms.db")])
    with opened(tmp_path) as ledger, pytest.raises(ConfigError, match="has no column counted_at"):
        read(uncounted, tmp_path, ledger)
    with opened(tmp_path) as ledger, pytest.raises(ConfigError, match="stock 1"):
        read(Config(stock=[StockConfig()]), tmp_path, ledger)


def test_a_warehouse_that_no_stock_knows_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("warehouses: [{name: all, use: [hz, gz, cd]}]\nallocation: {not_counted: [cd]}\n")
    session = Session("route", rules_path=str(rules), asked_now=NOW, lang="en")
    warn_unstocked(session, Facts())
    warn_unstocked(
        session, Facts(stock=pl.DataFrame([("hz", "A", None, 1, None)], schema=STOCK, orient="row"))
    )
    assert capsys.readouterr().err == (
        "orderctl route: no stock knows the warehouse gz: nothing can leave from there\n"
    )
