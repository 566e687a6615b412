"""Pinduoduo."""

CLIENT = "client:Pdd"
MAPPERS = {"pdd/order": "mapper:ORDER", "pdd/export-csv": "export:MAPPER"}
EXPORT = True
PARTIAL = False
