//! Faults in what is known of refused requests, and in the quarantine.

use super::{Control, control};

pub(super) const FAULTS: &[Control] = &[
    control(
        "refusals that come together count as one",
        "CREATE TRIGGER fault AFTER UPDATE OF total ON refusal_totals WHEN new.total > old.total BEGIN \
         UPDATE refusal_totals SET total = old.total + 1 WHERE source = new.source AND reason = \
         new.reason; END",
        &["refusals_are_counted_by_source_and_reason"],
    ),
    control(
        "of a minute only the first refusals count",
        "CREATE TRIGGER fault AFTER UPDATE OF requests ON refused_by_minute WHEN new.requests > \
         old.requests BEGIN UPDATE refused_by_minute SET requests = old.requests WHERE minute = new.minute \
         AND source = new.source AND reason = new.reason; END",
        &["refusals_are_counted_by_minute_as_long_as_deliveries_are_recorded"],
    ),
    control(
        "the newest refusals make room",
        "CREATE TRIGGER fault AFTER INSERT ON refusals BEGIN UPDATE refusals SET id = (SELECT MIN(id) FROM \
         refusals) - 1 WHERE id = new.id; END",
        &["of_each_source_so_many_refusals_are_kept_and_no_more"],
    ),
    control(
        "refusals of every reason make room for the most frequent one",
        "CREATE TRIGGER fault AFTER INSERT ON refusals WHEN (SELECT COUNT(*) FROM refusals WHERE source = \
         new.source) > 10 BEGIN DELETE FROM refusals WHERE id = (SELECT MIN(id) FROM refusals WHERE source \
         = new.source); END",
        &["a_flood_of_one_reason_does_not_drive_out_the_others"],
    ),
    control(
        "lists of refusals mix the sources up",
        "CREATE TRIGGER fault AFTER INSERT ON refusals WHEN new.id % 50 = 0 BEGIN UPDATE refusals SET \
         source = 'shop' WHERE id = new.id; END",
        &["lists_of_refusals_are_filtered_and_paged"],
    ),
    control(
        "of a refused request only what can be printed is kept",
        "CREATE TRIGGER fault AFTER INSERT ON quarantine BEGIN UPDATE quarantine SET headers = \
         CAST(replace(CAST(headers AS TEXT), char(27), '') AS BLOB) WHERE number = new.number; END",
        &["a_refused_request_is_kept_byte_for_byte"],
    ),
    control(
        "what is in quarantine is not counted",
        "CREATE TRIGGER fault AFTER UPDATE OF held ON quarantine_totals BEGIN UPDATE quarantine_totals SET \
         held = 0 WHERE source = new.source; END",
        &["the_quarantine_holds_its_rows_and_no_more"],
    ),
    control(
        "the bytes in quarantine are not added up",
        "CREATE TRIGGER fault AFTER UPDATE OF bytes ON quarantine_totals BEGIN UPDATE quarantine_totals \
         SET bytes = 0 WHERE source = new.source; END",
        &["the_quarantine_holds_its_bytes_and_no_more"],
    ),
    control(
        "the quarantine of one source ages with that of another",
        "CREATE TRIGGER fault AFTER DELETE ON quarantine BEGIN DELETE FROM quarantine WHERE received_at <= \
         old.received_at AND source <> old.source; END",
        &["what_is_too_old_leaves_the_quarantine"],
    ),
    control(
        "a released request is an event of the time of its release",
        "CREATE TRIGGER fault AFTER INSERT ON audit WHEN new.action = 'release' BEGIN UPDATE events SET \
         received_at = new.at WHERE number = new.event; END",
        &["a_released_request_is_an_event_of_its_time"],
    ),
    control(
        "what is released stays in quarantine",
        "CREATE TRIGGER fault AFTER DELETE ON quarantine BEGIN INSERT INTO quarantine SELECT old.number, \
         old.source, old.received_at, old.reason, old.peer, old.method, old.target, old.bytes, \
         old.headers, old.body; END",
        &[
            "of_concurrent_releases_one_finds_the_request",
            "a_released_request_whose_event_came_meanwhile_is_a_duplicate",
        ],
    ),
    control(
        "why something was purged is not kept",
        "DROP TRIGGER audit_is_not_rewritten; CREATE TRIGGER fault AFTER INSERT ON audit WHEN new.action = \
         'purge' BEGIN UPDATE audit SET why = '' WHERE id = new.id; END",
        &["what_is_purged_is_gone_and_in_the_audit_log"],
    ),
    control(
        "an empty quarantine numbers from 1 again",
        "CREATE TRIGGER fault AFTER DELETE ON quarantine BEGIN DELETE FROM sqlite_sequence WHERE name = \
         'quarantine'; END",
        &["what_was_refused_survives_a_restart"],
    ),
];
