"""The stand-in of Amazon's Selling Partner API: who may call, how often, and what they may see.

The one invariant: token, role and quota are looked at before anything else, in this sequence, as Amazon does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, ClassVar

from orderctl.sandbox.amazon import lists, messages, orders, shipping, tokens
from orderctl.sandbox.amazon.errors import ApiError, denied, invalid
from orderctl.sandbox.answer import Answer, Request, as_json
from orderctl.sandbox.buckets import Bucket
from orderctl.sandbox.people import Person
from orderctl.sandbox.standins import Shop
from orderctl.sandbox.store import Order, Store
from orderctl.sandbox.texts import digest

ROOT = "/amazon"
REGIONS = {"amazon-demo": ROOT, "amazon-jp": f"{ROOT}/fe"}
"""Where the sellers of a region are served: North America, and the Far East."""
RATE_HEADER = "x-amzn-RateLimit-Limit"
FAST = (200.0, 500)
"""Calls per second and burst of every operation, unless the control word `rates` says otherwise."""


@dataclass(frozen=True)
class Operation:
    """One operation: its name, verb, path, and Amazon's own rate and burst."""

    name: str
    verb: str
    path: str
    rate: float
    burst: int

    @property
    def pattern(self) -> re.Pattern[str]:
        """Give what matches its path."""
        return re.compile(re.escape(ROOT + self.path).replace(r"\{orderId\}", "(?P<ref>[^/]+)"))


OPERATIONS = (
    Operation("searchOrders", "GET", "/orders/2026-01-01/orders", 0.0056, 20),
    Operation("getOrder", "GET", "/orders/2026-01-01/orders/{orderId}", 0.5, 30),
    Operation("v0.getOrders", "GET", "/orders/v0/orders", 0.0167, 20),
    Operation("v0.getOrder", "GET", "/orders/v0/orders/{orderId}", 0.5, 30),
    Operation("v0.getOrderItems", "GET", "/orders/v0/orders/{orderId}/orderItems", 0.5, 30),
    Operation("confirmShipment", "POST", "/orders/v0/orders/{orderId}/shipmentConfirmation", 2, 10),
    Operation("createRestrictedDataToken", "POST", "/tokens/2021-03-01/restrictedDataToken", 1, 10),
)
PATTERNS = [(operation, operation.pattern) for operation in OPERATIONS]
LISTS = frozenset({"searchOrders", "v0.getOrders"})


class Amazon:
    """The platform, with one seller in North America and one in Japan."""

    name: ClassVar[str] = "amazon"
    shops: ClassVar[tuple[Shop, ...]] = (
        Shop("amazon", "amazon-demo", 10, currency="USD", zone="America/Los_Angeles", title="Sample Goods"),
        Shop("amazon", "amazon-jp", 3, currency="JPY", zone="Asia/Tokyo", title="見本商店"),
    )
    lists: ClassVar[frozenset[str]] = LISTS
    pages: ClassVar[frozenset[str]] = LISTS
    words: ClassVar[frozenset[str]] = frozenset({"quota", "rates", "roles", "delay"})

    def __init__(self, store: Store, now: Callable[[], float]) -> None:
        self._store, self._now = store, now
        self._buckets: dict[tuple[str, str], Bucket] = {}
        tokens.keep_first_tokens(store, now())

    def path(self, shop: Shop) -> str:
        """Every seller of a region calls the same address; the token says which one it is."""
        return REGIONS[shop.name]

    def settings(self, shop: Shop) -> dict[str, str]:
        """Give credentials that work."""
        refresh = next(token for token, name in tokens.REFRESH_TOKENS.items() if name == shop.name)
        return {
            "seller_id": tokens.SELLERS[shop.name], "marketplaces": "JP" if shop.currency == "JPY" else "US, CA",
            "client_id": tokens.CLIENT_ID, "client_secret": tokens.CLIENT_SECRET, "refresh_token": refresh,
        }  # fmt: skip

    def serves(self, path: str) -> bool:
        """Everything below /amazon."""
        return path == ROOT or path.startswith(ROOT + "/")

    def operation(self, request: Request) -> tuple[str, str]:
        """Name the operation; confirmations that differ only in their ship date have the same subject."""
        path = in_region(request)[1].path
        name = next((o.name for o, p in PATTERNS if p.fullmatch(path)), None)
        if name is None:
            return "amazon:" + path.rsplit("/", 1)[-1], ""
        try:
            told = json.loads(request.body or b"{}")
            told["packageDetail"].pop("shipDate", None)
        except (ValueError, KeyError, TypeError, AttributeError):
            told = request.body.decode("latin-1")
        return name, digest(request.verb, request.path, sorted(request.query.items()), told)

    def refusal(self, kind: str, request: Request) -> Answer:
        """Say that the call may come again."""
        if kind == "temporary":
            return _answer(
                ApiError(500, "InternalFailure", "We encountered an internal error. Please try again.")
            )
        return _answer(ApiError(429, "QuotaExceeded", "You exceeded your quota for the requested resource."))

    def answer(self, request: Request) -> Answer:
        """Serve the API of a region, the login server and the consent page."""
        shop, request = in_region(request)
        if request.path == f"{ROOT}/auth/o2/token":
            return tokens.token_page(self._store, self._now(), request)
        if request.path == f"{ROOT}/apps/authorize/consent":
            return tokens.consent_page(self._store, self._now(), request, shop)
        found = [(o, m) for o, p in PATTERNS if (m := p.fullmatch(request.path))]
        if not found:
            return _answer(ApiError(404, "NotFound", "The resource does not exist."))
        operation, match = found[0]
        rate = self._rates(operation)[0]
        try:
            if request.verb != operation.verb:
                raise ApiError(405, "MethodNotAllowed", "The method is not allowed.")
            return self._call(operation, shop, request, match.groupdict().get("ref", ""), rate)
        except ApiError as error:
            # the rate is told with most answers, but not with the one that says it is used up
            return _answer(error, {} if error.status == 429 else {RATE_HEADER: _number(rate)})

    def control(self, word: str, value: Any, now: float) -> None:
        """`quota`: calls left before 429 (None: no end). `rates`: "real", or {"rate", "burst"}, for all operations.

        `roles`: false takes the role for personal data away. `delay`: seconds until a confirmation shows.
        """
        if word == "quota":
            self._store.limit("amazon.quota", value)
        elif word == "rates":
            if value != "real" and not (isinstance(value, dict) and value.get("rate", 0) > 0):
                raise ValueError('rates are "real" or {"rate": calls a second, "burst": calls}')
            self._store.put("amazon.rates", value)
            self._buckets.clear()
        elif word == "roles":
            if type(value) is not bool:
                raise ValueError("roles are true or false")
            self._store.put("amazon.personal", value)
        else:
            self._store.put("amazon.delay", float(value))

    def _rates(self, operation: Operation) -> tuple[float, int]:
        told = self._store.get("amazon.rates")
        if told == "real":
            return operation.rate, operation.burst
        return (float(told["rate"]), int(told.get("burst", 1))) if told else FAST

    def _call(self, operation: Operation, shop: str, request: Request, ref: str, rate: float) -> Answer:
        now = self._now()
        who = tokens.bearer(self._store, now, request)
        if who.shop != shop:
            raise denied(
                "Access to requested resource is denied."
            )  # the seller's authorisation is of another region
        opened = tokens.opened(who, request.verb, request.path.removeprefix(ROOT), operation.path)
        if opened is not None and not operation.name.startswith("v0."):
            raise denied("The token does not belong to this operation.")
        bucket = self._buckets.setdefault(
            (who.shop, operation.name), Bucket(float(self._rates(operation)[1]), rate)
        )
        if not bucket.take(1, now) or not self._store.spend("amazon.quota"):
            raise ApiError(429, "QuotaExceeded", "You exceeded your quota for the requested resource.")
        if operation.verb == "POST" and not request.headers.get("content-type", "").startswith(
            "application/json"
        ):
            raise ApiError(415, "UnsupportedMediaType", "The content type must be application/json.")
        personal = bool(self._store.get("amazon.personal", True))
        markets = (orders.JP,) if who.shop == "amazon-jp" else (orders.US, orders.CA)
        call = lists.Call(self._store, now, who.shop, markets, request, personal, opened or frozenset())
        headers = {RATE_HEADER: _number(rate), "x-amzn-RequestId": _request_id(request)}
        if operation.name == "confirmShipment":
            shipping.confirm(call, ref, float(self._store.get("amazon.delay", 0)))
            return Answer(204, b"", headers=headers)
        if operation.name == "createRestrictedDataToken":
            return as_json(
                tokens.restricted_token(self._store, now, who, _object(request), granted=personal),
                201,
                headers,
            )
        run: dict[str, Callable[[], dict[str, Any]]] = {
            "searchOrders": lambda: lists.search_orders(call),
            "getOrder": lambda: lists.get_order(call, ref),
            "v0.getOrders": lambda: lists.v0_orders(call),
            "v0.getOrder": lambda: lists.v0_order(call, ref),
            "v0.getOrderItems": lambda: lists.v0_items(call, ref),
        }
        return as_json(run[operation.name](), 200, headers)

    def cases(self, shop: Shop) -> Sequence[str]:
        """Name the awkward cases."""
        return orders.CASES[shop.name]

    def make(
        self,
        shop: Shop,
        seed: int,
        number: int,
        dice: Random,
        *,
        at: int,
        case: str | None,
        like: Order | None,
    ) -> Order:
        """Make one order."""
        return orders.make(shop, seed, number, dice, at=at, case=case, like=like.body if like else None)

    def touch(self, order: Order, changes: Mapping[str, Any], seed: int, now: float) -> bool:
        """Change an order as a buyer or seller would. Raises: ValueError for a change nobody can make."""
        orders.touch(order, changes, seed, now)
        return True

    def unseal(self, order: Order, seal: str) -> Person | None:
        """Nothing is sealed here."""
        return None

    def event(self, order: Order) -> Mapping[str, Any]:
        """Give the notification about an order."""
        return messages.notification(order)


def in_region(request: Request) -> tuple[str, Request]:
    """Give the seller of the region whose address was called, and the call as that region sees it."""
    far = REGIONS["amazon-jp"]
    if request.path == far or request.path.startswith(far + "/"):
        return "amazon-jp", replace(request, path=ROOT + request.path.removeprefix(far))
    return "amazon-demo", request


def _object(request: Request) -> dict[str, Any]:
    try:
        found = json.loads(request.body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise invalid("The request body is no JSON object.")
    return found


def _answer(error: ApiError, headers: Mapping[str, str] | None = None) -> Answer:
    return as_json(error.envelope, error.status, headers)


def _number(rate: float) -> str:
    return f"{rate:.4f}".rstrip("0").rstrip(".")


def _request_id(request: Request) -> str:
    return digest(request.verb, request.path, sorted(request.query.items()))[:32].replace("_", "-")
