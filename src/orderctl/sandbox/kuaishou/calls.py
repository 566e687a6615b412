"""One accepted call of a method of the Kuaishou stand-in, and its arguments.

The one invariant: an argument is read by one of the methods here, which refuse what the platform refuses; one that a
method does not know is refused too.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from orderctl.sandbox.answer import Request
from orderctl.sandbox.kuaishou.envelopes import NOT_OURS, KsError, invalid
from orderctl.sandbox.store import Order, Store

SIGNED = ("access_token", "appkey", "method", "param", "signMethod", "timestamp", "version")


@dataclass(frozen=True)
class Call:
    """One accepted call of a method; `now` is epoch seconds."""

    store: Store
    now: float
    shop: str
    method: str
    param: Mapping[str, Any]
    request: Request

    def number(self, name: str, *, low: int = 1, high: int = 2**63 - 1) -> int:
        """Give a required whole number."""
        return whole(self.param.get(name), name, low=low, high=high)

    def text(self, name: str) -> str:
        """Give a required text."""
        value = self.param.get(name)
        if not isinstance(value, str) or not value.strip():
            raise invalid(name)
        return value.strip()

    def known(self, names: str) -> None:
        """Refuse arguments that the method does not have."""
        for name in self.param:
            if name not in names.split():
                raise invalid(name)

    def order(self, oid: int) -> Order:
        """Give an order of the calling shop, by its own number or that of a gift. Raises: KsError."""
        found = self.store.find("kuaishou", self.shop, str(oid)) or self.store.find_part(
            "kuaishou", self.shop, str(oid)
        )
        if found is None:
            raise KsError(NOT_OURS, "order operation reject")
        return found


@dataclass(frozen=True)
class Method:
    """How one method is run, and by which verb it is called."""

    run: Callable[[Call], Any]
    verb: str = "GET"


def whole(value: object, name: str, *, low: int = 1, high: int = 2**63 - 1) -> int:
    """Read a whole number; the platform takes no text and no truth for one."""
    if type(value) is not int or not low <= value <= high:
        raise invalid(name)
    return value


def signature(params: Mapping[str, str], secret: str) -> str | None:
    """Sign received parameters as their `signMethod` says; None for an unknown one."""
    text = "&".join(f"{name}={params[name]}" for name in SIGNED if name in params) + f"&signSecret={secret}"
    if params.get("signMethod") == "MD5":
        return hashlib.md5(text.encode()).hexdigest()
    if params.get("signMethod") == "HMAC_SHA256":
        return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()).decode()
    return None
