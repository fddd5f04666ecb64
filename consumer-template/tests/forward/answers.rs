//! What the target's answer does to the event.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hookproof_consumer::effect::Failure;
use hookproof_consumer::forward::SystemNames;
use hookproof_consumer::retry::{Outcome, RetryPolicy};

use super::peer::{Peer, Then, answer, socket, with_header};
use super::rig::{KEY, NOW, event, forward, forwarder, forwarder_with, permanent, transient};

const SUCCESS: [u16; 6] = [200, 201, 202, 204, 226, 299];
const AGAIN: [u16; 11] = [408, 425, 429, 500, 501, 502, 503, 504, 511, 599, 600];
const NEVER: [u16; 14] = [400, 401, 402, 403, 404, 405, 406, 409, 410, 413, 415, 422, 451, 499];
const REDIRECT: [u16; 8] = [300, 301, 302, 303, 304, 307, 308, 399];

#[tokio::test]
async fn every_status_has_its_meaning() {
    for status in SUCCESS {
        let peer = Peer::saying(status).await;
        assert_eq!(forward(&forwarder(peer.address), &event()).await, Ok(()), "{status}");
    }
    for status in AGAIN {
        let peer = Peer::saying(status).await;
        let text = transient(&forwarder(peer.address)).await;
        assert_eq!(text, format!("127.0.0.1 answered {status}"));
    }
    for status in NEVER {
        let peer = Peer::saying(status).await;
        let text = permanent(&forwarder(peer.address)).await;
        assert_eq!(text, format!("127.0.0.1 answered {status}"));
    }
}

#[tokio::test]
async fn a_redirect_is_never_followed() {
    let elsewhere = Peer::saying(200).await;
    for status in REDIRECT {
        let location = format!("http://{}/hooks", elsewhere.address);
        let peer = Peer::start(move |_| with_header(status, "location", &location)).await;
        let text = permanent(&forwarder(peer.address)).await;
        assert!(text.contains(&format!("{status}, a redirect, which is never followed")), "{text}");
        assert_eq!(peer.seen().len(), 1, "{status}");
    }
    assert_eq!(elsewhere.connections(), 0);
}

async fn wait_after(status: u16, value: &'static str) -> Result<(), Failure> {
    let peer = Peer::start(move |_| with_header(status, "retry-after", value)).await;
    forward(&forwarder(peer.address), &event()).await
}

/// 1 800 000 000 is Friday, 15 January 2027, 08:00:00 UTC.
#[tokio::test]
async fn retry_after_is_kept_in_all_its_forms() {
    for (value, seconds) in [
        ("0", 0),
        ("7", 7),
        ("0120", 120),
        ("Fri, 15 Jan 2027 08:01:30 GMT", 90),
        ("Friday, 15-Jan-27 08:01:30 GMT", 90),
        ("Fri Jan 15 08:01:30 2027", 90),
        ("Fri, 15 Jan 2027 07:59:00 GMT", 0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
    ] {
        for status in [429, 503, 500, 408] {
            let expected =
                Failure::RetryAfter(Duration::from_secs(seconds), format!("127.0.0.1 answered {status}"));
            assert_eq!(wait_after(status, value).await, Err(expected), "{value}");
        }
    }
}

#[tokio::test]
async fn a_retry_after_that_says_nothing_changes_nothing() {
    for value in ["", "soon", "-1", "1.5", "+3", "1e3", "0x10", "Fri, 35 Jan 2027 08:01:30 GMT"] {
        let expected = Failure::Transient("127.0.0.1 answered 503".to_owned());
        assert_eq!(wait_after(503, value).await, Err(expected), "{value}");
    }
    let dead = Failure::Permanent("127.0.0.1 answered 422".to_owned());
    assert_eq!(wait_after(422, "5").await, Err(dead), "no second try for what stays wrong");
}

#[tokio::test]
async fn a_peer_does_not_decide_how_long_events_wait() {
    let policy = RetryPolicy::default();
    for value in
        ["31536000", "18446744073709551615", "99999999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"]
    {
        let failure = wait_after(503, value).await.unwrap_err();
        assert!(
            matches!(&failure, Failure::RetryAfter(wait, _) if *wait > policy.cap),
            "{value}: {failure:?}"
        );
        let Outcome::Retry { at, .. } = policy.after(1, &failure, NOW, 0.0) else { panic!("{value}") };
        assert_eq!(at.as_secs(), NOW.as_secs() + policy.cap.as_secs(), "{value}");
    }
}

#[tokio::test]
async fn a_failure_quotes_the_beginning_of_its_text_in_one_line() {
    let long = "no such order\r\n\t\u{1b}[31m \u{7}\u{202e}\u{200b}\u{e0041}in   this shop \u{0} ".to_owned()
        + &"e".repeat(300);
    let peer = Peer::start(move |_| answer(422, &long)).await;
    let text = permanent(&forwarder(peer.address)).await;
    let quoted = text.strip_prefix("127.0.0.1 answered 422: no such order [31m in this shop eeeee").unwrap();
    assert!(quoted.bytes().all(|b| b == b'e'), "{quoted}");
    assert_eq!(text.len(), "127.0.0.1 answered 422: ".len() + 200);
    let peer = Peer::start(|_| answer(500, "try later")).await;
    assert_eq!(transient(&forwarder(peer.address)).await, "127.0.0.1 answered 500: try later");
}

#[tokio::test]
async fn a_failure_that_repeats_a_secret_is_not_quoted() {
    let header = "headers = { x-api-key = { value = \"canary-header\" } }\nallow_networks = [\"loopback\"]";
    for leak in ["got x-api-key: canary-header", KEY, "expected whsk_AAAA"] {
        let peer = Peer::start(move |_| answer(401, &format!("wrong: {leak}"))).await;
        let url = format!("http://{}/", peer.address);
        let names = Arc::new(SystemNames);
        let text = permanent(&forwarder_with(&url, header, names)).await;
        assert_eq!(text, "127.0.0.1 answered 401: (its text is left out, because it repeats a secret)");
    }
    let header = "headers = { authorization = { value = \"Bearer canary/abc+def\" }, x-basic = { value = \"Basic dXNlcjpjYW5hcnktcGFzcw==\" } }\n\
                  allow_networks = [\"loopback\"]";
    for leak in
        ["canary/abc+def", "canary\\/abc+def", "dXNlcjpjYW5hcnktcGFzcw==", "user:canary-pass", "canary-pass"]
    {
        let peer = Peer::start(move |_| answer(401, &format!("unknown token {leak}"))).await;
        let url = format!("http://{}/", peer.address);
        let text = permanent(&forwarder_with(&url, header, Arc::new(SystemNames))).await;
        assert!(text.ends_with("(its text is left out, because it repeats a secret)"), "{leak}: {text}");
    }
    // The signature, which the peer knows only when it has the request: the same event at the same time has the same.
    let peer = Peer::saying(200).await;
    forward(&forwarder(peer.address), &event()).await.unwrap();
    let signature = peer.one().header("webhook-signature").to_owned();
    let echo = Peer::start(move |_| answer(400, &format!("bad signature {signature}"))).await;
    let text = permanent(&forwarder(echo.address)).await;
    assert_eq!(text, "127.0.0.1 answered 400: (its text is left out, because it repeats a secret)");
}

#[tokio::test]
async fn no_answer_is_a_failure_for_a_while() {
    let (silent, _) = socket("", Then::Hold).await;
    let begun = Instant::now();
    assert_eq!(transient(&forwarder(silent)).await, "no answer from 127.0.0.1 within 1 s");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let (closing, _) = socket("", Then::Close).await;
    let text = transient(&forwarder(closing)).await;
    assert!(text.starts_with("the connection to 127.0.0.1 broke: "), "{text}");
    let (garbage, _) = socket("SSH-2.0-OpenSSH_9.6\r\n", Then::Close).await;
    let text = transient(&forwarder(garbage)).await;
    assert!(text.starts_with("the connection to 127.0.0.1 broke: "), "{text}");
    // Nobody listens there any more.
    let nobody = Peer::saying(200).await.address;
    tokio::task::yield_now().await;
    let text = transient(&forwarder(nobody)).await;
    assert!(text.starts_with("no connection to 127.0.0.1: ") && text.contains("refused"), "{text}");
}

/// The status has said everything. What follows it may be slow, endless or broken, and the request's own time long.
#[tokio::test]
async fn the_body_of_an_answer_decides_nothing() {
    const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n";
    const NO: &str = "HTTP/1.1 500 No\r\ncontent-length: 1000000000\r\n\r\n";
    let patient = |address| {
        let more = "allow_networks = [\"loopback\"]\ntimeout_seconds = 60";
        forwarder_with(&format!("http://{address}/"), more, Arc::new(SystemNames))
    };
    for then in [Then::Hold, Then::Drip, Then::Flood, Then::Close] {
        let begun = Instant::now();
        let (address, _) = socket(OK, then).await;
        assert_eq!(forward(&patient(address), &event()).await, Ok(()), "{then:?}");
        let (address, _) = socket(NO, then).await;
        let text = transient(&patient(address)).await;
        match then {
            Then::Flood => assert_eq!(text, format!("127.0.0.1 answered 500: {}", "x".repeat(200))),
            _ => assert_eq!(text, "127.0.0.1 answered 500", "{then:?}"),
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{then:?}: {:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn only_a_little_of_a_huge_answer_is_read() {
    for head in [
        "HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n",
        "HTTP/1.1 400 No\r\ncontent-length: 1000000000000\r\n\r\n",
    ] {
        let (address, written) = socket(head, Then::Flood).await;
        let _ = forward(&forwarder(address), &event()).await;
        // It goes on until its connection is closed; the buffers of two sockets are all that it got rid of.
        let mut before = usize::MAX;
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let now = written.load(std::sync::atomic::Ordering::SeqCst);
            if now == before {
                break;
            }
            before = now;
        }
        assert!(before < 16 * 1024 * 1024, "{before} bytes");
    }
}
