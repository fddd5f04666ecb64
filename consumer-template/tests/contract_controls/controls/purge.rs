//! Faults in what is forgotten, and when.

use super::{Control, control};

pub(super) const FAULTS: &[Control] = &[
    control(
        "a payload is gone before it is counted",
        "CREATE TRIGGER fault AFTER UPDATE OF purged_at ON events BEGIN DELETE FROM payloads WHERE event = \
         new.number; END",
        &["what_would_be_purged_is_told_without_doing_it"],
    ),
    control(
        "the replay key goes with the payload",
        "CREATE TRIGGER fault AFTER UPDATE OF purged_at ON events BEGIN DELETE FROM replay_keys WHERE \
         event = new.number; END",
        &["the_payload_goes_after_its_retention_and_the_event_stays_known"],
    ),
    control(
        "an event stays although its replay key is gone",
        "CREATE TRIGGER fault BEFORE DELETE ON events BEGIN SELECT RAISE(IGNORE); END",
        &["a_piece_is_bounded_and_the_pieces_come_to_an_end"],
    ),
    control(
        "the number of an event that is gone is given again",
        "CREATE TRIGGER fault AFTER DELETE ON events BEGIN DELETE FROM sqlite_sequence WHERE name = \
         'events'; END",
        &["the_replay_key_goes_after_its_own_retention_and_then_the_event_is_new"],
    ),
    control(
        "another delivery does not keep the replay key",
        "CREATE TRIGGER fault AFTER UPDATE OF delivered_at ON events BEGIN UPDATE events SET delivered_at \
         = NULL WHERE number = new.number; END",
        &["each_delivery_begins_the_retention_of_the_replay_key_anew"],
    ),
    control(
        "the payload goes with the record of its delivery",
        "CREATE TRIGGER fault AFTER DELETE ON deliveries BEGIN DELETE FROM payloads WHERE event = \
         old.event; END",
        &["what_is_pending_running_or_dead_is_never_purged"],
    ),
    control(
        "what is discarded is kept from when it died",
        "CREATE TRIGGER fault AFTER UPDATE OF state ON events WHEN new.state = 'discarded' BEGIN UPDATE \
         events SET settled_at = old.settled_at WHERE number = new.number; END",
        &["a_discarded_event_is_purged_like_one_that_is_done"],
    ),
    control(
        "the other bodies of a replay key are noted under a key of their own",
        "CREATE TRIGGER fault AFTER INSERT ON conflicts BEGIN UPDATE conflicts SET replay_key = \
         randomblob(32) WHERE event = new.event; END",
        &["an_event_stays_while_another_body_is_known_under_its_replay_key"],
    ),
    control(
        "all sources have the retention of the first",
        "CREATE TRIGGER fault AFTER INSERT ON retention WHEN new.source = 'shop' BEGIN UPDATE retention \
         SET (payload_ms, replay_key_ms) = (SELECT payload_ms, replay_key_ms FROM retention WHERE source = \
         'crm') WHERE source = new.source; END",
        &["each_source_has_its_own_retention_and_one_without_keeps_its_replay_keys"],
    ),
    control(
        "a source that is not named any more loses its retention",
        "CREATE TRIGGER fault AFTER INSERT ON retention WHEN new.source = '' AND EXISTS (SELECT 1 FROM \
         events) BEGIN DELETE FROM retention WHERE source <> ''; END",
        &["each_source_has_its_own_retention_and_one_without_keeps_its_replay_keys"],
    ),
    control(
        "there is a retention that nobody set",
        "INSERT INTO retention (source, payload_ms, replay_key_ms, position_ms, delivery_ms) VALUES ('', \
         0, 0, 1, 1)",
        &["nothing_is_purged_before_a_retention_is_set"],
    ),
    control(
        "with one position go all of its source",
        "CREATE TRIGGER fault AFTER DELETE ON applied BEGIN DELETE FROM applied WHERE source = old.source; \
         END",
        &["a_position_goes_when_nothing_of_its_key_can_be_late"],
    ),
    control(
        "with one payload go all",
        "CREATE TRIGGER fault AFTER DELETE ON payloads BEGIN DELETE FROM payloads; END",
        &["a_piece_is_bounded_and_the_pieces_come_to_an_end", "a_restart_between_two_pieces_loses_nothing"],
    ),
];
