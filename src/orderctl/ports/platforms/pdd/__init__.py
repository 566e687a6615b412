"""Pinduoduo."""

MAPPERS = {"pdd/export-csv": "export:MAPPER"}
EXPORT = True
