"""Chinese sentences of the connector to Amazon."""

SENTENCES: dict[str, str] = {
    "shop {shop}: '{name}' is no marketplace we know": "店铺 {shop}：没有名为“{name}”的站点",
    "give countries (US, DE, JP, ...) or marketplace ids": "请填国家代码（US、DE、JP……）或站点编号",
    "shop {shop}: its marketplaces must lie in one region": "店铺 {shop}：站点必须在同一区域",
    "one login reaches one region: make a shop for each": "一个授权只管一个区域：请为每个区域各建一个店铺",
    "shop {shop}: orders_api is 2026-01-01 or v0, not {name}": "店铺 {shop}：orders_api 只能是 2026-01-01 或 v0，不能是 {name}",
    "shop {shop}: '{name}' is no whole number": "店铺 {shop}：“{name}”不是整数",
    "set refresh_token: authorise the app in Seller Central, under Develop Apps": (
        "请设置 refresh_token：在 Seller Central 的“开发应用”中授权该应用"
    ),
    "check the region, the app's roles and the seller's authorisation": "请检查区域、应用的角色和卖家授权",
    "the app's client_secret may be over: they end after 180 days": "应用的 client_secret 可能已过期：有效期为 180 天",
    "shop {shop}: the app may not see names, addresses and phones (role Direct-to-Consumer Delivery)": (
        "店铺 {shop}：应用无权查看姓名、地址和电话（需要 Direct-to-Consumer Delivery 角色）"
    ),
    "order {order}: Amazon ships it, or confirms it with the label it sells": (
        "订单 {order}：由亚马逊发货，或随亚马逊售出的面单自动确认"
    ),
    "order {order}: Amazon does not show its parcels, so none can be corrected": (
        "订单 {order}：亚马逊没有显示其包裹，无法更正单号"
    ),
    "order {order}: it is still pending at the platform": "订单 {order}：在平台上仍为待处理（Pending）",
}
