"""The condition language once more, row by row in plain Python: slow, obvious, and sharing no code with the real one.

It reads the condition as it is written in YAML. None stands for unknown.
"""

from __future__ import annotations

import operator
import re
from typing import Any

SHORT = {"新疆维吾尔自治区": "新疆", "浙江省": "浙江", "北京市": "北京", "广东省": "广东"}

Truth = bool | None


def negation(value: Truth) -> Truth:
    return None if value is None else not value


def every(values: list[Truth]) -> Truth:
    if False in values:
        return False
    return None if None in values else True


def some(values: list[Truth]) -> Truth:
    if True in values:
        return True
    return None if None in values else False


def _plain(name: str, value: Any) -> Any:
    return SHORT.get(value, value) if name == "province" else value


_NUMBERS = {"lt": operator.lt, "lte": operator.le, "gt": operator.gt, "gte": operator.ge}


def _atom(name: str, op: str, wanted: Any, value: Any) -> Truth:
    """Compare one value (or one member of a list)."""
    if value is None:
        return None
    if op in ("eq", "in"):
        return _plain(name, value) in [_plain(name, w) for w in (wanted if op == "in" else [wanted])]
    if op in _NUMBERS:
        return bool(_NUMBERS[op](value, wanted))
    if op == "between":
        return bool(wanted[0] <= value <= wanted[1])
    if op == "pattern":
        return re.search(wanted, value) is not None
    low = value.lower()
    words = [w.lower() for w in (wanted if isinstance(wanted, list) else [wanted])]
    return {
        "any": any(w in low for w in words),
        "contains": any(w in low for w in words),
        "all": all(w in low for w in words),
        "starts_with": any(low.startswith(w) for w in words),
        "ends_with": any(low.endswith(w) for w in words),
    }[op]


def _compared(name: str, op: str, wanted: Any, value: Any) -> Truth:
    opposite = {"ne": "eq", "not_in": "in", "none": "any"}
    if op in opposite:
        return negation(_compared(name, opposite[op], wanted, value))
    if op == "missing":
        return (value is None or value == []) == wanted
    if isinstance(value, list):
        if op == "all":
            return every([some([_atom(name, "any", [w], v) for v in value]) for w in wanted])
        return some([_atom(name, op, wanted, v) for v in value])
    return _atom(name, op, wanted, value)


def truth(condition: dict[str, Any], row: dict[str, Any]) -> Truth:
    """Give whether `condition`, as written, holds for `row`: facts by name, and `lines`."""
    return every([_entry(name, value, row) for name, value in condition.items()])


def _entry(name: str, value: Any, row: dict[str, Any]) -> Truth:
    if name in ("all", "any"):
        return (every if name == "all" else some)([truth(part, row) for part in value])
    if name == "not":
        return negation(truth(value, row))
    if name in ("any_line", "all_lines"):
        return (some if name == "any_line" else every)([truth(value, line) for line in row["lines"]])
    if name == "sum_lines":
        return _sum(value, row["lines"])
    if name == "expr":
        return _sql(value, row)
    operators = (
        value if isinstance(value, dict) else {"in": value} if isinstance(value, list) else {"eq": value}
    )
    return every([_compared(name, op, wanted, row[name]) for op, wanted in operators.items()])


def _sum(value: dict[str, Any], lines: list[dict[str, Any]]) -> Truth:
    total: int | None = 0
    for line in lines:
        counts = truth(value["where"], line) if "where" in value else True
        if counts is False:
            continue
        addend = line[value["of"]]
        total = None if total is None or counts is None or addend is None else total + addend
    return every(
        [_compared("sum", op, wanted, total) for op, wanted in value.items() if op not in ("of", "where")]
    )


def _sql(text: str, row: dict[str, Any]) -> Truth:
    found = re.fullmatch(r"(\w+) > (\d+) (AND|OR) (\w+) = '(\w+)'", text)
    assert found
    left, right = row[found[1]], row[found[4]]
    parts = [None if left is None else left > int(found[2]), None if right is None else right == found[5]]
    return (every if found[3] == "AND" else some)(parts)


def first_match(
    conditions: list[dict[str, Any] | None], row: dict[str, Any]
) -> tuple[int | None, int | None]:
    """Give (the first condition that is true, the first unknown one before it)."""
    doubted = None
    for number, condition in enumerate(conditions):
        found = True if condition is None else truth(condition, row)
        if found:
            return number, doubted
        if found is None and doubted is None:
            doubted = number
    return None, doubted
