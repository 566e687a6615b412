"""The division table of China, and the words by which its regions are found, as steps of a walk.

One invariant: a step leads from a region to itself or to one below it, so every walk ends. The tables are data
(`assets/divisions`, with their date, source and licence); nothing here names a single region but the exceptions of
language (names of peoples, endings).
"""

from __future__ import annotations

from functools import cache

import polars as pl

from orderctl.assets import DIVISIONS
from orderctl.model.regions.provinces import ALIASES, MUNICIPAL_GB, PROVINCES, PSEUDO_LEVELS

ROOT = 0
"""The state of a walk that knows nothing yet."""

_PEOPLES = (
    *(
        "蒙古",
        "哈萨克",
        "柯尔克孜",
        "锡伯",
        "塔吉克",
        "达斡尔",
        "各族",
        "回族",
        "藏族",
        "苗族",
        "彝族",
        "壮族",
    ),
    *(
        "布依族",
        "朝鲜族",
        "满族",
        "侗族",
        "瑶族",
        "白族",
        "土家族",
        "哈尼族",
        "傣族",
        "黎族",
        "傈僳族",
        "佤族",
    ),
    *("畲族", "拉祜族", "水族", "纳西族", "景颇族", "土族", "仫佬族", "羌族", "布朗族", "撒拉族", "毛南族"),
    *("仡佬族", "普米族", "怒族", "保安族", "裕固族", "独龙族", "东乡族", "蒙古族", "达斡尔族", "锡伯族"),
)
_OF_PEOPLES = rf"(?:{'|'.join(sorted(_PEOPLES, key=len, reverse=True))})+自治[州县旗]$"
_AUTONOMOUS = r"族?自治[州县旗]$"
_ENDING = r"(?:新区|林区|特区|地区|市|区|县|盟|旗)$"

# What a word is worth where two mean different things: the lower wins, equals are ambiguous.
REPEATED, PROVINCE, CITY, COUNTY, FORMER, CITY_SHORT, COUNTY_SHORT, TOWN = range(8)

FULL, SHORT, BEFORE_STREET, LONE = "full", "short", "before street", "lone"
"""How far a word is trusted: as it stands; unless a street's name goes on from it; only before a street or when nothing
is joined to it; only when nothing is joined to it."""


@cache
def regions() -> pl.DataFrame:
    """Give a row per region: `code parent name level short` and `province city district`, its names on a label.

    `level` is 1 for provinces, 2 for cities and what stands in their place (units directly under a province), else 3.
    """
    table = pl.read_csv(
        DIVISIONS / "regions.csv", schema={"code": pl.Int32, "parent": pl.Int32, "name": pl.String}
    )
    top = pl.col("parent").is_null()
    table = table.with_columns(
        parent=pl.col("parent").fill_null(ROOT),
        level=pl.when(top).then(1).when(pl.col("parent") % 10000 == 0).then(2).otherwise(3).cast(pl.Int8),
        short=_short(pl.col("name")),
    )
    names = table.select("code", "name", "parent")
    above = names.rename({"code": "parent", "name": "above", "parent": "grand"})
    placed = table.join(above, on="parent", how="left").join(
        names.select(grand="code", highest="name"), on="grand", how="left"
    )
    level, name = pl.col("level"), pl.col("name")
    return placed.select(
        *("code", "parent", "name", "level", "short"),
        province=pl.when(level == 1).then(name).when(level == 2).then("above").otherwise("highest"),
        city=pl.when(level == 2).then(name).when(level == 3).then("above"),
        district=pl.when(level == 3).then(name),
    )


def _short(name: pl.Expr) -> pl.Expr:
    """Give a name without its ending (余杭, 恩施); null when less than two characters are left."""
    peoples = name.str.contains(_OF_PEOPLES) & (name.str.replace(_OF_PEOPLES, "").str.len_chars() > 1)
    short = (
        pl.when(peoples)
        .then(name.str.replace(_OF_PEOPLES, ""))
        .when(name.str.contains(_AUTONOMOUS))
        .then(name.str.replace(_AUTONOMOUS, ""))
        .otherwise(name.str.replace(_ENDING, ""))
    )
    return pl.when((short.str.len_chars() > 1) & (short != name)).then(short)


@cache
def traditional() -> dict[str, str]:
    """Give the simplified form of every traditional character that names of regions are written with."""
    table = pl.read_csv(DIVISIONS / "characters.csv")
    return dict(table.iter_rows())


@cache
def former_names() -> pl.DataFrame:
    """Give what names used to mean: `kind within name now` (codes) and `successors`, their names when there are many.

    `kind` is `former`, `short` (another short form) or `area` (a known quarter that tells the region and stays in
    the street). A name whose region was divided leads to where it stood (`now` is `within`), and says so.
    """
    table = pl.read_csv(DIVISIONS / "names.csv", schema_overrides={"since": pl.String}).drop("since")
    known = regions()
    path = pl.concat_str("province", "city", "district", separator="/", ignore_nulls=True)
    # a municipality is written once: 北京市, 北京市/西城区
    paths = known.select("code", path=path.str.replace(r"^(.+市)/(?:北京|天津|上海|重庆)市", "${1}")).filter(
        ~pl.col("code").is_in([gb * 10000 for gb in MUNICIPAL_GB])
    )
    many = pl.col("now").str.contains("|", literal=True)
    below = pl.concat_str("within", pl.lit("/"), "now")
    target = pl.when(many).then("within").when(pl.col("now").str.contains("/")).then("now").otherwise(below)
    found = table.with_columns(
        target=target, successors=pl.when(many).then(pl.col("now").str.replace_all("|", ", ", literal=True))
    )
    return (
        found.join(
            paths.rename({"path": "within", "code": "at"}), on="within", how="left", maintain_order="left"
        )
        .join(paths.rename({"path": "target", "code": "to"}), on="target", how="left", maintain_order="left")
        .select("kind", "name", "successors", within="at", now="to")
    )


def _steps(
    frame: pl.DataFrame, rank: int, trust: str, *, word: str = "name", note: str = "", to: str = "code"
) -> pl.DataFrame:
    """Give the rows of `frame` that have a word as steps from `state`."""
    kept = frame.filter(pl.col(word).is_not_null() & pl.col("state").is_not_null())
    return kept.select(
        "state",
        word=pl.col(word),
        next=pl.col(to),
        rank=pl.lit(rank, dtype=pl.Int8),
        trust=pl.lit(trust),
        note=pl.lit(note),
        town=pl.col("town") if "town" in kept.columns else pl.lit(None, dtype=pl.String),
    )


def _from(frame: pl.DataFrame, *states: pl.Expr | int) -> pl.DataFrame:
    """Give `frame` once for each of `states`."""
    each = [frame.with_columns(state=pl.lit(s, pl.Int32) if isinstance(s, int) else s) for s in states]
    return pl.concat(each).filter(pl.col("state").is_not_null())


TOP = pl.col("code") // 10000 * 10000
CHOSEN = ("state", "word")


def _provinces() -> list[pl.DataFrame]:
    """Lead from nothing to a province, by all its names; a municipality is its own city."""
    rows = [
        (name, int(p.gb) * 10000 + (100 if p.kind == "municipality" else 0), name == p.short)
        for p in PROVINCES
        for name, full in ALIASES.items()
        if full == p.full and not name.isascii()
    ]
    known = pl.DataFrame(
        rows, schema={"name": pl.String, "code": pl.Int32, "brief": pl.Boolean}, orient="row"
    )
    known = known.with_columns(state=pl.lit(ROOT, pl.Int32))
    long, brief = known.filter(~pl.col("brief")), known.filter("brief")
    again = known.with_columns(state="code")
    return [
        _steps(long, PROVINCE, FULL),
        _steps(brief, PROVINCE, SHORT),
        _steps(again.filter(~pl.col("brief")), REPEATED, FULL),
        _steps(again.filter("brief"), TOWN, LONE),
    ]


def _cities(cities: pl.DataFrame, counties: pl.DataFrame) -> list[pl.DataFrame]:
    """Lead to a city, from its province and, where the name says enough, from nothing."""
    at_home = cities.filter(pl.col("code") < 800000)
    beyond = cities.filter(pl.col("code") >= 800000)  # 新界 and 离岛 say nothing without Hong Kong or Macau
    state_like = at_home.filter(pl.col("name").str.ends_with("自治州"))
    # 朝阳 may be the city of Liaoning or a district of Beijing, so it tells nothing by itself
    elsewhere = counties.select("short", other="parent").drop_nulls()
    doubtful = at_home.join(elsewhere, on="short").filter(pl.col("other") != pl.col("code"))
    telling = at_home.join(doubtful, on="short", how="anti").with_columns(state=pl.lit(ROOT, pl.Int32))
    steps = [
        _steps(_from(at_home, ROOT, TOP), CITY, FULL),
        _steps(_from(beyond, TOP), CITY, FULL),
        _steps(_from(at_home, TOP), CITY_SHORT, SHORT, word="short"),
        _steps(telling, CITY_SHORT, SHORT, word="short"),
    ]
    direct = at_home.filter(pl.col("name").str.contains("自治县")).with_columns(name=pl.col("short") + "县")
    steps.append(_steps(_from(direct, TOP), CITY, FULL))
    for ending in ("州", "自治州"):
        named = state_like.with_columns(name=pl.col("short") + ending)
        steps.append(_steps(_from(named, ROOT, TOP), CITY, FULL))
    return steps


def _counties(counties: pl.DataFrame) -> list[pl.DataFrame]:
    """Lead to a county from its city, its province, and from nothing where it has a name of its own."""
    above, name, short = pl.col("parent"), pl.col("name"), pl.col("short")
    at_home = counties.filter(pl.col("code") < 700000)
    brief = counties.with_columns(
        name=pl.when(name.str.contains("自治"))
        .then(short + name.str.slice(-1))
        .when(name.str.ends_with("新区"))
        .then(short + "区")
    )
    was_county = at_home.filter(name.str.ends_with("区")).with_columns(name=short + "县")
    joined = counties.join(regions().select(parent="code", city_short="short"), on="parent", how="left")
    joined = joined.with_columns(name=pl.coalesce("city_short", pl.lit(None, pl.String)) + name)
    return [
        _steps(_from(counties, TOP, above), COUNTY, FULL),
        _steps(_from(at_home, ROOT), COUNTY, FULL),
        _steps(_from(brief, TOP, above), COUNTY, FULL),
        _steps(_from(joined, above), COUNTY, FULL),
        _steps(_from(was_county, above), FORMER, FULL, note="former"),
        _steps(_from(counties, above), COUNTY_SHORT, BEFORE_STREET, word="short"),
        _steps(_from(at_home.filter(~name.str.ends_with("区")), TOP), COUNTY_SHORT, SHORT, word="short"),
        _steps(
            _from(at_home.filter(name.str.ends_with("区")), TOP), COUNTY_SHORT, BEFORE_STREET, word="short"
        ),
        # 济南市中区 is 市中区, not 济南市
        _steps(_from(joined.filter(pl.col("district").str.starts_with("市")), ROOT, TOP), COUNTY, FULL),
    ]


def _repeated(known: pl.DataFrame) -> list[pl.DataFrame]:
    """Lead from a region to itself, by its own names and those of what it lies in."""
    own = known.with_columns(state="code")
    level_up = own.with_columns(name=pl.when(pl.col("level") == 3).then("city"))
    highest = own.with_columns(name=pl.when(pl.col("level") > 1).then("province"))
    return [
        _steps(own, REPEATED, FULL),
        _steps(level_up, REPEATED, FULL),
        _steps(highest, REPEATED, FULL),
        _steps(own.filter(pl.col("level") == 2), TOWN, LONE, word="short"),
    ]


def _named_otherwise(counties: pl.DataFrame) -> list[pl.DataFrame]:
    """Lead by former names, other short ones, and quarters that tell their region."""
    names = former_names().with_columns(code="now", town="successors")
    former = names.filter(pl.col("kind") != "area")
    divided = pl.col("town").is_not_null()
    areas = (
        names.filter(pl.col("kind") == "area")
        .drop("town")
        .join(counties.select(now="code", above="parent"), on="now", how="left")
    )
    other = pl.col("kind") == "short"
    once = _from(former, pl.col("within"), pl.col("within") // 10000 * 10000, ROOT)
    once = once.filter(~divided | (pl.col("state") == pl.col("within")))
    return [
        _steps(once.filter(~divided & ~other), FORMER, FULL, note="former"),
        _steps(once.filter(other & (pl.col("state") != ROOT)).drop("town"), FORMER, FULL),
        _steps(once.filter(divided), FORMER, FULL, note="divided"),
        _steps(_from(areas, pl.col("within"), pl.col("above")), COUNTY, FULL, note="area"),
    ]


def _towns() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Lead to a town: from what it lies in, and (second) to a county from its city by a town only that county has."""
    listed = pl.read_csv(DIVISIONS / "towns.csv", schema={"parent": pl.Int32, "names": pl.String})
    towns = listed.select(code="parent", town=pl.col("names").str.split("|")).explode("town")
    towns = towns.join(regions().select("code", "parent", "level"), on="code")
    inside = _steps(towns.with_columns(state="code"), TOWN, FULL, word="town")
    below = towns.filter(pl.col("level") == 3).with_columns(state="parent")
    alone = below.filter(pl.struct("state", "town").is_unique())
    return inside, _steps(alone, TOWN, FULL, word="town")


def _pseudo(known: pl.DataFrame) -> list[pl.DataFrame]:
    """Lead nowhere: the words of pick lists that name no place, and the country itself."""
    words = pl.DataFrame({"name": [w for w in PSEUDO_LEVELS if len(w) > 3 or w == "市辖区"]})
    places = known.filter(pl.col("level") < 3).select("code", state="code")
    country = pl.DataFrame({"name": ["中国", "中国大陆", "中华人民共和国"]}).with_columns(
        code=pl.lit(ROOT, pl.Int32), state=pl.lit(ROOT, pl.Int32)
    )
    run_together = pl.DataFrame({"name": ["辖区", "辖县"]})  # 北京市辖区朝阳区, and 重庆市县城口县
    below = known.filter(pl.col("name").str.ends_with("县") & (pl.col("parent") // 10000).is_in(MUNICIPAL_GB))
    below = below.with_columns(state="parent", name=pl.lit("县") + pl.col("name"))
    municipal = places.filter(pl.col("code").is_in([gb * 10000 + 100 for gb in MUNICIPAL_GB]))
    return [
        _steps(below, COUNTY, FULL),
        _steps(run_together.join(municipal, how="cross"), REPEATED, FULL, note="pseudo"),
        _steps(words.join(places, how="cross"), REPEATED, FULL, note="pseudo"),
        _steps(country, REPEATED, FULL, note="pseudo"),
    ]


@cache
def steps() -> pl.DataFrame:
    """Give all steps: `state head word next rank trust note town`, one for each state and word.

    Longer words come first; `head` is the first two characters of the word. A step whose `note` is `ambiguous` leads nowhere: its word names
    several places; `divided` neither: `town` then names what the old region became.
    """
    municipal = [gb * 10000 for gb in MUNICIPAL_GB]
    known = regions().filter(~pl.col("code").is_in(municipal))
    cities = known.filter((pl.col("level") == 2) & ~pl.col("parent").is_in(municipal))
    counties = known.filter(pl.col("level") == 3)
    inside, across = _towns()
    every = pl.concat(
        [
            *_provinces(),
            *_cities(cities, counties),
            *_counties(counties),
            *_repeated(known),
            *_named_otherwise(counties),
            *_pseudo(known),
        ]
    ).filter(pl.col("word").str.len_chars() > 1)
    best = every.filter(pl.col("rank") == pl.col("rank").min().over(CHOSEN))
    doubt = pl.col("next").n_unique().over(CHOSEN) > 1
    best = best.with_columns(doubt=doubt).unique(CHOSEN, keep="first", maintain_order=True)
    best = best.with_columns(
        next=pl.when("doubt").then("state").otherwise("next"),
        note=pl.when("doubt").then(pl.lit("ambiguous")).otherwise("note"),
    ).drop("doubt")
    for more in (inside, across):
        best = pl.concat(
            [best, more.unique(CHOSEN, keep="first", maintain_order=True).join(best, on=CHOSEN, how="anti")]
        )
    return best.sort(pl.col("word").str.len_chars(), descending=True, maintain_order=True).select(
        pl.all(), head=pl.col("word").str.head(2)
    )
