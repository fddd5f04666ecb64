//! Keys that come and go: validity, replacement without a restart, and what was used when.

#![cfg(test)]

#[path = "support/sources.rs"]
mod sources;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use hookproof::{
    ConfigError, Key, KeyUse, MAX_KEYS, Outgoing, Refusal, RequestView, Signer, UnixTime, Verifier, schemes,
};
use http::HeaderMap;

const NOW: UnixTime = UnixTime::from_millis(1_700_000_000_123);
const BODY: &[u8] = br#"{"zen":"Design for failure."}"#;

const OLD: &str = "the old secret of more than sixteen bytes";
const NEW: &str = "the new secret of more than sixteen bytes";

fn verifier(keys: impl IntoIterator<Item = Key>) -> Verifier {
    Verifier::builder(schemes::github()).keys(keys).build().unwrap()
}

fn signed_with(text: &str) -> HeaderMap {
    Signer::new(&schemes::github(), &Key::new("sender", text)).unwrap().sign(&Outgoing::new(BODY)).unwrap()
}

/// The id of the key that verified.
fn verdict(verifier: &Verifier, headers: &HeaderMap, now: UnixTime) -> Result<String, Refusal> {
    let at_once = verifier.verify(headers, BODY, now).map(|proof| proof.key_id().to_owned());
    let mut pending = verifier.begin(RequestView::from(headers), now).unwrap();
    BODY.chunks(5).for_each(|piece| pending.update(piece).unwrap());
    let by_and_by = pending.finish().map(|proof| proof.key_id().to_owned());
    assert_eq!(at_once, by_and_by, "the doors disagree");
    at_once
}

fn millis(offset: i64) -> UnixTime {
    UnixTime::from_millis(NOW.as_millis().checked_add_signed(offset).unwrap())
}

#[test]
fn a_key_counts_from_its_first_moment_to_its_last() {
    let (first, last) = (millis(-1000), millis(1000));
    let both = verifier([Key::new("k1", OLD).not_before(first).not_after(last)]);
    let from = verifier([Key::new("k1", OLD).not_before(first)]);
    let until = verifier([Key::new("k1", OLD).not_after(last)]);
    let headers = signed_with(OLD);
    for (offset, is_after_first, is_before_last) in
        [(-1001, false, true), (-1000, true, true), (0, true, true), (1000, true, true), (1001, true, false)]
    {
        // A key that does not count is not told apart from one that never was.
        let wanted =
            |counts: bool| if counts { Ok("k1".to_owned()) } else { Err(Refusal::SignatureMismatch) };
        let now = millis(offset);
        assert_eq!(verdict(&both, &headers, now), wanted(is_after_first && is_before_last), "{offset}");
        assert_eq!(verdict(&from, &headers, now), wanted(is_after_first), "{offset}, no end");
        assert_eq!(verdict(&until, &headers, now), wanted(is_before_last), "{offset}, no beginning");
    }
}

/// Every door and every kind of signature asks for the validity: a token, items in the body, a public key.
#[test]
fn a_validity_counts_for_every_kind_of_signature() {
    for name in ["github", "gitlab-token", "twilio", "adyen-payments", "sendgrid", "plaid"] {
        let scheme = hookproof::Scheme::by_name(name).unwrap();
        if sources::OF_PUBLIC_KEYS.contains(&name) && cfg!(not(feature = "asymmetric")) {
            continue;
        }
        let now = sources::at(sources::NOW);
        let source = sources::Source::named(name);
        let (headers, body) =
            source.delivery(&sources::body(sources::NOW, "evt_1", ""), "evt_1", sources::NOW);
        let key = || sources::keys(&scheme).1;
        for (key, wanted) in [
            (key().not_before(now).not_after(now), Ok(())),
            (key().not_after(millis_before(now)), Err(Refusal::SignatureMismatch)),
            (key().not_before(millis_after(now)), Err(Refusal::SignatureMismatch)),
        ] {
            let verifier = sources::builder(&scheme).key(key).build().unwrap();
            assert_eq!(verifier.verify(&headers, &body[..], now).map(drop), wanted, "{name}");
            let mut pending = verifier.begin(RequestView::from(&headers), now).unwrap();
            pending.update(&body).unwrap();
            assert_eq!(pending.finish().map(drop), wanted, "{name}, in pieces");
        }
    }
}

fn millis_before(now: UnixTime) -> UnixTime {
    UnixTime::from_millis(now.as_millis() - 1)
}

fn millis_after(now: UnixTime) -> UnixTime {
    UnixTime::from_millis(now.as_millis() + 1)
}

/// The grace of a rotation: both, then the new one alone.
#[test]
fn an_old_and_a_new_key_overlap() {
    let ring = verifier([Key::new("old", OLD).not_after(millis(500)), Key::new("new", NEW).not_before(NOW)]);
    let id = |text, offset| verdict(&ring, &signed_with(text), millis(offset));
    assert_eq!(id(OLD, -1), Ok("old".to_owned()));
    assert_eq!(id(NEW, -1), Err(Refusal::SignatureMismatch), "not yet");
    for offset in [0, 500] {
        assert_eq!(id(OLD, offset), Ok("old".to_owned()), "{offset}");
        assert_eq!(id(NEW, offset), Ok("new".to_owned()), "{offset}");
    }
    assert_eq!(id(OLD, 501), Err(Refusal::SignatureMismatch), "no longer");
    assert_eq!(id(NEW, 501), Ok("new".to_owned()));
}

#[test]
fn a_validity_has_a_beginning_before_its_end() {
    let build = |key| Verifier::builder(schemes::github()).key(key).build().map(drop);
    let key = || Key::new("k1", OLD);
    let error = build(key().not_before(NOW).not_after(millis(-1))).unwrap_err();
    assert_eq!(error, ConfigError::KeyValidity { id: "k1".into() });
    assert_eq!(error.to_string(), "key 'k1' is valid at no time: its not_after lies before its not_before");
    assert_eq!(build(key().not_before(NOW).not_after(NOW)), Ok(()), "one millisecond is some time");
    let replaced = verifier([key()]).replace_keys([key().not_before(NOW).not_after(millis(-1))]);
    assert_eq!(replaced, Err(ConfigError::KeyValidity { id: "k1".into() }));
}

#[test]
fn a_swap_holds_at_once_and_for_all_clones() {
    let verifier = verifier([Key::new("old", OLD)]);
    let clone = verifier.clone();
    let (old, new) = (signed_with(OLD), signed_with(NEW));
    assert_eq!(verdict(&clone, &new, NOW), Err(Refusal::SignatureMismatch), "the control");
    verifier.replace_keys([Key::new("new", NEW)]).unwrap();
    for verifier in [&verifier, &clone] {
        assert_eq!(verdict(verifier, &old, NOW), Err(Refusal::SignatureMismatch));
        assert_eq!(verdict(verifier, &new, NOW), Ok("new".to_owned()));
        assert_eq!(verifier.keys().ids().collect::<Vec<_>>(), ["new"]);
    }
}

#[test]
fn a_request_that_has_begun_keeps_its_keys() {
    let verifier = verifier([Key::new("old", OLD)]);
    let begin = |text| verifier.begin(RequestView::from(&signed_with(text)), NOW).unwrap();
    let (mut with_old, mut with_new) = (begin(OLD), begin(NEW));
    with_old.update(&BODY[..7]).unwrap();
    with_new.update(&BODY[..7]).unwrap();
    verifier.replace_keys([Key::new("new", NEW)]).unwrap();
    with_old.update(&BODY[7..]).unwrap();
    with_new.update(&BODY[7..]).unwrap();
    assert_eq!(with_old.finish().map(|proof| proof.key_id().to_owned()), Ok("old".to_owned()));
    assert_eq!(with_new.finish().unwrap_err(), Refusal::SignatureMismatch, "it began before the new key was");
    assert_eq!(verdict(&verifier, &signed_with(OLD), NOW), Err(Refusal::SignatureMismatch));
}

#[test]
fn a_swap_that_fails_changes_nothing() {
    let verifier = verifier([Key::new("old", OLD)]);
    let old = signed_with(OLD);
    verdict(&verifier, &old, NOW).unwrap();
    let before = verifier.keys().uses();
    let nine = (0..=MAX_KEYS).map(|n| Key::new(format!("k{n}"), format!("{NEW} {n}"))).collect::<Vec<_>>();
    for (keys, wanted) in [
        (vec![], ConfigError::NoKeys),
        (nine, ConfigError::TooManyKeys { count: 9, max: 8 }),
        (vec![Key::new("new", "")], ConfigError::EmptyKey { id: "new".into() }),
        (
            vec![Key::new("a", NEW), Key::new("b", NEW)],
            ConfigError::EqualKeys { first: "a".into(), second: "b".into() },
        ),
        (vec![Key::new("new", NEW), Key::new("new", OLD)], ConfigError::DuplicateKeyId { id: "new".into() }),
    ] {
        assert_eq!(verifier.replace_keys(keys), Err(wanted.clone()));
        assert_eq!(verifier.keys().uses(), before, "{wanted}");
        assert_eq!(verdict(&verifier, &signed_with(NEW), NOW), Err(Refusal::SignatureMismatch), "{wanted}");
    }
    assert_eq!(verdict(&verifier, &old, NOW), Ok("old".to_owned()));
}

fn uses(verifier: &Verifier) -> Vec<(String, u64, Option<u64>, Option<u64>)> {
    let each = |KeyUse { key_id, count, first, last }: KeyUse| {
        (key_id, count, first.map(UnixTime::as_millis), last.map(UnixTime::as_millis))
    };
    verifier.keys().uses().into_iter().map(each).collect()
}

#[test]
fn a_use_is_a_delivery_that_was_accepted() {
    let verifier = verifier([Key::new("old", OLD), Key::new("new", NEW)]);
    let unused = |id: &str| (id.to_owned(), 0, None, None);
    assert_eq!(uses(&verifier), [unused("old"), unused("new")]);
    let (old, stranger) = (signed_with(OLD), signed_with("a secret that nobody configured"));
    let verify = |headers: &HeaderMap, body: &[u8], now| verifier.verify(headers, body, now).map(drop);
    verify(&stranger, BODY, NOW).unwrap_err();
    verify(&old, b"another body", NOW).unwrap_err();
    verify(&HeaderMap::new(), BODY, NOW).unwrap_err();
    assert_eq!(uses(&verifier), [unused("old"), unused("new")], "a refusal is no use");

    let t = NOW.as_millis();
    for offset in [100, 300, 200, 50] {
        verify(&old, BODY, millis(offset)).unwrap();
    }
    let wanted = ("old".to_owned(), 4, Some(t + 50), Some(t + 300));
    assert_eq!(uses(&verifier), [wanted, unused("new")], "first and last are moments, whatever their order");
    let mut pending = verifier.begin(RequestView::from(&signed_with(NEW)), millis(7)).unwrap();
    pending.update(BODY).unwrap();
    assert_eq!(uses(&verifier)[1], unused("new"), "not before it is finished");
    pending.finish().unwrap();
    assert_eq!(uses(&verifier)[1], ("new".to_owned(), 1, Some(t + 7), Some(t + 7)));
}

/// What is refused after its signature held is no use either: another body behind a signed digest, a stale event.
#[test]
fn a_signature_that_holds_is_not_yet_a_use() {
    let scheme = schemes::klozeo();
    let key = Key::new("k1", OLD);
    let headers = |body: &[u8]| Signer::new(&scheme, &key).unwrap().sign(&Outgoing::new(body)).unwrap();
    let verifier = Verifier::builder(scheme.clone()).key(key.clone()).build().unwrap();
    let stale = sources::body(1_000_000_000, "evt_1", "");
    assert_eq!(verifier.verify(&headers(&stale), &stale, NOW).unwrap_err(), Refusal::TimestampTooOld);
    assert_eq!(verifier.keys().uses()[0].count, 0);
    let fresh = sources::body(sources::NOW, "evt_1", "");
    assert!(verifier.verify(&headers(&fresh), &fresh, NOW).is_ok());
    assert_eq!(verifier.keys().uses()[0].count, 1, "the control");
}

#[test]
fn counters_go_on_for_the_keys_that_stay() {
    let verifier = verifier([Key::new("old", OLD), Key::new("new", NEW)]);
    for text in [OLD, OLD, NEW] {
        verdict(&verifier, &signed_with(text), NOW).unwrap();
    }
    let counts = || uses(&verifier).into_iter().map(|(id, count, ..)| (id, count)).collect::<Vec<_>>();
    let is = |wanted: &[(&str, u64)]| {
        assert_eq!(counts(), wanted.iter().map(|(id, n)| ((*id).to_owned(), *n)).collect::<Vec<_>>());
    };
    is(&[("old", 4), ("new", 2)]);
    let replace = |keys: Vec<Key>| verifier.replace_keys(keys).unwrap();
    replace(vec![
        Key::new("new", NEW).not_after(millis(1000)),
        Key::new("newer", "yet another secret of bytes"),
    ]);
    is(&[("new", 2), ("newer", 0)]);
    verdict(&verifier, &signed_with(NEW), NOW).unwrap();
    is(&[("new", 4), ("newer", 0)]);
    // The same name for another secret is another key, and so is the same secret under another name.
    replace(vec![Key::new("new", OLD), Key::new("renamed", NEW)]);
    is(&[("new", 0), ("renamed", 0)]);
}

/// A request that began before the swap counts where its key went on counting.
#[test]
fn a_late_use_is_not_lost() {
    let verifier = verifier([Key::new("old", OLD)]);
    let mut pending = verifier.begin(RequestView::from(&signed_with(OLD)), NOW).unwrap();
    pending.update(BODY).unwrap();
    verifier.replace_keys([Key::new("old", OLD), Key::new("new", NEW)]).unwrap();
    pending.finish().unwrap();
    assert_eq!(verifier.keys().uses()[0].count, 1);
}

/// While keys are swapped each verdict is one that some ring gives: the key of both rings is always accepted, a
/// stranger's never, and the proof names a key by the id that it had in a ring.
#[test]
fn readers_see_one_ring_or_the_other() {
    let kept = "the kept secret of more than sixteen bytes";
    let rings = [[Key::new("kept", kept), Key::new("a", OLD)], [Key::new("b", NEW), Key::new("kept", kept)]];
    let verifier = verifier(rings[0].clone());
    let headers = [kept, OLD, NEW, "a secret that nobody configured"].map(signed_with);
    let (done, swaps, reads) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    let read = || {
        let mut seen = [false; 2];
        while !done.load(Ordering::Relaxed) || !seen.iter().all(|seen| *seen) {
            let id = |index: usize| {
                verifier.verify(&headers[index], BODY, NOW).map(|proof| proof.key_id().to_owned())
            };
            assert_eq!(id(0), Ok("kept".to_owned()));
            for (index, name) in [(1, "a"), (2, "b")] {
                match id(index) {
                    Ok(id) => {
                        assert_eq!(id, name);
                        seen[index - 1] = true;
                    }
                    Err(refusal) => assert_eq!(refusal, Refusal::SignatureMismatch),
                }
            }
            assert_eq!(id(3), Err(Refusal::SignatureMismatch));
            reads.fetch_add(1, Ordering::Relaxed);
        }
    };
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..3).map(|_| scope.spawn(read)).collect();
        // Swapping goes on until every reader has met both rings, and long enough to meet it within a request.
        while readers.iter().any(|reader| !reader.is_finished()) {
            let swap = swaps.fetch_add(1, Ordering::Relaxed);
            verifier.replace_keys(rings[(swap + 1) % 2].clone()).unwrap();
            done.store(swap > 2_000, Ordering::Relaxed);
        }
    });
    let (swaps, reads) = (swaps.into_inner(), reads.into_inner());
    let kept = verifier.keys().uses().into_iter().find(|key| key.key_id == "kept").unwrap();
    assert_eq!(kept.count, reads as u64, "no use is lost in {swaps} swaps");
}
