"""Chinese sentences of the connector to JD."""

SENTENCES = {
    "{operation}: the order was already shipped, or its state forbids it ({code})": (
        "{operation}：订单已出库，或其状态不允许出库（{code}）"
    ),
    "{operation}: the buyer wants to cancel or be refunded ({code})": "{operation}：买家正在申请取消或退款（{code}）",
    "{operation}: the platform holds the order ({code})": "{operation}：平台已暂停该订单（{code}）",
    "{operation}: only machines in the platform's cloud may ask this ({code})": (
        "{operation}：只有部署在云鼎的机器才能调用（{code}）"
    ),
    "run orderctl in the platform's cloud, or read its export files": "请在云鼎内运行 orderctl，或改用后台导出的文件",
    "shop {shop}: the login is over and cannot be renewed any more": "店铺 {shop}：授权已过期，无法再续期",
    "shop {shop}: the login is good until {until}, it can be renewed only in its last day": (
        "店铺 {shop}：授权有效至 {until}，只能在最后一天内续期"
    ),
    "shop {shop}: '{name}' is no number above 0, up to {most}": "店铺 {shop}：“{name}”不是 0 以上、{most} 以内的数字",
    "shop {shop}: unknown {name} '{value}' (known: {known})": "店铺 {shop}：未知的 {name}“{value}”（可用：{known}）",
    "shop {shop}: 'courier.{courier}' is no number": "店铺 {shop}：“courier.{courier}”不是数字",
    "order {order}: the buyer wants to cancel or be refunded": "订单 {order}：买家正在申请取消或退款",
    "order {order}: the platform holds it": "订单 {order}：平台已暂停该订单",
    "order {order}: its state does not allow shipping": "订单 {order}：当前状态不允许发货",
    "order {order}: this gateway ships an order only as a whole": "订单 {order}：该网关只能整单发货",
    "set parts: sp for the shop to ship parts of orders": "如需拆单发货，请为该店铺设置 parts: sp",
}
