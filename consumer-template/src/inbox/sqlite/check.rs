//! What must be true of every inbox at every moment: for tests that kill it, and for an operator who wonders.

use rusqlite::Connection;

/// Each rule: what is wrong, and a query for how many rows break it.
const RULES: [(&str, &str); 20] = [
    (
        "unfinished events that are not in line",
        "SELECT COUNT(*) FROM events WHERE state IN ('pending', 'running')
             AND number NOT IN (SELECT event FROM queue)",
    ),
    (
        "finished events that are in line",
        "SELECT COUNT(*) FROM queue JOIN events ON number = event WHERE state NOT IN ('pending', 'running')",
    ),
    (
        "running events without a lease, or leases without a running event",
        "SELECT (SELECT COUNT(*) FROM events WHERE state = 'running'
                     AND number NOT IN (SELECT running FROM lanes WHERE running IS NOT NULL))
              + (SELECT COUNT(*) FROM lanes JOIN events ON number = running WHERE state <> 'running')",
    ),
    (
        "lanes that are due at another time than their first event in line",
        "SELECT COUNT(*) FROM lanes WHERE due_at IS NOT
             (SELECT due_at FROM queue WHERE lane = lanes.id AND standing = 0 ORDER BY at, sequence, event LIMIT 1)",
    ),
    (
        "lanes without events that nothing blocks",
        "SELECT COUNT(*) FROM lanes WHERE blocked = 0 AND id NOT IN (SELECT lane FROM queue)",
    ),
    (
        "lanes that are blocked by nothing, or not by what blocks them",
        "SELECT COUNT(*) FROM lanes WHERE blocked <> (id IN (SELECT lane FROM blockers))",
    ),
    (
        "blockers that are not dead, or not of their lane's key",
        "SELECT COUNT(*) FROM blockers JOIN events ON number = event JOIN lanes ON lanes.id = lane
             WHERE state <> 'dead' OR lanes.source <> events.source OR lanes.ordering_key IS NOT events.ordering_key",
    ),
    (
        "events in the line of another source or ordering key",
        "SELECT COUNT(*) FROM queue JOIN lanes ON lanes.id = lane JOIN events ON number = event
             WHERE lanes.source <> events.source OR lanes.ordering_key IS NOT events.ordering_key",
    ),
    (
        "dead letters without the fingerprint of their failure",
        "SELECT COUNT(*) FROM events WHERE state = 'dead' AND fingerprint IS NULL",
    ),
    (
        "events without a payload",
        "SELECT COUNT(*) FROM events WHERE purged_at IS NULL AND number NOT IN (SELECT event FROM payloads)",
    ),
    (
        "payloads of events that were purged",
        "SELECT COUNT(*) FROM payloads JOIN events ON number = event WHERE purged_at IS NOT NULL",
    ),
    (
        "sums that are not those of the payloads",
        "SELECT COUNT(*) FROM payload_sums WHERE payloads <> (SELECT COUNT(*) FROM payloads)
             OR bytes <> (SELECT COALESCE(SUM(length(headers) + length(body)), 0) FROM payloads)",
    ),
    (
        "events without a replay key, or replay keys without an event",
        "SELECT (SELECT COUNT(*) FROM events
                     WHERE number NOT IN (SELECT event FROM replay_keys UNION ALL SELECT event FROM old_replay_keys
                         UNION ALL SELECT event FROM conflicts))
              + (SELECT COUNT(*) FROM (SELECT event FROM replay_keys UNION ALL SELECT event FROM old_replay_keys
                         UNION ALL SELECT event FROM conflicts)
                     WHERE event IS NULL OR event NOT IN (SELECT number FROM events))",
    ),
    (
        "replay keys that are there twice",
        "SELECT COUNT(*) FROM replay_keys JOIN old_replay_keys USING (replay_key)",
    ),
    (
        "open attempts of events that do not run, or running events without one",
        "SELECT COUNT(*) FROM attempts JOIN events ON number = event WHERE ended_at IS NULL AND state <> 'running'",
    ),
    (
        "keys whose last applied event is not the latest that was",
        "SELECT COUNT(*) FROM events LEFT JOIN applied USING (source, ordering_key)
             LEFT JOIN purged_positions USING (source)
             WHERE state = 'done' AND superseded = 0 AND ordering_key IS NOT NULL
                 AND COALESCE(occurred_at, received_at) >= COALESCE(until, 0) AND (applied.at IS NULL
                 OR (applied.at, applied.sequence) < (COALESCE(occurred_at, received_at), COALESCE(events.sequence, 0)))",
    ),
    (
        "lines of the audit log that name another source than their event's",
        "SELECT COUNT(*) FROM audit JOIN events ON number = event WHERE audit.source <> events.source",
    ),
    (
        "tallies that are not the number of events",
        "SELECT COUNT(*) FROM (
             SELECT source, state, SUM(events) AS events FROM (
                 SELECT source, state, COUNT(*) AS events FROM events GROUP BY source, state
                 UNION ALL SELECT source, state, -events FROM tallies)
             GROUP BY source, state HAVING SUM(events) <> 0)",
    ),
    (
        "reasons of refusals whose number is not that of their rows, or rows without a reason's total",
        "SELECT (SELECT COUNT(*) FROM refusal_totals WHERE kept <> (SELECT COUNT(*) FROM refusals
                     WHERE refusals.source = refusal_totals.source AND refusals.reason = refusal_totals.reason))
              + (SELECT COUNT(*) FROM refusals WHERE NOT EXISTS (SELECT 1 FROM refusal_totals
                     WHERE refusals.source = refusal_totals.source AND refusals.reason = refusal_totals.reason))",
    ),
    (
        "sources whose quarantine is not what its totals say",
        "SELECT (SELECT COUNT(*) FROM quarantine_totals WHERE held <> total - released - purged - evicted - expired
                     OR (held, bytes) <> (SELECT COUNT(*), COALESCE(SUM(quarantine.bytes), 0) FROM quarantine
                         WHERE quarantine.source = quarantine_totals.source))
              + (SELECT COUNT(*) FROM quarantine WHERE source NOT IN (SELECT source FROM quarantine_totals))",
    ),
];

/// What is wrong, in words; nothing if all is well. Reads the whole database.
pub(super) fn check(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut wrong = Vec::new();
    conn.pragma_query(None, "integrity_check", |row| {
        let line: String = row.get(0)?;
        if line != "ok" {
            wrong.push(format!("integrity_check: {line}"));
        }
        Ok(())
    })?;
    conn.pragma_query(None, "foreign_key_check", |row| {
        wrong.push(format!("foreign_key_check: a row of {}", row.get::<_, String>(0)?));
        Ok(())
    })?;
    for (what, query) in RULES {
        let rows: i64 = conn.query_row(query, [], |row| row.get(0))?;
        if rows != 0 {
            wrong.push(format!("{rows} {what}"));
        }
    }
    Ok(wrong)
}
