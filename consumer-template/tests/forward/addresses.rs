//! Where events may go: nowhere that was not allowed, whatever the name resolves to and whenever.

use std::net::IpAddr;

use hookproof_consumer::forward::network::{Allowance, Class};

use super::peer::{Peer, with_header};
use super::rig::{Book, KEYS, event, forward, forwarder_with, target, transient};

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn every_range_has_its_class() {
    for (class, addresses) in [
        (
            Class::Public,
            &[
                "1.1.1.1",
                "8.8.8.8",
                "100.63.255.255",
                "100.128.0.0",
                "172.15.255.255",
                "172.32.0.0",
                "126.255.255.255",
                "128.0.0.0",
                "169.253.255.255",
                "192.167.255.255",
                "192.169.0.0",
                "11.0.0.0",
                "9.255.255.255",
                "223.255.255.255",
                "2606:4700::1111",
                "2a00::1",
                "64:ff9b::808:808",
                "::ffff:8.8.8.8",
            ][..],
        ),
        (
            Class::Loopback,
            &["127.0.0.1", "127.255.255.255", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1", "64:ff9b::7f00:1"],
        ),
        (
            Class::Private,
            &[
                "10.0.0.0",
                "10.255.255.255",
                "172.16.0.0",
                "172.31.255.255",
                "192.168.0.0",
                "192.168.255.255",
                "fc00::",
                "fdff::1",
                "::ffff:10.0.0.1",
                "64:ff9b::a00:1",
            ],
        ),
        (Class::LinkLocal, &["169.254.0.1", "169.254.255.255", "fe80::1", "febf::1", "::ffff:169.254.1.1"]),
        (Class::Shared, &["100.64.0.1", "100.127.255.255", "::ffff:100.64.0.1"]),
        (
            Class::Reserved,
            &[
                "192.0.0.1",
                "192.0.2.1",
                "192.88.99.1",
                "198.18.0.1",
                "198.19.255.255",
                "198.51.100.1",
                "203.0.113.1",
                "240.0.0.1",
                "255.255.255.254",
                "2001::1",
                "2001:db8::1",
                "2002:7f00:1::",
                "3fff::1",
                "64:ff9b:1::1",
                "100::1",
                "fec0::1",
                "5f00::1",
                "4000::1",
            ],
        ),
        (
            Class::Metadata,
            &[
                "169.254.169.254",
                "169.254.170.2",
                "169.254.170.23",
                "100.100.100.200",
                "192.0.0.192",
                "168.63.129.16",
                "fd00:ec2::254",
                "fd00:ec2::23",
                "fd20:ce::254",
                "::ffff:169.254.169.254",
                "64:ff9b::a9fe:a9fe",
            ],
        ),
        (
            Class::Nowhere,
            &[
                "0.0.0.0",
                "0.255.255.255",
                "224.0.0.1",
                "239.255.255.255",
                "255.255.255.255",
                "::",
                "::ffff:0.0.0.0",
                "::7f00:1",
                "::127.0.0.1",
                "ff02::1",
            ],
        ),
    ] {
        for address in addresses {
            assert_eq!(Class::of(ip(address)), class, "{address}");
        }
    }
}

#[test]
fn an_allowance_opens_what_it_names_and_nothing_else() {
    let samples =
        ["127.0.0.1", "10.1.2.3", "169.254.1.1", "100.64.0.1", "192.0.2.1", "::1", "fd00::1", "fe80::1"];
    for (entry, open) in [
        ("loopback", &["127.0.0.1", "::1"][..]),
        ("private", &["10.1.2.3", "fd00::1"]),
        ("link-local", &["169.254.1.1", "fe80::1"]),
        ("shared", &["100.64.0.1"]),
        ("10.1.0.0/16", &["10.1.2.3"]),
        ("10.1.2.3", &["10.1.2.3"]),
        ("10.2.0.0/16", &[]),
        ("192.0.2.0/24", &["192.0.2.1"]),
        ("fd00::/8", &["fd00::1"]),
    ] {
        let allowance = Allowance::parse(&[entry]).unwrap();
        let allowed: Vec<_> = samples.into_iter().filter(|s| allowance.check(ip(s), true).is_ok()).collect();
        assert_eq!(allowed, open, "{entry}");
        assert_eq!(allowance.entries().len(), 1);
    }
    let wrapped = Allowance::parse(&["10.1.0.0/16"]).unwrap();
    assert!(
        wrapped.check(ip("::ffff:10.1.2.3"), true).is_ok()
            && wrapped.check(ip("::ffff:10.2.0.1"), true).is_err()
    );
}

#[test]
fn public_addresses_need_tls_and_some_addresses_are_never_open() {
    let everything = Allowance::parse(&[
        "loopback",
        "private",
        "link-local",
        "shared",
        "192.0.0.0/24",
        "169.254.0.0/16",
        "fc00::/7",
    ]);
    for allowance in [Allowance::default(), everything.unwrap()] {
        assert!(allowance.check(ip("1.1.1.1"), false).is_ok());
        let refused = allowance.check(ip("1.1.1.1"), true).unwrap_err().to_string();
        assert!(refused.contains("a public address") && refused.contains("use https"), "{refused}");
        for never in [
            "169.254.169.254",
            "169.254.170.2",
            "192.0.0.192",
            "168.63.129.16",
            "100.100.100.200",
            "fd00:ec2::254",
            "0.0.0.0",
            "::",
            "224.0.0.1",
            "ff02::1",
            "255.255.255.255",
        ] {
            for plain in [true, false] {
                let refused = allowance.check(ip(never), plain).unwrap_err().to_string();
                assert!(refused.ends_with("nothing is forwarded there"), "{refused}");
            }
        }
    }
}

/// Threats of this kind are spelt in many ways; the URL's parser knows them all, and it is the one that connects.
#[test]
fn an_address_in_the_url_is_refused_at_start_however_it_is_spelt() {
    for (host, what) in [
        ("169.254.169.254", "metadata"),
        ("[::ffff:169.254.169.254]", "metadata"),
        ("[fd00:ec2::254]", "metadata"),
        ("2852039166", "metadata"),
        ("0xa9.0xfe.0xa9.0xfe", "metadata"),
        ("127.0.0.1", "loopback"),
        ("2130706433", "loopback"),
        ("0x7f.1", "loopback"),
        ("0177.0.0.1", "loopback"),
        ("127.1", "loopback"),
        ("127.0.0.1.", "loopback"),
        ("１２７.0.0.1", "loopback"),
        ("[::1]", "loopback"),
        ("[::ffff:127.0.0.1]", "loopback"),
        ("[64:ff9b::7f00:1]", "loopback"),
        ("10.0.0.8", "private"),
        ("192.168.1.1", "private"),
        ("172.16.0.1", "private"),
        ("[fd12::1]", "private"),
        ("169.254.7.7", "link-local"),
        ("[fe80::1]", "link-local"),
        ("100.64.0.1", "shared"),
        ("192.0.2.1", "reserved"),
        ("0.0.0.0", "no machine"),
        ("0", "no machine"),
        ("[::]", "no machine"),
        ("224.0.0.1", "no machine"),
    ] {
        for scheme in ["http", "https"] {
            let refused = target(&format!("url = \"{scheme}://{host}/\"\n{KEYS}")).unwrap_err();
            assert!(refused.starts_with("url: ") && refused.contains(what), "{host}: {refused}");
        }
    }
}

#[tokio::test]
async fn a_name_that_resolves_to_what_is_not_allowed_is_not_connected_to() {
    let peer = Peer::saying(200).await;
    let url = format!("http://crm.test:{}/", peer.address.port());
    for (addresses, allowed, what) in [
        (&["127.0.0.1"][..], "private", "127.0.0.1 is a loopback address"),
        (&["::ffff:127.0.0.1"], "private", "::ffff:127.0.0.1 is a loopback address"),
        (&["0.0.0.0"], "loopback", "nothing is forwarded there"),
        (&["::"], "loopback", "nothing is forwarded there"),
        (&["169.254.169.254"], "link-local", "metadata service"),
        (&["127.0.0.1", "10.0.0.1"], "loopback", "10.0.0.1 is a private address"),
        (&["127.0.0.1", "169.254.169.254"], "loopback", "metadata service"),
    ] {
        let more = format!("allow_networks = [\"{allowed}\"]");
        let text = transient(&forwarder_with(&url, &more, Book::of(&[addresses]))).await;
        assert!(text.starts_with("not sent: crm.test resolves to ") && text.contains(what), "{text}");
    }
    assert_eq!(peer.connections(), 0);
    // The same way, with the right allowance, leads there.
    let more = "allow_networks = [\"loopback\"]";
    assert_eq!(forward(&forwarder_with(&url, more, Book::of(&[&["127.0.0.1"]])), &event()).await, Ok(()));
    assert_eq!(peer.connections(), 1);
}

/// A name that is good when it is looked at and bad when it is connected to: the answer that was checked is the one that is used.
#[tokio::test]
async fn a_name_that_changes_its_address_gains_nothing() {
    // Closes, so that each event needs the name again.
    let good = Peer::start(|_| with_header(200, "connection", "close")).await;
    let port = good.address.port();
    let bad = Peer::start_at(&format!("127.0.0.2:{port}"), None, |_| super::peer::answer(200, "")).await;
    let book = Book::of(&[&["127.0.0.1"], &["127.0.0.2"]]);
    let more = "allow_networks = [\"127.0.0.1/32\"]";
    let forwarder = forwarder_with(&format!("http://crm.test:{port}/"), more, book.clone());
    assert_eq!(forward(&forwarder, &event()).await, Ok(()));
    assert_eq!(book.asked(), ["crm.test"], "asked once, and believed");
    assert_eq!((good.connections(), bad.connections()), (1, 0));
    let text = transient(&forwarder).await;
    assert!(text.contains("127.0.0.2 is a loopback address"), "{text}");
    assert_eq!(book.asked().len(), 2);
    assert_eq!((good.connections(), bad.connections()), (1, 0));
}

#[tokio::test]
async fn a_name_without_an_address_is_a_failure_for_a_while() {
    let more = "allow_networks = [\"private\"]";
    let text = transient(&forwarder_with("http://crm.test/", more, Book::of(&[&[]]))).await;
    assert!(text.starts_with("no connection to crm.test"), "{text}");
}

/// `localhost` is a name like any other: nothing is allowed for its sake.
#[tokio::test]
async fn the_systems_resolver_is_checked_too() {
    let peer = Peer::saying(200).await;
    for host in ["localhost", "LOCALHOST"] {
        let url = format!("http://{host}:{}/", peer.address.port());
        let system = std::sync::Arc::new(hookproof_consumer::forward::SystemNames);
        let text = transient(&forwarder_with(&url, "allow_networks = [\"private\"]", system)).await;
        assert!(text.contains("is a loopback address"), "{text}");
    }
    assert_eq!(peer.connections(), 0);
}
