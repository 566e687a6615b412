"""Chinese sentences of pins: what a person chooses instead of the rules."""

from __future__ import annotations

SENTENCES: dict[str, str] = {
    "{text}: a pin names a courier, or {names} with a value": "{text}：指定要写快递，或写 {names} 之一及其值",
    "as in {example}": "例如 {example}",
    "{text}: say each choice once, with a value": "{text}：每项只写一次，并写明值",
    "{path}: a table of pins has an id and one of {names}": "{path}：指定表要有单号列，以及 {names} 中至少一列",
    "{where}: a row without an id": "{where}：这一行没有单号",
    "{where}: a service or an account needs its courier": "{where}：指定产品或账号时也要指定快递",
    "{where}: no rule uses the {name} {value}": "{where}：没有规则使用{name} {value}",
    "courier": "快递",
    "warehouse": "仓库",
    "these are used: {names}": "规则使用的有：{names}",
    "{pinned} pins kept, {unpinned} taken back; route again": "已保存 {pinned} 条指定，撤回 {unpinned} 条；请重新分配",
    "give one of --pin, --unpin and --pins at a time": "--pin、--unpin、--pins 一次只用一个",
    "pinned by {actor}: {reason}": "由 {actor} 指定：{reason}",
    "Keep a courier or warehouse for this order, or shipment of the batch, from now on: SF, SF/express, warehouse=hz or several, parted by commas; needs --reason.": "从现在起为该订单（或批次中的发货单）指定快递或仓库：SF、SF/特快、warehouse=hz，可写多项并用逗号分开；须写 --reason。",
    "Take back what was pinned of this id; needs --reason.": "撤回对该单号的指定；须写 --reason。",
    "Keep the pins of a table (CSV, XLSX, Parquet): columns id, courier, service, warehouse and reason; where there are pin_courier, pin_service, pin_warehouse, those. - in a choice takes the pin back.": "保存表格（CSV、XLSX、Parquet）中的指定：列为 id、courier、service、warehouse、reason；如有 pin_courier、pin_service、pin_warehouse 列则以它们为准。写 - 表示撤回。",
    "With --pin, --unpin or --pins nothing is routed: what you choose is kept, and every later routing follows it.": "使用 --pin、--unpin 或 --pins 时不做分配：您的选择会保存下来，以后每次分配都照此执行。",
}
