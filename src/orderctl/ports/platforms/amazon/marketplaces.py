"""Amazon's marketplaces: ids, regions, currencies, and whether prices leave the tax out.

Source: SP-API documentation, as collected in the project's fact sheet (November 2026).
"""

from __future__ import annotations

from dataclasses import dataclass

from orderctl.model.errors import ConfigError
from orderctl.model.text import Text


@dataclass(frozen=True)
class Marketplace:
    """One country's shop; `domain` is the name buyers know, `seller_central` the host where its sellers log in."""

    id: str
    country: str
    region: str
    currency: str
    domain: str
    seller_central: str


@dataclass(frozen=True)
class Region:
    """Marketplaces that one login reaches together."""

    production: str
    sandbox: str


REGIONS = {
    code: Region(
        f"https://sellingpartnerapi-{code}.amazon.com", f"https://sandbox.sellingpartnerapi-{code}.amazon.com"
    )
    for code in ("na", "eu", "fe")
}

_TABLE = """
CA A2EUQ1WTGCTBG2 na CAD amazon.ca sellercentral.amazon.ca
US ATVPDKIKX0DER na USD amazon.com sellercentral.amazon.com
MX A1AM78C64UM0Y8 na MXN amazon.com.mx sellercentral.amazon.com.mx
BR A2Q3Y263D00KWC na BRL amazon.com.br sellercentral.amazon.com.br
IE A28R8C7NBKEWEA eu EUR amazon.ie sellercentral.amazon.ie
ES A1RKKUPIHCS9HS eu EUR amazon.es sellercentral-europe.amazon.com
GB A1F83G8C2ARO7P eu GBP amazon.co.uk sellercentral-europe.amazon.com
FR A13V1IB3VIYZZH eu EUR amazon.fr sellercentral-europe.amazon.com
BE AMEN7PMS3EDWL eu EUR amazon.com.be sellercentral.amazon.com.be
NL A1805IZSGTT6HS eu EUR amazon.nl sellercentral.amazon.nl
DE A1PA6795UKMFR9 eu EUR amazon.de sellercentral-europe.amazon.com
IT APJ6JRA9NG5V4 eu EUR amazon.it sellercentral-europe.amazon.com
SE A2NODRKZP88ZB9 eu SEK amazon.se sellercentral.amazon.se
ZA AE08WJ6YKNBMC eu ZAR amazon.co.za sellercentral.amazon.co.za
PL A1C3SOZRARQ6R3 eu PLN amazon.pl sellercentral.amazon.pl
EG ARBP9OOSHTCHU eu EGP amazon.eg sellercentral.amazon.eg
TR A33AVAJ2PDY3EV eu TRY amazon.com.tr sellercentral.amazon.com.tr
SA A17E79C6D8DWNP eu SAR amazon.sa sellercentral.amazon.sa
AE A2VIGQ35RCS4UG eu AED amazon.ae sellercentral.amazon.ae
IN A21TJRUUN4KGV eu INR amazon.in sellercentral.amazon.in
SG A19VAU5U5O7RUS fe SGD amazon.sg sellercentral.amazon.sg
AU A39IBJ37TRP1C6 fe AUD amazon.com.au sellercentral.amazon.com.au
JP A1VC38T7YXB528 fe JPY amazon.co.jp sellercentral.amazon.co.jp
"""
MARKETPLACES = {
    place.id: place
    for country, id_, region, currency, domain, host in (line.split() for line in _TABLE.split("\n") if line)
    for place in [Marketplace(id_, country, region, currency, domain, host)]
}
BY_COUNTRY = {place.country: place for place in MARKETPLACES.values()} | {
    "UK": MARKETPLACES["A1F83G8C2ARO7P"]
}
BY_DOMAIN = {place.domain: place.id for place in MARKETPLACES.values()}
TAX_ON_TOP = tuple(BY_COUNTRY[country].id for country in ("US", "CA"))
"""Where prices leave the tax out; everywhere else they hold it (which no document promises)."""


def parse_marketplaces(text: str, shop: str) -> tuple[Marketplace, ...]:
    """Read a list of countries or ids, such as `US, CA` or `ATVPDKIKX0DER`.

    Raises: ConfigError if one is unknown, none is named, or they lie in several regions.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    found = [MARKETPLACES.get(name) or BY_COUNTRY.get(name.upper()) for name in names]
    for name, place in zip(names, found, strict=True):
        if place is None:
            raise ConfigError(
                Text("shop {shop}: '{name}' is no marketplace we know", shop=shop, name=name),
                hint=Text("give countries (US, DE, JP, ...) or marketplace ids"),
            )
    places = tuple(place for place in found if place)
    if len({place.region for place in places}) != 1:
        raise ConfigError(
            Text("shop {shop}: its marketplaces must lie in one region", shop=shop),
            hint=Text("one login reaches one region: make a shop for each"),
        )
    return places
