"""One accepted call of a method of the Taobao stand-in, its arguments, and its signature.

The one invariant: an argument is read by one of the methods here, which refuse what the platform refuses.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orderctl.sandbox.answer import Request
from orderctl.sandbox.store import Store
from orderctl.sandbox.taobao.envelopes import invalid, missing
from orderctl.sandbox.texts import GMT8


@dataclass(frozen=True)
class Call:
    """One accepted call of a method; `now` is epoch seconds."""

    store: Store
    now: float
    shop: str
    params: Mapping[str, str]
    request: Request

    def need(self, name: str) -> str:
        """Give a required argument."""
        value = self.params.get(name, "")
        if not value:
            raise missing(name)
        return value

    def number(self, name: str, default: int | None = None) -> int:
        """Give an argument that is a whole number."""
        text = self.params.get(name, "") if default is not None else self.need(name)
        if not text:
            return default or 0
        if not text.isascii() or not text.isdigit():
            raise invalid(name, "a whole number is needed")
        return int(text)

    def moment(self, name: str) -> int | None:
        """Give an argument that is Beijing time, as epoch seconds; None if it is absent."""
        text = self.params.get(name, "")
        return int(read_time(name, text)) if text else None


def read_time(name: str, text: str) -> float:
    """Read `yyyy-MM-dd HH:mm:ss` in GMT+8, and nothing else."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", text, re.ASCII):
        try:
            return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=GMT8).timestamp()
        except ValueError:
            pass
    raise invalid(name, "yyyy-MM-dd HH:mm:ss is needed")


@dataclass(frozen=True)
class Method:
    """How one method is run and who may call it."""

    run: Callable[[Call], dict[str, Any]]
    session: bool = True
    writes: bool = False


def signature(params: Mapping[str, str], secret: str, method: str) -> str | None:
    """Sign received parameters; None for an unknown sign method. Entries with an empty name or value do not count."""
    text = "".join(k + v for k, v in sorted(params.items()) if k and v and k != "sign").encode()
    key = secret.encode()
    if method == "md5":
        return hashlib.md5(key + text + key).hexdigest().upper()
    if method == "hmac":
        return hmac.new(key, text, hashlib.md5).hexdigest().upper()
    if method == "hmac-sha256":
        return hmac.new(key, text, hashlib.sha256).hexdigest().upper()
    return None
