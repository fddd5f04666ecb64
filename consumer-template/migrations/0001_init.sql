-- The inbox. All times are Unix milliseconds. Every table is STRICT: a wrong type is an error, not a surprise.

-- What is known about an event, and where it stands. The payload is elsewhere: this row is rewritten on each change of state.
CREATE TABLE events (
    number            INTEGER PRIMARY KEY AUTOINCREMENT,
    source            TEXT    NOT NULL,
    scheme            TEXT    NOT NULL,
    key_id            TEXT    NOT NULL,
    replay_key        BLOB    NOT NULL CHECK (length(replay_key) = 32),
    identity          TEXT    NOT NULL CHECK (identity IN ('signed_id', 'digest')),
    event_id          TEXT,
    event_id_signed   INTEGER NOT NULL DEFAULT 0 CHECK (event_id_signed IN (0, 1)),
    event_type        TEXT,
    event_type_signed INTEGER NOT NULL DEFAULT 0 CHECK (event_type_signed IN (0, 1)),
    ordering_key      TEXT,
    occurred_at       INTEGER,
    sequence          INTEGER,
    received_at       INTEGER NOT NULL,
    state             TEXT    NOT NULL CHECK (state IN ('pending', 'running', 'done', 'dead', 'discarded')),
    reason            TEXT    CHECK (reason IN ('malformed', 'conflict', 'attempts_exhausted', 'permanent')),
    attempts          INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    last_error        TEXT,
    settled_at        INTEGER,
    CHECK (state <> 'dead' OR reason IS NOT NULL),
    CHECK ((settled_at IS NULL) = (state IN ('pending', 'running')))
) STRICT;

CREATE INDEX events_by_state ON events (state, number);
CREATE INDEX events_by_source ON events (source, state, number);

-- The bytes, written once.
CREATE TABLE payloads (
    event       INTEGER PRIMARY KEY REFERENCES events (number),
    body_sha256 BLOB NOT NULL CHECK (length(body_sha256) = 32),
    headers     BLOB NOT NULL,
    body        BLOB NOT NULL
) STRICT;

-- Which event a delivery belongs to. Outlives the payload: a replay key is a correctness window, not housekeeping.
CREATE TABLE replay_keys (
    replay_key  BLOB    NOT NULL PRIMARY KEY CHECK (length(replay_key) = 32),
    body_sha256 BLOB    NOT NULL CHECK (length(body_sha256) = 32),
    event       INTEGER REFERENCES events (number)
) STRICT, WITHOUT ROWID;

-- Other bodies that came under a replay key that was taken.
CREATE TABLE conflicts (
    replay_key  BLOB    NOT NULL,
    body_sha256 BLOB    NOT NULL CHECK (length(body_sha256) = 32),
    event       INTEGER REFERENCES events (number),
    PRIMARY KEY (replay_key, body_sha256)
) STRICT, WITHOUT ROWID;

-- One row for each (source, ordering key) with unfinished events; an event without an ordering key is a lane of its own.
-- `due_at` is that of the lane's first event. While `running` is set, the lane is leased.
CREATE TABLE lanes (
    id           INTEGER PRIMARY KEY,
    source       TEXT    NOT NULL,
    ordering_key TEXT,
    due_at       INTEGER NOT NULL,
    running      INTEGER REFERENCES events (number),
    token        INTEGER,
    lease_until  INTEGER,
    CHECK ((running IS NULL) = (token IS NULL) AND (running IS NULL) = (lease_until IS NULL))
) STRICT;

CREATE UNIQUE INDEX lanes_by_key ON lanes (source, ordering_key) WHERE ordering_key IS NOT NULL;
CREATE UNIQUE INDEX lanes_by_running ON lanes (running) WHERE running IS NOT NULL;
CREATE INDEX lanes_ready ON lanes (due_at) WHERE running IS NULL;
CREATE INDEX lanes_leased ON lanes (lease_until) WHERE running IS NOT NULL;

-- The unfinished events of each lane in their order. `at` is when the event occurred, or arrived if the provider does not say:
-- one number for both, because an order needs every pair of events to be comparable.
CREATE TABLE queue (
    lane     INTEGER NOT NULL REFERENCES lanes (id),
    at       INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    event    INTEGER NOT NULL UNIQUE REFERENCES events (number),
    due_at   INTEGER NOT NULL,
    PRIMARY KEY (lane, at, sequence, event)
) STRICT, WITHOUT ROWID;

-- One row for each run of a handler. Its id is the fencing token of the lease: AUTOINCREMENT, so that it never comes again.
CREATE TABLE attempts (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    event      INTEGER NOT NULL REFERENCES events (number),
    attempt    INTEGER NOT NULL CHECK (attempt >= 1),
    started_at INTEGER NOT NULL,
    ended_at   INTEGER,
    outcome    TEXT CHECK (outcome IN ('done', 'retry', 'dead', 'lost')),
    error      TEXT,
    CHECK ((ended_at IS NULL) = (outcome IS NULL))
) STRICT;

CREATE INDEX attempts_by_event ON attempts (event, id);

-- Who replayed, revived or discarded what, and why.
CREATE TABLE audit (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    at     INTEGER NOT NULL,
    event  INTEGER NOT NULL REFERENCES events (number),
    actor  TEXT    NOT NULL,
    action TEXT    NOT NULL CHECK (action IN ('replay', 'discard', 'revive')),
    why    TEXT    NOT NULL
) STRICT;

CREATE INDEX audit_by_event ON audit (event, id);

CREATE TRIGGER audit_is_not_rewritten BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

CREATE TRIGGER audit_is_not_erased BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

-- How many events there are by source and state, kept by triggers: counting would read the index of every event there ever was.
CREATE TABLE tallies (
    source TEXT    NOT NULL,
    state  TEXT    NOT NULL,
    events INTEGER NOT NULL CHECK (events >= 0),
    PRIMARY KEY (source, state)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER tally_of_a_new_event AFTER INSERT ON events
BEGIN
    INSERT INTO tallies (source, state, events) VALUES (new.source, new.state, 1)
        ON CONFLICT (source, state) DO UPDATE SET events = events + 1;
END;

CREATE TRIGGER tally_of_a_change AFTER UPDATE OF state ON events WHEN old.state <> new.state
BEGIN
    UPDATE tallies SET events = events - 1 WHERE source = old.source AND state = old.state;
    INSERT INTO tallies (source, state, events) VALUES (new.source, new.state, 1)
        ON CONFLICT (source, state) DO UPDATE SET events = events + 1;
END;

CREATE TRIGGER tally_of_a_deletion AFTER DELETE ON events
BEGIN
    UPDATE tallies SET events = events - 1 WHERE source = old.source AND state = old.state;
END;
