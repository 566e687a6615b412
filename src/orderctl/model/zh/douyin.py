"""Chinese sentences of the connector to Douyin."""

SENTENCES = {
    "{operation}: the buyer has asked for a refund ({code})": "{operation}：买家已申请退款（{code}）",
    "{operation}: the platform holds the order back for now ({code})": "{operation}：平台暂不放行该订单（{code}）",
    "{operation}: the waybill was made for another recipient than the order's ({code})": (
        "{operation}：面单的收件人与订单不一致（{code}）"
    ),
    "{operation}: these goods are shipped with their serial numbers ({code})": (
        "{operation}：该商品发货需要填写序列号（{code}）"
    ),
    "{operation}: too many orders at once ({code})": "{operation}：一次发货的订单过多（{code}）",
    "{operation}: the list is too long to be read to its end ({code})": "{operation}：列表过长，无法读到末尾（{code}）",
    "{operation}: the platform does not list orders of so long ago ({code})": (
        "{operation}：平台不提供这么久以前的订单列表（{code}）"
    ),
    "{operation}: the platform gives no token ({code})": "{operation}：平台没有给出令牌（{code}）",
    "{operation}: the seller does not allow the app in ({code})": "{operation}：商家没有授权该应用（{code}）",
    "{operation}: the platform did not sign this": "{operation}：签名不是平台的",
    "let the seller authorise the app, then log in again with orderctl auth": (
        "请商家先授权该应用，再用 orderctl auth 重新授权"
    ),
    "authorise the app in the back office of the shop": "请在店铺后台授权该应用",
    "unknown sign_method '{name}' (known: {known})": "未知的 sign_method“{name}”（可用：{known}）",
    "order {order}: it has no line {line}": "订单 {order}：没有明细 {line}",
    "order {order}: the platform has not released it yet": "订单 {order}：平台尚未放行",
    "order {order}: the platform does not show yet how it was shipped": "订单 {order}：平台尚未显示其发货情况",
    "order {order}: nothing of it was shipped yet": "订单 {order}：尚未发货",
}
