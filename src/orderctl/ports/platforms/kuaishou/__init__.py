"""The shop of Kuaishou."""

MAPPERS: dict[str, str] = {}
EXPORT = False
