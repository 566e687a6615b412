"""Waves: shipments grouped by rules, filled to capacity, ordered by the way a picker walks."""
