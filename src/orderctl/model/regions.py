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


def levels(province: pl.Expr, city: pl.Expr, district: pl.Expr, town: pl.Expr) -> dict[str, pl.Expr]:
    """Give `province province_code city district town` as they are used on labels, from the parts a platform gave.

    A municipality is its own city (上海市 上海市); words that name no place are dropped; a county-level unit
    directly under a province stands as the city; the part below an undivided city (东莞市) is a town.
    """
    full = province_full(_blank_to_null(province))
    raw_city, raw_district, raw_town = _place(city), _place(district), _blank_to_null(town)
    own_city = full.is_in(MUNICIPALITIES)
    named_itself = raw_city.is_null() | (raw_city == full) | (province_full(raw_city) == full)
    slipped = own_city & ~named_itself  # "北京 朝阳区 ...": the district stands in the city's place
    known_city = (
        pl.when(raw_city.is_in([c[:-1] for c in UNDIVIDED_CITIES])).then(raw_city + "市").otherwise(raw_city)
    )
    direct = raw_district.is_in(DIRECT_UNITS) & (known_city.is_null() | (known_city == raw_district))
    new_city = pl.when(own_city).then(full).when(direct).then(raw_district).otherwise(known_city)
    lower = pl.when(slipped.fill_null(False)).then(raw_city).when(~direct.fill_null(False)).then(raw_district)
    no_districts = new_city.is_in((*UNDIVIDED_CITIES, *DIRECT_UNITS)).fill_null(False)
    below = pl.when(slipped.fill_null(False)).then(pl.coalesce(raw_town, raw_district)).otherwise(raw_town)
    shifted = pl.when(lower != new_city).then(lower)
    return {
        "province": full,
        "province_code": province_code(full),
        "city": new_city,
        "district": pl.when(~no_districts).then(lower),
        "town": pl.when(no_districts).then(pl.coalesce(below, shifted)).otherwise(below),
    }


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


def split_address(address: pl.Expr) -> dict[str, pl.Expr]:
    """Split a Chinese address written as one text: `省 市 区 街道+详细(邮编)`, with or without the blanks.

    Gives `province province_code city district town street postcode`, each null where the text does not show it;
    an address that begins with no province comes out whole as `street`. The caller keeps the original.
    """
    text = address.str.strip_chars(_BLANKS)
    zipped = text.str.extract(r"[(（](\d{6})[)）]$", 1)
    body = text.str.replace(r"\s*[(（](?:\d{6})?[)）]$", "").str.replace_all(r"[ \t\u{3000}\u{a0}]+", " ")
    spaced = body.str.contains(rf"^(?:{_ANY_PROVINCE}) ")
    by_blanks = _split_by_blanks(body)
    by_names = _split_by_names(body)
    known = body.str.contains(rf"^(?:{_ANY_PROVINCE})")
    raw = {name: pl.when(spaced).then(by_blanks[name]).when(known).then(by_names[name]) for name in by_blanks}
    placed = levels(raw["province"], raw["city"], raw["district"], pl.lit(None, pl.String))
    # without districts the third part may be a town already: then it is not looked for in the rest
    found_town, after_town = _take_town(raw["rest"])
    town = pl.coalesce(placed["town"], found_town)
    street = pl.when(placed["town"].is_null()).then(after_town).otherwise(raw["rest"])
    return {
        **placed,
        "town": town,
        "street": _blank_to_null(pl.when(known).then(street).otherwise(body)),
        "postcode": pl.when(zipped != "000000").then(zipped),
    }


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
