"""Chinese sentences of Pinduoduo's connector."""

from __future__ import annotations

SENTENCES: dict[str, str] = {
    "{operation}: the buyer's address has changed ({code})": "{operation}：买家修改了收货地址（{code}）",
    "{operation}: a refund of the order is open ({code})": "{operation}：订单有未完成的售后（{code}）",
    "{operation}: the platform holds the order ({code})": "{operation}：订单被平台暂停或在审核中（{code}）",
    "{operation}: the platform does not know this machine's address ({code})": (
        "{operation}：本机 IP 不在平台白名单中（{code}）"
    ),
    "add the address to the allow-list in the app's console": "请在开放平台控制台把本机 IP 加入白名单",
    "{operation}: the platform has shut this app out ({code})": "{operation}：应用已被平台限制（{code}）",
    "see the messages in the app's console": "请查看开放平台控制台的通知",
    "an app that is not live yet has few calls a day: go live, or wait until tomorrow": (
        "应用未上线时每天调用次数很少：请上线应用，或明天再试"
    ),
    "shop {shop}: the platform offers no courier '{courier}'": "店铺 {shop}：平台没有可用的快递公司“{courier}”",
    "order {order}: this platform ships an order only as a whole": "订单 {order}：该平台只能整单发货",
    "let it leave as one shipment of several parcels": "请作为一张发货单的多个包裹发出",
    "order {order}: the number of a further parcel cannot be changed here": (
        "订单 {order}：附加包裹的运单号不能在这里修改"
    ),
    "change it in the shop's back office": "请在店铺后台修改",
    "order {order}: it has not left, so there is no number to correct": "订单 {order}：尚未发货，没有可更正的运单号",
    "order {order}: a refund of it is open": "订单 {order}：有未完成的售后",
    "set owner_id for the shop": "请为该店铺设置 owner_id",
}
