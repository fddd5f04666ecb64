//! The contract that `inbox/mod.rs` states, run against every backend. After each test the store must also be sound in itself.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod contract;
mod contract_controls;
mod support;

/// Makes one test per sentence of the contract. What is not listed here is reported as dead code.
macro_rules! contract {
    ($backend:ident: $($module:ident { $($test:ident,)* })*) => {
        $($(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $test() {
                let mut backend = support::$backend::start();
                contract::$module::$test(&mut backend).await;
                backend.assert_sound().await;
            }
        )*)*

        /// Their names.
        const TESTS: &[&str] = &[$($(stringify!($test),)*)*];

        /// Runs one of them by its name, on a backend that may be spoilt.
        async fn run(test: &str, backend: &mut support::$backend) {
            match test {
                $($(stringify!($test) => contract::$module::$test(backend).await,)*)*
                _ => panic!("there is no test {test}"),
            }
        }
    };
}

contract! { Sqlite:
    accept {
        an_event_is_stored_byte_for_byte,
        of_concurrent_deliveries_of_one_event_exactly_one_is_new,
        concurrent_deliveries_of_different_events_are_all_new,
        a_duplicate_says_which_state_the_event_is_in,
        without_a_signed_id_the_body_is_the_identity,
        the_same_id_from_another_source_is_another_event,
        another_body_under_the_same_id_is_kept_as_a_conflict,
        of_two_bodies_that_race_one_is_new_and_one_a_conflict,
        a_malformed_body_is_kept_and_stays_dead,
        a_redelivery_revives_what_the_handler_could_not_do,
        what_was_accepted_survives_a_restart,
    }
    claim {
        a_claim_counts_the_attempt_before_the_handler_runs,
        an_event_is_not_claimed_before_it_is_due,
        one_key_is_never_leased_twice,
        keys_of_different_sources_are_different_keys,
        within_a_key_the_earliest_comes_first,
        events_of_a_key_wait_for_the_retry_of_an_earlier_one,
        an_earlier_event_overtakes_one_that_waits_for_its_retry,
        after_a_dead_letter_its_key_goes_on,
        concurrent_claims_never_hand_out_the_same_event,
    }
    order {
        sources_take_turns_however_deep_the_flood_of_one_is,
        turns_go_on_from_one_claim_to_the_next,
        an_earlier_event_that_is_late_overtakes_within_the_window,
        however_many_earlier_events_come_an_event_waits_for_its_window_at_most,
        an_event_without_a_key_does_not_wait_for_a_window,
        what_is_not_ready_waits_for_a_sibling_and_blocks_none,
        only_a_sibling_that_is_done_wakes_what_is_not_ready,
        what_is_not_ready_stays_so_after_a_restart,
        at_its_deadline_an_event_runs_once_more_and_is_told,
        at_its_deadline_an_event_is_dead_if_the_source_says_so,
    }
    failing {
        a_parking_key_waits_for_a_person_after_a_dead_letter,
        a_parked_key_goes_on_when_its_dead_letter_is_discarded_or_revived,
        a_parked_key_waits_for_every_dead_letter_that_blocks_it,
        a_worker_that_never_comes_back_parks_its_key_too,
        what_was_dead_on_arrival_or_has_no_key_parks_nobody,
        a_source_that_parks_no_more_lets_its_keys_go,
        where_failures_are_skipped_the_others_go_on_at_once,
    }
    stale {
        a_stale_event_is_applied_flagged_or_skipped_as_its_source_says,
        only_a_strictly_later_position_makes_stale,
        a_retry_that_was_overtaken_is_stale,
        a_superseded_event_wakes_nobody,
        a_replayed_event_takes_its_place_in_the_order_of_its_key,
        a_replay_says_that_later_events_were_applied_and_follows_the_rule,
        a_person_may_have_a_stale_event_applied_all_the_same,
    }
    settle {
        a_settled_event_is_done_and_its_attempt_recorded,
        a_stale_worker_changes_nothing,
        a_lease_cannot_be_settled_twice,
        a_late_but_unrescued_worker_may_still_settle,
        a_lease_is_extended_by_its_holder_only,
        an_expired_lease_goes_back_to_pending,
        a_rescued_event_is_before_what_became_due_after_it,
        an_expired_lease_of_the_last_attempt_is_a_dead_letter,
        a_restart_takes_back_what_was_running,
        a_crash_loop_uses_up_the_attempts,
        the_next_due_time_is_the_earliest_retry_or_lease_end,
    }
    refused {
        refusals_are_counted_by_source_and_reason,
        refusals_are_counted_by_minute_as_long_as_deliveries_are_recorded,
        of_each_source_so_many_refusals_are_kept_and_no_more,
        a_flood_of_one_reason_does_not_drive_out_the_others,
        lists_of_refusals_are_filtered_and_paged,
        a_refused_request_is_kept_byte_for_byte,
        the_quarantine_holds_its_rows_and_no_more,
        the_quarantine_holds_its_bytes_and_no_more,
        what_is_too_old_leaves_the_quarantine,
        a_released_request_is_an_event_of_its_time,
        of_concurrent_releases_one_finds_the_request,
        a_released_request_whose_event_came_meanwhile_is_a_duplicate,
        what_is_purged_is_gone_and_in_the_audit_log,
        what_was_refused_survives_a_restart,
    }
    operate {
        counts_are_by_source_and_state,
        lists_are_filtered_and_paged,
        a_dead_letter_is_replayed_with_its_history,
        a_discarded_event_stays_and_its_deliveries_are_duplicates,
        only_dead_letters_are_replayed_or_discarded,
        what_does_not_exist_is_not_found,
    }
    life {
        a_paused_source_accepts_and_nothing_of_it_is_claimed,
        a_pause_outlives_a_restart_and_ends_with_a_resume,
        what_is_leased_when_its_source_is_paused_is_finished,
        what_expires_in_a_paused_source_is_rescued_and_waits,
        a_replayed_event_of_a_paused_source_waits,
        what_is_not_ready_does_not_die_while_its_source_is_paused,
        only_a_source_that_there_is_can_be_paused_and_once,
        how_each_source_is_doing_is_told,
        events_of_a_source_that_is_not_configured_wait_until_it_is,
    }
    breaker {
        a_source_pauses_when_too_many_of_its_last_events_died,
        what_led_to_it_survives_a_restart,
        every_way_to_die_of_a_handler_counts,
        what_was_dead_on_arrival_or_is_tried_again_does_not_count,
        what_is_old_or_of_another_source_does_not_count,
        a_resume_starts_over,
        what_ends_while_the_source_is_paused_does_not_count,
        a_source_without_a_breaker_never_pauses_by_itself,
    }
    dead {
        an_attempt_says_which_handler_ran_also_if_it_never_came_back,
        dead_letters_of_one_failure_are_one_group,
        a_group_is_found_by_the_beginning_of_its_fingerprint,
        an_event_that_dies_again_is_in_the_group_of_its_last_failure,
        what_expires_while_it_waits_dies_of_what_it_waited_for,
        a_selection_selects_the_same_everywhere,
        a_preview_counts_by_source_and_reason_and_says_what_was_overtaken,
        a_page_with_bodies_ends_before_it_is_large,
        the_audit_log_is_listed_the_newest_first_and_filtered,
    }
    purge {
        the_payload_goes_after_its_retention_and_the_event_stays_known,
        the_replay_key_goes_after_its_own_retention_and_then_the_event_is_new,
        each_delivery_begins_the_retention_of_the_replay_key_anew,
        what_is_pending_running_or_dead_is_never_purged,
        a_discarded_event_is_purged_like_one_that_is_done,
        an_event_stays_while_another_body_is_known_under_its_replay_key,
        each_source_has_its_own_retention_and_one_without_keeps_its_replay_keys,
        nothing_is_purged_before_a_retention_is_set,
        a_position_goes_when_nothing_of_its_key_can_be_late,
        a_piece_is_bounded_and_the_pieces_come_to_an_end,
        what_would_be_purged_is_told_without_doing_it,
        a_restart_between_two_pieces_loses_nothing,
    }
    records {
        every_stored_delivery_is_recorded_with_its_answer,
        how_soon_a_delivery_was_answered_is_noted_later,
        records_are_listed_by_source_event_and_time,
        records_go_after_their_retention_and_what_they_say_of_keys_stays,
        traffic_is_added_up_over_a_time,
    }
}
