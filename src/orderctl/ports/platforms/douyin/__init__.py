"""The shop of Douyin."""

CLIENT = "client:Douyin"
MAPPERS = {"douyin/order": "mapper:ORDER", "douyin/export-csv": "export:MAPPER"}
EXPORT = True
PARTIAL = True
