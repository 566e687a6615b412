"""JD (京东), shops with a warehouse of their own (SOP)."""

CLIENT = "client:Jd"
MAPPERS = {
    "jd/order": "mapper:ORDER",
    "jd/sp-order": "rest_mapper:ORDER",
    "jd/export-csv": "export:MAPPER",
}
EXPORT = True
PARTIAL = False
