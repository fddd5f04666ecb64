-- Replay keys that came a while ago. A new key falls anywhere among all of them, on a page that nobody has looked at for long; so the
-- last ones are kept apart, where they are few. What is here was moved from there, by the owner only. A key is in one of the two.
ALTER TABLE replay_keys RENAME TO old_replay_keys;

CREATE TABLE replay_keys (
    replay_key  BLOB    NOT NULL PRIMARY KEY CHECK (length(replay_key) = 32),
    body_sha256 BLOB    NOT NULL CHECK (length(body_sha256) = 32),
    event       INTEGER
) STRICT, WITHOUT ROWID;
