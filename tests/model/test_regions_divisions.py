"""The division table, and walks through it."""

from __future__ import annotations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from orderctl.model.regions.divisions import ROOT, former_names, regions, steps
from orderctl.model.regions.provinces import DIRECT_UNITS, MUNICIPALITIES, PROVINCES, UNDIVIDED_CITIES
from orderctl.model.regions.splitting import split_addresses
from orderctl.model.regions.walk import names_of, walk

NO_TOWN = pl.lit(None, dtype=pl.String)


def walked(*texts: str, state: int = ROOT) -> pl.DataFrame:
    rows = pl.DataFrame({"rest": texts}).with_row_index("row")
    ended, _ = walk(rows.with_columns(state=pl.lit(state), town=NO_TOWN))
    return ended.hstack(names_of(ended))


def test_the_table_has_all_provinces_by_their_names_and_every_region_once() -> None:
    table = regions()
    assert table["code"].is_unique().all()
    tops = table.filter(pl.col("level") == 1)
    assert set(tops["name"]) == {p.full for p in PROVINCES}
    assert tops.filter(pl.col("code") != pl.col("code") // 10000 * 10000).is_empty()
    assert table.filter(pl.col("province").is_null()).is_empty()
    counties = table.filter((pl.col("level") == 3) & (pl.col("code") < 700000)).height
    assert 2800 < counties < 2950


def test_cities_without_districts_and_units_without_a_city_are_those_of_the_table() -> None:
    table = regions().filter(pl.col("code") < 700000)
    divided = table.filter(pl.col("level") == 3)["parent"]
    direct = table.filter((pl.col("level") == 2) & (pl.col("code") % 10000 // 100 == 90))
    assert set(direct["name"]) == set(DIRECT_UNITS)
    whole = table.filter((pl.col("level") == 2) & ~pl.col("code").is_in(divided.implode())).filter(
        ~pl.col("name").is_in(DIRECT_UNITS)
    )
    assert set(whole["name"]) == set(UNDIVIDED_CITIES)


def test_former_names_lead_to_regions_that_are_there_and_are_names_of_none() -> None:
    names = former_names()
    assert names.filter(pl.any_horizontal(pl.col("within", "now").is_null())).is_empty()
    current = regions().select(within="parent", name="name")
    assert names.filter(pl.col("kind") == "former").join(current, on=["within", "name"]).is_empty()


def test_a_state_and_a_word_lead_to_one_place_and_never_up() -> None:
    table = steps()
    assert not table.select("state", "word").is_duplicated().any()
    level = regions().select("level", at="code")
    both = (
        table.filter(pl.col("note") != "former")
        .join(level.rename({"at": "state", "level": "from"}), on="state")
        .join(level.rename({"at": "next", "level": "to"}), on="next")
    )
    assert both.filter(pl.col("to") < pl.col("from")).is_empty()


def test_every_region_is_found_by_its_full_path() -> None:
    table = regions().filter(~((pl.col("level") == 1) & pl.col("name").is_in(MUNICIPALITIES)))
    path = table.select(pl.concat_str("province", "city", "district", ignore_nulls=True)).to_series()
    ended, _ = walk(
        pl.DataFrame({"rest": path}).with_row_index("row").with_columns(state=pl.lit(ROOT), town=NO_TOWN)
    )
    wrong = ended.with_columns(code=table["code"], path=path).filter(
        (pl.col("code") != pl.col("state")) | (pl.col("rest") != "")
    )
    assert wrong.is_empty(), wrong


def test_every_town_is_found_below_its_county() -> None:
    table = steps().filter(
        (pl.col("state") == pl.col("next")) & pl.col("town").is_not_null() & (pl.col("note") == "")
    )
    assert table.height > 38_000
    rows = table.select(rest=pl.col("word") + "样例路1号", state="state").with_row_index("row")
    ended, _ = walk(rows.with_columns(town=NO_TOWN))
    wrong = ended.with_columns(word=table["word"]).filter(
        (pl.col("town") != pl.col("word")) | (pl.col("rest") != "样例路1号")
    )
    assert wrong.height == 0, wrong


def test_a_walk_goes_on_where_it_stopped_and_finds_nothing_more() -> None:
    once = walked(
        "浙江省杭州市余杭区仓前街道样例路1号", "江苏昆山样例路", "香港铜锣湾样例道", "样例路", "鼓楼区样例路"
    )
    again, _ = walk(once.select("row", "state", "town", "rest"))
    assert again.equals(once.select(again.columns))


PLACES = st.sampled_from(
    regions().filter((pl.col("level") == 3) & (pl.col("code") < 700000)).rows(named=True)
)
STREETS = st.text("样例大厦小楼号幢0123456789-AB室", min_size=1, max_size=12)


@settings(deadline=None, max_examples=60)
@given(PLACES, STREETS, st.sampled_from(["", " ", "，", "/", "　"]))
def test_an_address_put_together_comes_apart_again(place: dict[str, str], street: str, between: str) -> None:
    municipal = place["province"] == place["city"]
    levels = [place["province"], *([] if municipal else [place["city"]]), place["district"]]
    street = "样例" + street
    found = split_addresses(pl.Series([between.join([*levels, street])])).to_dicts()[0]
    assert (found["province"], found["city"], found["district"]) == (
        place["province"],
        place["city"],
        place["district"],
    )
    assert found["street"] == street
