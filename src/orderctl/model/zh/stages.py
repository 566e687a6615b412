"""The Chinese sentences of `normalize` and `merge`."""

SENTENCES: dict[str, str] = {
    "{source}: has no column {column}": "{source}：缺少列 {column}",
    "{source}: {value} is no weight in whole grams": "{source}：{value} 不是以克为单位的整数重量",
    "{source}: the SKU {sku} is missing or there twice": "{source}：SKU {sku} 缺失或重复",
}
