use http::{HeaderMap, HeaderName, HeaderValue};

use super::*;
use crate::{Key, Outgoing, Refusal, Scheme, Signer, UnixTime, Verifier, schemes};

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

fn key(scheme: &Scheme) -> Key {
    let secret = if scheme.name() == "standard-webhooks" {
        "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="
    } else {
        "a secret of at least 16 bytes"
    };
    Key::new("k1", secret)
}

fn verifier(scheme: &Scheme) -> Verifier {
    Verifier::builder(scheme.clone()).key(key(scheme)).build().unwrap()
}

fn signed(scheme: &Scheme, body: &[u8], id: &str, time: UnixTime) -> HeaderMap {
    let outgoing = Outgoing::new(body).id(id).timestamp(time);
    Signer::new(scheme, &key(scheme)).unwrap().sign(&outgoing).unwrap()
}

/// Which key a tag was computed with ahead, if one was; and that the verdict is the right one.
fn key_ahead(verifier: &Verifier, headers: &HeaderMap, body: &[u8]) -> Option<usize> {
    let request = headers.into();
    let mut claims = Claims::new(verifier, &request);
    let (ring, mut ahead) = (verifier.keys(), Ahead::default());
    claims.find_headers();
    ahead.begin(&claims, (&ring, NOW), body);
    let (mut candidates, mut observed) = Default::default();
    claims.read((&ring, NOW), &mut candidates, &mut observed, || ahead.step()).unwrap();
    let computed = ahead.finish(claims.accepted());
    assert!(verifier.verify(headers, body, NOW).is_ok());
    computed.map(|(key, _)| key)
}

/// The most usual ones are what this is for: those whose headers tell what stands before the body.
#[test]
fn what_the_headers_tell_is_hashed_ahead() {
    let body = [b'x'; 200];
    for scheme in [schemes::github(), schemes::stripe(), schemes::standard_webhooks()] {
        let headers = signed(&scheme, &body, "msg_1", NOW);
        assert_eq!(key_ahead(&verifier(&scheme), &headers, &body), Some(0), "{}", scheme.name());
    }
}

/// Where nothing can be hashed ahead, all is hashed after: no room for the id, too little body for a block.
#[test]
fn what_fills_no_block_is_hashed_after() {
    let scheme = schemes::standard_webhooks();
    let verifier = verifier(&scheme);
    for (id_len, body_len, expected) in
        [(52, 64, true), (53, 64, false), (256, 64, false), (10, 41, false), (10, 42, true)]
    {
        let (id, body) = ("i".repeat(id_len), vec![b'x'; body_len]);
        let headers = signed(&scheme, &body, &id, NOW);
        assert_eq!(key_ahead(&verifier, &headers, &body).is_some(), expected, "{id_len} {body_len}");
    }
}

/// Every length around the ends of the first blocks, in one piece and in two.
#[test]
fn the_doors_agree_on_bodies_of_every_length() {
    for scheme in [schemes::github(), schemes::stripe(), schemes::standard_webhooks()] {
        let verifier = verifier(&scheme);
        for len in 0..=330 {
            let body: Vec<u8> = (0..len).map(|n| n as u8).collect();
            let headers = signed(&scheme, &body, "msg_1", NOW);
            let whole = verifier.verify(&headers, &body[..], NOW).map(drop);
            let mut pending = verifier.begin(&headers, NOW).unwrap();
            let (first, second) = body.split_at(len / 2);
            pending.update(first).unwrap();
            pending.update(second).unwrap();
            let in_pieces = pending.finish().map(drop);
            assert_eq!((whole, in_pieces), (Ok(()), Ok(())), "{}, {len} bytes", scheme.name());
            if let Some((last, others)) = body.split_last() {
                let other = [others, &[last ^ 1]].concat();
                let refused = verifier.verify(&headers, &other[..], NOW).map(drop);
                assert_eq!(refused, Err(Refusal::SignatureMismatch), "{}, {len} bytes", scheme.name());
            }
        }
    }
}

/// The first of two lists is none, and the second has another time: what was signed then is not believed now.
#[test]
fn a_text_that_was_not_accepted_proves_nothing() {
    let scheme = schemes::stripe().to_builder().alternative_signature_header("x-other-list").build().unwrap();
    let (verifier, body) = (verifier(&scheme), [b'x'; 200]);
    let list = |time: UnixTime| {
        let headers = signed(&scheme, &body, "", time);
        headers["stripe-signature"].to_str().unwrap().to_owned()
    };
    let headers = |first: String, second: String| {
        let both = [("stripe-signature", first), ("x-other-list", second)];
        let both = both.map(|(name, value)| (HeaderName::from_static(name), value));
        let both = both.map(|(name, value)| (name, HeaderValue::from_bytes(value.as_bytes()).unwrap()));
        both.into_iter().collect::<HeaderMap>()
    };
    let last_year = UnixTime::from_secs(NOW.as_secs() - 31_536_000);
    let (old, now) = (list(last_year), list(NOW));
    let replayed = old.replacen(&last_year.as_secs().to_string(), &NOW.as_secs().to_string(), 1);
    let refused = verifier.verify(&headers(format!("{old},\u{e9}"), replayed), &body[..], NOW).map(drop);
    assert_eq!(refused, Err(Refusal::SignatureMismatch));
    let beside = headers(format!("{old},\u{e9}"), now.clone());
    assert_eq!(key_ahead(&verifier, &beside, &body), None, "hashed anew, and right");
    let control = headers(now, "none".to_owned());
    assert_eq!(key_ahead(&verifier, &control, &body), Some(0), "the control");
}

/// The timestamp may stand behind the signatures, which are read before it then.
#[test]
fn a_timestamp_is_told_wherever_it_stands() {
    let (scheme, body) = (schemes::stripe(), [b'x'; 200]);
    let mut headers = signed(&scheme, &body, "", NOW);
    let list = headers["stripe-signature"].to_str().unwrap();
    let (time, signature) = list.split_once(',').unwrap();
    let turned = format!("v0=1,{signature},{time},{signature}");
    headers.insert("stripe-signature", HeaderValue::from_str(&turned).unwrap());
    assert_eq!(key_ahead(&verifier(&scheme), &headers, &body), Some(0));
}

/// Nor is it looked for further than a list is read: a stranger's may be long.
#[test]
fn a_timestamp_behind_too_many_elements_is_not_told() {
    let verifier = verifier(&schemes::stripe());
    for (elements, expected) in [(31, true), (32, false)] {
        let list = format!("{}t=1700000000", ",".repeat(elements));
        let headers: HeaderMap =
            [(HeaderName::from_static("stripe-signature"), HeaderValue::from_str(&list).unwrap())]
                .into_iter()
                .collect();
        let request = (&headers).into();
        let mut claims = Claims::new(&verifier, &request);
        claims.find_headers();
        assert_eq!(claims.told(&mut Told::default()).is_some(), expected, "{elements}");
    }
}

/// A public key hashes nothing of its own, and a secret behind it is tried as ever.
#[cfg(feature = "asymmetric")]
#[test]
fn a_public_key_before_a_secret_takes_nothing_from_it() {
    let (scheme, body) = (schemes::standard_webhooks(), [b'x'; 200]);
    let headers = signed(&scheme, &body, "msg_1", NOW);
    let public = Key::new("public", "whpk_2inpWwLgD/oVZFd1+x0roiKhlDOV7qBrlOLAV7e+adA=");
    for (keys, ahead) in [(vec![public.clone(), key(&scheme)], None), (vec![key(&scheme), public], Some(0))] {
        let verifier = Verifier::builder(scheme.clone()).keys(keys).build().unwrap();
        assert_eq!(key_ahead(&verifier, &headers, &body), ahead);
    }
}

/// The first key that counts is the one that is tried ahead, and the others are tried after.
#[test]
fn any_key_of_the_ring_counts() {
    let (scheme, body) = (schemes::stripe(), [b'x'; 200]);
    let headers = signed(&scheme, &body, "", NOW);
    let good = || Key::new("k1", "a secret of at least 16 bytes");
    let other = |id: &str| Key::new(id, format!("another secret of at least 16 bytes: {id}"));
    let ended = |key: Key| key.not_after(UnixTime::from_secs(NOW.as_secs() - 1));
    for (keys, expected) in [
        (vec![good(), other("k2")], Ok(0)),
        (vec![other("k2"), good()], Ok(0)),
        (vec![ended(other("k2")), good()], Ok(1)),
        (vec![ended(good()), other("k2")], Err(Refusal::SignatureMismatch)),
        (vec![ended(good())], Err(Refusal::SignatureMismatch)),
    ] {
        let ids: Vec<_> = keys.iter().map(|key| key.id().to_owned()).collect();
        let verifier = Verifier::builder(scheme.clone()).keys(keys).build().unwrap();
        let key_id = verifier.verify(&headers, &body[..], NOW).map(|proof| proof.key_id().to_owned());
        assert_eq!(key_id, expected.map(|_| "k1".to_owned()), "{ids:?}");
        if let Ok(ahead) = expected {
            assert_eq!(key_ahead(&verifier, &headers, &body), Some(ahead), "{ids:?}");
        }
    }
}
