"""Chinese sentences of what lint says of tags, chains of couriers, entries and places."""

from __future__ import annotations

SENTENCES: dict[str, str] = {
    "'{name}' is never asked: {above} above it stops first": "“{name}”永远轮不到：上面的{above}先停下",
    "'{name}' adds nothing: {above} above it adds that already": "“{name}”什么也没加：上面的{above}已经加了",
    "'{name}': {courier} stands there twice": "“{name}”：{courier} 写了两次",
    "'{name}': {courier} is never asked: nothing says where those before it do not deliver": "“{name}”：永远轮不到 {courier}：前面的快递没有写明哪里不派送",
    "'{name}': {courier} is never taken: where those before it do not deliver, it does not either": "“{name}”：永远用不上 {courier}：前面的快递不派送的地方它也不派送",
    "'{name}' is over: it never matches again": "“{name}”已过期：以后不会再匹配",
    "no courier rule uses {courier} ({count} entries)": "没有快递规则使用 {courier}（{count} 条）",
    "no test shows what '{name}' of {section} decides": "没有用例展示 {section} 中“{name}”的结果",
    "{text} ({hint})": "{text}（{hint}）",
    "this entry of {courier} is over since {day}": "{courier} 的这一条在 {day} 已过期",
    "this entry of {courier} says nothing new: {where} covers it": "{courier} 的这一条是多余的：{where} 已包含它",
    "there is no {level} {name} in the division table": "行政区划表中没有{level}“{name}”",
    "{text}: it is a district of {above}": "{text}：它是 {above} 的区县",
    "{name} is not in {above}: no shipment is there": "{name} 不在 {above}：不会有这样的收货地",
    "province": "省份",
    "city": "城市",
    "district": "区县",
}
