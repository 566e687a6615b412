"""What each platform calls the couriers: one table file a platform, `couriers.csv` in its folder.

Columns: `courier` (our code), `code` (theirs, or the name they know it by), `name` (for people).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from orderctl.model.errors import Refused
from orderctl.model.text import Text
from orderctl.ports.platforms.port import Shop


@cache
def load_couriers(platform: str) -> Mapping[str, str]:
    """Give the platform's code of each of our courier codes."""
    text = files(f"{__package__}.{platform}").joinpath("couriers.csv").read_text("utf-8")
    return {row["courier"]: row["code"] for row in csv.DictReader(text.splitlines())}


def courier_code(shop: Shop, courier: str) -> str:
    """Give the platform's code of a courier: the shop's own setting `courier.CODE`, else the table's.

    Raises: Refused (`courier_unknown`).
    """
    found = shop.settings.get(f"courier.{courier}") or load_couriers(shop.platform).get(courier)
    if not found:
        raise Refused(
            Text(
                "shop {shop}: no code for courier '{courier}' at this platform", shop=shop.id, courier=courier
            ),
            hint=Text("set courier.{courier} for the shop", courier=courier),
            code="courier_unknown",
        )
    return found
