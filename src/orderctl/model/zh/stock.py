"""Chinese sentences about stock and how it is dealt out."""

SENTENCES = {
    "not enough in stock: {missing}": "库存不足：{missing}",
    "nothing: it moves on when stock arrives": "无需处理：到货后自动放行",
    "no more parcels leave {warehouses} today": "{warehouses} 今天的发货量已满",
    "run route again tomorrow, or raise the capacity": "明天再运行 route，或提高日发货上限",
    "'{name}' is there twice": "“{name}”出现两次",
    "{name}: {value} is no time such as 2026-11-24 13:30": "{name}：{value} 不是如 2026-11-24 13:30 的时间",
    "{where}: name either a file or a database": "{where}：请填写 file 或 database 其中之一",
    "the cheapest that has everything": "库存齐全的仓库中最便宜的",
    "a part of it, for no one has everything": "没有一个仓库库存齐全，由此仓发其中一部分",
    "not enough in stock": "库存不足",
    "full for today": "今天的发货量已满",
    "part {part} of {parts} of {shipment}": "{shipment} 拆单的第 {part}/{parts} 部分",
    "without it nobody knows which waybills it has seen; a view can add it": "没有它就不知道哪些面单已计入库存；可用视图补上",
    "no stock knows the warehouse {warehouse}: nothing can leave from there": "库存表里没有仓库 {warehouse}：无法从那里发货",
    "{skus} SKUs in {warehouses}, the oldest counted at {at}": "{warehouses} 共 {skus} 个 SKU，最早盘点于 {at}",
    "pip install orderctl[optimize]": "pip install orderctl[optimize]",
    "--optimize needs an extra package": "--optimize 需要安装额外的软件包",
    "no stock was scarce: every shipment has its best warehouse": "没有紧缺库存：每个发货单都由最合适的仓库发出",
    "stock: {orders} shipments wanted what is scarce; {saved} % cheaper than dealt out quickly, at most {gap} % above"
    " the best there can be": "库存：{orders} 个发货单涉及紧缺库存；比快速分配便宜 {saved} %，最多高出理论最优 {gap} %",
    "Deal stock out by a solver: cheaper, slower, and with a bound.": "用求解器分配库存：更省钱、较慢，并给出与最优的差距。",
}
