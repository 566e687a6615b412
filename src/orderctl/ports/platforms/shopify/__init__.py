"""Shopify."""

CLIENT = "client:Shopify"
MAPPERS = {"shopify/graphql": "mapper:GRAPHQL", "shopify/export-csv": "export:MAPPER"}
EXPORT = True
PARTIAL = True
