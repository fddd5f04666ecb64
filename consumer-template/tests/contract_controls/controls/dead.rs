//! Faults in attempts, failures, and what a person selects of the dead.

use super::{Control, control};

pub(super) const FAULTS: &[Control] = &[
    control(
        "an attempt that never came back does not say which handler it was",
        "CREATE TRIGGER fault AFTER UPDATE OF outcome ON attempts WHEN new.outcome = 'lost' BEGIN UPDATE \
         attempts SET handler = NULL WHERE id = new.id; END",
        &["an_attempt_says_which_handler_ran_also_if_it_never_came_back"],
    ),
    control(
        "each dead letter has a failure of its own",
        "CREATE TRIGGER fault AFTER UPDATE OF fingerprint ON events WHEN new.fingerprint IS NOT NULL BEGIN \
         UPDATE events SET fingerprint = printf('%016x', number) WHERE number = new.number; END",
        &["dead_letters_of_one_failure_are_one_group"],
    ),
    control(
        "all failures are the same",
        "CREATE TRIGGER fault AFTER UPDATE OF fingerprint ON events WHEN new.fingerprint IS NOT NULL BEGIN \
         UPDATE events SET fingerprint = '0123456789abcdef' WHERE number = new.number; END",
        &["a_group_is_found_by_the_beginning_of_its_fingerprint", "a_selection_selects_the_same_everywhere"],
    ),
    control(
        "an event dies of its first failure for ever",
        "CREATE TRIGGER fault AFTER UPDATE OF fingerprint ON events WHEN new.fingerprint <> \
         old.fingerprint BEGIN UPDATE events SET fingerprint = old.fingerprint WHERE number = new.number; \
         END",
        &["an_event_that_dies_again_is_in_the_group_of_its_last_failure"],
    ),
    control(
        "what an event waits for is forgotten",
        "CREATE TRIGGER fault AFTER UPDATE OF state ON events WHEN old.state = 'running' AND new.state = \
         'pending' BEGIN UPDATE events SET last_error = NULL WHERE number = new.number; END",
        &["what_expires_while_it_waits_dies_of_what_it_waited_for"],
    ),
    control(
        "the type of an event is not kept",
        "CREATE TRIGGER fault AFTER INSERT ON events BEGIN UPDATE events SET event_type = NULL WHERE \
         number = new.number; END",
        &["a_selection_selects_the_same_everywhere"],
    ),
    control(
        "long bodies are cut",
        "CREATE TRIGGER fault AFTER INSERT ON payloads WHEN length(new.body) > 1000 BEGIN UPDATE payloads \
         SET body = substr(body, 1, 1000) WHERE event = new.event; END",
        &["a_page_with_bodies_ends_before_it_is_large"],
    ),
    control(
        "the audit log is numbered backwards",
        "DROP TRIGGER audit_is_not_rewritten; CREATE TRIGGER fault AFTER INSERT ON audit BEGIN UPDATE \
         audit SET id = -new.id WHERE id = new.id; END",
        &["the_audit_log_is_listed_the_newest_first_and_filtered"],
    ),
    control(
        "the audit log says of all that the provider did it",
        "DROP TRIGGER audit_is_not_rewritten; CREATE TRIGGER fault AFTER INSERT ON audit BEGIN UPDATE \
         audit SET actor = 'provider' WHERE id = new.id; END",
        &[
            "the_audit_log_is_listed_the_newest_first_and_filtered",
            "a_released_request_is_an_event_of_its_time",
        ],
    ),
];
