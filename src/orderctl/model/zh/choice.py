"""What is said about a choice: what would flip it, who does not deliver, what is announced."""

from __future__ import annotations

SENTENCES: dict[str, str] = {
    # --- what would flip it
    "what would change it:": "改动哪一点会改变结果：",
    "no courier": "无快递可用",
    "{chosen} from {warehouse}": "由 {warehouse} 发 {chosen}",
    "{change}: {chosen}": "{change}：{chosen}",
    "{change}: {chosen}, {cost}": "{change}：{chosen}，{cost}",
    "{money} less": "便宜 {money}",
    "{money} more": "贵 {money}",
    "at the same price": "价格相同",
    "{kilos} kg lighter": "轻 {kilos} 公斤",
    "{kilos} kg heavier": "重 {kilos} 公斤",
    "{fact} {by} mm smaller": "{fact} 小 {by} 毫米",
    "{fact} {by} mm larger": "{fact} 大 {by} 毫米",
    "{fact} {then} instead of {was}": "{fact} 为 {then}（现为 {was}）",
    "{fact} without {value}": "{fact} 去掉 {value}",
    "{fact} with {value}": "{fact} 加上 {value}",
    # --- who does not deliver
    "by a rule, the first of its couriers that delivers there": "按规则，取其中第一家能送达的快递",
    "no courier of the rule delivers there": "规则所列快递均不送达",
    "does not deliver there: {refused}": "快递不送达：{refused}",
    "name another courier under 'otherwise' of the rule, or pin one that delivers": "在规则的 otherwise 中另写快递，或指定能送达的快递",
    "a table stands alone: write other entries beside it": "表格须单独成项，其他条目另写",
    "it ends before it begins": "截止早于起始",
    "which courier?": "哪家快递？",
    "where, what or when? without it the courier would never be taken": "请写明地区、商品属性或日期，否则该快递永不会被选用",
    "a notice needs 'why' or 'penalty'": "通知须写 why 或 penalty",
    "expected a day, such as 2026-11-24": "应为日期，如 2026-11-24",
    "the value does not fit": "值不合适",
    "tag": "标签",
    # --- what is announced
    "notices:": "快递通知：",
    "{courier}: {why} ({place})": "{courier}：{why}（{place}）",
    "{courier}: {why}, penalty {penalty} ({place})": "{courier}：{why}，影响 {penalty}（{place}）",
    "  does not deliver there: {refused}": "  不送达：{refused}",
}
