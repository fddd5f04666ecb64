//! Faults in what operators see and do.

use super::{Control, control};

pub(super) const FAULTS: &[Control] = &[
    control(
        "changes of state are not counted",
        "DROP TRIGGER tally_of_a_change",
        &["counts_are_by_source_and_state"],
    ),
    control(
        "lists mix the sources up",
        "CREATE TRIGGER fault AFTER INSERT ON events WHEN new.number % 7 = 0 BEGIN UPDATE events SET \
         source = 'other' WHERE number = new.number; END",
        &["lists_are_filtered_and_paged"],
    ),
    control(
        "a replay forgets what was before",
        "CREATE TRIGGER fault AFTER UPDATE OF state ON events WHEN old.state = 'dead' AND new.state = \
         'pending' BEGIN DELETE FROM attempts WHERE event = new.number; END",
        &["a_dead_letter_is_replayed_with_its_history"],
    ),
    control(
        "what is discarded is only dead",
        "CREATE TRIGGER fault AFTER UPDATE OF state ON events WHEN new.state = 'discarded' BEGIN UPDATE \
         events SET state = 'dead' WHERE number = new.number; END",
        &["a_discarded_event_stays_and_its_deliveries_are_duplicates"],
    ),
    control(
        "what is pending can be replayed",
        "CREATE TRIGGER fault AFTER INSERT ON queue BEGIN DELETE FROM queue WHERE event = new.event; \
         UPDATE events SET state = 'dead', reason = 'permanent', settled_at = 1 WHERE number = new.event; \
         END",
        &["only_dead_letters_are_replayed_or_discarded"],
    ),
    control(
        "there is an event that nobody sent",
        "INSERT INTO events (number, source, scheme, key_id, replay_key, identity, received_at, state, \
         reason, settled_at) VALUES (7, 'crm', 'github', 'k', zeroblob(32), 'digest', 1, 'dead', \
         'permanent', 1); INSERT INTO payloads (event, body_sha256, headers, body) VALUES (7, \
         zeroblob(32), x'', x'')",
        &["what_does_not_exist_is_not_found"],
    ),
];
