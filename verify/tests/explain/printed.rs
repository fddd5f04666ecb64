//! How an explanation reads, and what a script finds in it.

use hookproof::explain::CauseKind;
use hookproof::schemes;

use super::delivery::Delivery;

#[test]
fn an_accepted_delivery_is_said_in_one_word() {
    let explanation = Delivery::of(&schemes::github()).explain();
    assert_eq!(explanation.to_string(), "accepted\n\npreset   github\nkey      k");
}

#[test]
fn a_late_delivery_reads_like_this() {
    let mut delivery = Delivery::of(&schemes::stripe());
    delivery.late(365);
    let explanation = delivery.explain();
    let [cause] = &explanation.causes[..] else { panic!("{explanation}") };
    let wanted = format!(
        "refused: timestamp_too_old\n\n\
         preset   stripe\nkey      k\n\
         time     2023-11-14T22:13:20Z, 6 min 5 s before the receipt: \
         outside the window of 5 min back and 5 min ahead\n\n\
         1. outside_window (seen, not recomputed)\n   {}\n   What to do: {}\n\n\
         1 explanation tried.",
        cause.finding, cause.remedy
    );
    assert_eq!(explanation.to_string(), wanted);
    assert!(!explanation.is_proven(), "what is seen is no proof");
}

#[test]
fn causes_are_numbered() {
    let mut delivery = Delivery::of(&schemes::stripe());
    delivery.late(365);
    delivery.body.push(b'\n');
    let explanation = delivery.explain();
    let [first, second] = &explanation.causes[..] else { panic!("{explanation}") };
    let wanted = format!(
        "\n\n1. body_edges (the signature holds with this changed)\n   {}\n   What to do: {}\n\n\
         2. outside_window (seen, not recomputed)\n   {}\n   What to do: {}\n\n{} explanations tried.",
        first.finding, first.remedy, second.finding, second.remedy, explanation.tries
    );
    assert!(explanation.to_string().ends_with(&wanted), "{explanation}");
    assert!(explanation.is_proven());
}

#[test]
fn what_stays_unexplained_ends_in_advice() {
    let mut delivery = Delivery::of(&schemes::github());
    delivery.sign(&schemes::github(), "another secret of more than sixteen bytes");
    let explanation = delivery.explain();
    assert!(explanation.cut_short && explanation.causes.is_empty() && explanation.next_steps.len() > 2);
    let wanted = format!(
        "refused: signature_mismatch\n\npreset   github\n\nNext:\n- {}\n\n\
         {} explanations tried, then a limit ended the search.",
        explanation.next_steps.join("\n- "),
        explanation.tries
    );
    assert_eq!(explanation.to_string(), wanted);
}

#[test]
fn a_set_up_that_cannot_work_is_said_first() {
    let mut delivery = Delivery::of(&schemes::github());
    delivery.key = "short".to_owned();
    let explanation = delivery.explain();
    let problem = explanation.configuration.clone().unwrap();
    let wanted = format!("misconfigured: {problem}\n\npreset   github\n\n1. ");
    assert!(explanation.to_string().starts_with(&wanted), "{explanation}");
}

/// Two units at most, and none that is zero.
#[test]
fn a_span_of_time_is_for_people() {
    let mut delivery = Delivery::of(&schemes::stripe());
    delivery.late(365);
    let mut time = delivery.explain().time.unwrap();
    for (millis, wanted) in [
        (0, "0 ms"),
        (999, "999 ms"),
        (1_000, "1 s"),
        (59_999, "59 s"),
        (60_000, "1 min"),
        (3_599_000, "59 min 59 s"),
        (3_600_000, "1 h"),
        (3_661_000, "1 h 1 min"),
        (86_399_000, "23 h 59 min"),
        (86_400_000, "1 d"),
        (86_460_000, "1 d"),
        (2_678_399_000, "30 d 23 h"),
    ] {
        time.distance_ms = millis;
        let shown = time.to_string();
        let stated = "2023-11-14T22:13:20Z, ";
        let window = " before the receipt: outside the window of 5 min back and 5 min ahead";
        assert_eq!(shown, format!("{stated}{wanted}{window}"), "{millis}");
    }
    (time.in_the_future, time.inside, time.allowed_future_ms) = (true, true, 1_000);
    let wanted =
        "2023-11-14T22:13:20Z, 30 d 23 h after the receipt: inside the window of 5 min back and 1 s ahead";
    assert_eq!(time.to_string(), wanted);
}

#[test]
fn a_kind_is_its_code() {
    for (kind, code) in [
        (CauseKind::OutsideWindow, "outside_window"),
        (CauseKind::BodyEdges, "body_edges"),
        (CauseKind::UrlScheme, "url_scheme"),
    ] {
        assert_eq!((kind.code(), kind.to_string().as_str()), (code, code));
    }
}
