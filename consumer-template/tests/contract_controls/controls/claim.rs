//! Faults in what is claimed, and when.

use super::{Control, control};

pub(super) const FAULTS: &[Control] = &[
    control(
        "the attempt is counted at its end",
        "CREATE TRIGGER fault AFTER UPDATE OF state ON events WHEN new.state = 'running' BEGIN UPDATE events \
         SET attempts = new.attempts - 1 WHERE number = new.number; END",
        &["a_claim_counts_the_attempt_before_the_handler_runs"],
    ),
    control(
        "everything is due at once",
        "CREATE TRIGGER fault AFTER UPDATE OF due_at ON lanes WHEN new.due_at > 1 BEGIN UPDATE lanes SET \
         due_at = 1 WHERE id = new.id; END",
        &["an_event_is_not_claimed_before_it_is_due"],
    ),
    control(
        "each event is a lane of its own",
        "CREATE TRIGGER fault AFTER INSERT ON lanes BEGIN UPDATE lanes SET ordering_key = NULL WHERE id = \
         new.id; END",
        &["one_key_is_never_leased_twice"],
    ),
    control(
        "a key waits for the same key of another source",
        "CREATE TRIGGER fault AFTER INSERT ON lanes WHEN EXISTS (SELECT 1 FROM lanes WHERE ordering_key = \
         new.ordering_key AND id <> new.id) BEGIN UPDATE lanes SET blocked = 1 WHERE id = new.id; END",
        &["keys_of_different_sources_are_different_keys"],
    ),
    control(
        "the provider's counter is ignored",
        "CREATE TRIGGER fault AFTER INSERT ON queue BEGIN UPDATE queue SET sequence = 0 WHERE event = \
         new.event; END",
        &["within_a_key_the_earliest_comes_first"],
    ),
    control(
        "others pass one that waits for its retry",
        "CREATE TRIGGER fault AFTER UPDATE OF due_at ON queue WHEN new.standing = 0 AND new.due_at > \
         old.due_at BEGIN UPDATE queue SET standing = 1 WHERE event = new.event; END",
        &["events_of_a_key_wait_for_the_retry_of_an_earlier_one"],
    ),
    control(
        "who arrives waits for a retry, wherever it stands",
        "CREATE TRIGGER fault AFTER INSERT ON queue BEGIN UPDATE queue SET due_at = (SELECT MAX(due_at) FROM \
         queue WHERE lane = new.lane) WHERE event = new.event; END",
        &["an_earlier_event_overtakes_one_that_waits_for_its_retry"],
    ),
    control(
        "a dead letter stops its key",
        "CREATE TRIGGER fault AFTER UPDATE OF state ON events WHEN new.state = 'dead' BEGIN UPDATE lanes SET \
         blocked = 1 WHERE ordering_key = new.ordering_key; END",
        &["after_a_dead_letter_its_key_goes_on"],
    ),
    control(
        "a lease is not noted",
        "CREATE TRIGGER fault AFTER UPDATE OF running ON lanes WHEN new.running IS NOT NULL BEGIN UPDATE \
         lanes SET running = NULL, token = NULL, lease_until = NULL WHERE id = new.id; END",
        &["concurrent_claims_never_hand_out_the_same_event"],
    ),
];
