"""The Chinese sentences about addresses."""

SENTENCES: dict[str, str] = {
    "{district} is no district of {city} that the table knows": "区划表中 {city} 没有 {district}",
    "there are several {name} and nothing says which": "有多个 {name}，无法判断是哪一个",
    "complete the address": "补全地址",
    "{old} is no more: it went to {new}": "{old} 已撤销，划入 {new}",
    "see on a map in which of them it is now": "在地图上查明现属哪个区",
    "{old} is called {new} now": "{old} 现为 {new}",
    "{region} was read from the text of the address": "从地址文本中识别出 {region}",
    "{region} follows from the rest of the address": "由地址其余部分推定 {region}",
    "{region} stood in the address twice": "地址中重复出现 {region}",
    "taken out of the address: {what}": "已从地址中去除：{what}",
    "another phone number stands in the address": "地址中另有一个电话号码",
    "ask which of them the courier shall call": "问清快递员该打哪个号码",
}
