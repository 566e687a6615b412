"""What is said about waves, holds and releases."""

from __future__ import annotations

SENTENCES: dict[str, str] = {
    # --- waves
    "wave": "波次",
    "place {place} of {of}": "第 {place} 单，共 {of} 单",
    "slot {position} of the sorting wall": "播种墙格位 {position}",
    "zone": "库区",
    "cut-off": "截单时间",
    "size class": "尺寸档",
    "{name} {value}": "{name} {value}",
    "the rule wants {count} or more together of the kind {kind}": "规则要求同类（{kind}）至少 {count} 单",
    "no shipment of this batch is in the wave {wave}": "本批次没有属于波次 {wave} 的发货单",
    "there are: {waves}": "现有：{waves}",
    "name its groups {names}": "请用这些组名：{names}",
    "expected a time of day, such as 17:30": "应为时刻，如 17:30",
    "two rules are called '{name}'": "有两条规则都叫“{name}”",
    "there are no {section} to go by": "未填写 {section}，无从分组",
    "Print this wave only; else all, wave by wave.": "只打印此波次；不写则按波次依次全部打印。",
    # --- holds
    "'{value}' ends no hold: write a day, `2 days before ship_by`, stock or person": "“{value}”不能作为挂起的结束条件：请写日期、`2 days before ship_by`、stock 或 person",
    "held until {until}: {holds}": "挂起至 {until}：{holds}",
    "pre-ordered, until {until}: {holds}": "预售，等到 {until}：{holds}",
    "held until a person releases it: {holds}": "挂起，须人工放行：{holds}",
    "see what is wrong, then: orderctl ledger decide ORDER release": "核实后放行：orderctl ledger decide 订单 release",
    "until {until}": "至 {until}",
    "a person has released it": "已有人放行",
    "all of it is in stock": "货已齐",
    "its time has come": "时间已到",
    """to end it: orderctl ledger decide {subject} release --payload '{{"hold": "{rule}"}}' --reason WHY""": """放行：orderctl ledger decide {subject} release --payload '{{"hold": "{rule}"}}' --reason 原因""",
    "a release among the decisions names no hold": "某条放行决定没有写明挂起规则",
    "--payload: name the rule whose hold ends: {example}": "--payload：写明要放行的挂起规则：{example}",
    'release, of an order or shipment: the holds of these rules are over: {"hold": "NAME"}.': 'release（订单或发货单）：这些规则的挂起到此为止：{"hold": "规则名"}。',
}
