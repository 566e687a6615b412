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
    "there are no {section} to go by": "未填写 {section}，无从分组",
    "Print this wave only; else all, wave by wave.": "只打印此波次；不写则按波次依次全部打印。",
}
