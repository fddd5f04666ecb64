//! SIGHUP: all of a new configuration, or nothing of it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use super::client::Client;
use super::service::{NEW, OLD, OTHER, POLLS, Service, Target, lead, request, source, wait};

#[test]
fn a_key_is_added_and_the_old_one_removed() {
    let service = Service::start(&source("shop", &["old"], ""));
    let posts = |n: u64| [OLD, NEW].map(|key| service.post("shop", key, &lead(n)));
    assert_eq!(posts(1), [200, 401]);
    service.reload(&source("shop", &["new", "old"], ""));
    service.says("reloaded: 1 source changed");
    assert_eq!(posts(2), [200, 200]);
    service.reload(&source("shop", &["new"], ""));
    service.says("reloaded: 1 source changed");
    assert_eq!(posts(3), [401, 200]);
    // The key in the file is another one, and the configuration says the same as before.
    std::fs::write(service.folder.path().join("new"), OTHER).unwrap();
    service.hang_up();
    service.says("reloaded: 1 source changed");
    assert_eq!((posts(4), service.post("shop", OTHER, &lead(4))), ([401, 401], 200));
    service.hang_up();
    service.says("reloaded: nothing changed");
    service.reaches("shop", "done", 4);
    service.stop();
}

/// Whatever is wrong, also beside what is right: nothing of it is taken over, and the log says where and what.
#[test]
fn a_configuration_that_does_not_hold_changes_nothing() {
    let shop = source("shop", &["old"], "");
    let service = Service::start(&shop);
    let good = source("shop", &["new"], "") + &source("crm", &["other"], "");
    let server = |line: &str| format!("[server]\n{line}\n{good}");
    let rows: [(String, &[&str]); 11] = [
        (good.replace("[sources.crm]", "[sources.crm"), &["hookproof.toml:"]),
        (good.replace("scheme = \"devsphere\"", "shceme = \"devsphere\""), &["unknown field `shceme`"]),
        (
            good.replace("file = \"other\"", "file = \"gone\""),
            &["sources.crm.keys", "key 'other': cannot read"],
        ),
        (
            good.replace("file = \"other\"", "env = \"HOOKPROOF_NOT_SET\""),
            &["set the environment variable HOOKPROOF_NOT_SET"],
        ),
        (good.replace("file = \"other\"", "file = \"new\""), &["sources.shop.keys", "is the same secret"]),
        (format!("[breaker]\nlast = 0\n{good}"), &["breaker.last", "choose between 1 and 1000"]),
        (
            format!("[dispatch]\nlease_seconds = 1\n{good}"),
            &["dispatch.lease_seconds", "not longer than dispatch.handler_timeout_seconds"],
        ),
        (
            server("listen = \"127.0.0.1:1\""),
            &[
                "server.listen: cannot change from 127.0.0.1:0 to 127.0.0.1:1 while the server runs: restart it, or put it back",
            ],
        ),
        (
            server("listen = \"127.0.0.1:0\"\nmax_connections = 9"),
            &["server.max_connections: cannot change from 4096 to 9"],
        ),
        (
            format!("[store]\npath = \"other.db\"\naccept_queue = 9\n[log]\nformat = \"json\"\n{good}"),
            &[
                "store.path",
                "store.accept_queue: cannot change from 4096 to 9",
                "log.format: cannot change from text to json",
            ],
        ),
        (String::new(), &["sources: there is none"]),
    ];
    for (sections, wanted) in rows {
        service.reload(&sections);
        let line = service.says("not reloaded: the configuration in use stays as it is");
        for part in wanted.iter().chain(&["ERROR"]) {
            assert!(line.contains(part), "{line}\nlacks: {part}\nfor: {sections}");
        }
        assert_eq!(service.post("shop", OLD, &lead(line.len())), 200, "{line}");
        assert_eq!(service.post("shop", NEW, &lead(0)), 401, "{line}");
        assert_eq!(service.post("crm", OTHER, &lead(0)), 404, "{line}");
    }
    std::fs::remove_file(service.folder.path().join("hookproof.toml")).unwrap();
    service.hang_up();
    assert!(service.says("not reloaded").contains("cannot read"));
    assert_eq!(service.post("shop", OLD, &lead("last")), 200);
    service.reload(&good);
    service.says("reloaded: 1 source changed, 1 added");
    assert_eq!((service.post("shop", OLD, &lead(0)), service.post("crm", OTHER, &lead(0))), (401, 200));
    service.stop();
}

/// A request is judged as it began; the next one on its connection as things are then.
#[test]
fn an_open_request_ends_under_the_configuration_that_it_began_with() {
    let service = Service::start(&(source("shop", &["old"], "") + &source("crm", &["other"], "")));
    let open = |source: &str, key: &str| {
        let mut stream = TcpStream::connect(service.address).unwrap();
        let whole = request(source, key, &lead(1));
        let (first, rest) = whole.split_at(whole.len() - 5);
        stream.write_all(first).unwrap();
        (stream, rest.to_vec())
    };
    let mut requests = [open("shop", OLD), open("crm", OTHER)];
    // Its head has arrived when another connection, opened later, was served.
    assert_eq!(service.post("shop", OLD, &lead(2)), 200);
    wait(Duration::from_millis(200));
    service.reload(&source("shop", &["new"], ""));
    service.says("reloaded: 1 source changed, 1 removed");
    let status = |stream: &mut TcpStream| {
        let mut answer = [0; 4096];
        let n = stream.read(&mut answer).unwrap();
        String::from_utf8_lossy(&answer[..n]).split(' ').nth(1).unwrap().parse::<u16>().unwrap()
    };
    for ((stream, rest), after) in requests.iter_mut().zip([401, 404]) {
        stream.write_all(rest).unwrap();
        assert_eq!(status(stream), 200, "begun before");
        let (source, key) = if after == 401 { ("shop", OLD) } else { ("crm", OTHER) };
        stream.write_all(&request(source, key, &lead(3))).unwrap();
        assert_eq!(status(stream), after, "begun after");
    }
    service.stop();
}

struct StopsOnDrop<'a>(&'a AtomicBool);

impl Drop for StopsOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

#[test]
fn no_request_is_refused_while_sources_and_keys_come_and_go_under_load() {
    let with = |keys: &[&str], more: &str| source("shop", keys, "") + more;
    let service = Service::start(&with(&["old"], ""));
    let stop = AtomicBool::new(false);
    // Each sends with a key that is configured all the time, on one connection; some on a new one each time.
    let provider = |who: u64, lasting: bool| {
        let mut client = Client::connect(service.address).unwrap();
        let mut posted = 0;
        while !stop.load(SeqCst) {
            if !lasting {
                client = Client::connect(service.address).unwrap();
            }
            let status = client.post(&request("shop", OLD, &lead(format_args!("{who}-{posted}")))).unwrap();
            assert_eq!(status, 200, "{posted} were taken before");
            posted += 1;
        }
        posted
    };
    let crm = source("crm", &["other"], "");
    let posted: u64 = std::thread::scope(|scope| {
        // Also if one of the rounds fails: else the others would post for ever.
        let stops = StopsOnDrop(&stop);
        let providers: Vec<_> = (0..4).map(|who| scope.spawn(move || provider(who, who < 2))).collect();
        for round in 0..10 {
            service.reload(&with(&["new", "old"], &crm));
            service.says("reloaded: 1 source changed, 1 added");
            assert_eq!(service.post("shop", NEW, &lead(format_args!("new-{round}"))), 200);
            assert_eq!(service.post("crm", OTHER, &lead(round)), 200);
            service.reload(&with(&["old"], ""));
            service.says("reloaded: 1 source changed, 1 removed");
            assert_eq!(service.post("shop", NEW, &lead(round)), 401);
            assert_eq!(service.post("crm", OTHER, &lead(round)), 404);
        }
        drop(stops);
        providers.into_iter().map(|provider| provider.join().unwrap()).sum()
    });
    println!("{posted} requests during 20 reloads");
    assert!(posted > 40, "{posted} are no load");
    service.reaches("shop", "done", posted + 10);
    service.reload(&with(&["old"], &crm));
    service.reaches("crm", "done", 10);
    service.stop();
}

#[test]
fn events_of_a_removed_source_wait_until_it_is_configured_again() {
    let target = Target::saying(204);
    let (shop, crm) = (source("shop", &["old"], &target.forward()), source("crm", &["other"], ""));
    let service = Service::start(&(shop.clone() + &crm));
    service.prints(&["source", "pause", "shop", "--why", "to have some that wait"]);
    for n in 0..3 {
        assert_eq!(service.post("shop", OLD, &lead(n)), 200);
    }
    service.reload(&crm);
    let line = service.says("this source is not configured any more");
    assert!(line.contains("WARN") && line.contains("source=\"shop\" pending=3 running=0"), "{line}");
    service.says("reloaded: 1 source removed");
    service.prints(&["source", "resume", "shop", "--why", "does it go on?"]);
    // The same at a start as after a reload.
    let service = service.restart(&crm);
    assert!(service.said().contains("this source is not configured any more"), "{}", service.said());
    // Without its target they would go to the handler that is compiled in, and be done.
    wait(POLLS);
    let status = service.source("shop");
    assert_eq!((&status["state"], &status["pending"], target.posts()), (&"removed".into(), &3.into(), 0));
    let told = "shop is not configured any more: 3 events wait until it is in the configuration again.";
    assert!(service.prints(&["status"]).contains(told));
    service.reload(&(shop + &crm));
    service.says("reloaded: 1 source added");
    service.reaches("shop", "done", 3);
    assert_eq!(target.posts(), 3, "all of them where they were to go");
    service.stop();
}

#[test]
fn targets_and_limits_change_with_a_reload() {
    let (one, two) = (Target::saying(204), Target::saying(204));
    let service = Service::start(&source("shop", &["old"], &one.forward()));
    assert_eq!(service.post("shop", OLD, &lead(1)), 200);
    service.reaches("shop", "done", 1);
    let limited = "[server]\nlisten = \"127.0.0.1:0\"\nmax_headers = 8\n[dispatch]\nconcurrency = 1\n";
    service.reload(&format!("{limited}{}", source("shop", &["old"], &two.forward())));
    service.says("reloaded: 1 source changed, limits changed");
    assert_eq!(service.post("shop", OLD, &lead(2)), 200);
    service.reaches("shop", "done", 2);
    assert_eq!((one.posts(), two.posts()), (1, 1));
    let many: String = (0..8).map(|n| format!("x-{n}: y\r\n")).collect();
    let request = String::from_utf8(request("shop", OLD, &lead(3))).unwrap();
    let request = request.replacen("host: x\r\n", &format!("host: x\r\n{many}"), 1);
    assert_eq!(Client::connect(service.address).unwrap().post(request.as_bytes()).unwrap(), 431);
    service.stop();
}
