use proptest::prelude::*;

use super::*;

/// What people will see grouped, by example.
#[test]
fn what_differs_from_event_to_event_is_taken_out() {
    for (error, expected) in [
        ("", ""),
        ("down", "down"),
        ("  the mailer\n is\tdown ", "the mailer is down"),
        ("no lead 17", "no lead #"),
        ("no lead L-17.", "no lead #."),
        ("lead 550e8400-e29b-41d4-a716-446655440000 is gone", "lead # is gone"),
        ("digest deadbeefcafe differs", "digest # differs"),
        ("a decade of facades", "a decade of facades"),
        ("unknown status \"won't\" of 'L-1'", "unknown status \"#\" of \"#\""),
        ("it doesn't know 'it doesn't'", "it doesn't know \"#\""),
        ("missing field `id` at line 3 column 41", "missing field \"#\" at line # column #"),
        ("a \"quote\\\" in a quote\" ends", "a \"#\" ends"),
        ("an open \"quote stays", "an open \"quote stays"),
        ("mail to ada@example.com bounced", "mail to # bounced"),
        ("cannot connect to 10.0.0.7:9000: refused", "cannot connect to #: refused"),
        ("[::1]:9000 refused", "[::#]:# refused"),
        ("GET https://crm.example/leads/seven?x=y failed", "GET # failed"),
        ("cannot read /var/lib/crm/lead", "cannot read #"),
        ("and/or", "and/or"),
        ("at 2026-11-20T18:03:11Z, after 1.5s", "at #, after #"),
        ("crm.example answered 503", "crm.example answered 503"),
        ("crm.example answered 404: {\"error\":\"no lead\"}", "crm.example answered 404: {\"#\":\"#\"}"),
        ("HTTP status: 422, code 17", "HTTP status: 422, code #"),
        ("answered 5034", "answered #"),
        ("line 503", "line #"),
        ("заявка 17 не найдена «Ада»", "заявка # не найдена \"#\""),
        ("number ٣٤", "number #"),
    ] {
        assert_eq!(normalised(error), expected, "{error}");
    }
}

/// Stored fingerprints must stay what they are: they are on operators' notes and in other people's databases.
#[test]
fn fingerprints_are_these_for_ever() {
    let of = |source, reason, error| Fingerprint::of(source, reason, error).to_string();
    assert_eq!(of("crm", DeadReason::AttemptsExhausted, "no lead 17"), "33265b89307cfa07");
    assert_eq!(of("crm", DeadReason::AttemptsExhausted, ""), "585c3619614ad5e2");
    assert_eq!(of("crm", DeadReason::Malformed, "not JSON"), "0a773da98c465d01");
}

#[test]
fn what_a_person_types_is_the_beginning_of_one() {
    let whole = Fingerprint::of("crm", DeadReason::Deadline, "no");
    assert_eq!(whole.as_str().parse(), Ok(whole.clone()));
    assert_eq!(whole.as_str().strip_prefix(whole.short()).map(str::len), Some(8));
    assert_eq!("AB".parse(), Ok(FingerprintPrefix("ab".to_owned())));
    for text in ["", "g", "ab%", "0123456789abcdef0", " ab", "é"] {
        assert_eq!(text.parse::<FingerprintPrefix>(), Err(NotAFingerprint), "{text}");
        assert_eq!(text.parse::<Fingerprint>(), Err(NotAFingerprint), "{text}");
    }
    assert_eq!("ab".parse::<Fingerprint>(), Err(NotAFingerprint));
}

fn reason() -> impl Strategy<Value = DeadReason> {
    prop::sample::select(DeadReason::ALL.to_vec())
}

/// What stands for an id, a number, an address.
fn varying() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9]{1,19}",
        "[A-Z]{1,4}-[0-9]{1,6}",
        "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}",
        "[a-f]{8,40}",
        "[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}:[0-9]{1,5}",
        "[a-z]{1,8}@[a-z]{1,8}\\.example",
        "https://[a-z]{1,8}\\.example/[a-z]{0,8}",
        "/[a-z]{1,8}/[a-z]{1,8}",
    ]
}

#[test]
fn long_errors_are_cut_between_characters() {
    assert_eq!(shortened("short"), "short");
    assert_eq!(shortened(&"é".repeat(1_500)).len(), 2_000);
    assert_eq!(shortened(&format!("x{}", "é".repeat(1_500))).len(), 1_999);
}

#[test]
fn what_is_not_kept_does_not_count() {
    let kept = "word ".repeat(400);
    let of = |error: &str| Fingerprint::of("crm", DeadReason::Permanent, error);
    assert_eq!(of(&kept), of(&format!("{kept}and another")));
    assert_ne!(of(&kept), of(&kept.replacen("word", "and another", 1)));
}

proptest! {
    /// However the failure's number, id or address reads, it is one failure; and another word is another one.
    #[test]
    fn the_same_failure_has_one_fingerprint(
        a in varying(), b in varying(), quoted_a in "[^'\"`\\\\]{0,20}", quoted_b in "[^'\"`\\\\]{0,20}", reason in reason(),
    ) {
        let text = |varying: &str, quoted: &str| format!("lead {varying} has no \"{quoted}\" (yet)");
        let first = Fingerprint::of("crm", reason, &text(&a, &quoted_a));
        prop_assert_eq!(&first, &Fingerprint::of("crm", reason, &text(&b, &quoted_b)));
        prop_assert_ne!(&first, &Fingerprint::of("crm", reason, &text(&a, &quoted_a).replace("lead", "deal")));
        prop_assert_ne!(&first, &Fingerprint::of("shop", reason, &text(&a, &quoted_a)));
    }

    /// Any text at all has a fingerprint, whose own text names it; source, reason and error cannot be mistaken for one another.
    #[test]
    fn any_text_has_a_fingerprint(source in any::<String>(), error in any::<String>(), reason in reason()) {
        let fingerprint = Fingerprint::of(&source, reason, &error);
        prop_assert_eq!(fingerprint.as_str().len(), DIGITS);
        prop_assert_eq!(fingerprint.as_str().parse(), Ok(fingerprint.clone()));
        prop_assert_ne!(fingerprint, Fingerprint::of(&format!("{source}x"), reason, &error));
        let text = normalised(&error);
        let outside = |text: &str| text.chars().filter(|c| c.is_numeric()).count();
        // Of numbers, only statuses are left: three digits after a word.
        prop_assert!(outside(&text) == 0 || STATUS_WORDS.iter().any(|word| text.to_ascii_lowercase().contains(word)), "{}", text);
    }
}
