"""Tokens of the Amazon stand-in: the login server, and restricted tokens for what names people.

The one invariant: an access token lives an hour, a restricted one opens exactly the methods and paths it was made for.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from orderctl.sandbox.amazon.errors import denied, invalid
from orderctl.sandbox.answer import Answer, Request, as_json, as_text
from orderctl.sandbox.store import Store
from orderctl.sandbox.texts import digest

NAME = "amazon"
CLIENT_ID = "amzn1.application-oa2-client.sandbox"
CLIENT_SECRET = "amzn1.oa2-cs.v1.sandbox-secret"
APPLICATION_ID = "amzn1.sellerapps.app.sandbox"
REFRESH_TOKENS = {"Atzr|sandbox-refresh": "amazon-demo", "Atzr|sandbox-refresh-jp": "amazon-jp"}
SELLERS = {"amazon-demo": "A1SANDBOXSELLER", "amazon-jp": "A2SANDBOXSELLER"}
ACCESS_SECONDS = 3_600
CODE_SECONDS = 300
YEAR = 365 * 86_400
MOST_RESOURCES = 50
ELEMENTS = ("buyerInfo", "shippingAddress", "buyerTaxInformation")
WANT_ELEMENTS = ("/orders/v0/orders", "/orders/v0/orders/{orderId}", "/orders/v0/orders/{orderId}/orderItems")


@dataclass(frozen=True)
class Bearer:
    """Whose token it is; `resources` is None for an access token, else what a restricted one opens."""

    shop: str
    resources: list[dict[str, Any]] | None


def keep_first_tokens(store: Store, now: float) -> None:
    """Remember the refresh tokens of the shops, unless they are known."""
    with store.transaction():
        if store.get("amazon.tokens") is None:
            for token, shop in REFRESH_TOKENS.items():
                store.keep_token(token, NAME, shop, "refresh", "", now + YEAR)
            store.put("amazon.tokens", 0)


def token_page(store: Store, now: float, request: Request) -> Answer:
    """POST /auth/o2/token: a refresh token or a code for an access token."""
    if request.verb != "POST" or not request.headers.get("content-type", "").startswith(
        "application/x-www-form-urlencoded"
    ):
        return _refused(400, "invalid_request", "The request must be a form")
    form = request.form()
    if form.get("client_id") != CLIENT_ID or form.get("client_secret") != CLIENT_SECRET:
        return _refused(401, "invalid_client", "Client authentication failed")
    grant = form.get("grant_type")
    kinds = {"refresh_token": ("refresh", "refresh_token"), "authorization_code": ("code", "code")}
    if grant not in kinds:
        return _refused(400, "unsupported_grant_type", "The authorization grant type is not supported")
    kind, field = kinds[grant]
    given = form.get(field, "")
    with store.transaction():
        found = store.token(given, NAME, kind)
        if found is None or found.expires <= now:
            return _refused(400, "invalid_grant", "The request has an invalid grant parameter")
        if kind == "code":
            store.forget_token(given)
        serial = store.count("amazon.tokens")
        access = f"Atza|{digest('access', serial, found.shop)}"
        store.keep_token(access, NAME, found.shop, "access", "", now + ACCESS_SECONDS)
        refresh = given
        if kind == "code":
            refresh = f"Atzr|{digest('refresh', serial, found.shop)}"
            store.keep_token(refresh, NAME, found.shop, "refresh", "", now + YEAR)
    return as_json(
        {
            "access_token": access,
            "token_type": "bearer",
            "expires_in": ACCESS_SECONDS,
            "refresh_token": refresh,
        }
    )


def consent_page(store: Store, now: float, request: Request, shop: str) -> Answer:
    """GET /apps/authorize/consent: the region's seller says yes at once; where to is registered with the app."""
    query = request.query
    if query.get("application_id") != APPLICATION_ID or not query.get("state"):
        return as_text("application_id and state are needed", 400)
    with store.transaction():
        code = digest("code", store.count("amazon.codes"))[:24]
        store.keep_token(code, NAME, shop, "code", "", now + CODE_SECONDS)
    return as_text(f"<p>spapi_oauth_code: <code>{code}</code></p>")


def bearer(store: Store, now: float, request: Request) -> Bearer:
    """Give whose token a request carries. Raises: ApiError as Amazon does, with 403."""
    token = request.headers.get("x-amz-access-token", "")
    if not token:
        raise denied("Access token is missing in the request header.")
    found = store.token(token, NAME)
    if found is None:
        raise denied("The access token you provided is revoked, malformed or invalid.")
    if found.expires <= now:
        raise denied("The access token you provided has expired.")
    return Bearer(found.shop, json.loads(found.scope) if found.scope else None)


def opened(who: Bearer, verb: str, path: str, template: str) -> frozenset[str] | None:
    """Give the elements a restricted token opens of a call; None for an access token.

    Raises: ApiError if the token was made for other calls.
    """
    if who.resources is None:
        return None
    for resource in who.resources:
        if resource["method"] == verb and resource["path"] in (path, template):
            return frozenset(resource.get("dataElements") or ELEMENTS)
    raise denied("The restricted data token does not cover this resource.")


def restricted_token(
    store: Store, now: float, who: Bearer, body: dict[str, Any], *, granted: bool
) -> dict[str, Any]:
    """POST /tokens/2021-03-01/restrictedDataToken. Raises: ApiError."""
    if who.resources is not None:
        raise denied("A restricted data token cannot make another.")
    if set(body) - {"restrictedResources", "targetApplication"}:
        raise invalid("Unknown property in the request body.")
    resources = body.get("restrictedResources")
    if not isinstance(resources, list) or not 1 <= len(resources) <= MOST_RESOURCES:
        raise invalid("restrictedResources must hold 1 to 50 resources.")
    for resource in resources:
        _check_resource(resource)
    if not granted:
        raise denied("Application does not have access to one or more requested data elements.")
    with store.transaction():
        token = f"Atz.sprdt|{digest('restricted', store.count('amazon.restricted'), who.shop)}"
        scope = json.dumps(resources, separators=(",", ":"))
        store.keep_token(token, NAME, who.shop, "access", scope, now + ACCESS_SECONDS)
    return {"restrictedDataToken": token, "expiresIn": ACCESS_SECONDS}


def _check_resource(resource: Any) -> None:
    if not isinstance(resource, dict) or set(resource) - {"method", "path", "dataElements"}:
        raise invalid("A restricted resource has method, path and dataElements.")
    if resource.get("method") not in ("GET", "PUT", "POST", "DELETE"):
        raise invalid("Invalid method.")
    path = str(resource.get("path", ""))
    if not path.startswith("/orders/v0/orders"):
        raise invalid(f"Resource {path} is not restricted.")
    elements = resource.get("dataElements") or []
    if any(element not in ELEMENTS for element in elements):
        raise invalid("Invalid data element.")
    if path in WANT_ELEMENTS and not elements:
        raise invalid("dataElements is required for this resource.")


def _refused(status: int, error: str, text: str) -> Answer:
    return as_json({"error": error, "error_description": text}, status)
