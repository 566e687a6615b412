"""A price sheet as a courier sends it, read as the zones of a tariff: a row for each place, a column for each weight.

Nothing is guessed about money: a heading that looks like a price and is not understood, a cell that is no amount and a
province that does not exist are mistakes, each told with its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

import polars as pl
from pydantic import ValidationError

from orderctl.model.errors import ConfigError
from orderctl.model.regions.provinces import ALIASES
from orderctl.model.text import Text
from orderctl.model.yamlfile import Finding, Wrong, config_error, nearest
from orderctl.stages.normalizing.skus_tables import LINE
from orderctl.stages.rules.sections.tariffs import Zone

PLACES = {
    "countries": ("country", "countries", "国家", "目的国"),
    "provinces": ("province", "provinces", "省份", "省", "目的地", "目的省份", "到达省份", "地区"),
    "cities": ("city", "cities", "城市", "目的城市"),
    "districts": ("district", "districts", "区县"),
}
_ZONE = ("zone", "分区", "区域")
_KG = r"(\d+(?:\.\d+)?)(kg|公斤|千克|g|克)?"
_FROM = r"\d+(?:\.\d+)?(?:kg|公斤|千克|g|克)?[-~–至到]"
_RUNG = re.compile(rf"(?:{_FROM}|≤|<=)?{_KG}(?:以内|内|以下|及以下)?")
_FIRST = re.compile(rf"(?:first_price|首重(?:价格?|费|\(元\))?)|首重\(?{_KG}(?:以内|内)?\)?(?:价格?|费)?")
_STEP = re.compile(
    rf"(?:step_price|续重(?:价格?|费|\(元\))?|续重/(?:kg|公斤))|续重\(?每?/?{_KG}\)?(?:价格?|费)?"
)
_LOOKS_LIKE_A_PRICE = re.compile(r"\d|重|价|费|kg|公斤|price|weight", re.IGNORECASE)
_SEPARATOR = re.compile(r"[、，,;；\s]+")
_SHORT = {
    "京": "北京", "津": "天津", "沪": "上海", "渝": "重庆", "冀": "河北", "豫": "河南", "云": "云南", "滇": "云南", "辽": "辽宁",
    "黑": "黑龙江", "湘": "湖南", "皖": "安徽", "鲁": "山东", "新": "新疆", "苏": "江苏", "江": "江苏", "浙": "浙江", "赣": "江西",
    "鄂": "湖北", "桂": "广西", "甘": "甘肃", "陇": "甘肃", "晋": "山西", "蒙": "内蒙古", "陕": "陕西", "秦": "陕西", "吉": "吉林",
    "闽": "福建", "贵": "贵州", "黔": "贵州", "粤": "广东", "青": "青海", "藏": "西藏", "川": "四川", "蜀": "四川", "宁": "宁夏",
    "琼": "海南",
}  # fmt: skip


@dataclass
class _Columns:
    """Which column (by heading) holds what; weights are kilograms."""

    zone: str | None = None
    places: dict[str, str] = field(default_factory=dict)
    rungs: dict[Decimal, str] = field(default_factory=dict)
    first: tuple[Decimal, str] | None = None
    step: tuple[Decimal, str] | None = None

    def prices(self) -> list[str]:
        one = [column[1] for column in (self.first, self.step) if column]
        return [*self.rungs.values(), *one]


class _Wrong(Exception):
    """A mistake in a cell: its heading (None: the row), what is wrong, and what may have been meant."""

    def __init__(self, heading: str | None, text: Text, hint: Text | None = None) -> None:
        super().__init__(str(text))
        self.heading, self.text, self.hint = heading, text, hint


def parse_sheet(table: pl.DataFrame, source: str) -> list[Zone]:
    """Read a table of texts as zones, in its order.

    A row with a place, but neither a zone nor a price where there is a column of zones, belongs to the row above (as
    cells that are merged come).

    Raises: ConfigError listing every mistake as `source:line:column: what`.
    """
    names = [name for name in table.columns if name != LINE]
    at = {name: number for number, name in enumerate(names, 1)}
    columns = _columns(names, source)
    lines = table[LINE].to_list() if LINE in table.columns else list(range(2, table.height + 2))
    zones: list[Zone] = []
    findings: list[Finding] = []
    for line, row in zip(lines, table.select(names).iter_rows(named=True), strict=True):
        cells = {name: str(value).strip() for name, value in row.items() if value is not None}
        if not any(cells.values()):
            continue
        try:
            zones.append(_zone(cells, columns, zones[-1] if zones else None))
        except _Wrong as wrong:
            findings.append(Finding(line, at.get(wrong.heading or "", 1), wrong.text, wrong.hint))
    if findings:
        raise config_error(source, findings)
    if not zones:
        raise ConfigError(Text("{source}: has no prices", source=source))
    return zones


def _columns(names: list[str], source: str) -> _Columns:
    found = _Columns()
    for at, name in enumerate(names, 1):
        word = re.sub(r"\s", "", name).lower().replace("（", "(").replace("）", ")")
        place = next((kind for kind, words in PLACES.items() if word in words), None)
        twice = False
        if place:
            twice = place in found.places
            found.places[place] = name
        elif word in _ZONE:
            twice, found.zone = found.zone is not None, name
        elif match := _FIRST.fullmatch(word):
            twice, found.first = found.first is not None, (_kg(match), name)
        elif match := _STEP.fullmatch(word):
            twice, found.step = found.step is not None, (_kg(match), name)
        elif match := _RUNG.fullmatch(word):
            twice = _kg(match) in found.rungs
            found.rungs[_kg(match)] = name
        elif _LOOKS_LIKE_A_PRICE.search(word):
            text = Text("the heading '{name}' is not understood: 0.5kg, 首重1kg and 续重1kg are", name=name)
            raise config_error(source, [Finding(1, at, text)])
        if twice:
            raise config_error(
                source, [Finding(1, at, Text("the column {column} is there twice", column=name))]
            )
    if not found.places:
        raise ConfigError(Text("{source}: has no column {column}", source=source, column="省份"))
    if not found.rungs and not found.first:
        raise ConfigError(Text("{source}: has no prices", source=source))
    return found


def _kg(match: re.Match[str]) -> Decimal:
    """Give the weight of a heading in kilograms; 1 when it tells none."""
    if match[1] is None:
        return Decimal(1)
    return Decimal(match[1]) / (1000 if match[2] in ("g", "克") else 1)


def _zone(cells: Mapping[str, str], columns: _Columns, above: Zone | None) -> Zone:
    places = {
        kind: list(_names(kind, heading, cells.get(heading, ""))) for kind, heading in columns.places.items()
    }
    name = cells.get(columns.zone or "", "")
    priced = any(cells.get(heading) for heading in columns.prices())
    if not any(places.values()):
        raise _Wrong(None, Text("a row needs a place"))
    first_place = next(names[0] for names in places.values() if names)
    if not priced and not name and columns.zone and above is not None:
        return above.model_copy(update={kind: places.get(kind, []) for kind in PLACES})
    try:
        return Zone.model_validate({"id": name or first_place, **places, **_prices(cells, columns)})
    except ValidationError as error:
        found = error.errors()[0]
        wrong = found.get("ctx", {}).get("wrong")
        text = wrong.text if isinstance(wrong, Wrong) else Text("no such prices: {why}", why=found["msg"])
        raise _Wrong(None, text) from None


def _prices(cells: Mapping[str, str], columns: _Columns) -> dict[str, Any]:
    """Give the prices of a row: a ladder with what is above it, or first and step."""
    step = _steps(cells, columns)
    first = _first(cells, columns)
    rungs = [(kg, heading) for kg, heading in sorted(columns.rungs.items())]
    filled = [(kg, heading) for kg, heading in rungs if cells.get(heading)]
    if not filled:
        if not first:
            raise _Wrong(columns.prices()[0], Text("the row has no price"))
        return {**first, **step}
    if missing := next((heading for _, heading in rungs if not cells.get(heading)), None):
        raise _Wrong(missing, Text("the row has prices, but none here"))
    if first and not step:
        assert columns.first is not None
        raise _Wrong(columns.first[1], Text("a first weight beside a ladder needs a step"))
    ladder = [{"upto_kg": kg, "price": _amount(heading, cells[heading])} for kg, heading in filled]
    return {"brackets": ladder, "over": {**first, **step} if step else None}


def _first(cells: Mapping[str, str], columns: _Columns) -> dict[str, Any]:
    if columns.first is None or not cells.get(columns.first[1]):
        return {}
    kg, heading = columns.first
    return {"first_weight_kg": kg, "first_price": _amount(heading, cells[heading])}


def _steps(cells: Mapping[str, str], columns: _Columns) -> dict[str, Any]:
    if columns.step is None or not cells.get(columns.step[1]):
        return {}
    kg, heading = columns.step
    return {"step_kg": kg, "step_price": _amount(heading, cells[heading])}


def _amount(heading: str, cell: str) -> Decimal:
    text = cell.removeprefix("¥").removeprefix("￥").removesuffix("元").replace(",", "").strip()
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or amount < 0:
        raise _Wrong(heading, Text("{value} is no amount", value=cell))
    exponent = amount.as_tuple().exponent
    tail_of_a_float = isinstance(exponent, int) and exponent < -9  # a formula gives 2.2000000000000002
    return amount.quantize(Decimal("0.000001")).normalize() if tail_of_a_float else amount


def _names(kind: str, heading: str, cell: str) -> Iterator[str]:
    for name in _SEPARATOR.split(cell):
        if not name:
            continue
        if kind != "provinces" or name in ALIASES or name.isascii():
            yield name
        elif all(letter in _SHORT for letter in name):  # 江浙沪皖
            yield from (_SHORT[letter] for letter in name)
        else:
            text = Text("there is no province '{name}'", name=name)
            raise _Wrong(heading, text, nearest(name, [n for n in ALIASES if not n.isascii()]))
