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
}
