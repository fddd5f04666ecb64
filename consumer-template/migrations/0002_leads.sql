-- The worked example: what is known about each lead. Made from events by src/leads/, and only by it.

-- Every column is a maximum, a minimum or a count, so that the order in which events are applied does not matter.
CREATE TABLE leads (
    source         TEXT    NOT NULL,
    lead_id        TEXT    NOT NULL,
    created_at     INTEGER,
    updated_at     INTEGER NOT NULL,
    deleted_at     INTEGER,
    restored_at    INTEGER,
    -- How many events were applied. Not a function of their content: it shows whether each was applied exactly once.
    events_applied INTEGER NOT NULL,
    -- A lead stays deleted until it is restored later than that. Nothing else brings it back, however late it comes.
    deleted        INTEGER NOT NULL GENERATED ALWAYS AS
        (deleted_at IS NOT NULL AND (restored_at IS NULL OR restored_at <= deleted_at)) VIRTUAL,
    PRIMARY KEY (source, lead_id)
) STRICT, WITHOUT ROWID;

-- Each field of a lead, as JSON text: the latest value by the time of its event, and among equal times the greatest text.
CREATE TABLE lead_fields (
    source  TEXT    NOT NULL,
    lead_id TEXT    NOT NULL,
    field   TEXT    NOT NULL,
    value   TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (source, lead_id, field)
) STRICT, WITHOUT ROWID;
