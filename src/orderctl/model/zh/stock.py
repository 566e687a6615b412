"""Chinese sentences about stock and how it is dealt out."""

SENTENCES = {
    "not enough in stock: {missing}": "库存不足：{missing}",
    "nothing: it moves on when stock arrives": "无需处理：到货后自动放行",
    "no more parcels leave {warehouses} today": "{warehouses} 今天的发货量已满",
    "run route again tomorrow, or raise the capacity": "明天再运行 route，或提高日发货上限",
    "'{name}' is there twice": "“{name}”出现两次",
    "{name}: {value} is no time such as 2026-11-24 13:30": "{name}：{value} 不是如 2026-11-24 13:30 的时间",
    "{where}: name either a file or a database": "{where}：请填写 file 或 database 其中之一",
}
