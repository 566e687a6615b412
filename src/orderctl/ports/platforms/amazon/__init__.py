"""Amazon."""

CLIENT = "client:Amazon"
MAPPERS = {
    "amazon/order": "mapper:MAPPER",
    "amazon/order-v0": "mapper_v0:MAPPER",
    "amazon/export-unshipped": "export:UNSHIPPED",
    "amazon/export-all": "export:ALL",
}
EXPORT = True
PARTIAL = True
