"""The Chinese sentences of gifts and cards."""

SENTENCES: dict[str, str] = {
    "Keep the newest version of every order, join orders of one recipient into shipments, and give them their gifts.": "保留每个订单的最新版本，把同一收件人的订单合并成发货单，并按规则配赠品。",
    "total_minor is of the whole shipment, not of lines": "total_minor 属于整个发货单，不属于明细",
    "a name has characters that can be seen, and no colon": "名称须有可见字符，且不含冒号",
    "it ends before it begins": "结束早于开始",
    "first_available looks at the stock: say stock_floor, 0 to give the last one too": "first_available 要看库存：请写 stock_floor，写 0 表示最后一件也可送",
    "another gift has the name '{name}', and gifts are counted by name": "已有名为“{name}”的赠品规则，而赠品按名称计数",
    "there is no stock to look at: name its table as 'stock'": "没有库存可看：请在 stock 中写明库存表",
    "the catalogue has no article '{sku}'": "目录中没有商品“{sku}”",
    "'{sku}' is a bundle: give its parts": "“{sku}”是组合商品：请改送其组件",
}
