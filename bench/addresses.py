"""Free-text addresses: ours, and well-known Python parsers doing the same work where they are installed.

`pip install cpca jionlp` brings the peers. Each reads every text and gives province, city and district; what is
counted are the rows.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from bench.parts import dice


def texts(path: Path) -> pl.Series:
    """Give a text for each row of the input: all counties of the mainland, written in six ways."""
    from orderctl.model.regions.divisions import regions

    counties = regions().filter((pl.col("level") == 3) & (pl.col("code") < 700000))
    rows = int(path.stem.split("-")[1])
    which, how, number = (
        dice(path, 1, sides, seed) for sides, seed in ((counties.height, 1), (6, 2), (999, 3))
    )
    place = counties[which.to_list()].with_columns(how=how, number=number.cast(pl.String))
    municipal = pl.col("province") == pl.col("city")
    city = pl.when(~municipal).then("city").otherwise(pl.lit(""))
    street = pl.concat_str(pl.lit("样例路"), "number", pl.lit("号3栋401室"))
    ways = [
        pl.concat_str("province", city, "district", street),
        pl.concat_str("province", "city", "district", street, separator=" "),
        pl.concat_str(pl.col("province").str.replace("省$", ""), city, "district", street),
        pl.concat_str("city", "district", street),
        pl.concat_str("province", "province", "city", "city", "district", street),
        pl.concat_str("province", city, "district", street, pl.lit(" 13800000001")),
    ]
    text = pl.coalesce(*(pl.when(pl.col("how") == k).then(way) for k, way in enumerate(ways)))
    made = place.select(text=text)["text"]
    assert len(made) == rows
    return made


def addresses_regex(path: Path) -> int:
    """One pattern of usual endings, in plain Python: no table, so it is right only where nothing is left out."""
    import re

    levels = re.compile(
        r"(?P<province>[^省]{2,8}省|.{2,6}自治区|(?:北京|上海|天津|重庆)市)?\s*"
        r"(?P<city>[^市州盟]{2,8}(?:市|自治州|地区|盟))?\s*(?P<district>[^区县市旗]{1,9}[区县市旗])?"
    )
    return sum(levels.match(text) is not None for text in texts(path).to_list())


def addresses_split(path: Path) -> int:
    """Ours, the levels at the head of a text."""
    from orderctl.model.regions import split_addresses

    return split_addresses(texts(path)).height


def addresses_settled(path: Path) -> int:
    """Ours in whole as `normalize` does it: contacts taken out, levels filled in, findings told."""
    from orderctl.model.schema import RECIPIENT
    from orderctl.stages.normalizing.addresses import addressed

    given = texts(path)
    blank = pl.DataFrame({"street": given}).with_row_index("row")
    lists = {field.name: field.dtype for field in RECIPIENT.fields if field.name != "street"}
    found = blank.with_columns(pl.lit(None, dtype=dtype).alias(name) for name, dtype in lists.items())
    found = found.with_columns(privacy=pl.lit("plain"), phone=pl.lit("13800000001"), name=pl.lit("测试甲"))
    return addressed(found, given)[0].height


def addresses_cpca(path: Path) -> int:
    """The parser cpca, a table of 2021."""
    import cpca

    return len(cpca.transform(texts(path).to_list()))


def addresses_jionlp(path: Path) -> int:
    """The parser of jionlp, with towns."""
    import jionlp

    return sum(1 for text in texts(path) if jionlp.parse_location(text, town_village=True))
