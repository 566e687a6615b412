"""What can be told of a shop without changing anything there: credentials, clock, token, grants, quota."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from orderctl.cli.authorizing import is_renewable, logs_in
from orderctl.cli.config import ShopConfig
from orderctl.cli.session import Session
from orderctl.cli.shops import has_api, open_shop
from orderctl.model.errors import ConfigError, Temporary, Unauthorized
from orderctl.model.text import Text
from orderctl.ports.http import Answer, Classify, Http, Request
from orderctl.ports.ledger import Ledger
from orderctl.ports.platforms.port import Platform, Standing, shift

Check = tuple[str, Callable[[], Text]]
SKEW_S = 60
SOON_S = 3 * 86_400


class Listening(Http):
    """Connections that remember whom they asked, so that those can be compared with our clock."""

    def __init__(self, session: Session) -> None:
        super().__init__(session.clock(), rates=session.state / "rates.json")
        self._asked: set[str] = set()

    def call(self, request: Request, *, changes: bool, classify: Classify) -> Answer:
        """Send a request, see `Http.call`."""
        self._asked.add(request.url)
        return super().call(request, changes=changes, classify=classify)

    def skew(self) -> int | None:
        """Give how many seconds the clocks of those that answered are ahead of ours (the largest); None if nobody did."""
        found = [skew for url in self._asked if (skew := self.skew_s(url)) is not None]
        return max(found, key=abs, default=None)


def shop_checks(session: Session, ledger: Ledger, name: str, shop: ShopConfig) -> Iterator[Check]:
    """Give the checks of one shop; those after the first only once that found out how the shop stands."""
    if not has_api(shop):
        yield f"shops.{name}", lambda: _files(session, shop)
        return
    found: list[tuple[Platform, Standing]] = []
    with Listening(session) as http:

        def stands() -> Text:
            platform = open_shop(session, ledger, name, http)
            found.append((platform, platform.standing()))
            return Text(
                "{platform} accepts the credentials, its shop is {theirs}",
                platform=shop.platform,
                theirs=found[0][1].shop_id,
            )

        yield f"shops.{name}", stands
        skew = http.skew()
        if skew is not None:
            yield f"shops.{name}.clock", lambda: _clock(skew)
        for platform, standing in found:
            token = {k: str(v) for k, v in (ledger.token(name) or {}).items() if v is not None}
            yield f"shops.{name}.token", partial(_token, platform, standing, token, name, session.now)
            yield f"shops.{name}.grants", partial(_grants, standing)
            if standing.left:
                yield f"shops.{name}.quota", partial(_quota, standing)


def _files(session: Session, shop: ShopConfig) -> Text:
    found = [path for pattern in shop.files for path in session.base.glob(pattern)]
    if not found:
        raise ConfigError(
            Text(
                "no settings for an API, and no file fits {patterns}", patterns=", ".join(shop.files) or "-"
            ),
            hint=Text("give settings or files in orderctl.yaml"),
        )
    return Text("{count} export files", count=len(found))


def _clock(skew_s: int) -> Text:
    if abs(skew_s) < SKEW_S:
        return Text("agrees with the platform's to {seconds} s", seconds=abs(skew_s))
    raise ConfigError(
        Text("this machine's clock is {seconds} s slow", seconds=skew_s)
        if skew_s > 0
        else Text("this machine's clock is {seconds} s fast", seconds=-skew_s),
        hint=Text("let it be set over the network (NTP): platforms refuse calls signed at another time"),
    )


def _token(platform: Platform, standing: Standing, token: dict[str, str], name: str, now: str) -> Text:
    ends = standing.expires_at
    if ends is None:
        return Text("does not end, or the platform does not say when")
    if not logs_in(platform):
        return Text("good until {ends}, then another is made", ends=ends)
    if is_renewable(token, now):
        last = token.get("refresh_expires_at", "-")
        return Text("good until {ends}, and renewed without you until {last}", ends=ends, last=last)
    if ends > shift(now, SOON_S):
        return Text("good until {ends}, cannot be renewed", ends=ends)
    raise Unauthorized(
        Text("good until {ends} only, and cannot be renewed", ends=ends),
        hint=Text("log in again: orderctl auth login {shop}", shop=name),
    )


def _grants(standing: Standing) -> Text:
    if not standing.missing:
        return Text("nothing is missing")
    raise Unauthorized(
        Text("not granted: {missing}", missing=", ".join(standing.missing)),
        hint=Text("grant it to the application, then authorise the shop again"),
    )


def _quota(standing: Standing) -> Text:
    told = ", ".join(f"{operation} {count}" for operation, count in sorted(standing.left.items()))
    if min(standing.left.values()) > 0:
        return Text("left: {told}", told=told)
    raise Temporary(Text("used up: {told}", told=told))
