"""What Amazon's answers mean: the HTTP status, then the codes in `errors`.

Messages are written for people, change without notice and may quote what was sent: of them only names of request
fields are looked for, and nothing is shown.

Source: SP-API models and documentation, as collected in the project's fact sheet (November 2026).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from orderctl.model.errors import OutcomeUnknown, PortError, Refused, Temporary, Unauthorized
from orderctl.model.text import Text
from orderctl.ports.http import http_failure, parse_json, retry_after_s, unreadable

CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,60}")
NO_PACKAGE = "PackageToUpdateNotFound"
LOGIN_REFUSED = frozenset(
    {"invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type"}
)
FIELDS_AT_FAULT = {
    "trackingnumber": "bad_number",
    "carriercode": "courier_unknown",
    "carriername": "courier_unknown",
}


def classify(status: int, headers: Mapping[str, str], body: bytes, *, operation: str) -> PortError | None:
    """Say what an answer of the Selling Partner API means; None when it is what was asked for."""
    failure = http_failure(status, headers, operation)
    if failure is None:
        return None if status == 204 or _is_object(body) else unreadable(operation)
    errors = _errors(body)
    code = _code(errors)
    shown = named(code, headers)
    if status == 429:
        wait = retry_after_s(headers)
        return Temporary(
            Text("{operation}: too many calls ({code})", operation=operation, code=shown or "429"),
            code="throttled",
            retry_after_s=1.0 if wait is None else wait,
        )
    if status in (401, 403):
        return Unauthorized(
            Text("{operation}: credentials refused (HTTP {status})", operation=operation, status=status),
            hint=Text("check the region, the app's roles and the seller's authorisation"),
            code=f"http_{status}",
        )
    if not errors or isinstance(failure, (OutcomeUnknown, Temporary)):
        return failure
    if status == 404 and code == "NotFound":
        return Refused(
            Text("{operation}: refused ({code})", operation=operation, code=shown), code="not_found"
        )
    return Refused(
        Text("{operation}: refused ({code})", operation=operation, code=shown), code=_refusal(errors, code)
    )


def classify_login(
    status: int, headers: Mapping[str, str], body: bytes, *, operation: str
) -> PortError | None:
    """Say what an answer of the login server means."""
    failure = http_failure(status, headers, operation)
    if failure is None:
        return None if _is_object(body) else unreadable(operation)
    try:
        error = str(parse_json(body).get("error") or "")
    except ValueError:
        return failure
    if error not in LOGIN_REFUSED or not 400 <= status < 500:
        return failure
    hint = (
        Text("the app's client_secret may be over: they end after 180 days")
        if error == "invalid_client"
        else Text("log in again with orderctl auth")
    )
    return Unauthorized(
        Text("{operation}: refused ({code})", operation=operation, code=error), hint=hint, code=error
    )


def named(code: str, headers: Mapping[str, str]) -> str:
    """Give a code with the request's id beside it, for which Amazon's support asks."""
    request = headers.get("x-amzn-requestid", "")
    return f"{code}, request {request}" if re.fullmatch(r"[A-Za-z0-9-]{8,64}", request) else code


def _is_object(body: bytes) -> bool:
    try:
        parse_json(body)
    except ValueError:
        return False
    return True


def _errors(body: bytes) -> list[dict[str, Any]]:
    try:
        errors = parse_json(body).get("errors")
    except ValueError:
        return []
    return [e for e in errors if isinstance(e, dict)] if isinstance(errors, list) else []


def _code(errors: list[dict[str, Any]]) -> str:
    codes = [str(e.get("code") or "") for e in errors]
    return next((c for c in codes if CODE.fullmatch(c)), "errors" if codes else "")


def _refusal(errors: list[dict[str, Any]], code: str) -> str:
    """Give our word for a refusal: that of the request field it names, where it names one."""
    texts = " ".join(f"{e.get('message')} {e.get('details')}" for e in errors)
    if NO_PACKAGE in texts:
        return NO_PACKAGE
    plain = re.sub(r"[^a-z]", "", texts.lower())
    return next((ours for name, ours in FIELDS_AT_FAULT.items() if name in plain), code)
