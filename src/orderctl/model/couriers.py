"""The couriers we have a code for, and what people call them.

Platforms and issuers keep their own tables from these codes to theirs (`couriers.csv` beside each connector); a
code that is missing here is no error, only a courier nobody has translated yet.
"""

from __future__ import annotations

COURIERS: dict[str, tuple[str, str]] = {
    "SF": ("顺丰速运", "SF Express"),
    "ZTO": ("中通快递", "ZTO Express"),
    "YTO": ("圆通速递", "YTO Express"),
    "STO": ("申通快递", "STO Express"),
    "YUNDA": ("韵达快递", "Yunda Express"),
    "JT": ("极兔速递", "J&T Express"),
    "JD": ("京东快递", "JD Logistics"),
    "EMS": ("EMS", "EMS"),
    "POST": ("邮政快递包裹", "China Post"),
    "DEPPON": ("德邦快递", "Deppon Express"),
    "DEPPON_FREIGHT": ("德邦物流", "Deppon Freight"),
    "DANNIAO": ("菜鸟速递", "Cainiao Express"),
    "ZJS": ("宅急送", "ZJS Express"),
    "UC": ("优速快递", "UC Express"),
    "DHL": ("DHL", "DHL Express"),
    "FEDEX": ("联邦快递", "FedEx"),
    "UPS": ("UPS", "UPS"),
    "USPS": ("美国邮政", "USPS"),
    "YUN": ("云途物流", "YunExpress"),
    "4PX": ("递四方", "4PX"),
}


def courier_name(code: str, locale: str = "zh") -> str:
    """Give the courier's name in `locale` (zh or en); the code itself when it is not known."""
    chinese, english = COURIERS.get(code, (code, code))
    return chinese if locale == "zh" else english
