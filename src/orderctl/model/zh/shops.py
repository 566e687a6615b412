"""Sentences of fetch, auth and doctor."""

from __future__ import annotations

SENTENCES: dict[str, str] = {
    # fetch
    "another fetch is at it just now": "另一个 fetch 正在取这个店铺的单",
    "{shop}: {got} orders in {windows} windows, read to the end mark": "{shop}：{windows} 个时段共 {got} 个订单，已读到末尾标记",
    "--events names its orders itself: give no --shop, --order, --since, --until or --file": "--events 自己指明订单：不要再写 --shop、--order、--since、--until 或 --file",
    "{path}: none of its {count} lines is a message": "{path}：{count} 行中没有一行是推送消息",
    'each line is a JSON object with "shop", "headers" and "body"': "每行应是一个含 shop、headers 和 body 的 JSON 对象",
    "Verify the webhooks kept in this file (- is stdin), and read the orders they speak of.": "核验存在此文件中的推送消息（- 为标准输入），并重新读取它们所说的订单。",
    "Every page is kept as it comes: an interrupted fetch goes on where it stopped, and what was read but could not be handed on comes with the next one. Looking back (--since, --until, --by created, --order, --events) changes nothing.": "每一页到手即存：中断的取单从停下处继续，已读到而未能交出的随下一次交出。回看（--since、--until、--by created、--order、--events）不改变任何进度。",
}
