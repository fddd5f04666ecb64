//! Handlers that take their process with them. A supervisor starts it again.

use std::process::{Command, Stdio};
use std::sync::Arc;

use hookproof_consumer::inbox::Inbox as _;
use hookproof_consumer::inbox::sqlite::{SqliteInbox, SqliteOptions};

use crate::process::letters::SOURCE;
use crate::process::planted;
use crate::process::server::{Site, look, wait_until};
use crate::script::{self, NOTES};
use crate::support::sent;

const ATTEMPTS: usize = 3;

/// More processes than all attempts of the bad ones need.
const PROCESSES: usize = 12;

/// The address space of a process, in KiB: what its threads and arenas reserve, and some.
const ADDRESS_SPACE: u64 = 4 << 20;

#[test]
fn handlers_that_kill_the_process_are_dead_after_their_attempts_and_cost_nobody_else() {
    let site = Site::with(&format!("max_attempts = {ATTEMPTS}\nretry_first_seconds = 0.1\n"));
    let bad = ["abort-1", "eat-1"];
    let mut good: Vec<String> = (0..20).map(|n| format!("good-{n}")).collect();
    good.extend((0..6).map(|n| format!("slow-{n}")));
    store(&site, bad.into_iter().chain(good.iter().map(String::as_str)));

    let kills = supervise(&site);
    // The first process may run all bad ones at once; the next ones do not.
    let most = bad.len() * ATTEMPTS;
    assert!((most - bad.len() + 1..=most).contains(&kills), "{kills} processes were killed");

    let (ends, runs) = (script::ends(&look(&site.database())), script::runs(&site.file("notes")));
    for key in bad {
        assert_eq!(ends[key], "dead attempts_exhausted 3 lost,lost,lost", "{key}");
        // The other one may have been quicker than the first run, which counts all the same.
        assert!((ATTEMPTS - 1..=ATTEMPTS).contains(&runs[key]), "{key}: {runs:?}");
    }
    for key in good {
        // What ran beside a bad one for the first time was lost with it; after that the bad ones run alone.
        let fine = ["done 1 done", "done 2 lost,done", "done 3 lost,lost,done"];
        assert!(fine.contains(&ends[&key].as_str()), "{key}: {}", ends[&key]);
    }
}

/// Stores an event for each key, the bad ones in between, without any process to run them.
fn store<'a>(site: &Site, keys: impl Iterator<Item = &'a str>) {
    let inbox = Arc::new(SqliteInbox::open(SqliteOptions::new(site.database())).unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for (number, key) in keys.enumerate() {
        runtime.block_on(inbox.accept(sent(number).to(SOURCE).key(key).incoming())).unwrap();
    }
}

/// Starts the server again until everything is finished. Returns how often it was killed.
fn supervise(site: &Site) -> usize {
    for kills in 0..PROCESSES {
        let server = planted::command("script::server", &site.config());
        let mut limited = Command::new("sh");
        limited.args(["-c", &format!("ulimit -c 0; ulimit -v {ADDRESS_SPACE}; exec \"$0\" \"$@\"")]);
        limited.arg(server.get_program()).args(server.get_args());
        limited.envs(server.get_envs().filter_map(|(name, value)| Some((name, value?))));
        limited.env(NOTES, site.file("notes")).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = limited.spawn().unwrap();
        let database = look(&site.database());
        let mut ended = None;
        wait_until("the process ends, or its work", || {
            ended = child.try_wait().unwrap();
            ended.is_some() || script::unfinished(&database) == 0
        });
        if let Some(status) = ended {
            assert_eq!(
                std::os::unix::process::ExitStatusExt::signal(&status),
                Some(6),
                "not as planned: {status}"
            );
            continue;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        return kills;
    }
    panic!("{PROCESSES} processes were not enough: {:?}", script::ends(&look(&site.database())));
}
