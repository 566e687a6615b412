"""Taobao and Tmall."""

CLIENT = "client:Taobao"
MAPPERS = {
    "taobao/trade": "mapper:TRADE",
    "taobao/trade-simplified": "mapper:TRADE_SIMPLIFIED",
    "taobao/export-csv": "export:MAPPER",
}
EXPORT = True
PARTIAL = True
