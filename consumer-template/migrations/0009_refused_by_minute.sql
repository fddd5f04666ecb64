-- How many requests were refused, for as long as deliveries are recorded: of a flood only a few rows are in `refusals`.
CREATE TABLE refused_by_minute (
    minute   INTEGER NOT NULL,
    source   TEXT    NOT NULL,
    reason   TEXT    NOT NULL,
    requests INTEGER NOT NULL CHECK (requests > 0),
    last_at  INTEGER NOT NULL,
    PRIMARY KEY (minute, source, reason)
) STRICT, WITHOUT ROWID;
