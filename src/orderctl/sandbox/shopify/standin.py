"""The gateway of the Shopify stand-in: tokens, versions, throttling and the three layers of errors.

The one invariant: a query is parsed, checked against the schema, priced and paid for before any of it runs.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from random import Random
from typing import Any, ClassVar

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    OperationDefinitionNode,
    execute_sync,
    parse,
    validate,
)

from orderctl.sandbox.answer import Answer, Request, as_json
from orderctl.sandbox.buckets import Bucket
from orderctl.sandbox.people import Person
from orderctl.sandbox.shopify import changes as change
from orderctl.sandbox.shopify import messages, orders
from orderctl.sandbox.shopify.cost import MAXIMUM_COST, Costing, spent, throttle_status
from orderctl.sandbox.shopify.graph import SCHEMA
from orderctl.sandbox.shopify.view import Context
from orderctl.sandbox.standins import Shop
from orderctl.sandbox.store import Order, Store
from orderctl.sandbox.texts import utc

SHOPS = (
    Shop("shopify", "sf-demo", 35, currency="USD", zone="America/New_York", title="Sample Goods"),
    Shop("shopify", "sf-cny", 20, title="样例生活馆"),
)
BY_NAME = {shop.name: shop for shop in SHOPS}

TOKEN = "shpat_sandbox"
CLIENT_ID = "sandbox-client"
CLIENT_SECRET = "sandbox-client-secret"
TOKEN_SECONDS = 86_399
VERSIONS = ("2025-10", "2026-01", "2026-04", "2026-07", "2026-10")
SCOPES = (
    "read_orders",
    "write_orders",
    "read_merchant_managed_fulfillment_orders",
    "write_merchant_managed_fulfillment_orders",
    "read_customers",
)
PLANS = {"sf-demo": (2000.0, 100.0), "sf-cny": (20_000.0, 1000.0)}
"""Size and restore rate (points, points a second) of a bucket: one shop is on the standard plan, one on Plus."""
ENTERPRISE = (40_000.0, 2000.0)
BIG = 2000
"""A shop with more orders is on the largest plan: on a small one it could not read them within a day."""
DOCUMENTATION = "https://shopify.dev/api/usage/rate-limits"
PATH = re.compile(
    r"^/shopify/(?P<shop>[^/]+)/admin/(?:oauth/(?P<token>access_token)|api/(?P<version>[^/]+)/graphql\.json)$"
)


@lru_cache(maxsize=256)
def checked(text: str) -> tuple[DocumentNode | None, list[GraphQLError]]:
    """Parse a document and check it against the schema."""
    try:
        document = parse(text, max_tokens=10_000)
    except GraphQLError as error:
        return None, [error]
    return document, validate(SCHEMA, document)


def served_version(asked: str) -> str | None:
    """Give the version that answers: the one asked for, or the oldest for one that has expired; None if unknown."""
    if asked in VERSIONS or asked == "unstable":
        return asked
    if re.fullmatch(r"20\d\d-(01|04|07|10)", asked) and asked < VERSIONS[0]:
        return VERSIONS[0]
    return None


def as_error(error: GraphQLError) -> dict[str, Any]:
    """Write an error as the platform does."""
    value: dict[str, Any] = dict(error.formatted)
    unknown = re.match(r"Cannot query field '(\w+)' on type '(\w+)'", error.message)
    if unknown:
        value["message"] = f"Field '{unknown[1]}' doesn't exist on type '{unknown[2]}'"
        value["extensions"] = {"code": "undefinedField", "typeName": unknown[2], "fieldName": unknown[1]}
    return value


class Shopify:
    """The platform, with every shop of it."""

    name: ClassVar[str] = "shopify"
    shops: ClassVar[tuple[Shop, ...]] = SHOPS
    lists: ClassVar[frozenset[str]] = frozenset({"shopify:orders"})
    pages: ClassVar[frozenset[str]] = frozenset()
    words: ClassVar[frozenset[str]] = frozenset({"access", "bucket"})

    def __init__(self, store: Store, now: Callable[[], float]) -> None:
        self._store, self._now = store, now
        self._buckets: dict[str, Bucket] = {}

    def path(self, shop: Shop) -> str:
        """Every shop has its own domain there, its own path here."""
        return f"/shopify/{shop.name}"

    def settings(self, shop: Shop) -> dict[str, str]:
        """Give a token that never expires, and what webhooks are signed with."""
        return {"token": TOKEN, "webhook_secret": CLIENT_SECRET}

    def serves(self, path: str) -> bool:
        """Everything below the shops."""
        return path.startswith("/shopify/")

    def cases(self, shop: Shop) -> Sequence[str]:
        """Name the awkward cases of a shop."""
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
        """Make one order; the fulfilment orders of one case come late, as a background job's."""
        body = like.body if like else None
        order = orders.make(shop.name, shop.currency, seed, number, dice, at=at, case=case, like=body)
        if case == "no fulfilment order":
            for part in order.body["fulfillmentOrders"]:
                part["createdAt"] = utc(self._now() + self._store.get("late_s", 0))
        return order

    def touch(self, order: Order, changes: Mapping[str, Any], seed: int, now: float) -> bool:
        """Change an order as a buyer or seller would. Raises: ValueError for a change nobody can make."""
        change.touch(order, changes, seed, now)
        return True

    def unseal(self, order: Order, seal: str) -> Person | None:
        """Nothing is sealed here."""
        return None

    def event(self, order: Order) -> Mapping[str, Any]:
        """Give the webhook about an order."""
        return messages.webhook(order, BY_NAME[order.shop], CLIENT_SECRET)

    def control(self, word: str, value: Any, now: float) -> None:
        """`access`: what the app may see of a shop; `bucket`: another bucket of query costs, full."""
        given = dict(value)
        shop = given.pop("shop")
        if shop not in BY_NAME or given.keys() - {"scopes", "customer_data", "maximum", "restore_rate"}:
            raise ValueError(f"no {word} of shop {shop!r} with {', '.join(sorted(given))}")
        if word == "access":
            self._store.put(f"shopify.access.{shop}", given)
        else:
            self._bucket(shop).refill(float(given["maximum"]), float(given["restore_rate"]))

    def _bucket(self, shop: str) -> Bucket:
        if shop not in self._buckets:
            big = self._store.size("platform = 'shopify' AND shop = ?", (shop,)) > BIG
            self._buckets.setdefault(shop, Bucket(*(ENTERPRISE if big else PLANS[shop])))
        return self._buckets[shop]

    def operation(self, request: Request) -> tuple[str, str]:
        """Name what is asked for: `shopify:` and the first field of the query, or `shopify:access_token`."""
        if request.path.endswith("/access_token"):
            return "shopify:access_token", request.path
        digest = hashlib.sha256(request.path.encode() + request.body).hexdigest()
        try:
            document, _ = checked(str(json.loads(request.body)["query"]))
        except (ValueError, KeyError, TypeError):
            document = None
        for node in document.definitions if document else ():
            if isinstance(node, OperationDefinitionNode) and node.selection_set.selections:
                name = getattr(node.selection_set.selections[0], "name", None)
                return f"shopify:{name.value if name else 'fragment'}", digest
        return "shopify:unreadable", digest

    def refusal(self, kind: str, request: Request) -> Answer:
        """Say that the call may come again."""
        if kind == "429":
            return as_json(
                {"errors": "Exceeded 2 calls per second for api client. Reduce request rates."},
                429,
                {"Retry-After": "1"},
            )
        if kind == "temporary" or request.path.endswith("/access_token"):
            return as_json(
                {
                    "errors": [
                        {
                            "message": "Internal error. Looks like something went wrong on our end.",
                            "extensions": {"code": "INTERNAL_SERVER_ERROR"},
                        }
                    ]
                }
            )
        match = PATH.match(request.path)
        numbers = PLANS.get(match["shop"] if match else "", PLANS["sf-demo"])
        return self._throttled(
            100, {"maximumAvailable": numbers[0], "currentlyAvailable": 50, "restoreRate": numbers[1]}
        )

    def answer(self, request: Request) -> Answer:
        """Serve GraphQL and the token endpoint of one shop."""
        match = PATH.match(request.path)
        if match is None or match["shop"] not in PLANS or request.verb != "POST":
            return as_json({"errors": "Not Found"}, 404)
        if match["token"]:
            return self._access_token(match["shop"], request)
        version = served_version(match["version"])
        if version is None:
            return as_json({"errors": "Not Found"}, 404)
        answer = self._graphql(match["shop"], request)
        return Answer(
            answer.status,
            answer.body,
            "application/json; charset=utf-8",
            {**answer.headers, "X-Shopify-API-Version": version},
        )

    def _access_token(self, shop: str, request: Request) -> Answer:
        form = request.form()
        if request.headers.get("content-type", "").startswith("application/json"):
            try:
                form = {key: str(value) for key, value in json.loads(request.body).items()}
            except (ValueError, AttributeError):
                form = {}
        if form.get("client_id") != CLIENT_ID or form.get("client_secret") != CLIENT_SECRET:
            return as_json(
                {"error": "invalid_client", "error_description": "Client authentication failed"}, 401
            )
        if form.get("grant_type") != "client_credentials":
            return as_json(
                {"error": "unsupported_grant_type", "error_description": "client_credentials only"}, 400
            )
        with self._store.transaction():
            serial = self._store.count("shopify.tokens")
            token = "shpat_" + hashlib.sha256(f"{shop}|{serial}|{self._now()}".encode()).hexdigest()[:32]
            expires = self._now() + TOKEN_SECONDS
            self._store.keep_token(token, "shopify", shop, "access", " ".join(SCOPES), expires)
        return as_json({"access_token": token, "scope": ",".join(SCOPES), "expires_in": TOKEN_SECONDS})

    def _admitted(self, shop: str, token: str) -> bool:
        found = self._store.token(token, "shopify")
        return token == TOKEN or (found is not None and found.shop == shop and found.expires > self._now())

    def _graphql(self, shop: str, request: Request) -> Answer:
        if not self._admitted(shop, request.headers.get("x-shopify-access-token", "")):
            text = "[API] Invalid API key or access token (unrecognized login or wrong password)"
            return as_json({"errors": text}, 401)
        if not request.headers.get("content-type", "").startswith("application/json"):
            return as_json({"errors": {"content-type": "application/json is needed"}}, 406)
        try:
            asked = json.loads(request.body)
            text, variables = asked["query"], asked.get("variables") or {}
        except (ValueError, KeyError, TypeError, AttributeError):
            return as_json({"errors": {"query": "Required parameter missing or invalid"}}, 400)
        if not isinstance(text, str) or not isinstance(variables, dict):
            return as_json({"errors": {"query": "Required parameter missing or invalid"}}, 400)
        document, errors = checked(text)
        if document is None or errors:
            return as_json({"errors": [as_error(error) for error in errors]})
        return self._run(shop, document, variables, asked.get("operationName"))

    def _run(self, shop: str, document: DocumentNode, variables: dict[str, Any], name: str | None) -> Answer:
        operations = [n for n in document.definitions if isinstance(n, OperationDefinitionNode)]
        if name:
            operations = [n for n in operations if n.name and n.name.value == name]
        if len(operations) != 1:
            return as_json({"errors": [{"message": "An operation name is required"}]})
        try:
            cost = Costing(SCHEMA, fragments(document), with_defaults(operations[0], variables)).operation(
                operations[0]
            )
        except GraphQLError as error:
            return as_json({"errors": [as_error(error)]})
        if cost > MAXIMUM_COST:
            message = f"Query cost is {cost}, which exceeds the single query max cost limit ({MAXIMUM_COST})."
            return as_json({"errors": [{"message": message, "extensions": {
                "code": "MAX_COST_EXCEEDED", "cost": cost, "maxCost": MAXIMUM_COST, "documentation": DOCUMENTATION,
            }}]})  # fmt: skip
        bucket = self._bucket(shop)
        if not bucket.take(cost, self._now()):
            return self._throttled(cost, throttle_status(bucket))
        context = self._context(shop)
        result = execute_sync(
            SCHEMA, document, variable_values=variables, context_value=context, operation_name=name
        )
        actual = min(
            cost, math.ceil(spent(result.data)) + (10 if operations[0].operation.value == "mutation" else 0)
        )
        bucket.give_back(cost - actual)
        answer: dict[str, Any] = {}
        if result.errors:
            answer["errors"] = [as_error(error) for error in result.errors]
        if result.data is not None:
            answer["data"] = result.data
        answer["extensions"] = {
            "cost": {
                "requestedQueryCost": cost,
                "actualQueryCost": actual,
                "throttleStatus": throttle_status(bucket),
            }
        }
        if context.warnings:
            answer["extensions"]["search"] = context.warnings
        return as_json(answer)

    def _context(self, shop: str) -> Context:
        access: Mapping[str, Any] = self._store.get(f"shopify.access.{shop}", {})
        return Context(
            self._store,
            self._now(),
            BY_NAME[shop],
            frozenset(access.get("scopes", SCOPES)),
            bool(access.get("customer_data", True)),
        )

    def _throttled(self, cost: int, status: dict[str, float]) -> Answer:
        error = {"message": "Throttled", "extensions": {"code": "THROTTLED", "documentation": DOCUMENTATION}}
        numbers = {"requestedQueryCost": cost, "actualQueryCost": None, "throttleStatus": status}
        return as_json({"errors": [error], "extensions": {"cost": numbers}})


def fragments(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    """Give the fragments of a document by name."""
    return {
        node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
    }


def with_defaults(operation: OperationDefinitionNode, variables: dict[str, Any]) -> dict[str, Any]:
    """Give the variables with the whole-number defaults the operation declares."""
    known = {}
    for declared in operation.variable_definitions or ():
        text = getattr(declared.default_value, "value", None)
        if isinstance(text, str) and text.isdigit():
            known[declared.variable.name.value] = int(text)
    return known | variables
