"""Chinese sentences of reading and writing batches."""

SENTENCES = {
    "a PNG image": "PNG 图片",
    "a JPEG image": "JPEG 图片",
    "a PDF document": "PDF 文件",
    "an XLSX or ZIP file": "XLSX 或 ZIP 文件",
    "UTF-16 text": "UTF-16 文本",
    "an old Excel file": "旧版 Excel 文件",
    "a SQLite database": "SQLite 数据库",
    "a program": "程序文件",
    "a binary file": "二进制文件",
    "a file that is compressed twice": "压缩了两次的文件",
    "{name}: line {line} is longer than {limit} MiB": "{name}：第 {line} 行超过 {limit} MiB",
}
