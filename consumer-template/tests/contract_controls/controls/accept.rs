//! Faults in what is accepted.

use super::{Control, control};

pub(super) const FAULTS: &[Control] = &[
    control(
        "white space at the edges of a body is left out",
        "CREATE TRIGGER fault AFTER INSERT ON payloads BEGIN UPDATE payloads SET body = CAST(rtrim(CAST(body \
         AS TEXT), char(13, 10)) AS BLOB) WHERE event = new.event; END",
        &["an_event_is_stored_byte_for_byte"],
    ),
    control(
        "a replay key that is there is written anew",
        "CREATE TRIGGER fault BEFORE INSERT ON replay_keys BEGIN DELETE FROM replay_keys WHERE replay_key = \
         new.replay_key; END",
        &["of_concurrent_deliveries_of_one_event_exactly_one_is_new"],
    ),
    control(
        "events are told apart by their bodies alone",
        "CREATE TRIGGER fault BEFORE INSERT ON replay_keys WHEN EXISTS (SELECT 1 FROM replay_keys WHERE \
         body_sha256 = new.body_sha256) BEGIN SELECT RAISE(IGNORE); END",
        &[
            "concurrent_deliveries_of_different_events_are_all_new",
            "the_same_id_from_another_source_is_another_event",
        ],
    ),
    control(
        "all events have the same identity",
        "CREATE TRIGGER fault BEFORE INSERT ON replay_keys WHEN EXISTS (SELECT 1 FROM replay_keys) BEGIN \
         SELECT RAISE(IGNORE); END",
        &["without_a_signed_id_the_body_is_the_identity"],
    ),
    control(
        "a running event is said to be pending",
        "CREATE TRIGGER fault AFTER UPDATE OF state ON events WHEN new.state = 'running' BEGIN UPDATE events \
         SET state = 'pending' WHERE number = new.number; END",
        &["a_duplicate_says_which_state_the_event_is_in"],
    ),
    control(
        "a conflict is not remembered",
        "CREATE TRIGGER fault BEFORE INSERT ON conflicts BEGIN SELECT RAISE(IGNORE); END",
        &[
            "another_body_under_the_same_id_is_kept_as_a_conflict",
            "of_two_bodies_that_race_one_is_new_and_one_a_conflict",
        ],
    ),
    control(
        "what is malformed is taken for a failure",
        "CREATE TRIGGER fault AFTER INSERT ON events WHEN new.reason = 'malformed' BEGIN UPDATE events SET \
         reason = 'permanent' WHERE number = new.number; END",
        &["a_malformed_body_is_kept_and_stays_dead"],
    ),
    control(
        "the attempts of a revived event go on",
        "CREATE TRIGGER fault AFTER UPDATE OF state ON events WHEN old.state = 'dead' AND new.state = \
         'pending' BEGIN UPDATE events SET attempts = 1 WHERE number = new.number; END",
        &["a_redelivery_revives_what_the_handler_could_not_do"],
    ),
    control(
        "replay keys are forgotten",
        "CREATE TRIGGER fault AFTER UPDATE OF event ON replay_keys BEGIN DELETE FROM replay_keys WHERE \
         replay_key = new.replay_key; END",
        &["what_was_accepted_survives_a_restart"],
    ),
];
