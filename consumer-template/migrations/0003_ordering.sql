-- The order of each key: rules by source, what was applied last, who waits for whom.
--
-- Four tables are built anew because their CHECKs and keys change; SQLite cannot change those in place. Run with foreign keys
-- off, checked at the end.

-- How a source wants its keys kept in order. Here and not only in the configuration, because operators' commands follow them too.
CREATE TABLE policies (
    source       TEXT    NOT NULL PRIMARY KEY,
    settle_ms    INTEGER NOT NULL CHECK (settle_ms >= 0),
    stale        TEXT    NOT NULL CHECK (stale IN ('apply', 'skip', 'flag')),
    on_failure   TEXT    NOT NULL CHECK (on_failure IN ('block', 'park', 'skip')),
    not_ready_ms INTEGER NOT NULL CHECK (not_ready_ms > 0),
    at_deadline  TEXT    NOT NULL CHECK (at_deadline IN ('process', 'dead'))
) STRICT, WITHOUT ROWID;

-- The latest event of each key that was applied. Written in the transaction that settles it.
CREATE TABLE applied (
    source       TEXT    NOT NULL,
    ordering_key TEXT    NOT NULL,
    at           INTEGER NOT NULL,
    sequence     INTEGER NOT NULL,
    PRIMARY KEY (source, ordering_key)
) STRICT, WITHOUT ROWID;

INSERT INTO applied (source, ordering_key, at, sequence)
    SELECT source, ordering_key, at, sequence FROM (
        SELECT source, ordering_key, COALESCE(occurred_at, received_at) AS at, COALESCE(sequence, 0) AS sequence,
            ROW_NUMBER() OVER (PARTITION BY source, ordering_key
                ORDER BY COALESCE(occurred_at, received_at) DESC, COALESCE(sequence, 0) DESC) AS place
        FROM events WHERE state = 'done' AND ordering_key IS NOT NULL)
    WHERE place = 1;

-- Events: another reason to be dead, and done without having been applied.
CREATE TABLE events_3 (
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
    reason            TEXT    CHECK (reason IN ('malformed', 'conflict', 'attempts_exhausted', 'permanent', 'deadline')),
    attempts          INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    last_error        TEXT,
    settled_at        INTEGER,
    superseded        INTEGER NOT NULL DEFAULT 0 CHECK (superseded IN (0, 1)),
    CHECK (state <> 'dead' OR reason IS NOT NULL),
    CHECK ((settled_at IS NULL) = (state IN ('pending', 'running'))),
    CHECK (superseded = 0 OR state = 'done')
) STRICT;

INSERT INTO events_3 (number, source, scheme, key_id, replay_key, identity, event_id, event_id_signed, event_type,
        event_type_signed, ordering_key, occurred_at, sequence, received_at, state, reason, attempts, last_error, settled_at)
    SELECT number, source, scheme, key_id, replay_key, identity, event_id, event_id_signed, event_type,
        event_type_signed, ordering_key, occurred_at, sequence, received_at, state, reason, attempts, last_error, settled_at
    FROM events;

-- A number that was given is never given again, also if its event is gone.
DELETE FROM sqlite_sequence WHERE name = 'events_3';
INSERT INTO sqlite_sequence (name, seq) SELECT 'events_3', seq FROM sqlite_sequence WHERE name = 'events';
DROP TABLE events;
ALTER TABLE events_3 RENAME TO events;

CREATE INDEX events_by_state ON events (state, number);
CREATE INDEX events_by_source ON events (source, state, number);
CREATE INDEX events_superseded ON events (number) WHERE superseded = 1;

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

-- Attempts: one that ended because its event has to wait for another one.
CREATE TABLE attempts_3 (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    event      INTEGER NOT NULL REFERENCES events (number),
    attempt    INTEGER NOT NULL CHECK (attempt >= 1),
    started_at INTEGER NOT NULL,
    ended_at   INTEGER,
    outcome    TEXT CHECK (outcome IN ('done', 'retry', 'dead', 'lost', 'not_ready')),
    error      TEXT,
    CHECK ((ended_at IS NULL) = (outcome IS NULL))
) STRICT;

INSERT INTO attempts_3 (id, event, attempt, started_at, ended_at, outcome, error)
    SELECT id, event, attempt, started_at, ended_at, outcome, error FROM attempts;

-- Its id is the fencing token.
DELETE FROM sqlite_sequence WHERE name = 'attempts_3';
INSERT INTO sqlite_sequence (name, seq) SELECT 'attempts_3', seq FROM sqlite_sequence WHERE name = 'attempts';
DROP TABLE attempts;
ALTER TABLE attempts_3 RENAME TO attempts;

CREATE INDEX attempts_by_event ON attempts (event, id);

-- Lanes: `due_at` is that of the first event in line, NULL if none is in line. `blocked`: a person has to act first.
CREATE TABLE lanes_3 (
    id           INTEGER PRIMARY KEY,
    source       TEXT    NOT NULL,
    ordering_key TEXT,
    due_at       INTEGER,
    running      INTEGER REFERENCES events (number),
    token        INTEGER,
    lease_until  INTEGER,
    blocked      INTEGER NOT NULL DEFAULT 0 CHECK (blocked IN (0, 1)),
    CHECK ((running IS NULL) = (token IS NULL) AND (running IS NULL) = (lease_until IS NULL))
) STRICT;

INSERT INTO lanes_3 (id, source, ordering_key, due_at, running, token, lease_until)
    SELECT id, source, ordering_key, due_at, running, token, lease_until FROM lanes;

-- The unfinished events of each lane in their order. `at` is when the event occurred, or arrived if the provider does not say:
-- one number for both, because an order needs every pair of events to be comparable.
-- `standing`: 0 in line; 1 beside it until `due_at`, waiting for its retry; 2 beside it until an event of its key is done, at
-- the latest until `due_at`. First in the key, so that whoever looks for the first in line does not meet the others.
-- `ready_by`: the deadline of an event that said it was not ready. `even_if_stale`: a person wants it applied.
CREATE TABLE queue_3 (
    lane          INTEGER NOT NULL REFERENCES lanes (id),
    standing      INTEGER NOT NULL DEFAULT 0 CHECK (standing IN (0, 1, 2)),
    at            INTEGER NOT NULL,
    sequence      INTEGER NOT NULL,
    event         INTEGER NOT NULL UNIQUE REFERENCES events (number),
    due_at        INTEGER NOT NULL,
    ready_by      INTEGER,
    even_if_stale INTEGER NOT NULL DEFAULT 0 CHECK (even_if_stale IN (0, 1)),
    PRIMARY KEY (lane, standing, at, sequence, event),
    CHECK (standing <> 2 OR ready_by IS NOT NULL)
) STRICT, WITHOUT ROWID;

INSERT INTO queue_3 (lane, at, sequence, event, due_at) SELECT lane, at, sequence, event, due_at FROM queue;

DROP TABLE queue;
DROP TABLE lanes;
ALTER TABLE lanes_3 RENAME TO lanes;
ALTER TABLE queue_3 RENAME TO queue;

CREATE UNIQUE INDEX lanes_by_key ON lanes (source, ordering_key) WHERE ordering_key IS NOT NULL;
CREATE UNIQUE INDEX lanes_by_running ON lanes (running) WHERE running IS NOT NULL;
-- By source: a claim takes turns between sources, and must not read one's flood to find the other.
CREATE INDEX lanes_ready ON lanes (source, due_at) WHERE running IS NULL AND blocked = 0 AND due_at IS NOT NULL;
CREATE INDEX lanes_leased ON lanes (lease_until) WHERE running IS NOT NULL;
CREATE INDEX lanes_blocked ON lanes (source) WHERE blocked = 1;
CREATE INDEX queue_beside ON queue (due_at) WHERE standing > 0;

-- Dead letters for which the events of their lane wait.
CREATE TABLE blockers (
    lane  INTEGER NOT NULL REFERENCES lanes (id),
    event INTEGER NOT NULL UNIQUE REFERENCES events (number),
    PRIMARY KEY (lane, event)
) STRICT, WITHOUT ROWID;
