"""The Chinese sentences of tariffs: their mistakes, their price sheets, and what a freight is made of."""

SENTENCES: dict[str, str] = {
    "the last day is before the first": "截止日早于起始日",
    "first_weight_kg and first_price go together": "first_weight_kg 与 first_price 须同时填写",
    "a zone needs countries, provinces, cities or districts": "分区需要 countries、provinces、cities 或 districts",
    "the first weight above the ladder cannot be more than its last bracket": "阶梯之上的首重不能大于最后一档",
    "a surcharge for far places needs provinces, cities or districts": "偏远附加需要 provinces、cities 或 districts",
    "a surcharge for long or heavy parcels needs over_cm or over_kg": "超长超重附加需要 over_cm 或 over_kg",
    "{upto} needs a smaller {over}": "{upto} 须配合更小的 {over}",
    "max_fee is less than min_fee": "max_fee 小于 min_fee",
    "a tariff needs zones, or prices that name a table of them": "价卡需要 zones，或用 prices 指明价格表文件",
    "over_kg must rise": "over_kg 须逐级递增",
}
