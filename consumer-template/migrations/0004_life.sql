-- The life of sources: who paused one and why, when its breaker trips, and an audit log that tells of sources, too.

-- Why events of a source are not claimed. `person`: somebody paused it. `breaker`: too many of its events died. `removed`: it is
-- not configured any more, so nobody knows what is to become of its events.
CREATE TABLE pauses (
    source TEXT    NOT NULL,
    cause  TEXT    NOT NULL CHECK (cause IN ('person', 'breaker', 'removed')),
    since  INTEGER NOT NULL,
    actor  TEXT    NOT NULL,
    why    TEXT    NOT NULL,
    PRIMARY KEY (source, cause)
) STRICT, WITHOUT ROWID;

-- When a source pauses by itself. No row: never. Here because it is decided in the transaction in which an event dies.
CREATE TABLE breakers (
    source       TEXT    NOT NULL PRIMARY KEY,
    last         INTEGER NOT NULL CHECK (last > 0),
    window_ms    INTEGER NOT NULL CHECK (window_ms > 0),
    min_dead     INTEGER NOT NULL CHECK (min_dead > 0),
    dead_percent INTEGER NOT NULL CHECK (dead_percent BETWEEN 1 AND 100)
) STRICT, WITHOUT ROWID;

-- What became of the last events of a source that its handler finished, as many as its breaker looks at. `id` counts per source.
CREATE TABLE outcomes (
    source TEXT    NOT NULL,
    id     INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    died   INTEGER NOT NULL CHECK (died IN (0, 1)),
    PRIMARY KEY (source, id)
) STRICT, WITHOUT ROWID;

-- Who did what, and why: to an event, or to a source (then `event` is NULL). Which actions there are is the program's matter: a list
-- in a CHECK would mean to build the log anew for each new one. `event` refers to no table, because the log outlives events.
CREATE TABLE audit_new (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    at     INTEGER NOT NULL,
    source TEXT    NOT NULL,
    event  INTEGER,
    actor  TEXT    NOT NULL,
    action TEXT    NOT NULL CHECK (length(action) BETWEEN 1 AND 32),
    why    TEXT    NOT NULL
) STRICT;

INSERT INTO audit_new (id, at, source, event, actor, action, why)
    SELECT audit.id, audit.at, events.source, audit.event, audit.actor, audit.action, audit.why
    FROM audit JOIN events ON events.number = audit.event;

-- A line that was numbered is never numbered again.
DELETE FROM sqlite_sequence WHERE name = 'audit_new';
INSERT INTO sqlite_sequence (name, seq) SELECT 'audit_new', seq FROM sqlite_sequence WHERE name = 'audit';
DROP TABLE audit;
ALTER TABLE audit_new RENAME TO audit;

CREATE INDEX audit_by_event ON audit (event, id) WHERE event IS NOT NULL;
CREATE INDEX audit_by_source ON audit (source, id);

CREATE TRIGGER audit_is_not_rewritten BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

CREATE TRIGGER audit_is_not_erased BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
