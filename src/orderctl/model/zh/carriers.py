"""What is said of couriers weighed against each other: rank, days, what was measured, what they take a day."""

from __future__ import annotations

SENTENCES: dict[str, str] = {
    # --- rules that cannot be meant
    "several couriers need 'rank': what makes one better than another": "写了多家快递，须写 rank：按什么比较优劣",
    "there is nothing to weigh '{name}' by: write {table}": "没有可用来衡量 {name} 的数据：请写 {table}",
    "how many days?": "几天？",
    "what was measured needs 'on', the day, and 'parcels', how many": "实测数据须写 on（日期）和 parcels（件数）",
    "what was measured: 'days' or 'exception_percent'?": "测的是什么：days 还是 exception_percent？",
    # --- how it was chosen
    "by a rule, the best of its couriers": "按规则，取其中最优的快递",
    "no courier of the rule has room left today": "规则所列快递今日均已满额",
    "no courier of the rule has room left today: {full}": "规则所列快递今日均已满额：{full}",
    "nothing: it moves on tomorrow, or name another courier under 'otherwise'": "无需处理，明天自动继续；或在规则的 otherwise 中另写快递",
    "couriers that could not be weighed came last: {couriers}": "无法衡量的快递排在最后：{couriers}",
    "complete the tables: tariffs, transit, performance": "请补全价卡、时效或实测数据表",
    "  no room left today: {full}": "  今日已满额：{full}",
}
