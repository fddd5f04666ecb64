-- The worked example, made anew: what was said of each lead, and what it comes to. Made from events by src/leads/, and only by it.

ALTER TABLE leads RENAME TO old_leads;
ALTER TABLE lead_fields RENAME TO old_lead_fields;

-- What was said. Under each key stands the greatest by (weight, at, sequence, event, value) of all that were said, so that the
-- order in which events are applied does not matter. `lead_id` is the id that the event named, also if that lead was merged since;
-- empty for events that name no lead. `weight`: 0 mentioned, 1 claimed, 2 final. `event`: the replay key.
CREATE TABLE lead_facts (
    source   TEXT    NOT NULL,
    lead_id  TEXT    NOT NULL,
    kind     TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    weight   INTEGER NOT NULL CHECK (weight IN (0, 1, 2)),
    at       INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    event    BLOB    NOT NULL CHECK (length(event) = 32),
    value    TEXT    NOT NULL,
    PRIMARY KEY (source, lead_id, kind, name)
) STRICT, WITHOUT ROWID;

-- To find who was merged into a lead.
CREATE INDEX lead_facts_merged ON lead_facts (source, name) WHERE kind = 'merged';

-- What it comes to: a function of lead_facts, but for `events_applied`, which shows whether each event was applied exactly once.
-- `fields`, `scores`, `notes` and `forms` are JSON objects: SELECT fields ->> 'email' FROM leads WHERE merged_into IS NULL AND NOT deleted
CREATE TABLE leads (
    source         TEXT    NOT NULL,
    lead_id        TEXT    NOT NULL,
    merged_into    TEXT,
    created_at     INTEGER,
    updated_at     INTEGER NOT NULL,
    deleted        INTEGER NOT NULL CHECK (deleted IN (0, 1)),
    outcome        TEXT,
    fields         TEXT    NOT NULL,
    scores         TEXT    NOT NULL,
    notes          TEXT    NOT NULL,
    forms          TEXT    NOT NULL,
    events_applied INTEGER NOT NULL,
    PRIMARY KEY (source, lead_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX leads_merged ON leads (source, merged_into) WHERE merged_into IS NOT NULL;

-- What was known before has no replay key: it loses ties against everything new.
INSERT INTO lead_facts (source, lead_id, kind, name, weight, at, sequence, event, value)
    SELECT source, lead_id, 'created', '', 1, created_at, 0, zeroblob(32), '' FROM old_leads WHERE created_at IS NOT NULL
    UNION ALL
    SELECT source, lead_id, 'deleted', '', 1, deleted_at, 0, zeroblob(32), '' FROM old_leads WHERE deleted_at IS NOT NULL
    UNION ALL
    SELECT source, lead_id, 'restored', '', 1, restored_at, 0, zeroblob(32), '' FROM old_leads WHERE restored_at IS NOT NULL
    UNION ALL
    SELECT source, lead_id, 'event', '', 1, updated_at, 0, zeroblob(32), '' FROM old_leads
    UNION ALL
    SELECT source, lead_id, 'field', field, 1, at, 0, zeroblob(32), value FROM old_lead_fields WHERE field <> 'score'
    UNION ALL
    SELECT source, lead_id, 'score', field, 1, at, 0, zeroblob(32), value FROM old_lead_fields WHERE field = 'score';

-- A creation after the deletion brings a lead back; the earliest one, which is all that is known here, does so where it is later.
INSERT INTO leads (source, lead_id, created_at, updated_at, deleted, fields, scores, notes, forms, events_applied)
    SELECT source, lead_id, CASE WHEN gone THEN NULL ELSE created_at END, updated_at, gone,
        '{' || COALESCE((SELECT group_concat(json_quote(name) || ':' || value, ',' ORDER BY name) FROM lead_facts AS fact
            WHERE fact.source = lead.source AND fact.lead_id = lead.lead_id AND kind = 'field' AND NOT gone AND at > since), '') || '}',
        '{' || COALESCE((SELECT group_concat(json_quote(name) || ':' || value, ',' ORDER BY name) FROM lead_facts AS fact
            WHERE fact.source = lead.source AND fact.lead_id = lead.lead_id AND kind = 'score' AND NOT gone AND at > since), '') || '}',
        '{}', '{}', events_applied
    FROM (SELECT *, deleted = 1 AND (created_at IS NULL OR created_at <= deleted_at) AS gone,
        CASE WHEN deleted = 1 THEN deleted_at ELSE -1 END AS since FROM old_leads) AS lead;

DROP TABLE old_leads;
DROP TABLE old_lead_fields;
