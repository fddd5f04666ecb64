-- What was refused: how often and why, the last requests of each reason, and, where a source wants it, the requests themselves.

-- Since ever. `kept` is how many of them are in `refusals`.
CREATE TABLE refusal_totals (
    source   TEXT    NOT NULL,
    reason   TEXT    NOT NULL,
    total    INTEGER NOT NULL CHECK (total > 0),
    kept     INTEGER NOT NULL DEFAULT 0 CHECK (kept BETWEEN 0 AND total),
    first_at INTEGER NOT NULL,
    last_at  INTEGER NOT NULL,
    PRIMARY KEY (source, reason)
) STRICT, WITHOUT ROWID;

-- Nothing that a request held: who, when, why, and how far its clock was off.
CREATE TABLE refusals (
    id           INTEGER PRIMARY KEY,
    source       TEXT    NOT NULL,
    reason       TEXT    NOT NULL,
    at           INTEGER NOT NULL,
    skew_seconds INTEGER,
    peer         TEXT,
    method       TEXT    NOT NULL CHECK (length(method) <= 16)
) STRICT;

CREATE INDEX refusals_by_reason ON refusals (source, reason, id);

-- The row of `refusal_totals` is there first.
CREATE TRIGGER refusal_kept AFTER INSERT ON refusals
BEGIN UPDATE refusal_totals SET kept = kept + 1 WHERE source = new.source AND reason = new.reason; END;

CREATE TRIGGER refusal_forgotten AFTER DELETE ON refusals
BEGIN UPDATE refusal_totals SET kept = kept - 1 WHERE source = old.source AND reason = old.reason; END;

-- Refused requests, whole: unverified data of strangers, which may be verified again when the right key is known. `bytes` is what
-- a row counts for. AUTOINCREMENT: a number that a person has seen never means another request.
CREATE TABLE quarantine (
    number      INTEGER PRIMARY KEY AUTOINCREMENT,
    source      TEXT    NOT NULL,
    received_at INTEGER NOT NULL,
    reason      TEXT    NOT NULL,
    peer        TEXT,
    method      TEXT    NOT NULL,
    target      TEXT    NOT NULL,
    bytes       INTEGER NOT NULL CHECK (bytes >= 0),
    headers     BLOB    NOT NULL,
    body        BLOB    NOT NULL
) STRICT;

CREATE INDEX quarantine_by_source ON quarantine (source, number);

-- `held` and `bytes` are what is there now; the others count since ever.
CREATE TABLE quarantine_totals (
    source   TEXT    NOT NULL PRIMARY KEY,
    held     INTEGER NOT NULL DEFAULT 0 CHECK (held >= 0),
    bytes    INTEGER NOT NULL DEFAULT 0 CHECK (bytes >= 0),
    total    INTEGER NOT NULL DEFAULT 0,
    released INTEGER NOT NULL DEFAULT 0,
    purged   INTEGER NOT NULL DEFAULT 0,
    evicted  INTEGER NOT NULL DEFAULT 0,
    expired  INTEGER NOT NULL DEFAULT 0,
    dropped  INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TRIGGER quarantine_taken_in AFTER INSERT ON quarantine
BEGIN
    UPDATE quarantine_totals SET held = held + 1, bytes = bytes + new.bytes, total = total + 1 WHERE source = new.source;
END;

CREATE TRIGGER quarantine_let_go AFTER DELETE ON quarantine
BEGIN UPDATE quarantine_totals SET held = held - 1, bytes = bytes - old.bytes WHERE source = old.source; END;
