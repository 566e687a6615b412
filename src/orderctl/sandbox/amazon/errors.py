"""How the Selling Partner API says no."""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """A refusal: HTTP status and the one entry of `errors`."""

    def __init__(self, status: int, code: str, message: str, details: str = "") -> None:
        super().__init__(code)
        self.status = status
        self.entry = {"code": code, "message": message, "details": details}

    @property
    def envelope(self) -> dict[str, Any]:
        """Give the body of the answer."""
        return {"errors": [self.entry]}


def invalid(message: str) -> ApiError:
    """Refuse an input."""
    return ApiError(400, "InvalidInput", message)


def denied(details: str) -> ApiError:
    """Refuse a caller: token, role or region are not right, and the answer hardly says which."""
    return ApiError(403, "Unauthorized", "Access to requested resource is denied.", details)


def not_found(ref: str) -> ApiError:
    """Say that there is no such order."""
    return ApiError(404, "NotFound", f"Order {ref} was not found.")
