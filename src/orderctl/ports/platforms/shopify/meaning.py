"""What Shopify's answers mean: HTTP status, top-level `errors` (with HTTP 200), then what the data leaves out.

Texts of errors are written for people, may quote what was sent, and are never shown or matched; only codes and
field names are.

Source: the Admin API's schema and documentation, as collected in the project's fact sheet (November 2026).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from orderctl.model.errors import OutcomeUnknown, PortError, Refused, Temporary, Unauthorized
from orderctl.model.text import Text
from orderctl.ports.http import http_failure, parse_json, unreadable

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,60}")
SUSPECTED = 430
INSIDE = frozenset({"INTERNAL_SERVER_ERROR", "TIMEOUT"})


def classify(status: int, headers: Mapping[str, str], body: bytes, *, operation: str) -> PortError | None:
    """Say what an answer means; None when it holds data, even if some fields were withheld."""
    if status == SUSPECTED:
        return Temporary(
            Text("{operation}: too many calls", operation=operation), code="http_430", retry_after_s=5.0
        )
    failure = http_failure(status, headers, operation)
    if failure is not None:
        return failure
    try:
        answer = parse_json(body)
    except ValueError:
        return unreadable(operation)
    errors = answer.get("errors")
    if errors:
        found = _errors(errors, answer, operation)
        if found is not None:
            return found
    return None if isinstance(answer.get("data"), dict) else unreadable(operation)


def _errors(errors: object, answer: dict[str, Any], operation: str) -> PortError | None:
    listed = [e for e in errors if isinstance(e, dict)] if isinstance(errors, list) else []
    codes = {str((e.get("extensions") or {}).get("code") or "") for e in listed}
    if "THROTTLED" in codes:
        return Temporary(
            Text("{operation}: too many calls ({code})", operation=operation, code="THROTTLED"),
            code="throttled",
            retry_after_s=throttle_s(answer) or 1.0,
        )
    if "MAX_COST_EXCEEDED" in codes:
        return Refused(
            Text(
                "{operation}: the query is too dear ({code})", operation=operation, code="MAX_COST_EXCEEDED"
            ),
            code="max_cost",
        )
    if codes & INSIDE:
        return OutcomeUnknown(
            Text(
                "{operation}: the platform failed inside ({code})",
                operation=operation,
                code=min(codes & INSIDE),
            ),
            code="platform",
        )
    if codes == {"ACCESS_DENIED"}:
        data = answer.get("data")
        if isinstance(data, dict) and any(v is not None for v in data.values()):
            return None  # what is withheld is named by `withheld`
        return Unauthorized(
            Text(
                "{operation}: the app may not read or change {fields}",
                operation=operation,
                fields=_paths(listed),
            ),
            hint=Text("grant the access scope in the shop's app settings"),
            code="permission",
        )
    shown = ", ".join(sorted(c for c in codes if NAME.fullmatch(c))) or "errors"
    return Refused(Text("{operation}: refused ({code})", operation=operation, code=shown), code=shown)


def throttle_s(answer: Mapping[str, Any]) -> float:
    """Give the seconds until the bucket holds what the query asked for; 0 when it does already."""
    cost = (answer.get("extensions") or {}).get("cost") or {}
    status = cost.get("throttleStatus") or {}
    try:
        missing = float(cost["requestedQueryCost"]) - float(status["currentlyAvailable"])
        return max(0.0, missing / float(status["restoreRate"]))
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return 0.0


def points_left(answer: Mapping[str, Any]) -> int | None:
    """Give how many points the bucket still holds; None if the answer does not say."""
    cost = (answer.get("extensions") or {}).get("cost") or {}
    left = (cost.get("throttleStatus") or {}).get("currentlyAvailable")
    return None if left is None else int(left)


def withheld(answer: Mapping[str, Any]) -> str:
    """Name the fields the app may not see, as `orders.nodes.email, ...`; empty when all was given."""
    errors = answer.get("errors")
    return _paths([e for e in errors if isinstance(e, dict)]) if isinstance(errors, list) else ""


def field_path(path: object) -> str:
    """Write an error's path by its field names alone."""
    parts = path if isinstance(path, list) else []
    return ".".join(p for p in parts if isinstance(p, str) and NAME.fullmatch(p))


def _paths(errors: list[dict[str, Any]]) -> str:
    return ", ".join(sorted({field_path(e.get("path")) for e in errors} - {""})) or "?"
