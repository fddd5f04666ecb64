//! Each sentence of the contract, by its first words, and the tests that hold it.

/// In the order of `inbox/mod.rs`. Tests that are not in the suite are named here too: they exist once, for what only one backend has.
pub(crate) const SENTENCES: &[(&str, &[&str])] = &[
    (
        "An event is durable (committed and fsynced)",
        &["what_was_accepted_survives_a_restart", "no_success_is_answered_before_its_event_is_synced"],
    ),
    (
        "Deliveries of one event are told apart",
        &[
            "of_concurrent_deliveries_of_one_event_exactly_one_is_new",
            "without_a_signed_id_the_body_is_the_identity",
        ],
    ),
    ("An error is never a duplicate", &["what_fails_between_the_mark_and_the_queue_leaves_no_mark"]),
    ("A duplicate changes nothing", &["a_duplicate_says_which_state_the_event_is_in"]),
    (
        "A duplicate of a dead letter whose handler failed",
        &["a_redelivery_revives_what_the_handler_could_not_do"],
    ),
    ("The attempts start over", &["a_redelivery_revives_what_the_handler_could_not_do"]),
    (
        "Malformed and conflicting dead letters stay dead",
        &["a_malformed_body_is_kept_and_stays_dead", "another_body_under_the_same_id_is_kept_as_a_conflict"],
    ),
    ("The same replay key with another body", &["another_body_under_the_same_id_is_kept_as_a_conflict"]),
    ("Another delivery of either body", &["another_body_under_the_same_id_is_kept_as_a_conflict"]),
    ("An event whose body cannot be processed", &["a_malformed_body_is_kept_and_stays_dead"]),
    (
        "At most one live lease exists",
        &["one_key_is_never_leased_twice", "concurrent_claims_never_hand_out_the_same_event"],
    ),
    ("Within a key the earliest event comes first", &["within_a_key_the_earliest_comes_first"]),
    (
        "The attempt is counted in the claim's transaction",
        &["a_claim_counts_the_attempt_before_the_handler_runs", "a_crash_loop_uses_up_the_attempts"],
    ),
    (
        "Sources with events that are due take turns",
        &["sources_take_turns_however_deep_the_flood_of_one_is", "turns_go_on_from_one_claim_to_the_next"],
    ),
    ("Each source has rules", &["a_stale_event_is_applied_flagged_or_skipped_as_its_source_says"]),
    ("A source for which none were set", &["events_of_a_key_wait_for_the_retry_of_an_earlier_one"]),
    ("An event without an ordering key has no others", &["only_a_strictly_later_position_makes_stale"]),
    (
        "A new event is not due before its window has passed",
        &["an_earlier_event_that_is_late_overtakes_within_the_window"],
    ),
    (
        "It waits for its window at most",
        &["however_many_earlier_events_come_an_event_waits_for_its_window_at_most"],
    ),
    ("Without a key it does not wait", &["an_event_without_a_key_does_not_wait_for_a_window"]),
    ("An event whose handler says so is parked", &["what_is_not_ready_waits_for_a_sibling_and_blocks_none"]),
    ("It blocks nobody meanwhile", &["what_is_not_ready_waits_for_a_sibling_and_blocks_none"]),
    (
        "It takes its place in line again when a handler",
        &[
            "only_a_sibling_that_is_done_wakes_what_is_not_ready",
            "what_is_not_ready_stays_so_after_a_restart",
        ],
    ),
    (
        "At the deadline it runs and is told",
        &[
            "at_its_deadline_an_event_runs_once_more_and_is_told",
            "at_its_deadline_an_event_is_dead_if_the_source_says_so",
        ],
    ),
    ("If it is not ready after its deadline", &["at_its_deadline_an_event_runs_once_more_and_is_told"]),
    ("The latest position of each key", &["a_retry_that_was_overtaken_is_stale"]),
    ("An event before it is applied", &["a_stale_event_is_applied_flagged_or_skipped_as_its_source_says"]),
    ("Equal positions are not stale", &["only_a_strictly_later_position_makes_stale"]),
    ("A superseded event wakes nobody", &["a_superseded_event_wakes_nobody"]),
    (
        "Under `block`",
        &[
            "events_of_a_key_wait_for_the_retry_of_an_earlier_one",
            "an_earlier_event_overtakes_one_that_waits_for_its_retry",
            "after_a_dead_letter_its_key_goes_on",
        ],
    ),
    (
        "Under `park`",
        &[
            "a_parking_key_waits_for_a_person_after_a_dead_letter",
            "a_parked_key_goes_on_when_its_dead_letter_is_discarded_or_revived",
            "a_parked_key_waits_for_every_dead_letter_that_blocks_it",
        ],
    ),
    ("Under `skip`", &["where_failures_are_skipped_the_others_go_on_at_once"]),
    ("What was dead on arrival blocks nobody", &["what_was_dead_on_arrival_or_has_no_key_parks_nobody"]),
    (
        "Fenced by the lease's token",
        &["a_stale_worker_changes_nothing", "a_stale_worker_changes_nothing_while_its_successor_works"],
    ),
    (
        "An expired lease sends its event back",
        &[
            "an_expired_lease_goes_back_to_pending",
            "a_rescued_event_is_before_what_became_due_after_it",
            "an_expired_lease_of_the_last_attempt_is_a_dead_letter",
        ],
    ),
    ("At start the same happens", &["a_restart_takes_back_what_was_running"]),
    ("[`Inbox::run_in_transaction`] commits", &["the_effect_and_done_are_committed_together"]),
    (
        "A failing, panicking or slow handler",
        &[
            "a_failing_handler_is_rolled_back_alone",
            "a_panicking_handler_is_rolled_back_alone",
            "an_endless_write_is_interrupted_and_costs_only_its_own_event",
        ],
    ),
    (
        "[`Operator::replay`] and [`Operator::discard`] take dead letters",
        &["only_dead_letters_are_replayed_or_discarded", "a_dead_letter_is_replayed_with_its_history"],
    ),
    ("A replayed event takes its place", &["a_replayed_event_takes_its_place_in_the_order_of_its_key"]),
    (
        "If a later one was applied already",
        &[
            "a_replay_says_that_later_events_were_applied_and_follows_the_rule",
            "a_person_may_have_a_stale_event_applied_all_the_same",
        ],
    ),
    ("Lists and counts show who is blocked", &["a_parking_key_waits_for_a_person_after_a_dead_letter"]),
    (
        "Events of a source that a person paused",
        &[
            "a_paused_source_accepts_and_nothing_of_it_is_claimed",
            "a_pause_outlives_a_restart_and_ends_with_a_resume",
        ],
    ),
    ("Others go on, [`Inbox::next_due`]", &["a_paused_source_accepts_and_nothing_of_it_is_claimed"]),
    (
        "What is leased is finished",
        &[
            "what_is_leased_when_its_source_is_paused_is_finished",
            "what_expires_in_a_paused_source_is_rescued_and_waits",
        ],
    ),
    ("A dead letter can be replayed, and then waits", &["a_replayed_event_of_a_paused_source_waits"]),
    ("What is not ready does not die", &["what_is_not_ready_does_not_die_while_its_source_is_paused"]),
    ("Only a source that there is can be paused", &["only_a_source_that_there_is_can_be_paused_and_once"]),
    (
        "A source that has one",
        &[
            "a_source_pauses_when_too_many_of_its_last_events_died",
            "what_led_to_it_survives_a_restart",
            "every_way_to_die_of_a_handler_counts",
        ],
    ),
    (
        "What was dead on arrival does not count",
        &["what_was_dead_on_arrival_or_is_tried_again_does_not_count"],
    ),
    (
        "A resume is a person's acknowledgement",
        &["a_resume_starts_over", "what_ends_while_the_source_is_paused_does_not_count"],
    ),
    ("[`Inbox::configure`] sets at once", &["a_source_without_a_breaker_never_pauses_by_itself"]),
    (
        "Events of a source that is not among them",
        &["events_of_a_source_that_is_not_configured_wait_until_it_is"],
    ),
    ("A pause outlives both", &["events_of_a_source_that_is_not_configured_wait_until_it_is"]),
    (
        "Each attempt is kept with its times",
        &["an_attempt_says_which_handler_ran_also_if_it_never_came_back"],
    ),
    (
        "The version is noted with the claim",
        &["an_attempt_says_which_handler_ran_also_if_it_never_came_back"],
    ),
    ("When an event dies, the [fingerprint]", &["dead_letters_of_one_failure_are_one_group"]),
    (
        "Dead letters of one failure are a group",
        &[
            "dead_letters_of_one_failure_are_one_group",
            "a_group_is_found_by_the_beginning_of_its_fingerprint",
        ],
    ),
    (
        "An event that is replayed, revived or discarded",
        &["an_event_that_dies_again_is_in_the_group_of_its_last_failure"],
    ),
    ("What expires while it waits", &["what_expires_while_it_waits_dies_of_what_it_waited_for"]),
    ("A [`Selection`] selects the same", &["a_selection_selects_the_same_everywhere"]),
    (
        "A preview counts by source and reason",
        &["a_preview_counts_by_source_and_reason_and_says_what_was_overtaken"],
    ),
    ("A page with bodies ends", &["a_page_with_bodies_ends_before_it_is_large"]),
    ("The audit log ([`AuditLog`]) is listed", &["the_audit_log_is_listed_the_newest_first_and_filtered"]),
    ("[`KeepRefused::note_refusals`] counts", &["refusals_are_counted_by_source_and_reason"]),
    (
        "Of each source at most so many",
        &[
            "of_each_source_so_many_refusals_are_kept_and_no_more",
            "a_flood_of_one_reason_does_not_drive_out_the_others",
        ],
    ),
    (
        "How many there were of each reason is also known by minute",
        &["refusals_are_counted_by_minute_as_long_as_deliveries_are_recorded"],
    ),
    ("Nothing of what a request held is kept", &["lists_of_refusals_are_filtered_and_paged"]),
    (
        "[`KeepRefused::quarantine`] keeps requests",
        &[
            "a_refused_request_is_kept_byte_for_byte",
            "the_quarantine_holds_its_rows_and_no_more",
            "what_was_refused_survives_a_restart",
        ],
    ),
    ("One that is larger than all the room", &["the_quarantine_holds_its_bytes_and_no_more"]),
    ("What is too old goes", &["what_is_too_old_leaves_the_quarantine"]),
    ("[`Quarantine::release`] accepts", &["of_concurrent_releases_one_finds_the_request"]),
    (
        "The event is what it would have been",
        &[
            "a_released_request_is_an_event_of_its_time",
            "a_released_request_whose_event_came_meanwhile_is_a_duplicate",
        ],
    ),
    (
        "Release and [`Quarantine::purge_quarantine`]",
        &["what_is_purged_is_gone_and_in_the_audit_log", "a_released_request_is_an_event_of_its_time"],
    ),
    (
        "Every delivery that is stored is recorded",
        &[
            "every_stored_delivery_is_recorded_with_its_answer",
            "records_are_listed_by_source_event_and_time",
            "traffic_is_added_up_over_a_time",
        ],
    ),
    ("How soon it was answered", &["how_soon_a_delivery_was_answered_is_noted_later"]),
    (
        "Records go after their retention",
        &["records_go_after_their_retention_and_what_they_say_of_keys_stays"],
    ),
    ("What is done or discarded is forgotten", &["a_discarded_event_is_purged_like_one_that_is_done"]),
    ("The payload goes first", &["the_payload_goes_after_its_retention_and_the_event_stays_known"]),
    ("The event is still shown", &["the_payload_goes_after_its_retention_and_the_event_stays_known"]),
    (
        "The replay key goes with the event",
        &[
            "the_replay_key_goes_after_its_own_retention_and_then_the_event_is_new",
            "each_delivery_begins_the_retention_of_the_replay_key_anew",
        ],
    ),
    (
        "A delivery after that is a new event",
        &["the_replay_key_goes_after_its_own_retention_and_then_the_event_is_new"],
    ),
    ("While another body is known", &["an_event_stays_while_another_body_is_known_under_its_replay_key"]),
    ("What is pending, running or dead", &["what_is_pending_running_or_dead_is_never_purged"]),
    ("The audit log is not, either", &["a_discarded_event_is_purged_like_one_that_is_done"]),
    ("The position of a key goes", &["a_position_goes_when_nothing_of_its_key_can_be_late"]),
    (
        "A source without a retention",
        &["each_source_has_its_own_retention_and_one_without_keeps_its_replay_keys"],
    ),
    ("Before any is set", &["nothing_is_purged_before_a_retention_is_set"]),
    ("One call ([`Purge::purge`]) takes away", &["a_piece_is_bounded_and_the_pieces_come_to_an_end"]),
    ("An interrupted one has done nothing", &["a_restart_between_two_pieces_loses_nothing"]),
    ("What would go is told", &["what_would_be_purged_is_told_without_doing_it"]),
];
