//! Many dead letters: their attempts, their failures, and what a person selects.

use std::sync::Arc;

use hookproof_consumer::effect::Versions;
use hookproof_consumer::event::{DeadReason, Event, EventNo, State};
use hookproof_consumer::fingerprint::Fingerprint;
use hookproof_consumer::inbox::{
    AuditFilter, AuditLog, By, Claimed, DeadLetters, Delivery, Filter, IfStale, Inbox, Operator, PAGE_BYTES,
    Preview, PreviewEntry, Selection,
};
use hookproof_consumer::ordering::{OnFailure, OrderPolicy};
use hookproof_consumer::retry::Outcome;

use crate::support::{LEASE, Sent, Sqlite, accept, at, claim_one, sent, settle};

/// A worker whose handlers are of this version.
struct Version(&'static str);

impl Versions for Version {
    fn of(&self, event: &Event) -> String {
        format!("{} for {}", self.0, event.source)
    }
}

async fn claim_with(backend: &Sqlite, version: &'static str, now: u64) -> Claimed {
    let claimed = backend.inbox().claim_for(Arc::new(Version(version)), 1, LEASE, at(now)).await.unwrap();
    claimed.into_iter().next().unwrap()
}

fn dead_of(error: &str) -> Outcome {
    Outcome::Dead { reason: DeadReason::Permanent, error: error.to_owned() }
}

/// An event that died of this failure at `now`.
async fn dies(backend: &Sqlite, delivery: &Sent, error: &str, now: u64) -> EventNo {
    let event = accept(backend.inbox(), delivery).await;
    let claimed = claim_one(backend.inbox(), at(now)).await;
    assert_eq!(claimed.event.number, event);
    settle(backend, &claimed, dead_of(error), now).await;
    event
}

async fn fingerprint(backend: &Sqlite, event: EventNo) -> Option<Fingerprint> {
    backend.inbox().summary(event).await.unwrap().unwrap().fingerprint
}

pub(crate) async fn an_attempt_says_which_handler_ran_also_if_it_never_came_back(backend: &mut Sqlite) {
    let event = accept(backend.inbox(), &sent("msg_1")).await;
    let first = claim_with(backend, "1.0", 10).await;
    let retry = Outcome::Retry { at: at(100), error: "down".to_owned() };
    settle(backend, &first, retry, 35).await;
    // The second one kills its worker, the third one's worker does not say what it is.
    claim_with(backend, "2.0", 100).await;
    backend.restart();
    backend.inbox().recover_orphans(5, at(200)).await.unwrap();
    let third = claim_one(backend.inbox(), at(300)).await;
    settle(backend, &third, dead_of("no"), 301).await;
    let detail = backend.inbox().show(event).await.unwrap().unwrap();
    let attempts: Vec<_> = detail
        .attempts
        .iter()
        .map(|attempt| (attempt.handler.as_deref(), attempt.outcome.as_deref(), attempt.took_ms()))
        .collect();
    assert_eq!(
        attempts,
        [
            (Some("1.0 for crm"), Some("retry"), Some(25)),
            (Some("2.0 for crm"), Some("lost"), Some(100)),
            (None, Some("dead"), Some(1)),
        ]
    );
    assert_eq!(detail.attempts[0].error.as_deref(), Some("down"));
}

pub(crate) async fn dead_letters_of_one_failure_are_one_group(backend: &mut Sqlite) {
    let first = dies(backend, &sent("a").received(5), "no lead 1", 10).await;
    dies(backend, &sent("b"), "no lead 2", 20).await;
    let other = dies(backend, &sent("c"), "the CRM is down", 30).await;
    let elsewhere = dies(backend, &sent("d").to("shop"), "no lead 3", 40).await;
    let malformed = accept(backend.inbox(), &sent("e").malformed("not JSON")).await;
    let third = dies(backend, &sent("f"), "no lead 4", 50).await;
    let found = backend.inbox().groups(Selection::default(), 10).await.unwrap();
    assert_eq!((found.total, found.groups.len()), (4, 4));
    let group = &found.groups[0];
    assert_eq!((group.events, group.source.as_str(), group.reason), (3, "crm", DeadReason::Permanent));
    assert_eq!((group.first_seen, group.last_seen, group.oldest_received), (at(10), at(50), at(0)));
    assert_eq!(group.sample.as_deref(), Some("no lead 4"), "in the words of the last one");
    assert_eq!(group.fingerprint, Fingerprint::of("crm", DeadReason::Permanent, "no lead 99"));
    for event in [first, third] {
        assert_eq!(fingerprint(backend, event).await.as_ref(), Some(&group.fingerprint));
    }
    for event in [other, elsewhere, malformed] {
        let own = fingerprint(backend, event).await.unwrap();
        let of_it = found.groups.iter().find(|group| group.fingerprint == own).unwrap();
        assert_eq!(of_it.events, 1);
    }
    let some = backend.inbox().groups(Selection::default(), 2).await.unwrap();
    assert_eq!((some.total, some.groups.as_slice()), (4, &found.groups[..2]));
}

pub(crate) async fn a_group_is_found_by_the_beginning_of_its_fingerprint(backend: &mut Sqlite) {
    let mut all = Vec::new();
    for word in ["down", "up", "left", "right", "gone"] {
        let event = dies(backend, &sent(word), word, 1).await;
        all.push(fingerprint(backend, event).await.unwrap());
    }
    all.sort();
    let named =
        async |prefix: &str, max| backend.inbox().groups_named(prefix.parse().unwrap(), max).await.unwrap();
    for fingerprint in &all {
        assert_eq!(named(fingerprint.as_str(), 9).await, std::slice::from_ref(fingerprint));
        let digit: String = fingerprint.as_str().chars().take(1).collect();
        assert!(named(&digit, 9).await.contains(fingerprint));
    }
    let mut found = Vec::new();
    for digit in "0123456789abcdef".chars() {
        found.extend(named(&digit.to_string(), 9).await);
    }
    assert_eq!(found, all, "each begins with one digit");
    backend.inbox().discard(EventNo(1), By::new("ann", "noise"), at(2)).await.unwrap();
    let gone = Fingerprint::of("crm", DeadReason::Permanent, "down");
    assert_eq!(named(gone.as_str(), 9).await, [], "nothing is dead of it any more");
}

pub(crate) async fn an_event_that_dies_again_is_in_the_group_of_its_last_failure(backend: &mut Sqlite) {
    let delivery = sent("msg_1").key("a");
    let event = accept(backend.inbox(), &delivery).await;
    let claimed = claim_with(backend, "1.0", 0).await;
    settle(backend, &claimed, dead_of("no lead 1"), 1).await;
    let no_lead = fingerprint(backend, event).await.unwrap();
    // The provider sends it again.
    let again = backend.inbox().accept(delivery.clone().received(50).incoming()).await.unwrap();
    assert_eq!((again.event, again.outcome), (event, Delivery::Revived));
    assert_eq!(backend.inbox().groups(Selection::default(), 9).await.unwrap().total, 0, "nothing is dead");
    assert_eq!(backend.inbox().list(Filter::dead()).await.unwrap(), []);
    let claimed = claim_with(backend, "2.0", 60).await;
    settle(backend, &claimed, dead_of("the CRM is down"), 61).await;
    let detail = backend.inbox().show(event).await.unwrap().unwrap();
    let down = Fingerprint::of("crm", DeadReason::Permanent, "the CRM is down");
    assert_eq!(detail.summary.fingerprint, Some(down.clone()));
    assert_ne!(down, no_lead);
    let handlers: Vec<_> = detail.attempts.iter().map(|attempt| attempt.handler.as_deref()).collect();
    assert_eq!(handlers, [Some("1.0 for crm"), Some("2.0 for crm")], "the history is kept");
    assert_eq!((detail.audit.len(), detail.audit[0].actor.as_str()), (1, "provider"));
    let dead_of = Selection { group: Some(no_lead), ..Selection::default() };
    assert_eq!(backend.inbox().preview(dead_of).await.unwrap(), Preview::default());
}

pub(crate) async fn what_expires_while_it_waits_dies_of_what_it_waited_for(backend: &mut Sqlite) {
    let policy =
        OrderPolicy { at_deadline: hookproof_consumer::ordering::AtDeadline::Dead, ..OrderPolicy::default() };
    backend.inbox().set_order(vec![(Arc::from("crm"), policy)]).await.unwrap();
    let event = accept(backend.inbox(), &sent("msg_1").key("a")).await;
    let claimed = claim_one(backend.inbox(), at(0)).await;
    settle(backend, &claimed, Outcome::NotReady { error: "no lead 17 yet".to_owned() }, 1).await;
    assert_eq!(backend.inbox().claim(9, LEASE, at(3_600_001)).await.unwrap().len(), 0);
    let expected = Fingerprint::of("crm", DeadReason::Deadline, "no lead 18 yet");
    assert_eq!(fingerprint(backend, event).await, Some(expected));
}

/// Ten dead letters that differ in everything, and one of each that is not dead.
async fn a_mixture(backend: &Sqlite) -> Vec<EventNo> {
    let mut dead = Vec::new();
    for n in 0..10_u64 {
        let kind = if n % 3 == 0 { "lead.created" } else { "lead.updated" };
        let source = if n % 2 == 0 { "crm" } else { "shop" };
        let delivery =
            sent(n).to(source).key(n % 4).received(n * 1_000).body(format!(r#"{{"type":"{kind}"}}"#));
        dead.push(if n == 9 {
            accept(backend.inbox(), &delivery.malformed("not JSON")).await
        } else {
            dies(backend, &delivery, if n < 5 { "down" } else { "up" }, 20_000).await
        });
    }
    let noise = dies(backend, &sent("discarded").key("another").received(1), "down", 1).await;
    backend.inbox().discard(noise, By::new("ann", "noise"), at(2)).await.unwrap();
    accept(backend.inbox(), &sent("pending").key("other")).await;
    dead
}

pub(crate) async fn a_selection_selects_the_same_everywhere(backend: &mut Sqlite) {
    let dead = a_mixture(backend).await;
    let any = Selection::default;
    let down = Fingerprint::of("crm", DeadReason::Permanent, "down");
    let selections = [
        (any(), (0..10).collect::<Vec<_>>()),
        (Selection { source: Some("crm".to_owned()), ..any() }, vec![0, 2, 4, 6, 8]),
        (Selection { reason: Some(DeadReason::Malformed), ..any() }, vec![9]),
        (Selection { group: Some(down.clone()), ..any() }, vec![0, 2, 4]),
        (Selection { event_type: Some("lead.created".to_owned()), ..any() }, vec![0, 3, 6, 9]),
        (Selection { ordering_key: Some("3".to_owned()), ..any() }, vec![3, 7]),
        (Selection { received_after: Some(at(7_000)), ..any() }, vec![7, 8, 9]),
        (Selection { received_before: Some(at(2_000)), ..any() }, vec![0, 1]),
        (Selection { received_after: Some(at(2_000)), group: Some(down), ..any() }, vec![2, 4]),
        (Selection { source: Some("' OR 1 --".to_owned()), ..any() }, vec![]),
    ];
    for (selection, expected) in selections {
        let inbox = backend.inbox();
        let expected: Vec<_> = expected.into_iter().map(|n: usize| dead[n]).collect();
        let filter = Filter::dead().selecting(selection.clone());
        let listed: Vec<_> =
            inbox.list(filter.clone()).await.unwrap().iter().map(|event| event.number).collect();
        assert_eq!(listed, expected, "{selection:?}");
        let read: Vec<_> =
            inbox.details(filter).await.unwrap().iter().map(|detail| detail.summary.number).collect();
        assert_eq!(read, expected, "{selection:?}");
        let preview = inbox.preview(selection.clone()).await.unwrap();
        assert_eq!((preview.total(), preview.last), (expected.len() as u64, expected.last().copied()));
        let grouped = inbox.groups(selection, 99).await.unwrap();
        assert_eq!(grouped.groups.iter().map(|group| group.events).sum::<u64>(), expected.len() as u64);
    }
}

pub(crate) async fn a_preview_counts_by_source_and_reason_and_says_what_was_overtaken(backend: &mut Sqlite) {
    a_mixture(backend).await;
    // A later event of the key 0 is applied: of 0, 4 and 8, all older, each source has its own key.
    let done = accept(backend.inbox(), &sent("late").key("0").occurred(90_000)).await;
    for claimed in backend.inbox().claim(9, LEASE, at(30_000)).await.unwrap() {
        settle(backend, &claimed, Outcome::Done, 30_000).await;
    }
    assert_eq!(backend.inbox().summary(done).await.unwrap().unwrap().state, State::Done);
    let entry = |source: &str, reason, events, overtaken| PreviewEntry {
        source: source.to_owned(),
        reason,
        events,
        overtaken,
    };
    let preview = backend.inbox().preview(Selection::default()).await.unwrap();
    assert_eq!(
        preview.entries,
        [
            entry("crm", DeadReason::Permanent, 5, 3),
            entry("shop", DeadReason::Malformed, 1, 0),
            entry("shop", DeadReason::Permanent, 4, 0)
        ]
    );
    assert_eq!((preview.total(), preview.overtaken()), (10, 3));
}

pub(crate) async fn a_page_with_bodies_ends_before_it_is_large(backend: &mut Sqlite) {
    // Bodies are no part of the limit on rows.
    for (n, bytes) in [PAGE_BYTES / 2, PAGE_BYTES / 2, 1, PAGE_BYTES + 1, 0].into_iter().enumerate() {
        accept(backend.inbox(), &sent(n).body(vec![b'x'; bytes]).malformed("no")).await;
    }
    let mut filter = Filter::dead();
    let mut pages = Vec::new();
    loop {
        let page = backend.inbox().details(filter.clone()).await.unwrap();
        let Some(last) = page.last() else { break };
        filter.after = Some(last.summary.number);
        pages.push(page.iter().map(|detail| detail.event.body.len()).collect::<Vec<_>>());
    }
    let half = PAGE_BYTES / 2;
    assert_eq!(pages, [vec![half, half], vec![1], vec![PAGE_BYTES + 1], vec![0]]);
}

pub(crate) async fn the_audit_log_is_listed_the_newest_first_and_filtered(backend: &mut Sqlite) {
    backend
        .inbox()
        .set_order(vec![(
            Arc::from("crm"),
            OrderPolicy { on_failure: OnFailure::Skip, ..OrderPolicy::default() },
        )])
        .await
        .unwrap();
    let first = dies(backend, &sent("a"), "down", 0).await;
    let second = dies(backend, &sent("b").to("shop"), "down", 0).await;
    let inbox = backend.inbox();
    inbox.replay(first, IfStale::FollowRule, By::new("ann", "CRM is back"), at(10)).await.unwrap();
    inbox.discard(second, By::new("bob", "noise"), at(20)).await.unwrap();
    let claimed = claim_one(inbox, at(30)).await;
    settle(backend, &claimed, dead_of("down"), 31).await;
    inbox.accept(sent("a").received(40).incoming()).await.unwrap();
    let list = async |filter: AuditFilter| {
        let page = inbox.audit(filter).await.unwrap();
        page.into_iter().map(|entry| (entry.event, entry.actor, entry.action)).collect::<Vec<_>>()
    };
    let line = |event, actor: &str, action: &str| (Some(event), actor.to_owned(), action.to_owned());
    let (revive, discard, replay) =
        (line(first, "provider", "revive"), line(second, "bob", "discard"), line(first, "ann", "replay"));
    let any = AuditFilter::default;
    let all = inbox.audit(any()).await.unwrap();
    assert_eq!(list(any()).await, [revive.clone(), discard.clone(), replay.clone()]);
    assert_eq!((all[1].at, all[1].source.as_deref(), all[1].why.as_str()), (at(20), Some("shop"), "noise"));
    let text = |text: &str| Some(text.to_owned());
    for (filter, expected) in [
        (AuditFilter { event: Some(first), ..any() }, vec![revive.clone(), replay.clone()]),
        (AuditFilter { source: text("shop"), ..any() }, vec![discard.clone()]),
        (AuditFilter { actor: text("ann"), ..any() }, vec![replay.clone()]),
        (AuditFilter { action: text("revive"), ..any() }, vec![revive.clone()]),
        (AuditFilter { since: Some(at(20)), ..any() }, vec![revive.clone(), discard.clone()]),
        (AuditFilter { until: Some(at(20)), ..any() }, vec![replay.clone()]),
        (AuditFilter { limit: 1, ..any() }, vec![revive]),
        (AuditFilter { before: Some(all[0].id), limit: 1, ..any() }, vec![discard]),
        (AuditFilter { actor: text("' OR 1 --"), ..any() }, vec![]),
    ] {
        assert_eq!(list(filter.clone()).await, expected, "{filter:?}");
    }
}
