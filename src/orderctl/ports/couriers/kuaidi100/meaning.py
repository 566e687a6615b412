"""What Kuaidi100's answers mean: its codes come with HTTP 200, and `success` decides.

Its messages may quote an address and are never shown; only the codes are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from orderctl.model.errors import OutcomeUnknown, PortError, Refused, Temporary, Unauthorized
from orderctl.model.text import Text
from orderctl.ports.http import http_failure, parse_json, unreadable

SAFE_CODE = re.compile(r"\w{1,20}")
BUSY = frozenset({"502"})
FAILED_INSIDE = frozenset({"500", "501"})
CREDENTIALS = frozenset({"503", "600", "601", "702"})


def classify(status: int, headers: Mapping[str, str], body: bytes, *, operation: str) -> PortError | None:
    """Say what an answer means; None when it is a success."""
    failure = http_failure(status, headers, operation)
    if failure is not None:
        return failure
    try:
        answer = parse_json(body)
    except ValueError:
        return unreadable(operation)
    if answer.get("success") is True:
        return None
    found = str(answer.get("code") or answer.get("returnCode") or "")
    code = found if SAFE_CODE.fullmatch(found) else ""
    if not code:
        return unreadable(operation)
    if code in BUSY:
        return Temporary(
            Text("{operation}: the platform is busy ({code})", operation=operation, code=code), code=code
        )
    if code in FAILED_INSIDE:
        return OutcomeUnknown(
            Text("{operation}: the platform failed inside ({code})", operation=operation, code=code),
            code=code,
        )
    if code in CREDENTIALS:
        return Unauthorized(
            Text("{operation}: key, secret or balance refused ({code})", operation=operation, code=code),
            hint=Text("check the key, the secret and the balance of the account"),
            code=code,
        )
    return Refused(Text("{operation}: refused ({code})", operation=operation, code=code), code=code)
