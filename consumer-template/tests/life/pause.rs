//! `hookproof source`, beside the server.

use super::service::{OLD, POLLS, Service, lead, source, wait};

#[test]
fn a_person_pauses_and_resumes_a_source_while_the_server_runs() {
    let sections = source("shop", &["old"], "");
    let service = Service::start(&sections);
    assert_eq!(service.post("shop", OLD, &lead(1)), 200);
    service.reaches("shop", "done", 1);
    let printed = service.prints(&["source", "pause", "shop", "--why", "the CRM moves"]);
    assert_eq!(printed, "shop paused\n");
    for n in 2..5 {
        assert_eq!(service.post("shop", OLD, &lead(n)), 200, "accepting goes on");
    }
    wait(POLLS);
    let status = service.source("shop");
    assert_eq!((&status["state"], &status["pending"]), (&"paused".into(), &3.into()), "{status}");
    assert_eq!((&status["paused_by"], &status["why"]), (&"ann".into(), &"the CRM moves".into()), "{status}");
    assert!(status["paused_since"].is_string() && status["oldest_pending"].is_string(), "{status}");

    let remedy = "by ann: the CRM moves. To go on: `hookproof source resume shop --why ..`";
    for command in [&["status"][..], &["source", "list"]] {
        assert!(service.prints(command).contains(remedy), "{command:?}");
    }
    assert!(service.prints(&["status", "--json"]).contains("\"state\":\"paused\""));

    for (arguments, wanted) in [
        (
            ["source", "pause", "shop", "--why", "x"],
            "error: source 'shop' is paused already, by ann: the CRM moves",
        ),
        (["source", "pause", "shpo", "--why", "x"], "error: there is no source 'shpo': choose one of shop"),
        (["source", "resume", "\x1b[2J", "--why", "x"], "error: there is no source '\\u{1b}[2J'"),
        (["source", "pause", "shop", "--why", ""], "a value is required for '--why"),
    ] {
        let output = service.command(&arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && error.contains(wanted), "{arguments:?}: {error}");
    }

    let service = service.restart(&sections);
    let reminder =
        "this source is paused until `hookproof source resume` source=\"shop\" pending=3 actor=\"ann\"";
    assert!(service.said().contains(reminder), "{}", service.said());
    wait(POLLS);
    assert_eq!(service.source("shop")["pending"], 3);
    let printed = service.prints(&["source", "resume", "shop", "--why", "it has moved"]);
    assert!(printed.starts_with("shop goes on; it was paused since 20"), "{printed}");
    service.reaches("shop", "done", 4);
    assert_eq!(service.source("shop")["state"], "active");
    assert!(!service.prints(&["status"]).contains("paused"));
    let output = service.command(&["source", "resume", "shop", "--why", "again"]);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "error: source 'shop' is not paused\n");
    service.stop();
}
