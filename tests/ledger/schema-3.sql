-- The ledger, schema 3. Instants are RFC 3339 text in UTC (text order is time order), documents are JSON text.

-- Who is acting. expires_at is '' once the run has ended; until then it counts for other hosts only,
-- because on its own host a lock on runs/<run_id>.lock tells whether the run lives.
CREATE TABLE IF NOT EXISTS run (
    run_id     TEXT PRIMARY KEY,
    host       TEXT NOT NULL,
    pid        INTEGER NOT NULL,
    started_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Every act on the world: begun before it leaves, settled when it is known. claims: [[order_id, line_ref, quantity, available], ...]
CREATE TABLE IF NOT EXISTS effect (
    key         TEXT PRIMARY KEY,
    kind        TEXT NOT NULL,
    subject     TEXT NOT NULL,
    purpose     TEXT NOT NULL,
    revision    INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    shipment_id TEXT,
    claims      TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('started', 'done', 'failed', 'unknown', 'voided')),
    result      TEXT,
    error       TEXT,
    attempts    INTEGER NOT NULL,
    started_at  TEXT NOT NULL,
    settled_at  TEXT,
    job         TEXT,
    page        INTEGER,
    owner       TEXT NOT NULL REFERENCES run,
    fence       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS effect_subject ON effect (subject);
CREATE INDEX IF NOT EXISTS effect_shipment ON effect (shipment_id) WHERE shipment_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS effect_job ON effect (job, page) WHERE job IS NOT NULL;
CREATE INDEX IF NOT EXISTS effect_open ON effect (state) WHERE state IN ('started', 'unknown');

-- What a shipment was bound to by its first claim, or by a later revision.
CREATE TABLE IF NOT EXISTS shipment (
    shipment_id TEXT PRIMARY KEY,
    revision    INTEGER NOT NULL,
    courier     TEXT,
    service     TEXT,
    account     TEXT,
    issuer      TEXT,
    warehouse   TEXT,
    trail       TEXT,
    first_at    TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The unit of once: so many pieces of an order's line belong to this shipment and to no other.
CREATE TABLE IF NOT EXISTS commitment (
    order_id    TEXT NOT NULL,
    line_ref    TEXT NOT NULL,
    purpose     TEXT NOT NULL,
    shipment_id TEXT NOT NULL REFERENCES shipment,
    quantity    INTEGER NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (order_id, line_ref, purpose, shipment_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS commitment_shipment ON commitment (shipment_id);

-- Conflicts a person has to see, newest per key.
CREATE TABLE IF NOT EXISTS note (
    key         TEXT PRIMARY KEY,
    kind        TEXT NOT NULL,
    subject     TEXT NOT NULL,
    purpose     TEXT NOT NULL,
    reason      TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    claims      TEXT NOT NULL,
    at          TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Second and later acts, opened by a person.
CREATE TABLE IF NOT EXISTS revision (
    kind     TEXT NOT NULL,
    subject  TEXT NOT NULL,
    purpose  TEXT NOT NULL,
    revision INTEGER NOT NULL CHECK (revision > 1),
    actor    TEXT NOT NULL,
    reason   TEXT NOT NULL,
    at       TEXT NOT NULL,
    PRIMARY KEY (kind, subject, purpose, revision)
) STRICT, WITHOUT ROWID;

-- What people decided; the newest row of a subject and decision is in force unless it withdraws.
CREATE TABLE IF NOT EXISTS decision (
    seq       INTEGER PRIMARY KEY,
    subject   TEXT NOT NULL,
    decision  TEXT NOT NULL,
    payload   TEXT,
    reason    TEXT NOT NULL,
    actor     TEXT NOT NULL,
    at        TEXT NOT NULL,
    withdrawn INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS decision_subject ON decision (subject, decision, seq);

-- The newest version of every order: (updated_at, nulls first; observed_at; content hash). shop is platform:shop.
-- due: the stream of changes has read it and not handed it on yet; handed: what it handed on last (see versions.py).
-- open: whether it may still have to be shipped, NULL until somebody has looked; place: where it goes, for questions.
-- buyer, recipient, notes: keyed hashes of what was found then, and notes_at, recipient_at since when these are other ones.
CREATE TABLE IF NOT EXISTS version (
    id          INTEGER PRIMARY KEY,
    order_id    TEXT NOT NULL UNIQUE,
    shop        TEXT NOT NULL,
    updated_at  TEXT,
    observed_at TEXT NOT NULL,
    hash        TEXT NOT NULL,
    facts       TEXT,
    due         INTEGER NOT NULL DEFAULT 0 CHECK (due IN (0, 1)),
    handed      TEXT,
    open        INTEGER CHECK (open IN (0, 1)),
    place       TEXT,
    placed_at    TEXT,
    buyer        TEXT,
    recipient    TEXT,
    notes        TEXT,
    notes_at     TEXT,
    recipient_at TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS version_due ON version (shop, id) WHERE due = 1;
CREATE INDEX IF NOT EXISTS version_unlooked ON version (shop, id) WHERE open IS NULL;
CREATE INDEX IF NOT EXISTS version_open ON version (shop, place, id) WHERE open = 1;
CREATE INDEX IF NOT EXISTS version_placed ON version (placed_at) WHERE placed_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS version_changed ON version (id) WHERE notes_at IS NOT NULL OR recipient_at IS NOT NULL;

-- Its content; payload and parts are compressed.
CREATE TABLE IF NOT EXISTS record (
    id      INTEGER PRIMARY KEY REFERENCES version,
    format  TEXT NOT NULL,
    source  TEXT,
    payload BLOB NOT NULL,
    parts   BLOB,
    extra   TEXT
) STRICT;

CREATE TABLE IF NOT EXISTS cursor (
    shop   TEXT NOT NULL,
    stream TEXT NOT NULL,
    value  TEXT NOT NULL,
    at     TEXT NOT NULL,
    PRIMARY KEY (shop, stream)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS shop (
    shop             TEXT PRIMARY KEY,
    platform         TEXT NOT NULL,
    platform_shop_id TEXT NOT NULL,
    at               TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS token (
    shop    TEXT PRIMARY KEY,
    content BLOB NOT NULL,
    at      TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Waybill numbers of local ranges; never given out twice, void ones neither.
CREATE TABLE IF NOT EXISTS number (
    range_id TEXT NOT NULL,
    serial   INTEGER NOT NULL,
    number   TEXT NOT NULL,
    for_key  TEXT NOT NULL,
    state    TEXT NOT NULL CHECK (state IN ('reserved', 'used', 'void')),
    at       TEXT NOT NULL,
    PRIMARY KEY (range_id, serial),
    UNIQUE (range_id, for_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS number_key ON number (for_key);

CREATE TABLE IF NOT EXISTS journal (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    at       TEXT NOT NULL,
    run      TEXT NOT NULL,
    event    TEXT NOT NULL,
    kind     TEXT,
    subject  TEXT,
    order_id TEXT,
    data     TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS journal_order ON journal (order_id) WHERE order_id IS NOT NULL;
CREATE TRIGGER IF NOT EXISTS journal_keeps_rows BEFORE DELETE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER IF NOT EXISTS journal_keeps_words BEFORE UPDATE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

PRAGMA application_id = 1869769827;  -- 'orlc'
PRAGMA user_version = 3;
