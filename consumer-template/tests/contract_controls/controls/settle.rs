//! Faults in leases and how attempts end.

use super::{Control, control};

pub(super) const FAULTS: &[Control] = &[
    control(
        "attempts that ended are forgotten",
        "CREATE TRIGGER fault AFTER UPDATE OF outcome ON attempts BEGIN DELETE FROM attempts WHERE id = \
         new.id; END",
        &["a_settled_event_is_done_and_its_attempt_recorded"],
    ),
    control(
        "all leases have the same token",
        "CREATE TRIGGER fault AFTER UPDATE OF token ON lanes WHEN new.token > 1 BEGIN UPDATE lanes SET token \
         = 1 WHERE id = new.id; END",
        &["a_stale_worker_changes_nothing"],
    ),
    control(
        "a lease outlives its settle",
        "CREATE TRIGGER fault BEFORE DELETE ON lanes BEGIN SELECT RAISE(IGNORE); END; CREATE TRIGGER \
         fault_too BEFORE UPDATE OF running ON lanes WHEN new.running IS NULL BEGIN SELECT RAISE(IGNORE); END",
        &["a_lease_cannot_be_settled_twice"],
    ),
    control(
        "an attempt of more than a minute cannot be settled",
        "CREATE TRIGGER fault BEFORE UPDATE OF ended_at ON attempts WHEN new.ended_at > old.started_at + \
         60000 BEGIN SELECT RAISE(ABORT, 'too late'); END",
        &["a_late_but_unrescued_worker_may_still_settle"],
    ),
    control(
        "a heartbeat is not noted",
        "CREATE TRIGGER fault BEFORE UPDATE OF lease_until ON lanes WHEN old.lease_until IS NOT NULL AND \
         new.lease_until IS NOT NULL BEGIN SELECT RAISE(IGNORE); END",
        &["a_lease_is_extended_by_its_holder_only"],
    ),
    control(
        "a lease does not end",
        "CREATE TRIGGER fault AFTER UPDATE OF lease_until ON lanes WHEN new.lease_until IS NOT NULL BEGIN \
         UPDATE lanes SET lease_until = 9000000000000000 WHERE id = new.id; END",
        &["an_expired_lease_goes_back_to_pending", "the_next_due_time_is_the_earliest_retry_or_lease_end"],
    ),
    control(
        "a rescued event waits behind all others",
        "CREATE TRIGGER fault AFTER UPDATE OF running ON lanes WHEN old.running IS NOT NULL AND new.running \
         IS NULL BEGIN UPDATE queue SET due_at = due_at + 60000 WHERE event = old.running; END",
        &["a_rescued_event_is_before_what_became_due_after_it"],
    ),
    control(
        "a lost attempt does not count",
        "CREATE TRIGGER fault AFTER UPDATE OF state ON events WHEN old.state = 'running' AND new.state = \
         'pending' BEGIN UPDATE events SET attempts = 0 WHERE number = new.number; END",
        &[
            "an_expired_lease_of_the_last_attempt_is_a_dead_letter",
            "a_restart_takes_back_what_was_running",
            "a_crash_loop_uses_up_the_attempts",
        ],
    ),
];
