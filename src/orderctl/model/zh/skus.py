"""The Chinese sentences of SKU mapping: tables, bundles, decisions, what is unmapped."""

SENTENCES: dict[str, str] = {
    "{source}: has none of the columns {columns}": "{source}：{columns} 各列一个也没有",
    "{path}:{line}:{column}: a number has lost digits in the spreadsheet; type it again as text": "{path}:{line}:{column}：数字在表格软件中丢失了位数，请以文本格式重新输入",
    "{path}: the column {column} is there twice": "{path}：列 {column} 出现了两次",
    "{name}: {value} is no whole number that makes sense here": "{name}：{value} 不是此处可用的整数",
    "the row says nothing of what {value} looks like": "该行没有写明 {value} 对应什么样的商品",
    "{name}: {value} has lost its digits in a spreadsheet; keep it as text": "{name}：{value} 在表格软件中丢失了位数，请保存为文本",
    "{name}: {value} is no regular expression": "{name}：{value} 不是正则表达式",
    "{value}: line {other} says otherwise of the same article": "{value}：第 {other} 行对同一商品的说法不同",
    "{name} is missing": "缺少 {name}",
    "{value}: {other}": "{value}：{other}",
    "a file of entries names no further files": "条目文件中不能再引用文件",
    "{skus}: a bundle cannot be part of a bundle": "{skus}：组合商品不能再作为组合商品的组件",
    'the decision sku of {subject} needs a payload such as {{"sku": "A-1", "pieces": 1}}': '{subject} 的决定 sku 需要 payload，如 {{"sku": "A-1", "pieces": 1}}',
}
