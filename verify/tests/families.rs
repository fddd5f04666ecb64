//! A delivery that is put together of two is refused, in whichever of two families of headers its pieces come.

#![cfg(test)]

#[path = "support/sources.rs"]
mod sources;

use hookproof::{Outgoing, Refusal, Scheme, schemes};
use http::{HeaderMap, HeaderName};
use sources::{NOW, Source, at};

const NAMES: [&str; 3] = ["id", "timestamp", "signature"];

/// From which delivery a header is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    Nowhere,
    First,
    Second,
}

const FROM: [From; 3] = [From::Nowhere, From::First, From::Second];

/// Every way to choose three headers.
fn choices() -> impl Iterator<Item = [From; 3]> {
    let pairs = FROM.into_iter().flat_map(|a| FROM.into_iter().map(move |b| [a, b]));
    pairs.flat_map(|[a, b]| FROM.into_iter().map(move |c| [a, b, c]))
}

fn named(family: &str, name: &str) -> HeaderName {
    HeaderName::try_from(format!("{family}-{name}")).unwrap()
}

/// One body, delivered twice: both deliveries are genuine, and nothing but the headers tells them apart.
fn deliveries(source: &Source) -> [HeaderMap; 2] {
    [("msg_1", NOW), ("msg_2", NOW + 7)].map(|(id, secs)| source.delivery(b"{}", id, secs).0)
}

#[test]
fn svix_headers_are_of_one_family_and_of_one_delivery() {
    let source = Source::named("svix");
    let deliveries = deliveries(source);
    let (mut accepted, mut refused) = (0, 0);
    for svix in choices() {
        for webhook in choices() {
            let mut headers = HeaderMap::new();
            for (family, choice) in [("svix", svix), ("webhook", webhook)] {
                for (name, from) in NAMES.into_iter().zip(choice) {
                    let taken = match from {
                        From::Nowhere => continue,
                        From::First => &deliveries[0],
                        From::Second => &deliveries[1],
                    };
                    headers.insert(named(family, name), taken[named("webhook", name)].clone());
                }
            }
            // If there is one of svix's, those count, and they alone.
            let read = if svix == [From::Nowhere; 3] { webhook } else { svix };
            let wanted = match read {
                [From::First, From::First, From::First] | [From::Second, From::Second, From::Second] => {
                    Ok(())
                }
                [id, _, signature] if id == From::Nowhere || signature == From::Nowhere => {
                    Err(Refusal::MissingHeader)
                }
                [_, From::Nowhere, _] => Err(Refusal::MissingTimestamp),
                _ => Err(Refusal::SignatureMismatch),
            };
            let verdict = source.verifier.verify(&headers, b"{}", at(NOW)).map(drop);
            assert_eq!(verdict, wanted, "svix {svix:?}, webhook {webhook:?}");
            *(if wanted.is_ok() { &mut accepted } else { &mut refused }) += 1;
        }
    }
    assert_eq!((accepted, refused), (2 * 27 + 2, 27 * 27 - 56));
}

/// The id of a family is the one that is signed there.
#[test]
fn the_id_is_the_familys() {
    let source = Source::named("svix");
    let [first, second] = deliveries(source);
    let mut headers = second.clone();
    for name in NAMES {
        headers.insert(named("svix", name), first[named("webhook", name)].clone());
    }
    let proof = source.verifier.verify(&headers, b"{}", at(NOW)).unwrap();
    assert_eq!(proof.event_id().unwrap().value, "msg_1");
    assert_eq!(proof.timestamp(), Some(at(NOW)));
    let by_webhook = source.verifier.verify(&second, b"{}", at(NOW)).unwrap();
    assert_eq!(by_webhook.event_id().unwrap().value, "msg_2");
}

/// Any header of the preferred family, were it only its unsigned id, turns the other one off.
#[test]
fn shopify_reads_one_family() {
    let source = Source::named("shopify");
    let (old, _) = source.delivery(b"{}", "evt_1", NOW);
    let verdict = |headers: &HeaderMap| source.verifier.verify(headers, b"{}", at(NOW)).map(drop);
    assert_eq!(verdict(&old), Ok(()));
    for name in ["shopify-hmac-sha256", "shopify-webhook-id", "shopify-topic"] {
        let mut mixed = old.clone();
        mixed.insert(name, "evt_2".parse().unwrap());
        let wanted = if name.ends_with("sha256") { Refusal::MalformedHeader } else { Refusal::MissingHeader };
        assert_eq!(verdict(&mixed), Err(wanted), "{name}");
    }
    let mut new = HeaderMap::new();
    new.insert("shopify-hmac-sha256", old["x-shopify-hmac-sha256"].clone());
    assert_eq!(verdict(&new), Ok(()));
}

/// All headers of a family are renamed: also those that must have a value, and the list of the signed ones.
#[test]
fn a_family_of_ones_own_is_whole() {
    let scheme = Scheme::builder("acme")
        .signature_header("x-signature")
        .required_header("x-version", "1")
        .preferred_family("acme-", "x-")
        .build()
        .unwrap();
    let source = Source::of(scheme);
    let old = source.signer.sign(&Outgoing::new(b"{}")).unwrap();
    let new: HeaderMap = old
        .iter()
        .map(|(name, value)| {
            (HeaderName::try_from(name.as_str().replacen("x-", "acme-", 1)).unwrap(), value.clone())
        })
        .collect();
    for headers in [&old, &new] {
        assert_eq!(source.verifier.verify(headers, b"{}", at(NOW)).map(drop), Ok(()), "{headers:?}");
    }
    for name in new.keys() {
        let mut incomplete = new.clone();
        incomplete.remove(name);
        let refusal = source.verifier.verify(&incomplete, b"{}", at(NOW)).unwrap_err();
        assert_eq!(refusal, Refusal::MissingHeader, "without {name}");
    }
}

/// What is signed is what the list of the family says that was read, not what the other one says: or its time could be new and
/// its signature old.
#[test]
fn a_list_of_signed_headers_is_the_familys() {
    let scheme = schemes::contentful().to_builder().name("acme").preferred_family("acme-", "x-contentful-");
    let source = Source::of(scheme.build().unwrap());
    let (captured, _) = source.delivery(b"{}", "evt_1", NOW - 3600);
    let verdict = |headers: &HeaderMap, secs| source.verifier.verify(headers, b"{}", at(secs)).map(drop);
    assert_eq!(verdict(&captured, NOW - 3600), Ok(()));
    let mut spliced = captured.clone();
    spliced.insert("acme-signature", captured["x-contentful-signature"].clone());
    spliced.insert("acme-timestamp", format!("{NOW}000").parse().unwrap());
    spliced.insert("acme-signed-headers", "acme-signed-headers,acme-timestamp".parse().unwrap());
    assert_eq!(verdict(&spliced, NOW), Err(Refusal::SignatureMismatch));
    let mut in_pieces = source.verifier.begin(&spliced, at(NOW)).unwrap();
    in_pieces.update(b"{}").unwrap();
    assert_eq!(in_pieces.finish().map(drop), Err(Refusal::SignatureMismatch));
}
