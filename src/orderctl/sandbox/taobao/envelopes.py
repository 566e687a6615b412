"""How answers and errors of the Taobao stand-in look on the wire.

The one invariant: every answer is HTTP 200 with one root, in JSON (lists wrapped under their singular name) or XML.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from orderctl.sandbox.answer import Answer, as_json, as_text
from orderctl.sandbox.texts import digest

SINGULAR = {
    "trades": "trade", "orders": "order", "promotion_details": "promotion_detail", "service_tags": "service_tag",
    "logistics_infos": "logistics_info", "logistics_companies": "logistics_company", "tid_list": "string",
}  # fmt: skip
"""The inner name of each wrapped list."""


class TopError(Exception):
    """A refusal in the platform's envelope."""

    def __init__(self, code: int, msg: str, sub_code: str | None = None, sub_msg: str | None = None) -> None:
        super().__init__(msg)
        self.envelope = {"code": code, "msg": msg}
        if sub_code:
            self.envelope["sub_code"] = sub_code
        if sub_msg:
            self.envelope["sub_msg"] = sub_msg


def missing(name: str) -> TopError:
    """Say that an argument of the method is missing."""
    return TopError(40, f"Missing required arguments:{name}", "isv.missing-parameter:" + name)


def invalid(name: str, why: str) -> TopError:
    """Say that an argument of the method is wrong."""
    return TopError(41, f"Invalid arguments:{name}", "isv.invalid-parameter:" + name, why)


def write(params: Mapping[str, str], value: dict[str, Any], now: float) -> Answer:
    """Write an answer in the format that the call asked for."""
    root, body = next(iter(value.items()))
    body = {**body, "request_id": "15q" + digest(root, now)[:9].lower()}
    if params.get("format", "xml") != "json":
        text = f'<?xml version="1.0" encoding="utf-8" ?>{to_xml(root, wrapped(body))}'
        return as_text(text, media_type="text/xml;charset=UTF-8")
    if params.get("simplify") == "true":
        return as_json({root: body} if root == "error_response" else body)
    return as_json({root: wrapped(body)})


def wrapped(value: Any) -> Any:
    """Wrap every list under its singular name, as the platform does without `simplify`."""
    if not isinstance(value, dict):
        return value
    return {
        key: {SINGULAR[key]: [wrapped(one) for one in item]} if isinstance(item, list) else wrapped(item)
        for key, item in value.items()
    }  # fmt: skip


def to_xml(name: str, value: Any) -> str:
    """Write an answer as XML."""
    if isinstance(value, dict):
        parts = (
            "".join(to_xml(key, one) for one in item) if isinstance(item, list) else to_xml(key, item)
            for key, item in value.items()
        )
        return f"<{name}>{''.join(parts)}</{name}>"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"<{name}>{escape(''.join(c for c in text if c >= ' ' or c in chr(10) + chr(9)))}</{name}>"
