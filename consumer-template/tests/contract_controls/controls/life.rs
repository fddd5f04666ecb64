//! Faults in the life of sources.

use super::{Control, control};

pub(super) const FAULTS: &[Control] = &[
    control(
        "a pause is not remembered",
        "CREATE TRIGGER fault AFTER INSERT ON pauses BEGIN DELETE FROM pauses WHERE source = new.source; END",
        &[
            "a_paused_source_accepts_and_nothing_of_it_is_claimed",
            "a_pause_outlives_a_restart_and_ends_with_a_resume",
            "what_expires_in_a_paused_source_is_rescued_and_waits",
            "a_replayed_event_of_a_paused_source_waits",
            "what_is_not_ready_does_not_die_while_its_source_is_paused",
            "only_a_source_that_there_is_can_be_paused_and_once",
            "how_each_source_is_doing_is_told",
            "events_of_a_source_that_is_not_configured_wait_until_it_is",
            "a_source_pauses_when_too_many_of_its_last_events_died",
            "what_led_to_it_survives_a_restart",
            "every_way_to_die_of_a_handler_counts",
        ],
    ),
    control(
        "a pause takes the leases away",
        "CREATE TRIGGER fault AFTER INSERT ON pauses BEGIN UPDATE lanes SET running = NULL, token = NULL, \
         lease_until = NULL WHERE source = new.source; END",
        &["what_is_leased_when_its_source_is_paused_is_finished"],
    ),
    control(
        "whatever dies pauses its source",
        "CREATE TRIGGER fault AFTER UPDATE OF state ON events WHEN new.state = 'dead' BEGIN INSERT OR IGNORE \
         INTO pauses (source, cause, since, actor, why) VALUES (new.source, 'breaker', 1, 'breaker', 'one \
         died'); END",
        &[
            "what_is_old_or_of_another_source_does_not_count",
            "a_resume_starts_over",
            "what_ends_while_the_source_is_paused_does_not_count",
            "a_source_without_a_breaker_never_pauses_by_itself",
        ],
    ),
    control(
        "whatever is dead on arrival pauses its source",
        "CREATE TRIGGER fault AFTER INSERT ON events WHEN new.state = 'dead' BEGIN INSERT OR IGNORE INTO \
         pauses (source, cause, since, actor, why) VALUES (new.source, 'breaker', 1, 'breaker', 'one died'); \
         END",
        &["what_was_dead_on_arrival_or_is_tried_again_does_not_count"],
    ),
];
