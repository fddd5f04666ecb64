//! An outage behind a source, from the first dead letter until all is well again.

use super::service::{OLD, OTHER, Service, Target, lead, source};

#[test]
fn an_outage_pauses_its_source_until_a_person_has_seen_it() {
    let target = Target::saying(500);
    let sections = format!(
        "[dispatch]\nmax_attempts = 1\n[breaker]\nlast = 4\nmin_dead = 3\ndead_percent = 75\n{}{}",
        source("shop", &["old"], &target.forward()),
        source("crm", &["other"], "")
    );
    let service = Service::start(&sections);
    for n in 0..3 {
        assert_eq!(service.post("shop", OLD, &lead(n)), 200);
        service.reaches("shop", "dead", n + 1);
    }
    let line = service.says("the breaker tripped");
    for part in
        ["ERROR", "hookproof source resume shop --why ..", "hookproof dlq list --source shop", "dead=3 of=3"]
    {
        assert!(line.contains(part), "{line}\nlacks: {part}");
    }
    for n in 3..8 {
        assert_eq!(service.post("shop", OLD, &lead(n)), 200, "accepting goes on");
    }
    assert_eq!(service.post("crm", OTHER, &lead(0)), 200);
    service.reaches("crm", "done", 1);
    assert_eq!((service.events("shop", "pending"), target.posts()), (5, 3), "nothing more was posted");
    let status = service.source("shop");
    assert_eq!((&status["state"], &status["paused_by"]), (&"tripped".into(), &"breaker".into()), "{status}");
    assert!(service.prints(&["status"]).contains("by its breaker: 3 of its last 3 events died within 600 s"));

    target.say(204);
    let replayed = service.command(&["dlq", "replay", "--all", "--source", "shop"]);
    let told = String::from_utf8_lossy(&replayed.stderr);
    assert!(replayed.status.success() && told.contains("To go on: `hookproof source resume shop"), "{told}");
    // A new configuration is no acknowledgement, nor is a replay.
    service.hang_up();
    service.says("reloaded: nothing changed");
    assert_eq!((service.events("shop", "pending"), target.posts()), (8, 3));
    service.prints(&["source", "resume", "shop", "--why", "the target is back"]);
    service.reaches("shop", "done", 8);
    assert!(!service.prints(&["source", "list"]).contains("paused"));
    assert_eq!(target.posts(), 11);
    service.stop();
}
