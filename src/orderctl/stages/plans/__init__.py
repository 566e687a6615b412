"""Plans: shipments to effects, and the outcomes of effects back into shipments.

Pure: rows are plain records (`frame.to_dicts()`); actions are row by row since the world is slower than any loop.
"""
