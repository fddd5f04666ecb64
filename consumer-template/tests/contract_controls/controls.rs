//! Faults for the negative controls, each with the tests of the contract that must notice it. A fault is a trigger in the
//! database: the program stays as it is, and its store does something else than the contract says.

/// What is wrong, how, and who must see it.
pub(crate) struct Control {
    pub(crate) fault: &'static str,
    pub(crate) sql: &'static str,
    pub(crate) seen_by: &'static [&'static str],
}

const fn control(fault: &'static str, sql: &'static str, seen_by: &'static [&'static str]) -> Control {
    Control { fault, sql, seen_by }
}

pub(crate) const CONTROLS: &[Control] = &[
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
    control(
        "one source comes after all others",
        "CREATE TRIGGER fault AFTER UPDATE OF due_at ON lanes WHEN new.source IN ('shop', 'b') AND new.due_at \
         < 9000000000000 BEGIN UPDATE lanes SET due_at = new.due_at + 9000000000000 WHERE id = new.id; END",
        &["sources_take_turns_however_deep_the_flood_of_one_is", "turns_go_on_from_one_claim_to_the_next"],
    ),
    control(
        "there is no window",
        "CREATE TRIGGER fault AFTER INSERT ON queue BEGIN UPDATE queue SET due_at = (SELECT received_at FROM \
         events WHERE number = new.event) WHERE event = new.event; END",
        &["an_earlier_event_that_is_late_overtakes_within_the_window"],
    ),
    control(
        "each event waits for the whole window",
        "CREATE TRIGGER fault AFTER INSERT ON queue BEGIN UPDATE queue SET due_at = (SELECT received_at + \
         (SELECT COALESCE(MAX(settle_ms), 0) FROM policies) FROM events WHERE number = new.event) WHERE event \
         = new.event; END",
        &[
            "however_many_earlier_events_come_an_event_waits_for_its_window_at_most",
            "an_event_without_a_key_does_not_wait_for_a_window",
        ],
    ),
    control(
        "what is not ready keeps its place in line",
        "CREATE TRIGGER fault AFTER UPDATE OF standing ON queue WHEN new.standing = 2 BEGIN UPDATE queue SET \
         standing = 0 WHERE event = new.event; END",
        &["what_is_not_ready_waits_for_a_sibling_and_blocks_none"],
    ),
    control(
        "a sibling that died wakes what is not ready",
        "CREATE TRIGGER fault AFTER UPDATE OF state ON events WHEN new.state = 'dead' BEGIN UPDATE queue SET \
         standing = 0, due_at = 1 WHERE standing = 2; END",
        &["only_a_sibling_that_is_done_wakes_what_is_not_ready"],
    ),
    control(
        "what is not ready waits for nothing",
        "CREATE TRIGGER fault AFTER UPDATE OF standing ON queue WHEN new.standing = 2 BEGIN UPDATE queue SET \
         due_at = 1 WHERE event = new.event; END",
        &["what_is_not_ready_stays_so_after_a_restart"],
    ),
    control(
        "a deadline is forgotten when it has passed",
        "CREATE TRIGGER fault AFTER UPDATE OF standing ON queue WHEN old.standing = 2 AND new.standing = 0 \
         BEGIN UPDATE queue SET ready_by = NULL WHERE event = new.event; END",
        &["at_its_deadline_an_event_runs_once_more_and_is_told"],
    ),
    control(
        "the rule about deadlines is not kept",
        "CREATE TRIGGER fault AFTER INSERT ON policies BEGIN UPDATE policies SET at_deadline = 'process'; END",
        &["at_its_deadline_an_event_is_dead_if_the_source_says_so"],
    ),
    control(
        "nobody waits for a person",
        "CREATE TRIGGER fault AFTER UPDATE OF blocked ON lanes WHEN new.blocked = 1 BEGIN UPDATE lanes SET \
         blocked = 0 WHERE id = new.id; END",
        &[
            "a_parking_key_waits_for_a_person_after_a_dead_letter",
            "a_worker_that_never_comes_back_parks_its_key_too",
        ],
    ),
    control(
        "a key that waits for a person waits for ever",
        "CREATE TRIGGER fault AFTER UPDATE OF blocked ON lanes WHEN old.blocked = 1 AND new.blocked = 0 BEGIN \
         UPDATE lanes SET blocked = 1 WHERE id = new.id; END",
        &[
            "a_parked_key_goes_on_when_its_dead_letter_is_discarded_or_revived",
            "a_source_that_parks_no_more_lets_its_keys_go",
        ],
    ),
    control(
        "one of several dead letters lets a key go",
        "CREATE TRIGGER fault AFTER DELETE ON blockers BEGIN DELETE FROM blockers WHERE lane = old.lane; END",
        &["a_parked_key_waits_for_every_dead_letter_that_blocks_it"],
    ),
    control(
        "what is dead on arrival blocks its key",
        "CREATE TRIGGER fault AFTER INSERT ON events WHEN new.state = 'dead' BEGIN UPDATE lanes SET blocked = \
         1 WHERE ordering_key = new.ordering_key; END",
        &["what_was_dead_on_arrival_or_has_no_key_parks_nobody"],
    ),
    control(
        "nobody passes one that fails",
        "CREATE TRIGGER fault AFTER UPDATE OF standing ON queue WHEN new.standing = 1 BEGIN UPDATE queue SET \
         standing = 0 WHERE event = new.event; END",
        &["where_failures_are_skipped_the_others_go_on_at_once"],
    ),
    control(
        "what was applied is not remembered",
        "CREATE TRIGGER fault AFTER INSERT ON applied BEGIN DELETE FROM applied; END",
        &[
            "a_stale_event_is_applied_flagged_or_skipped_as_its_source_says",
            "a_retry_that_was_overtaken_is_stale",
            "a_replay_says_that_later_events_were_applied_and_follows_the_rule",
        ],
    ),
    control(
        "an equal position is stale",
        "CREATE TRIGGER fault AFTER INSERT ON applied BEGIN UPDATE applied SET sequence = sequence + 1; END",
        &["only_a_strictly_later_position_makes_stale"],
    ),
    control(
        "what was passed over wakes others",
        "CREATE TRIGGER fault AFTER UPDATE OF superseded ON events WHEN new.superseded = 1 BEGIN UPDATE queue \
         SET standing = 0, due_at = 1 WHERE standing = 2; END",
        &["a_superseded_event_wakes_nobody"],
    ),
    control(
        "a replayed event goes to the end",
        "CREATE TRIGGER fault AFTER INSERT ON queue WHEN EXISTS (SELECT 1 FROM attempts WHERE event = \
         new.event) BEGIN UPDATE queue SET at = at + 1000000 WHERE event = new.event; END",
        &["a_replayed_event_takes_its_place_in_the_order_of_its_key"],
    ),
    control(
        "what a person wants is forgotten",
        "CREATE TRIGGER fault AFTER INSERT ON queue BEGIN UPDATE queue SET even_if_stale = 0 WHERE event = \
         new.event; END",
        &["a_person_may_have_a_stale_event_applied_all_the_same"],
    ),
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
    control(
        "changes of state are not counted",
        "DROP TRIGGER tally_of_a_change",
        &["counts_are_by_source_and_state"],
    ),
    control(
        "lists mix the sources up",
        "CREATE TRIGGER fault AFTER INSERT ON events WHEN new.number % 7 = 0 BEGIN UPDATE events SET source = \
         'other' WHERE number = new.number; END",
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
        "CREATE TRIGGER fault AFTER INSERT ON events WHEN new.state = 'pending' BEGIN UPDATE events SET state \
         = 'dead', reason = 'permanent', settled_at = 1 WHERE number = new.number; END",
        &["only_dead_letters_are_replayed_or_discarded"],
    ),
    control(
        "there is an event that nobody sent",
        "INSERT INTO events (number, source, scheme, key_id, replay_key, identity, received_at, state, \
         reason, settled_at) VALUES (7, 'crm', 'github', 'k', zeroblob(32), 'digest', 1, 'dead', 'permanent', \
         1); INSERT INTO payloads (event, body_sha256, headers, body) VALUES (7, zeroblob(32), x'', x'')",
        &["what_does_not_exist_is_not_found"],
    ),
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
