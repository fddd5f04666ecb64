//! The verdict is the verifier's, time is measured, and the work is bounded.

use std::time::Duration;

use hookproof::explain::{CauseKind, Explainer, MAX_BODY_BYTES, MAX_TRIES, Verdict};
use hookproof::{Freshness, Key, Refusal, Scheme, UnixTime, Window, schemes};

use super::delivery::{Delivery, NOW, assert_recomputed, assert_seen, minutes, presets};

#[test]
fn what_is_accepted_is_accepted() {
    let mut count = 0;
    for scheme in presets() {
        let explanation = Delivery::of(&scheme).explain();
        assert_eq!(explanation.verdict, Verdict::Accepted, "{}\n{explanation}", scheme.name());
        assert_eq!((explanation.reason, explanation.key_id.as_deref()), (None, Some("k")));
        assert!(explanation.causes.is_empty() && explanation.tries == 0, "{explanation}");
        let ahead = explanation.time.is_some_and(|time| time.in_the_future);
        assert!(!ahead, "now is not later than now");
        count += 1;
    }
    assert!(count >= 35, "{count}");
}

#[test]
fn another_secret_is_the_last_explanation() {
    for scheme in presets() {
        let mut delivery = Delivery::of(&scheme);
        delivery.key = super::delivery::key_text(scheme.key_format()).replace(['4', 'Z', 'N'], "5");
        let explanation = delivery.explain();
        assert_eq!(explanation.reason, Some("signature_mismatch"), "{}", scheme.name());
        assert!(!explanation.is_proven(), "{}\n{explanation}", scheme.name());
        assert!(explanation.next_steps[0].contains("the secret is probably another one"), "{explanation}");
        assert!(explanation.next_steps[0].contains(&format!("None of {} explanations", explanation.tries)));
        assert!(
            explanation.tries > 200 && explanation.tries <= MAX_TRIES,
            "{}: {}",
            scheme.name(),
            explanation.tries
        );
    }
}

#[test]
fn a_distance_in_time_is_measured_both_ways() {
    let mut count = 0;
    for scheme in presets() {
        let (Freshness::SignedTimestamp { window, .. } | Freshness::EventTime { window, .. }) =
            scheme.freshness().clone()
        else {
            continue;
        };
        let (past, future) = (window.past.as_secs(), window.future.as_secs());
        for (by, beyond, reason) in [
            (i64::try_from(past).unwrap() + 7, past + 7, Refusal::TimestampTooOld),
            (-i64::try_from(future).unwrap() - 7, future + 7, Refusal::TimestampTooNew),
        ] {
            let mut delivery = Delivery::of(&scheme);
            delivery.late(by);
            let explanation = delivery.explain();
            assert_eq!(explanation.reason, Some(reason.code()), "{}", scheme.name());
            assert_seen(scheme.name(), &explanation, CauseKind::OutsideWindow);
            assert!(
                explanation.causes[0].finding.contains(&format!("tolerance of {beyond} s")),
                "{explanation}"
            );
            assert_eq!(explanation.key_id.as_deref(), Some("k"), "the signature is right, and said to be");
            let time = explanation.time.unwrap();
            assert_eq!((time.distance_ms, time.in_the_future, time.inside), (beyond * 1000, by < 0, false));
            // The tolerance that is named does.
            let wide = Window::symmetric(Duration::from_secs(beyond));
            assert!(
                delivery.explain_with(&delivery.explainer().window(wide)).is_accepted(),
                "{}",
                scheme.name()
            );
            count += 1;
        }
    }
    assert!(count >= 30, "{count}");
}

#[test]
fn a_time_zone_is_named() {
    for (hours, wanted) in [(2, CauseKind::TimeZone), (-5, CauseKind::TimeZone)] {
        let mut delivery = Delivery::of(&schemes::stripe());
        delivery.late(hours * 3600 + 3);
        let explanation = delivery.explain();
        assert_seen("a zone", &explanation, wanted);
        assert_eq!(explanation.causes[1].kind, CauseKind::OutsideWindow, "{explanation}");
    }
    let mut delivery = Delivery::of(&schemes::stripe());
    delivery.late(2 * 3600 + 400);
    assert_seen("no zone", &delivery.explain(), CauseKind::OutsideWindow);
}

/// What is late and altered besides is told as both.
#[test]
fn a_late_delivery_with_another_fault_names_both() {
    let mut delivery = Delivery::of(&schemes::slack());
    delivery.body.push(b'\n');
    delivery.late(1000);
    let explanation = delivery.explain();
    let kinds: Vec<_> = explanation.causes.iter().map(|cause| cause.kind).collect();
    assert_eq!(kinds, [CauseKind::BodyEdges, CauseKind::OutsideWindow], "{explanation}");
}

#[test]
fn refusals_that_need_no_signature_are_seen() {
    let mut stamped = Delivery::of(&schemes::slack());
    stamped.header("x-slack-request-timestamp", "yesterday");
    assert_seen("unreadable", &stamped.explain(), CauseKind::MalformedTimestamp);
    stamped.headers.remove("x-slack-request-timestamp");
    assert_seen("absent", &stamped.explain(), CauseKind::MalformedTimestamp);

    let mut named = Delivery::of(&schemes::standard_webhooks());
    named.header("webhook-id", "a.b");
    assert_seen("id", &named.explain(), CauseKind::MalformedId);

    let undated = Delivery::with_body(&schemes::klozeo(), b"{\"event\":\"x\"}");
    assert_eq!(undated.explain().reason, Some("missing_timestamp"));
    assert_seen("undated", &undated.explain(), CauseKind::MalformedTimestamp);
    assert!(undated.explain_with(&undated.explainer().accept_undated()).is_accepted());
    let form = Delivery::with_body(&schemes::klozeo(), b"event=x");
    assert_seen("no JSON", &form.explain(), CauseKind::MalformedBody);

    // Where the time is optional, none is no fault.
    let undated = Delivery::with_body(&schemes::klozeo_guide(), b"{\"event\":\"x\"}");
    let explanation = undated.explain_with(&undated.explainer().accept_undated().body_limit(3));
    let kinds: Vec<_> = explanation.causes.iter().map(|cause| cause.kind).collect();
    assert_eq!(kinds, [CauseKind::BodyLimit], "{explanation}");

    let large = Delivery::of(&schemes::github());
    let explanation = large.explain_with(&large.explainer().body_limit(10));
    assert_eq!(explanation.reason, Some("body_too_large"));
    assert_seen("limit", &explanation, CauseKind::BodyLimit);

    let mut many = Delivery::of(&schemes::stripe());
    many.set_signature(&format!("t=1700000000{}", ",v1=00".repeat(9)));
    assert_eq!(many.explain().reason, Some("too_many_signatures"));
    assert_seen("many", &many.explain(), CauseKind::MalformedHeader);
}

#[test]
fn a_set_up_that_cannot_work_says_why() {
    let delivery = Delivery::of(&schemes::github());
    let explanation = delivery.explain_with(&Explainer::new(schemes::github()));
    assert_eq!(explanation.verdict, Verdict::Misconfigured);
    assert!(explanation.configuration.as_ref().unwrap().contains("no key"), "{explanation}");
    assert_seen("no key", &explanation, CauseKind::Configuration);
    let explanation = delivery.explain_with(&delivery.explainer().window(Window::symmetric(minutes(5))));
    assert!(explanation.configuration.unwrap().contains("no timestamp"));
}

/// Many headers and keys, and a URL besides.
#[test]
fn the_work_is_bounded() {
    let mut delivery = Delivery::of(&schemes::hubspot_v3());
    delivery.body.push(b'x');
    for n in 0..60 {
        delivery.header(&format!("x-sig-{n}"), &format!("{n:064}"));
    }
    let keys = (0..2).map(|n| Key::new(format!("k{n}"), format!("Yet-another-secret-number-{n}")));
    let explainer = Explainer::new(schemes::hubspot_v3()).keys(keys).public_url("https://hooks.example.com");
    let explanation = delivery.explain_with(&explainer);
    assert_eq!(explanation.tries, MAX_TRIES);
    assert!(explanation.cut_short && !explanation.is_proven(), "{explanation}");
    assert!(explanation.to_string().contains("a limit ended the search"));
}

#[test]
fn a_body_beyond_the_limit_is_not_varied() {
    for (length, varied) in [(MAX_BODY_BYTES, true), (MAX_BODY_BYTES + 1, false)] {
        let sent = vec![b' '; length - 1];
        let mut delivery = Delivery::with_body(&schemes::github(), &sent);
        delivery.body.push(b'\n');
        let explanation = delivery.explain_with(&delivery.explainer().body_limit(2 * MAX_BODY_BYTES));
        assert_eq!(explanation.is_proven(), varied, "{length}: {explanation}");
        let told = explanation.next_steps.iter().any(|step| step.contains("was not varied"));
        assert_eq!(told, !varied, "{explanation}");
    }
}

/// Hostile requests: nothing panics, and nothing is accepted.
#[test]
fn no_request_makes_it_panic() {
    let values: [&[u8]; 8] =
        [b"", b"=", b",", b"t=,v1=", b"\xff\xfe", b"sha256=", b"v1,", b"t=99999999999999999999,v1=00"];
    let bodies: [&[u8]; 6] = [b"", b"{", b"\xef\xbb\xbf", b"\x1f\x8b\x08", b"[[[[", b"\"\\ud800\""];
    let paths = ["", "/", "*", "%", "?", "//x//", "/%zz"];
    for (number, scheme) in presets().enumerate() {
        // Each value with every fourth preset, which are enough of every kind.
        for (n, value) in values.iter().enumerate().filter(|(n, _)| n % 4 == number % 4) {
            let mut delivery = Delivery::of(&scheme);
            let name = http::HeaderName::try_from(delivery.signature_name()).unwrap();
            delivery.headers.insert(name, http::HeaderValue::from_bytes(value).unwrap());
            delivery.header("content-length", "18446744073709551616");
            delivery.header("host", "[::1");
            delivery.header("x-forwarded-host", ",");
            delivery.body = bodies[n % bodies.len()].to_vec();
            delivery.path_and_query = paths[n % paths.len()].to_owned();
            delivery.public_url = "https://h".into();
            delivery.now = if n % 2 == 0 { UnixTime::from_millis(u64::MAX) } else { UnixTime::from_secs(0) };
            let explanation = delivery.explain();
            assert!(!explanation.is_accepted(), "{explanation}");
        }
    }
    assert!(Scheme::all().count() >= 35 && NOW.as_secs() > 0);
    let mut delivery = Delivery::of(&schemes::stripe());
    delivery.body.push(b' ');
    assert_recomputed("the control", &delivery.explain(), CauseKind::BodyEdges);
}
