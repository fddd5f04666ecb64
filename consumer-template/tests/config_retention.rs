//! How long things are kept: what the configuration may say of it, and what it means.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::time::Duration;

use hookproof_consumer::config::Config;
use hookproof_consumer::inbox::Keep;

/// `crm` has a signed timestamp, `hub` an event time and retries for long, `git` nothing that makes a delivery too old.
fn text(retention: &str, crm: &str, hub: &str, git: &str) -> String {
    format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[retention]\n{retention}\n\
         [sources.crm]\npath = \"/crm\"\nscheme = \"slack\"\n{crm}\n\
         keys = [{{ id = \"k\", value = \"b7f1c0d94e2a4f6f8a3b5c7d9e1f2a3b\" }}]\n\
         [sources.hub]\npath = \"/hub\"\nscheme = \"megatronlead\"\n{hub}\n\
         keys = [{{ id = \"k\", value = \"0c9e8d7b6a5f4e3d2c1b0a9f8e7d6c5b\" }}]\n\
         [sources.git]\npath = \"/git\"\nscheme = \"github\"\n{git}\n\
         keys = [{{ id = \"k\", value = \"5d1f0e8a7c3b49d2a6e4f1b09c8d7e6f\" }}]\n"
    )
}

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(text, Path::new("hookproof.toml")).map_err(|error| error.to_string())
}

fn kept(config: &Config, source: &str) -> Keep {
    config.retention.sources.iter().find(|(name, _)| name.as_ref() == source).unwrap().1
}

fn days(days: u64) -> Duration {
    Duration::from_secs(days * 86_400)
}

#[track_caller]
fn assert_refused(text: &str, wanted: &[&str]) {
    let message = parse(text).expect_err(text);
    for part in wanted {
        assert!(message.contains(part), "{text}\n  says: {message}\n  lacks: {part}");
    }
}

#[test]
fn thirty_days_unless_something_else_is_said() {
    let config = parse(&text("", "", "", "")).unwrap();
    let crm = kept(&config, "crm");
    assert_eq!((crm.payload, crm.replay_key, crm.position), (days(30), Some(days(30)), days(30)));
    assert_eq!(config.retention.deliveries, days(30));
    assert_eq!(config.retention.others.replay_key, None, "nobody knows what those sources were");
}

/// What nothing refuses for its age is known by its replay key alone: forgetting that would be to let it in again.
#[test]
fn where_nothing_becomes_too_old_replay_keys_are_kept_unless_the_source_says_otherwise() {
    let config = parse(&text("replay_key_days = 40", "", "", "")).unwrap();
    assert_eq!(kept(&config, "git").replay_key, None);
    assert_eq!(kept(&config, "crm").replay_key, Some(days(40)));
    let config = parse(&text("", "", "", "retention = { replay_key_days = 60 }")).unwrap();
    assert_eq!(kept(&config, "git").replay_key, Some(days(60)));
}

#[test]
fn a_source_may_keep_shorter_or_longer_than_the_others() {
    let own = "retention = { payload_days = 0, replay_key_days = 31 }";
    let config = parse(&text("payload_days = 7", own, "", "")).unwrap();
    assert_eq!((kept(&config, "crm").payload, kept(&config, "hub").payload), (days(0), days(7)));
    assert_eq!(
        (kept(&config, "crm").replay_key, kept(&config, "hub").replay_key),
        (Some(days(31)), Some(days(30)))
    );
}

#[test]
fn a_retention_shorter_than_what_can_still_come_is_refused_by_its_field() {
    // 24 h of retries, 5 minutes on either side, and a day.
    let fits = "payload_days = 1\ndelivery_days = 1\nreplay_key_days = 30";
    let hub = |days: u32| text(fits, "", &format!("retention = {{ replay_key_days = {days} }}"), "");
    parse(&hub(3)).unwrap();
    let wanted =
        ["sources.hub.retention.replay_key_days", "2 days are less than", "give at least 3", "done twice"];
    assert_refused(&hub(2), &wanted);
    // A longer tolerance asks for more.
    let tolerant = "tolerance_seconds = 864000\nretention = { replay_key_days = 10 }";
    assert_refused(
        &text(fits, "", tolerant, ""),
        &["sources.hub.retention.replay_key_days", "tolerance_seconds", "at least 12"],
    );
    // What is said for all is named as such. Who does not publish how long it retries is taken for the longest.
    let short = "payload_days = 1\ndelivery_days = 1\nreplay_key_days = 1";
    assert_refused(&text(short, "", "", ""), &["retention.replay_key_days", "of source 'crm'"]);
    // And where the keys are kept for ever only because nothing was said.
    let git = "retention = { replay_key_days = 1 }";
    assert_refused(&text(fits, "", "", git), &["sources.git.retention.replay_key_days", "may send again"]);
}

#[test]
fn what_goes_later_than_its_event_is_refused() {
    assert_refused(
        &text("payload_days = 31", "", "", ""),
        &["retention.payload_days", "31 days are more than the 30", "retention.replay_key_days"],
    );
    assert_refused(
        &text("delivery_days = 31", "", "", ""),
        &["retention.delivery_days", "31 days are more than the 30"],
    );
    parse(&text("payload_days = 31\ndelivery_days = 31\nreplay_key_days = 31", "", "", "")).unwrap();
}

#[test]
fn numbers_out_of_range_and_unknown_fields_are_refused() {
    for (retention, field) in [
        ("payload_days = 3654", "retention.payload_days"),
        ("replay_key_days = 0", "retention.replay_key_days"),
        ("delivery_days = 0", "retention.delivery_days"),
        ("replay_key_days = 4294967295", "retention.replay_key_days"),
    ] {
        assert_refused(&text(retention, "", "", ""), &[field, "choose between"]);
    }
    assert_refused(&text("paylod_days = 1", "", "", ""), &["unknown field"]);
    let store = |bytes: u64| {
        text("", "", "", "").replace("[retention]", &format!("[store]\nmax_bytes = {bytes}\n[retention]"))
    };
    assert_refused(&store(16 * 1024 * 1024 - 1), &["store.max_bytes", "16777216"]);
    assert_eq!(parse(&store(16 * 1024 * 1024)).unwrap().store.max_bytes, Some(16 * 1024 * 1024));
}

/// What is released from quarantine is judged at the clock of its receipt: its event must still be known then.
#[test]
fn replay_keys_outlive_what_a_quarantine_may_still_release() {
    let held = "quarantine = { max_age_days = 30 }";
    let needed =
        ["retention.replay_key_days", "source 'crm'", "the 30 days of its quarantine", "give at least 32"];
    assert_refused(&text("replay_key_days = 31", held, "", ""), &needed);
    let config = parse(&text("replay_key_days = 32", held, "", "")).unwrap();
    assert_eq!(kept(&config, "crm").replay_key, Some(days(32)));
    assert!(parse(&text("replay_key_days = 30", "", "", "")).is_ok());
}
