"""Chinese sentences of reading export files and column maps."""

from __future__ import annotations

SENTENCES: dict[str, str] = {
    "{path}: is a directory, not a table": "{path}：是目录，不是表格",
    "{path}: {why}": "{path}：{why}",
    "{path}: is empty": "{path}：是空文件",
    "{path}: is written in UTF-16; save it as CSV in UTF-8": "{path}：编码是 UTF-16，请另存为 UTF-8 的 CSV",
    "{path}: looks like {kind}, not like a CSV or XLSX table": "{path}：看起来是{kind}，不是 CSV 或 XLSX 表格",
    "a picture": "图片",
    "a PDF document": "PDF 文档",
    "an archive": "压缩包",
    "a database": "数据库",
    "a Parquet file": "Parquet 文件",
    "a web page or XML": "网页或 XML",
    "JSON": "JSON",
    "binary data": "二进制数据",
    "{path}: cannot be opened as a workbook": "{path}：无法作为工作簿打开",
    "is it protected by a password, or cut off? open it and save it as XLSX again": (
        "是否有密码保护或下载不完整？请打开后重新另存为 XLSX"
    ),
    "{path}: no export we know has these columns ({columns})": "{path}：没有已知的导出格式包含这些列（{columns}）",
    "describe them in a column map and give it with --column-map": "请写一份列映射文件，用 --column-map 指定",
    "{path}: read as {format}": "{path}：按 {format} 读取",
    "{path}: {count} columns are kept, but not understood: {columns}": (
        "{path}：{count} 列已保留，但未识别：{columns}"
    ),
    "{path}: {count} rows of totals left out": "{path}：略去 {count} 行合计",
    "{path}: {count} numbers of goods have lost digits and are left empty": (
        "{path}：{count} 个商品编号已丢失位数，按空处理"
    ),
    "the order report is missing: these orders come without recipients and amounts": (
        "缺少订单报表：这些订单没有收件人和金额"
    ),
    "the item report is missing: these orders come without lines": "缺少宝贝报表：这些订单没有明细",
    "{count} orders are not in the order report": "{count} 个订单不在订单报表中",
    "{count} orders are not in the item report": "{count} 个订单不在宝贝报表中",
    "{count} rows repeat an order: the newest file counts": "{count} 行订单重复：以最新的文件为准",
    "there is no time zone '{zone}'": "没有时区“{zone}”",
    "name the currency, or the column it stands in": "请写明币种，或币种所在的列",
    "needs: the map names no column for '{name}'": "needs：映射里没有给“{name}”指定列",
}
