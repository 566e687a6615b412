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
    # --- the couriers of a rule, one a line
    "{courier}: {what}": "{courier}：{what}",
    "no room left today": "今日已满额",
    "does not deliver there": "不送达",
    "taken only after the others": "前面的都不行时才用",
    "cannot be weighed, not known: {lacks}": "无法衡量，缺：{lacks}",
    "{score} = {parts}": "{score} = {parts}",
    "{score}; {amount} more": "{score}；多 {amount}",
    "{weighed}; no room left today": "{weighed}；今日已满额",
    "price": "价格",
    "days": "天数",
    "exceptions": "异常率",
    "{amount} freight": "运费 {amount}",
    "{amount} for {days} d ({how})": "{days} 天（{how}）{amount}",
    "{amount} for {days} d ({how}) and {waits} d until it is collected": "{days} 天（{how}）另等揽收 {waits} 天 {amount}",
    "{amount} for {percent} % exceptions": "异常率 {percent}% {amount}",
    "{amount} for {points} points of notices": "通知 {points} 点 {amount}",
    "{amount}, as it is collected too late": "揽收过晚 {amount}",
    "{amount}, as a note asks for it": "备注想要 {amount}",
    "{amount}, as a note asks to avoid it": "备注不要 {amount}",
    "measured": "实测",
    "promised": "承诺",
    "assumed": "假定",
}
