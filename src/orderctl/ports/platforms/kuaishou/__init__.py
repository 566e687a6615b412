"""The shop of Kuaishou."""

CLIENT = "client:Kuaishou"
MAPPERS = {"kuaishou/order": "mapper:ORDER", "kuaishou/export-csv": "export:MAPPER"}
EXPORT = True
PARTIAL = True
