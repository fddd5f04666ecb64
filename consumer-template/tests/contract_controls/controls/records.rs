//! Faults in the record of deliveries.

use super::{Control, control};

pub(super) const FAULTS: &[Control] = &[
    control(
        "every delivery is recorded as the first of its event",
        "CREATE TRIGGER fault AFTER INSERT ON deliveries WHEN new.answer = 'duplicate' BEGIN UPDATE \
         deliveries SET answer = 'new' WHERE received_at = new.received_at AND event = new.event AND nth = \
         new.nth; END",
        &["every_stored_delivery_is_recorded_with_its_answer"],
    ),
    control(
        "how soon a delivery was answered is a thousand times as long",
        "CREATE TRIGGER fault AFTER UPDATE OF ack_us ON deliveries BEGIN UPDATE deliveries SET ack_us = \
         new.ack_us * 1000 WHERE received_at = new.received_at AND event = new.event AND nth = new.nth; \
         END",
        &["how_soon_a_delivery_was_answered_is_noted_later"],
    ),
    control(
        "records mix the sources up",
        "CREATE TRIGGER fault AFTER INSERT ON deliveries WHEN new.event % 9 = 0 BEGIN UPDATE deliveries \
         SET source = 'shop' WHERE received_at = new.received_at AND event = new.event AND nth = new.nth; \
         END",
        &["records_are_listed_by_source_event_and_time"],
    ),
    control(
        "what records say of keys goes with them",
        "CREATE TRIGGER fault AFTER INSERT ON key_uses BEGIN DELETE FROM key_uses; END",
        &["records_go_after_their_retention_and_what_they_say_of_keys_stays"],
    ),
    control(
        "a conflict is recorded as a duplicate",
        "CREATE TRIGGER fault AFTER INSERT ON deliveries WHEN new.answer = 'conflict' BEGIN UPDATE \
         deliveries SET answer = 'duplicate' WHERE received_at = new.received_at AND event = new.event AND \
         nth = new.nth; END",
        &["traffic_is_added_up_over_a_time", "every_stored_delivery_is_recorded_with_its_answer"],
    ),
];
