-- What is forgotten and when, a record of every delivery, and how large the payloads are.

-- `delivered_at`: the last delivery after the first one. `purged_at`: when the payload went.
ALTER TABLE events ADD COLUMN delivered_at INTEGER;
ALTER TABLE events ADD COLUMN purged_at INTEGER CHECK (purged_at IS NULL OR state IN ('done', 'discarded'));

CREATE INDEX events_with_payload ON events (source, settled_at)
    WHERE purged_at IS NULL AND state IN ('done', 'discarded');
CREATE INDEX events_remembered ON events (source, max(settled_at, coalesce(delivered_at, 0)))
    WHERE purged_at IS NOT NULL;
CREATE INDEX events_dead_by_key ON events (source, ordering_key) WHERE state = 'dead' AND ordering_key IS NOT NULL;

-- Replay keys and conflicts do not refer to `events` any more: to let an event go, SQLite would look through all of them.
CREATE TABLE replay_keys_7 (
    replay_key  BLOB    NOT NULL PRIMARY KEY CHECK (length(replay_key) = 32),
    body_sha256 BLOB    NOT NULL CHECK (length(body_sha256) = 32),
    event       INTEGER
) STRICT, WITHOUT ROWID;
INSERT INTO replay_keys_7 (replay_key, body_sha256, event) SELECT replay_key, body_sha256, event FROM replay_keys;
DROP TABLE replay_keys;
ALTER TABLE replay_keys_7 RENAME TO replay_keys;

CREATE TABLE conflicts_7 (
    replay_key  BLOB    NOT NULL,
    body_sha256 BLOB    NOT NULL CHECK (length(body_sha256) = 32),
    event       INTEGER,
    PRIMARY KEY (replay_key, body_sha256)
) STRICT, WITHOUT ROWID;
INSERT INTO conflicts_7 (replay_key, body_sha256, event) SELECT replay_key, body_sha256, event FROM conflicts;
DROP TABLE conflicts;
ALTER TABLE conflicts_7 RENAME TO conflicts;

-- How long a source keeps what is finished, in milliseconds; of the source '' what holds for those that were never named. Here and
-- not only in the configuration, because an operator's command follows it too. `replay_key_ms` NULL: for ever.
CREATE TABLE retention (
    source        TEXT    NOT NULL PRIMARY KEY,
    payload_ms    INTEGER NOT NULL CHECK (payload_ms >= 0),
    replay_key_ms INTEGER CHECK (replay_key_ms >= payload_ms),
    position_ms   INTEGER NOT NULL CHECK (position_ms > 0),
    delivery_ms   INTEGER NOT NULL CHECK (delivery_ms > 0)
) STRICT, WITHOUT ROWID;

-- Up to which time positions of keys were let go: one that is missing and later is a mistake.
CREATE TABLE purged_positions (
    source TEXT    NOT NULL PRIMARY KEY,
    until  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Every delivery that was stored, written with it. In the order of time, so that writing it appends and a day is one range.
-- `state`: the event's, as the delivery found it; NULL if it was the first. `skew_ms`: the signed timestamp less our clock. `ack_us`:
-- from the request's head to the answer; NULL until it is known, and for ever if nobody was there any more to answer.
CREATE TABLE deliveries (
    received_at INTEGER NOT NULL,
    event       INTEGER NOT NULL,
    nth         INTEGER NOT NULL,
    source      TEXT    NOT NULL,
    key_id      TEXT    NOT NULL,
    answer      TEXT    NOT NULL CHECK (answer IN ('new', 'duplicate', 'revived', 'conflict')),
    state       TEXT    CHECK (state IN ('pending', 'running', 'done', 'dead', 'discarded')),
    skew_ms     INTEGER,
    ack_us      INTEGER,
    PRIMARY KEY (received_at, event, nth)
) STRICT, WITHOUT ROWID;

-- The first delivery of an event is found by the time at which it was received.
CREATE INDEX deliveries_again ON deliveries (event) WHERE answer IN ('duplicate', 'revived');

-- Verified deliveries that were answered 503, by minute: nothing else could be written of them.
CREATE TABLE not_stored (
    minute     INTEGER NOT NULL,
    source     TEXT    NOT NULL,
    deliveries INTEGER NOT NULL,
    PRIMARY KEY (minute, source)
) STRICT, WITHOUT ROWID;

-- When each key was used by deliveries whose records are gone.
CREATE TABLE key_uses (
    source     TEXT    NOT NULL,
    key_id     TEXT    NOT NULL,
    first_at   INTEGER NOT NULL,
    last_at    INTEGER NOT NULL,
    deliveries INTEGER NOT NULL,
    PRIMARY KEY (source, key_id)
) STRICT, WITHOUT ROWID;

-- How many payloads there are and how large they are together, kept by triggers: adding up would read them all.
CREATE TABLE payload_sums (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    payloads INTEGER NOT NULL CHECK (payloads >= 0),
    bytes    INTEGER NOT NULL CHECK (bytes >= 0)
) STRICT;

INSERT INTO payload_sums (id, payloads, bytes)
    SELECT 1, COUNT(*), COALESCE(SUM(length(headers) + length(body)), 0) FROM payloads;

CREATE TRIGGER sum_of_a_new_payload AFTER INSERT ON payloads
BEGIN
    UPDATE payload_sums SET payloads = payloads + 1, bytes = bytes + length(new.headers) + length(new.body);
END;

CREATE TRIGGER sum_of_a_purged_payload AFTER DELETE ON payloads
BEGIN
    UPDATE payload_sums SET payloads = payloads - 1, bytes = bytes - length(old.headers) - length(old.body);
END;
