"""Amazon."""

MAPPERS: dict[str, str] = {}
EXPORT = False
