"""All texts of a column walked down the division table at once: one join a step, whatever the number of rows.

One invariant: a walk depends on where it stands and on what is left of the text, on nothing before. So a text that
was walked to its end and is walked again from there does not move: normalising twice is once.
"""

from __future__ import annotations

from functools import cache

import polars as pl

from orderctl.model.regions.divisions import (
    BEFORE_STREET,
    COUNTY,
    FULL,
    LONE,
    ROOT,
    SHORT,
    regions,
    steps,
    traditional,
)
from orderctl.model.regions.provinces import MUNICIPAL_GB, province_code

SEPARATORS = " ,，、;；|丨/\\·.。_>》:：-－—\t\u3000\u00a0"
_ALONE = r"^(?:$|[ ,，、;；|/·.。>》:：\-－—_丨\\\t\u{3000}\u{a0}])"
AT_MOST = 12
"""Steps of one walk; an address that repeats its levels three times has ten."""

_GOES_ON = (
    r"^[东南西北中前后内外]?[一二三四五六]?[东南西北中]?(?:大?路|街|大道|道|巷|弄|里|湾|风情|胡同|村|桥|门|大桥|立交|隧道|高速|广场|花园|花苑"
    r"|小区|公寓|大厦|大楼|商场|商城|商务|商业|商贸|酒店|宾馆|饭店|大学|学院|中学|小学|医院|银行|公园|火车站|站|机场|人家|新村|国际|中心)"
)
"""A short name that goes on like this is part of another name: 北京路, 朝阳门, 中山大学."""
_YET_A_REGION = r"^(?:道(?:里|外|真|县|孚)|路(?:桥区|南区|北区)|桥[西东]区|门(?:头沟|源)|站前区|湾(?:仔|沚))"
"""Regions whose names begin like the rest of a street's: 哈尔滨道里区."""
_BODY_OF_IT = (
    r"^(?:人民[政法检医]|市民|第[一二三四五六七八九十\d]|妇幼|中心[医小]|实验[中小学]|市场|场|政府|委员|党[校委]|机关|公安局|交警|法院|检察院"
    r"|司法局|税务|财政局|教育局|民政局|卫生|消防|图书馆|博物馆|文化馆|体育[馆场中]|青少年|少年宫|行政[中服审]|政务|农业局|气象局|社保"
    r"|供电|水务|中医|医院|小学|中学|中专|高中|[一二三四]中|职业|火车站|汽车站|客运|高铁站|机场|[东南西北]站|邮政|派出所|福利院|敬老院)"
)
"""A region's name that goes on like this is part of a body's name (余杭区人民医院): it tells the region, and stays."""
_ROAD = r"^(?:[东南西北中]?[一二三四五六]?(?:路|街|大道|大街|道|巷|弄|胡同|桥))"
_STREET_NEXT = r"^\p{Han}{1,5}?(?:街道|路|大街|大道|镇|乡)"
_PLACE_NEXT = r"^\p{Han}{2,6}?(?:路|街|大道|巷|弄|胡同|镇|乡)|^\p{Han}{0,4}?(?:科技园|产业园|工业园|软件园)"
"""What lets a district be written short before it: 朝阳建国路, but not 余杭塘路."""

_ZONE = r"^(?:新区|新城|开发区|高新|经开|经济|工业)"
"""龙华新区 is not 龙华区."""

STATE = ("row", "state", "town", "rest")


def plain_characters(text: pl.Expr) -> pl.Expr:
    """Give `text` with traditional characters of region names made simplified; the length stays."""
    table = traditional()
    return text.str.replace_many(list(table), list(table.values()))


def walk(texts: pl.DataFrame, *, notes: tuple[str, ...] | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Walk every text as far down as it names regions.

    Args:
        texts: `row` (any unique number), `state` (the code where the walk begins, ROOT if nothing is known), `town`
            (what is known of it) and `rest` (the text).
        notes: which steps may be taken besides plain ones (`former`, `divided`, `area`, `ambiguous`); all if not said.

    Returns:
        The rows in their order with `state`, `town` and what is left in `rest`; and a row per step taken:
        `row state next word note town`, in order.
    """
    table = _table(notes)
    seen = texts.select(
        "row",
        pl.col("state").cast(pl.Int32),
        "town",
        full=pl.col("rest"),
        rest=plain_characters(pl.col("rest")).str.strip_chars_start(SEPARATORS),
    )
    moving, taken = seen.select(STATE), []
    for _ in range(AT_MOST):
        hits = _step(moving, table)
        if hits.is_empty():
            break
        taken.append(hits)
        moving = hits.filter(~pl.col("stuck")).select("row", state="next", town="reached", rest="left")
    path = pl.concat(taken) if taken else _step(moving.clear(), table)
    last = path.unique("row", keep="last", maintain_order=True).select("row", "next", "reached", "left")
    ended = seen.join(last, on="row", how="left", maintain_order="left")
    whole = pl.col("full").str.len_chars()
    ended = ended.select(
        "row",
        state=pl.coalesce("next", "state"),
        town=pl.coalesce("reached", "town"),
        rest=pl.col("full").str.slice(whole - pl.coalesce(pl.col("left").str.len_chars(), whole)),
    )
    return ended, path.select("row", "state", "next", "word", "note", "reached", "town")


@cache
def _table(notes: tuple[str, ...] | None) -> pl.DataFrame:
    """Give the steps that may be taken."""
    table = steps().rename({"town": "named"})
    return table if notes is None else table.filter(pl.col("note").is_in(["", "pseudo", *notes]))


def _step(moving: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
    """Give the rows that move one step, with where to: the longest word that may be taken.

    Words that stay in the text (`left` is all of it) are told once: such a row is `stuck` unless it went down.
    """
    word, rest = pl.col("word"), pl.col("rest")
    heads = moving.with_columns(head=rest.str.head(2))
    # the few steps that can be meant, so that a small batch does not pay for the whole table
    meant = heads.select("state", "head").unique()
    near = table.join(meant, on=["state", "head"], how="semi", maintain_order="left")
    there = heads.lazy().join(near.lazy(), on=["state", "head"], how="inner", maintain_order="left_right")
    there = there.filter(rest.str.starts_with(word)).with_columns(after=rest.str.slice(word.str.len_chars()))
    after, named, note, trust = pl.col("after"), pl.col("named"), pl.col("note"), pl.col("trust")
    to_town = named.is_not_null() & (note == "")
    fresh_name = ~after.str.contains(_GOES_ON) | after.str.contains(_YET_A_REGION)
    trusted = (
        pl.when(trust == LONE)
        .then(after.str.contains(_ALONE))
        .when(trust == BEFORE_STREET)
        .then(
            after.str.contains(_ALONE)
            | (fresh_name & after.str.contains(_PLACE_NEXT) & ~after.str.contains(_ZONE))
        )
        .when(trust == SHORT)
        .then(fresh_name)
        .otherwise(~(to_town & after.str.contains(_ROAD)))
    )
    told = note.is_in(["ambiguous", "divided"])
    stays = (
        told
        | (note == "area")
        | ((trust == FULL) & after.str.contains(_BODY_OF_IT) & ~after.str.contains(_STREET_NEXT))
    )
    moves = pl.col("next") != pl.col("state")
    new_town = to_town & pl.col("town").is_null()
    fits = ~to_town | pl.col("town").is_null() | (pl.col("town") == named)
    useful = ~stays | moves | new_town | told
    found = there.filter(trusted & fits & useful).with_columns(stuck=stays & ~moves)
    # the steps come longest word first, and the join keeps that order within each row: the first is the longest
    longest = found.filter(pl.col("row").ne_missing(pl.col("row").shift()))
    return (
        longest.with_columns(
            reached=pl.when(to_town).then(named).otherwise("town"),
            left=pl.when(stays).then(rest).otherwise(after.str.strip_chars_start(SEPARATORS)),
        )
        .select("row", "state", "next", "word", "note", "reached", "left", "stuck", town="named")
        .collect()
    )


MET = pl.List(pl.Struct({"note": pl.String, "word": pl.String, "other": pl.String}))


WRITTEN = {"province": 1, "city": 2, "district": 4}
"""The bits by which a walk tells which levels its text named."""


def names(level: str) -> pl.Expr:
    """True where the column `written` tells that the text named `level`."""
    return (pl.col("written") & WRITTEN[level]) > 0


def met(path: pl.DataFrame) -> pl.DataFrame:
    """Give a row per walk of `path`: which levels were `written` (bits), and what was `met` (MET, null if nothing)."""
    known = regions().select("level", next="code", name="name")
    note, level = pl.col("note"), pl.col("level")
    # a county that only its town tells was not written
    inferred = (note == "") & (pl.col("word") == pl.col("town")) & (pl.col("next") != pl.col("state"))
    municipal = (level == 2) & (pl.col("next") // 10000).is_in(MUNICIPAL_GB)
    bits = level.replace_strict({1: 1, 2: 2, 3: 4}, default=0, return_dtype=pl.Int8)
    bits = pl.when(inferred.fill_null(False)).then(0).when(municipal).then(3).otherwise(bits)
    seen = path.join(known, on="next", how="left", maintain_order="left").with_columns(bits=bits)
    written = seen.group_by("row", maintain_order=True).agg(written=pl.col("bits").bitwise_or())
    other = pl.when(note == "former").then("name").when(note == "divided").then("town")
    told = seen.filter(note.is_in(["former", "divided", "ambiguous"]))
    told = told.group_by("row", maintain_order=True).agg(met=pl.struct("note", "word", other=other))
    return written.join(told, on="row", how="left", maintain_order="left")


def conflicts(walked: pl.DataFrame) -> pl.DataFrame:
    """Give `row met` for every row whose `rest` goes on with a region that does not lie where the walk is.

    `conflict` is a city or province elsewhere; `elsewhere` a county, which may be a zone or an old name of this city too.
    """
    table = steps().filter((pl.col("state") == ROOT) & (pl.col("trust") == FULL) & (pl.col("rank") <= COUNTY))
    word, rest, there, here = pl.col("word"), pl.col("rest"), pl.col("next"), pl.col("at")
    doubtful = pl.col("met").list.eval(pl.element().struct.field("note") == "ambiguous").list.any()
    named = walked.filter((pl.col("state") != ROOT) & ~doubtful.fill_null(False)).select(
        "row", at="state", rest=plain_characters(rest).str.strip_chars_start(SEPARATORS)
    )
    named = named.with_columns(head=rest.str.head(2)).join(
        table.select("head", "word", "next", "note"), on="head"
    )
    after = rest.str.slice(word.str.len_chars())
    named = named.filter(rest.str.starts_with(word) & ~after.str.contains(_BODY_OF_IT))
    named = named.sort("row", word.str.len_chars(), descending=[False, True])
    named = named.unique("row", keep="first", maintain_order=True)
    named = named.join(
        regions().select("level", "name", at="code"), on="at", how="left", maintain_order="left"
    )
    many = pl.col("note") == "ambiguous"
    city = (there % 100 == 0) & ~many & (there // 100 != here // 100)
    county = ((there % 100 != 0) | many) & (pl.col("level") < 3)
    outside = city | (county & (pl.col("level") == 1))
    return named.filter(city | county).select(
        "row",
        met=pl.struct(
            note=pl.when(outside).then(pl.lit("conflict")).otherwise(pl.lit("elsewhere")),
            word="word",
            other="name",
        ),
    )


def names_of(states: pl.DataFrame) -> pl.DataFrame:
    """Give `province province_code city district` of the column `state`, all null where it is ROOT."""
    found = states.select("state").join(_labels(), on="state", how="left", maintain_order="left")
    return found.select("province", "province_code", "city", "district")


@cache
def _labels() -> pl.DataFrame:
    return regions().select(
        "province", "city", "district", state="code", province_code=province_code(pl.col("province"))
    )
