"""Which addresses a credential may travel to, and which a document may be read from."""

from __future__ import annotations

import ipaddress

import httpx

from orderctl.model.errors import ConfigError
from orderctl.model.text import Text


def is_loopback(url: str) -> bool:
    """Tell whether `url` leads to this machine."""
    host = httpx.URL(url).host
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def with_tls(url: str) -> str:
    """Give a plain `http://` address of another machine as `https://`, any other as it is."""
    plain = url.startswith("http://") and not is_loopback(url)
    return "https://" + url.removeprefix("http://") if plain else url


def check_url(url: str) -> str:
    """Give `url` back if credentials may travel to it: https, or plain http to this machine.

    Raises: ConfigError for anything else, and for an address that carries a user name or password.
    """
    try:
        parsed = httpx.URL(url)
        if parsed.userinfo:
            raise ConfigError(
                Text("an address must not carry a user name or password: {host}", host=parsed.host)
            )
        if not parsed.host or not (
            parsed.scheme == "https" or (parsed.scheme == "http" and is_loopback(url))
        ):
            raise ConfigError(
                Text(
                    "{scheme}://{host}: only https:// is allowed (http:// only to this machine)",
                    scheme=parsed.scheme or "?",
                    host=parsed.host or "?",
                )
            )
    except httpx.InvalidURL:
        raise ConfigError(Text("an address in the configuration is no URL")) from None
    return url
