"""Chinese sentences of the connector to Kuaishou's shop."""

SENTENCES = {
    "unknown sign_method '{name}' (known: MD5, HMAC_SHA256)": (
        "未知的 sign_method“{name}”（可用：MD5, HMAC_SHA256）"
    ),
    "shop {shop}: 'message_secret' is no Base64 key": "店铺 {shop}：“message_secret”不是 Base64 密钥",
    "shop {shop}: the code of courier '{courier}' is no number": "店铺 {shop}：快递公司“{courier}”的编码不是数字",
    "{operation}: the shop took its permission back ({code})": "{operation}：店铺已取消授权（{code}）",
    "{operation}: the platform does not accept this courier ({code})": "{operation}：平台不接受该快递公司（{code}）",
    "{operation}: the platform does not accept this tracking number ({code})": (
        "{operation}：平台不接受该运单号（{code}）"
    ),
    "{operation}: the address is not the one the label was made for ({code})": (
        "{operation}：收货地址与打单时不一致（{code}）"
    ),
    "{operation}: a delivery rule of the platform forbids it ({code})": "{operation}：平台的发货规则不允许（{code}）",
    "{operation}: the order is not this shop's, or its state forbids it ({code})": (
        "{operation}：订单不属于本店，或状态不允许（{code}）"
    ),
    "{operation}: {count} entries without an order number": "{operation}：{count} 条记录没有订单号",
    "{operation}: this shop has no order {order}": "{operation}：本店没有订单 {order}",
    "order {order}: a refund is open": "订单 {order}：正在退款",
    "order {order}: the platform holds it": "订单 {order}：平台已暂停该订单",
    "order {order}: it is in a state that cannot be shipped": "订单 {order}：当前状态不能发货",
    "order {order}: nothing was shipped yet whose number could be corrected": (
        "订单 {order}：尚未发货，没有可以更正的运单号"
    ),
}
