"""Chinese sentences of what lint says of several couriers, their days and room, waves and allocation."""

from __future__ import annotations

SENTENCES: dict[str, str] = {
    "'{name}': none of its couriers delivers where it matches, so all that it takes is blocked": "“{name}”：规则匹配的地方没有一家快递派送，它的发货单全部被拦下",
    "'{name}': {courier} is never taken: it does not deliver where the rule matches": "“{name}”：永远用不上 {courier}：规则匹配的地方它不派送",
    "'{name}': {courier} is never weighed and comes after those that are: nothing tells its {lacks}": "“{name}”：{courier} 永远无法比较，只能排在能比较的快递之后：没有写明它的 {lacks}",
    "'{name}' has one courier: 'rank' weighs it against nobody": "“{name}”只有一家快递：rank 没有可比较的对象",
    "'{name}' weighs '{what}', but {section} tell nothing of its couriers": "“{name}”比较 {what}，但 {section} 没有写明它的任何一家快递",
    "no courier rule uses the service {name} of {courier} ({count} entries)": "没有快递规则使用 {courier} 的产品 {name}（{count} 条）",
    "no courier rule uses the account {name} of {courier} ({count} entries)": "没有快递规则使用 {courier} 的账号 {name}（{count} 条）",
    "no warehouse rule uses {name} ({count} entries)": "没有仓库规则使用 {name}（{count} 条）",
    "no courier rule uses {name}": "没有快递规则使用 {name}",
    "no warehouse rule uses {name}": "没有仓库规则使用 {name}",
    "this entry of {courier} never counts: {where} goes before it": "{courier} 的这一条永远不起作用：{where} 排在它前面",
    "this entry of {courier} never counts again: since {day} {where} goes before it": "{courier} 的这一条不再起作用：从 {day} 起 {where} 排在它前面",
    "{count} entries of {courier}, this one the first, are over since {day}": "{courier} 有 {count} 条（这是第一条）在 {day} 已过期",
    "{count} entries of {courier}, this one the first, never count again: since {day} others go before them": "{courier} 有 {count} 条（这是第一条）不再起作用：从 {day} 起有其他条目排在前面",
    "no rule of waves goes by 'size', so the classes of parcels are told apart for nothing": "没有波次规则按 size 分组，包裹尺寸的分类没有用处",
}
