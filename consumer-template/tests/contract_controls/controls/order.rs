//! Faults in the order of keys.

use super::{Control, control};

pub(super) const FAULTS: &[Control] = &[
    control(
        "one source comes after all others",
        "CREATE TRIGGER fault AFTER UPDATE OF due_at ON lanes WHEN new.source IN ('shop', 'b') AND \
         new.due_at < 9000000000000 BEGIN UPDATE lanes SET due_at = new.due_at + 9000000000000 WHERE id = \
         new.id; END",
        &["sources_take_turns_however_deep_the_flood_of_one_is", "turns_go_on_from_one_claim_to_the_next"],
    ),
    control(
        "there is no window",
        "CREATE TRIGGER fault AFTER INSERT ON queue BEGIN UPDATE queue SET due_at = (SELECT received_at \
         FROM events WHERE number = new.event) WHERE event = new.event; END",
        &["an_earlier_event_that_is_late_overtakes_within_the_window"],
    ),
    control(
        "each event waits for the whole window",
        "CREATE TRIGGER fault AFTER INSERT ON queue BEGIN UPDATE queue SET due_at = (SELECT received_at + \
         (SELECT COALESCE(MAX(settle_ms), 0) FROM policies) FROM events WHERE number = new.event) WHERE \
         event = new.event; END",
        &[
            "however_many_earlier_events_come_an_event_waits_for_its_window_at_most",
            "an_event_without_a_key_does_not_wait_for_a_window",
        ],
    ),
    control(
        "what is not ready keeps its place in line",
        "CREATE TRIGGER fault AFTER UPDATE OF standing ON queue WHEN new.standing = 2 BEGIN UPDATE queue \
         SET standing = 0 WHERE event = new.event; END",
        &["what_is_not_ready_waits_for_a_sibling_and_blocks_none"],
    ),
    control(
        "a sibling that died wakes what is not ready",
        "CREATE TRIGGER fault AFTER UPDATE OF state ON events WHEN new.state = 'dead' BEGIN UPDATE queue \
         SET standing = 0, due_at = 1 WHERE standing = 2; END",
        &["only_a_sibling_that_is_done_wakes_what_is_not_ready"],
    ),
    control(
        "what is not ready waits for nothing",
        "CREATE TRIGGER fault AFTER UPDATE OF standing ON queue WHEN new.standing = 2 BEGIN UPDATE queue \
         SET due_at = 1 WHERE event = new.event; END",
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
        "CREATE TRIGGER fault AFTER INSERT ON policies BEGIN UPDATE policies SET at_deadline = 'process'; \
         END",
        &["at_its_deadline_an_event_is_dead_if_the_source_says_so"],
    ),
    control(
        "nobody waits for a person",
        "CREATE TRIGGER fault AFTER UPDATE OF blocked ON lanes WHEN new.blocked = 1 BEGIN DELETE FROM \
         blockers WHERE lane = new.id; UPDATE lanes SET blocked = 0 WHERE id = new.id; END",
        &[
            "a_parking_key_waits_for_a_person_after_a_dead_letter",
            "a_worker_that_never_comes_back_parks_its_key_too",
        ],
    ),
    control(
        "a key that waits for a person waits for ever",
        "CREATE TRIGGER fault AFTER UPDATE OF blocked ON lanes WHEN old.blocked = 1 AND new.blocked = 0 \
         BEGIN UPDATE lanes SET blocked = 1 WHERE id = new.id; END",
        &[
            "a_parked_key_goes_on_when_its_dead_letter_is_discarded_or_revived",
            "a_source_that_parks_no_more_lets_its_keys_go",
        ],
    ),
    control(
        "one of several dead letters lets a key go",
        "CREATE TRIGGER fault AFTER DELETE ON blockers BEGIN DELETE FROM blockers WHERE lane = old.lane; \
         END",
        &["a_parked_key_waits_for_every_dead_letter_that_blocks_it"],
    ),
    control(
        "what is dead on arrival blocks its key",
        "CREATE TRIGGER fault AFTER INSERT ON events WHEN new.state = 'dead' BEGIN UPDATE lanes SET \
         blocked = 1 WHERE ordering_key = new.ordering_key; END",
        &["what_was_dead_on_arrival_or_has_no_key_parks_nobody"],
    ),
    control(
        "nobody passes one that fails",
        "CREATE TRIGGER fault AFTER UPDATE OF standing ON queue WHEN new.standing = 1 BEGIN UPDATE queue \
         SET standing = 0 WHERE event = new.event; END",
        &["where_failures_are_skipped_the_others_go_on_at_once"],
    ),
    control(
        "what was applied is not remembered",
        "CREATE TRIGGER fault AFTER INSERT ON applied BEGIN DELETE FROM applied; END",
        &[
            "a_stale_event_is_applied_flagged_or_skipped_as_its_source_says",
            "a_retry_that_was_overtaken_is_stale",
            "a_replay_says_that_later_events_were_applied_and_follows_the_rule",
            "a_preview_counts_by_source_and_reason_and_says_what_was_overtaken",
        ],
    ),
    control(
        "an equal position is stale",
        "CREATE TRIGGER fault AFTER INSERT ON applied BEGIN UPDATE applied SET sequence = sequence + 1; \
         END",
        &["only_a_strictly_later_position_makes_stale"],
    ),
    control(
        "what was passed over wakes others",
        "CREATE TRIGGER fault AFTER UPDATE OF superseded ON events WHEN new.superseded = 1 BEGIN UPDATE \
         queue SET standing = 0, due_at = 1 WHERE standing = 2; END",
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
];
