"""The shop of Kuaishou."""

CLIENT = "client:Kuaishou"
MAPPERS = {"kuaishou/order": "mapper:ORDER"}
EXPORT = False
