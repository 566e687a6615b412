"""The regions of China as columns: full province names, levels that are none, and addresses written as one text.

One invariant: nothing typed is lost. A text that is no known province stays as it is, and whoever splits an
address keeps the original beside the parts. Names of other countries pass through unchanged.

Source: GB/T 2260 (names and the two-digit codes of provinces) and ISO 3166-2:CN (letter codes).
"""

from __future__ import annotations

from typing import NamedTuple

import polars as pl


class Province(NamedTuple):
    """One province-level unit."""

    code: str
    """ISO 3166-2 without the country: the form other countries' provinces come in too."""
    gb: str
    """Two digits of GB/T 2260, the beginning of every region code below it."""
    full: str
    short: str
    kind: str
    """province, municipality, autonomous or special."""
    latin: str


PROVINCES: tuple[Province, ...] = (
    Province("BJ", "11", "北京市", "北京", "municipality", "Beijing"),
    Province("TJ", "12", "天津市", "天津", "municipality", "Tianjin"),
    Province("HE", "13", "河北省", "河北", "province", "Hebei"),
    Province("SX", "14", "山西省", "山西", "province", "Shanxi"),
    Province("NM", "15", "内蒙古自治区", "内蒙古", "autonomous", "Inner Mongolia"),
    Province("LN", "21", "辽宁省", "辽宁", "province", "Liaoning"),
    Province("JL", "22", "吉林省", "吉林", "province", "Jilin"),
    Province("HL", "23", "黑龙江省", "黑龙江", "province", "Heilongjiang"),
    Province("SH", "31", "上海市", "上海", "municipality", "Shanghai"),
    Province("JS", "32", "江苏省", "江苏", "province", "Jiangsu"),
    Province("ZJ", "33", "浙江省", "浙江", "province", "Zhejiang"),
    Province("AH", "34", "安徽省", "安徽", "province", "Anhui"),
    Province("FJ", "35", "福建省", "福建", "province", "Fujian"),
    Province("JX", "36", "江西省", "江西", "province", "Jiangxi"),
    Province("SD", "37", "山东省", "山东", "province", "Shandong"),
    Province("HA", "41", "河南省", "河南", "province", "Henan"),
    Province("HB", "42", "湖北省", "湖北", "province", "Hubei"),
    Province("HN", "43", "湖南省", "湖南", "province", "Hunan"),
    Province("GD", "44", "广东省", "广东", "province", "Guangdong"),
    Province("GX", "45", "广西壮族自治区", "广西", "autonomous", "Guangxi"),
    Province("HI", "46", "海南省", "海南", "province", "Hainan"),
    Province("CQ", "50", "重庆市", "重庆", "municipality", "Chongqing"),
    Province("SC", "51", "四川省", "四川", "province", "Sichuan"),
    Province("GZ", "52", "贵州省", "贵州", "province", "Guizhou"),
    Province("YN", "53", "云南省", "云南", "province", "Yunnan"),
    Province("XZ", "54", "西藏自治区", "西藏", "autonomous", "Tibet"),
    Province("SN", "61", "陕西省", "陕西", "province", "Shaanxi"),
    Province("GS", "62", "甘肃省", "甘肃", "province", "Gansu"),
    Province("QH", "63", "青海省", "青海", "province", "Qinghai"),
    Province("NX", "64", "宁夏回族自治区", "宁夏", "autonomous", "Ningxia"),
    Province("XJ", "65", "新疆维吾尔自治区", "新疆", "autonomous", "Xinjiang"),
    Province("TW", "71", "台湾省", "台湾", "province", "Taiwan"),
    Province("HK", "81", "香港特别行政区", "香港", "special", "Hong Kong"),
    Province("MO", "82", "澳门特别行政区", "澳门", "special", "Macao"),
)

_OTHER_NAMES = {
    "宁夏省": "宁夏回族自治区",
    "宁夏自治区": "宁夏回族自治区",
    "新疆省": "新疆维吾尔自治区",
    "新疆自治区": "新疆维吾尔自治区",
    "广西省": "广西壮族自治区",
    "广西自治区": "广西壮族自治区",
    "西藏省": "西藏自治区",
    "内蒙古省": "内蒙古自治区",
    "内蒙": "内蒙古自治区",
    "香港特区": "香港特别行政区",
    "澳门特区": "澳门特别行政区",
    "Nei Mongol": "内蒙古自治区",
    "Xizang": "西藏自治区",
    "Macau": "澳门特别行政区",
}

MUNICIPALITIES: tuple[str, ...] = tuple(p.full for p in PROVINCES if p.kind == "municipality")
UNDIVIDED_CITIES: tuple[str, ...] = ("东莞市", "中山市", "儋州市", "嘉峪关市")
"""Prefecture-level cities without districts: the next level down is a town or a street."""

DIRECT_UNITS: tuple[str, ...] = (
    *("济源市", "仙桃市", "潜江市", "天门市", "神农架林区"),
    *("五指山市", "琼海市", "文昌市", "万宁市", "东方市", "定安县", "屯昌县", "澄迈县", "临高县"),
    *("白沙黎族自治县", "昌江黎族自治县", "乐东黎族自治县", "陵水黎族自治县"),
    *("保亭黎族苗族自治县", "琼中黎族苗族自治县"),
    *("石河子市", "阿拉尔市", "图木舒克市", "五家渠市", "北屯市", "铁门关市"),
    *("双河市", "可克达拉市", "昆玉市", "胡杨河市", "新星市", "白杨市"),
)
"""County-level units directly under a province: they stand in the place of the city and have no districts."""

PSEUDO_LEVELS: tuple[str, ...] = (
    *(
        "市辖区",
        "市辖县",
        "县",
        "郊县",
        "省直辖县",
        "省直辖县级行政区划",
        "省直辖县级行政单位",
        "省直辖行政单位",
    ),
    *(
        "自治区直辖县级行政区划",
        "自治区直辖县级行政单位",
        "直辖县",
        "直辖县级",
        "其它区",
        "其他区",
        "其他",
        "其它",
    ),
)
"""Words of the statistical tables and of platforms' pick lists that name no place."""

_FULL: dict[str, str] = {
    **{p.short: p.full for p in PROVINCES},
    **{p.full: p.full for p in PROVINCES},
    **{p.short + p.full[-1]: p.full for p in PROVINCES if p.kind == "province"},
    **{p.latin: p.full for p in PROVINCES},
    **{p.latin.upper(): p.full for p in PROVINCES},
    **_OTHER_NAMES,
}
_CODE: dict[str, str] = {p.full: p.code for p in PROVINCES}
_BY_CODE: dict[str, str] = {
    key: p.full for p in PROVINCES for key in (p.code, p.gb, p.gb + "0000", "CN-" + p.code)
}
_BLANKS = " \t\r\n\u3000\u00a0"
_ANY_PROVINCE = "|".join(sorted((n for n in _FULL if not n.isascii()), key=len, reverse=True))


def province_full(name: pl.Expr) -> pl.Expr:
    """Give the full name of a province written short, full, as in old lists or in Latin letters; others unchanged."""
    clean = name.str.strip_chars(_BLANKS)
    return clean.replace_strict(_FULL, default=clean, return_dtype=pl.String)


def province_of_code(code: pl.Expr) -> pl.Expr:
    """Give the full name for an ISO 3166-2:CN code (`ZJ`, `CN-ZJ`) or a GB/T 2260 one (`33`, `330000`), else null."""
    return code.str.to_uppercase().replace_strict(_BY_CODE, default=None, return_dtype=pl.String)


def province_code(full: pl.Expr) -> pl.Expr:
    """Give the ISO 3166-2:CN letters (`ZJ`) of a full province name; null for what is none."""
    return full.replace_strict(_CODE, default=None, return_dtype=pl.String)


def _place(name: pl.Expr) -> pl.Expr:
    clean = name.str.strip_chars(_BLANKS)
    return pl.when((clean != "") & ~clean.is_in(PSEUDO_LEVELS)).then(clean)


LEVELS = ("province", "city", "district", "town")


def placed(parts: pl.DataFrame) -> pl.DataFrame:
    """Give `province province_code city district town` as labels show them, a row for each row of `parts`.

    `parts` has the columns LEVELS as a platform gave them. A municipality is its own city (上海市 上海市); words that
    name no place are dropped; a county-level unit directly under a province stands as the city; what stands below an
    undivided city (东莞市) is a town.
    """
    # the same few thousand places come again and again: each is looked at once
    found = parts.select(LEVELS)
    return found.join(
        _placed(found.unique()), on=LEVELS, how="left", nulls_equal=True, maintain_order="left"
    ).select(
        pl.col(f"_{name}").alias(name) for name in ("province", "province_code", "city", "district", "town")
    )


def _placed(parts: pl.DataFrame) -> pl.DataFrame:
    full, city, district = pl.col("_province"), pl.col("_city"), pl.col("_district")
    seen = parts.with_columns(
        _province=province_full(_blank_to_null(pl.col("province"))),
        _city=_place(pl.col("city")),
        _district=_place(pl.col("district")),
        _town=_blank_to_null(pl.col("town")),
    ).with_columns(
        own=full.is_in(MUNICIPALITIES).fill_null(False),
        _city=pl.when(city.is_in([c[:-1] for c in UNDIVIDED_CITIES])).then(city + "市").otherwise(city),
    )
    # "北京 朝阳区 ...": the district stands in the city's place, and what follows is the town
    slipped = pl.col("own") & city.is_not_null() & (province_full(city) != full)
    seen = seen.with_columns(
        _district=pl.when(slipped).then(city).otherwise(district),
        _town=pl.when(slipped).then(pl.coalesce("_town", "_district")).otherwise("_town"),
    ).with_columns(
        direct=(district.is_in(DIRECT_UNITS) & (city.is_null() | (city == district))).fill_null(False)
    )
    seen = seen.with_columns(
        _city=pl.when("own").then(full).when("direct").then(district).otherwise(city),
        _district=pl.when(~pl.col("direct")).then(district),
    )
    whole = city.is_in((*UNDIVIDED_CITIES, *DIRECT_UNITS)).fill_null(False)
    below = pl.when(district != city).then(district)
    return seen.with_columns(
        _province_code=province_code(full),
        _town=pl.when(whole).then(pl.coalesce("_town", below)).otherwise("_town"),
        _district=pl.when(~whole).then(district),
    )


def _blank_to_null(text: pl.Expr) -> pl.Expr:
    clean = text.str.strip_chars(_BLANKS)
    return pl.when(clean != "").then(clean)


def _take(text: pl.Expr, pattern: str) -> tuple[pl.Expr, pl.Expr]:
    """Split off what group 1 of an anchored `pattern` matches: (match or null, the rest)."""
    found = text.str.extract(pattern, 1)
    rest = text.str.slice(found.str.len_chars().fill_null(0)).str.strip_chars_start(_BLANKS + ",，")
    return found, rest


def _districts(text: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Split off a county-level name; 义乌市 before 区 further on, but 沙市区 as a whole."""
    wide, _ = _take(text, r"^(\p{Han}{1,11}?(?:自治县|自治旗|林区|矿区|特区)|\p{Han}{1,6}?[区县旗])")
    town, _ = _take(text, r"^(\p{Han}{1,5}?市)")
    shorter = town.is_not_null() & (
        wide.is_null() | ((town.str.len_chars() < wide.str.len_chars()) & (wide != town + "区"))
    )
    found = pl.when(shorter).then(town).otherwise(wide)
    rest = text.str.slice(found.str.len_chars().fill_null(0)).str.strip_chars_start(_BLANKS + ",，")
    return found, rest


def split_addresses(addresses: pl.Series) -> pl.DataFrame:
    """Split Chinese addresses written as one text: `省 市 区 街道+详细(邮编)`, with or without the blanks.

    Gives `province province_code city district town street postcode`, each null where the text does not show it;
    an address that begins with no province comes out whole as `street`. The caller keeps the original.
    """
    text = addresses.to_frame("text").with_columns(pl.col("text").str.strip_chars(_BLANKS))
    body = text.select(
        zipped=pl.col("text").str.extract(r"[(（](\d{6})[)）]$", 1),
        body=pl.col("text")
        .str.replace(r"\s*[(（](?:\d{6})?[)）]$", "")
        .str.replace_all(r"[ \t\u{3000}\u{a0}]+", " "),
    ).with_columns(
        known=pl.col("body").str.contains(rf"^(?:{_ANY_PROVINCE})"),
        spaced=pl.col("body").str.contains(rf"^(?:{_ANY_PROVINCE}) "),
    )
    by_blanks, by_names = _split_by_blanks(pl.col("body")), _split_by_names(pl.col("body"))
    parts = body.with_columns(
        pl.when("spaced").then(by_blanks[name]).when("known").then(by_names[name]).alias(name)
        for name in by_blanks
    ).with_columns(town=pl.lit(None, dtype=pl.String))
    found = parts.select("body", "known", "rest", "zipped").hstack(placed(parts))
    # below an undivided city the third part may be the town already: then it is not looked for in the rest
    town, rest = _take_town(pl.col("rest"))
    street = pl.when(pl.col("town").is_null()).then(rest).otherwise("rest")
    return found.select(
        *("province", "province_code", "city", "district"),
        town=pl.coalesce("town", town),
        street=_blank_to_null(pl.when("known").then(street).otherwise("body")),
        postcode=pl.when(pl.col("zipped") != "000000").then("zipped"),
    )


def _split_by_blanks(body: pl.Expr) -> dict[str, pl.Expr]:
    parts = body.str.split(" ")
    name = [parts.list.get(i, null_on_oob=True) for i in range(3)]
    province = province_full(name[0])
    second_is_city = name[1].is_in([*DIRECT_UNITS, *UNDIVIDED_CITIES])
    # below an undivided city the third part is a town only if it is named like one: the street must not be lost
    town_like = name[2].str.contains(r"(?:街道|镇|乡|区|苏木|农场|林场|团)$") & (
        name[2].str.len_chars() <= 12
    )
    municipal = (
        province.is_in(MUNICIPALITIES) & (province_full(name[1]) != province) & ~name[1].is_in(PSEUDO_LEVELS)
    )
    third = (
        pl.when(municipal).then(False).when(second_is_city).then(town_like).otherwise(True).fill_null(False)
    )
    used = pl.when(third).then(3).otherwise(2)
    return {
        "province": name[0],
        "city": name[1],
        "district": pl.when(third).then(name[2]),
        "rest": parts.list.slice(used).list.join(" "),
    }


def _split_by_names(body: pl.Expr) -> dict[str, pl.Expr]:
    province, rest = _take(body, rf"^({_ANY_PROVINCE})")
    full = province_full(province)
    own = full.is_in(MUNICIPALITIES)
    city, after_city = _take(rest, r"^(\p{Han}{1,9}?自治州|\p{Han}{2,5}?(?:地区|盟)|\p{Han}{2,6}?市)")
    own_city, after_own = _take(rest, r"^((?:北京|天津|上海|重庆)市?|市辖区|县)")
    after = pl.when(own).then(after_own).otherwise(after_city)
    district, after_district = _districts(after)
    undivided = city.is_in([*UNDIVIDED_CITIES, *DIRECT_UNITS]).fill_null(False)
    return {
        "province": province,
        "city": pl.when(own).then(own_city).otherwise(city),
        "district": pl.when(~undivided).then(district),
        "rest": pl.when(undivided).then(after).otherwise(after_district),
    }


def _take_town(rest: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Split off a sub-district or town. Without a blank behind it only 街道 is sure (景德镇路 is a road)."""
    spaced, after_spaced = _take(rest, r"^(\p{Han}{1,11}(?:街道|镇|乡|苏木|农场|林场|团场)) ")
    joined, after_joined = _take(rest, r"^(\p{Han}{1,9}?街道)(?:[^办路]|$)")
    found = pl.coalesce(spaced, joined)
    return found, pl.when(spaced.is_not_null()).then(after_spaced).when(joined.is_not_null()).then(
        after_joined
    ).otherwise(rest)
