"""Whether the ledger is whole: the file, the bindings of lines, and the journal against the entries.

Invariant: every check is one query over the whole file that names what is wrong; a sound ledger answers none.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from orderctl.model.effect import LIVE
from orderctl.model.text import Text

_LIVE: Final = ", ".join(f"'{state}'" for state in sorted(LIVE))
_CLAIM: Final = """
    claim AS MATERIALIZED (
        SELECT effect.key AS key, shipment_id, purpose, state,
            json_extract(value, '$[0]') AS order_id, json_extract(value, '$[1]') AS line_ref,
            json_extract(value, '$[2]') AS quantity, json_extract(value, '$[3]') AS available
        FROM effect, json_each(effect.claims))"""
_EVENT: Final = """
    event AS MATERIALIZED (  -- a text affinity, or the join below finds no index
        SELECT seq, substr(event, 8) AS word, CAST(kind || '|' || subject || '|' ||
            json_extract(data, '$.purpose') || '|' || json_extract(data, '$.revision') AS TEXT) AS key
        FROM journal WHERE event GLOB 'effect.*')"""
_CHECKS: Final = (
    (
        "{subject} is live, but its lines are not bound to its shipment",
        f"""WITH {_CLAIM}
        SELECT DISTINCT key FROM claim LEFT JOIN commitment AS c USING (order_id, line_ref, purpose, shipment_id)
        WHERE state IN ({_LIVE}) AND coalesce(c.quantity, 0) < claim.quantity ORDER BY key""",
    ),
    (
        "lines are bound to shipment {subject}, but nothing of it is live",
        f"""SELECT DISTINCT shipment_id FROM commitment AS c WHERE NOT EXISTS (
            SELECT 1 FROM effect AS e
            WHERE e.shipment_id = c.shipment_id AND e.claims <> '[]' AND e.state IN ({_LIVE}))
        ORDER BY shipment_id""",
    ),
    (
        "more pieces of line {subject} are bound to shipments than may be sent",
        f"""WITH {_CLAIM}, most AS MATERIALIZED (
            SELECT order_id, line_ref, purpose, max(available) AS available FROM claim
            GROUP BY order_id, line_ref, purpose)
        SELECT order_id || ' ' || line_ref FROM commitment AS c JOIN most USING (order_id, line_ref, purpose)
        GROUP BY order_id, line_ref, purpose HAVING sum(c.quantity) > max(available)
        ORDER BY order_id, line_ref""",
    ),
    (
        "the journal does not tell of every attempt at {subject}",
        f"""WITH {_EVENT}, told AS MATERIALIZED (
            SELECT key, count(*) AS times FROM event WHERE word = 'started' GROUP BY key)
        SELECT key FROM effect LEFT JOIN told USING (key) WHERE coalesce(times, 0) <> attempts ORDER BY key""",
    ),
    (
        "the journal does not tell how {subject} came to be as it is",
        f"""WITH {_EVENT}, said AS MATERIALIZED (
            SELECT key, iif(word = 'taken', 'started', word) AS state, max(seq) FROM event
            WHERE word NOT IN ('conflict', 'late') GROUP BY key)
        SELECT key FROM effect LEFT JOIN said USING (key) WHERE said.state IS NOT effect.state ORDER BY key""",
    ),
    (
        "the journal tells of {subject}, which the ledger does not know",
        f"""WITH {_EVENT}
        SELECT DISTINCT key FROM event LEFT JOIN effect USING (key)
        WHERE effect.key IS NULL AND word <> 'conflict' ORDER BY key""",
    ),
)


def verify(db: sqlite3.Connection) -> list[Text]:
    """Give one sentence per finding, none for a sound ledger."""
    damage = [what for (what,) in db.execute("PRAGMA integrity_check") if what != "ok"]
    found = [Text("the file is damaged: {what}", what=what) for what in damage]
    for table, _, parent, _ in db.execute("PRAGMA foreign_key_check"):
        found.append(Text("a row of {table} points to nothing in {parent}", table=table, parent=parent))
    (missing,) = db.execute(
        "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'journal'), 0) - count(*) FROM journal"
    ).fetchone()
    if missing:
        found.append(Text("{count} events are missing from the journal", count=missing))
    for sentence, query in _CHECKS:
        found += [Text(sentence, subject=subject) for (subject,) in db.execute(query)]
    return found
