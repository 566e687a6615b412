"""The Chinese sentences of merging."""

SENTENCES: dict[str, str] = {
    "Keep the orders of this shipment of the batch apart from each other from now on; needs --reason.": "今后让批次中这个发货单的各订单互不合并；须写 --reason。",
    "Send the second order (or shipment of the batch) with the first, to its recipient, from now on; needs --reason.": "今后让第二个订单（或批次中的发货单）随第一个一起发，寄给第一个的收件人；须写 --reason。",
    "Never put these two orders (or shipments of the batch) into one parcel from now on; needs --reason.": "今后永不把这两个订单（或批次中的发货单）装进一个包裹；须写 --reason。",
    "{count} shipments may belong with others: orderctl view {file} -c +merging --where 'merge_with is not null'": "{count} 个发货单可能与其他单同属一人：orderctl view {file} -c +merging --where 'merge_with is not null'",
    "With --undo, --pin or --never nothing is joined: what you decide is kept, and every later merge follows it.": "带 --undo、--pin 或 --never 时不做合并：只记下你的决定，以后每次 merge 都照办。",
    "give one of --undo, --pin and --never at a time": "--undo、--pin、--never 一次只能写一个",
    "{order} is one order: name two": "{order} 只是一个订单：请写两个",
    "{order} is no id of an order": "{order} 不是订单编号",
    "an id is PLATFORM:SHOP:NUMBER, as in order_id of a batch; to name a shipment, name its batch too": "编号形如 平台:店铺:单号，见批次中的 order_id；写发货单时请同时写出它所在的批次",
    "{orders} go together from now on; merge again": "{orders} 今后一起发货；请再运行 merge",
    "{orders} go apart from now on; merge again": "{orders} 今后分开发货；请再运行 merge",
    "the batch has no shipment {shipment}": "批次中没有发货单 {shipment}",
    "name the batch it stands in: orderctl merge --undo SHIPMENT shipments.jsonl": "请写出它所在的批次：orderctl merge --undo 发货单 shipments.jsonl",
    'the decision {decision} of {subject} names no orders: its payload is {{"with": [...]}}': '对 {subject} 的决定 {decision} 没有写明订单：内容应为 {{"with": [...]}}',
}
