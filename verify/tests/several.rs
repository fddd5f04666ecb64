//! What is there more than once: the same signature again, one secret in two headers, more headers than have a place.

#![cfg(test)]

#[path = "support/sources.rs"]
mod sources;

use hookproof::{Algorithm, Key, Outgoing, Refusal, Scheme, Signer, Verifier, schemes};
use http::{HeaderMap, HeaderName, HeaderValue};
use sources::{KEY, NOW, Source, at};

const WHSEC: &str = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";

fn verdict(verifier: &Verifier, headers: &HeaderMap) -> Result<(), Refusal> {
    verifier.verify(headers, b"{}", at(NOW)).map(drop)
}

/// Signatures are any of several: one that is there twice counts as once, of whichever kind it is.
#[test]
fn a_signature_that_is_repeated_still_counts() {
    let (private, public) = (
        "whsk_ZWZnaGlqa2xtbm9wcXJzdHV2d3h5ent8fX5/gIGCg4TaKelbAuAP+hVkV3X7HSuiIqGUM5XuoGuU4sBXt75p0A==",
        "whpk_2inpWwLgD/oVZFd1+x0roiKhlDOV7qBrlOLAV7e+adA=",
    );
    let pairs = [(WHSEC, WHSEC), (private, public)];
    let usable = if cfg!(feature = "asymmetric") { &pairs[..] } else { &pairs[..1] };
    for (signing, verifying) in usable {
        let scheme = schemes::standard_webhooks();
        let signer = Signer::new(&scheme, &Key::new("k1", *signing)).unwrap();
        let verifier = Verifier::builder(scheme).key(Key::new("k1", *verifying)).build().unwrap();
        let mut headers = signer.sign(&Outgoing::new(b"{}").id("evt_1").timestamp(at(NOW))).unwrap();
        let one = headers["webhook-signature"].to_str().unwrap().to_owned();
        for count in 1..=3 {
            let value = vec![one.as_str(); count].join(" ");
            headers.insert("webhook-signature", HeaderValue::from_str(&value).unwrap());
            assert_eq!(verdict(&verifier, &headers), Ok(()), "{count} times {one}");
        }
    }
}

#[test]
fn a_token_in_two_headers_still_counts() {
    let scheme =
        schemes::gitlab_token().to_builder().alternative_signature_header("x-other-token").build().unwrap();
    let names: Vec<_> = scheme.signature_headers().to_vec();
    assert_eq!(names.len(), 2);
    let verifier = Verifier::builder(scheme).key(Key::new("k1", KEY)).build().unwrap();
    let headers = |values: [&str; 2]| -> HeaderMap {
        names.iter().cloned().zip(values.map(|value| HeaderValue::from_str(value).unwrap())).collect()
    };
    for values in [[KEY, KEY], [KEY, "another"], ["another", KEY]] {
        assert_eq!(verdict(&verifier, &headers(values)), Ok(()), "{values:?}");
    }
    let neither = verdict(&verifier, &headers(["another", "another"]));
    assert_eq!(neither, Err(Refusal::SignatureMismatch), "the control");
}

/// A byte that is not printable makes a list no list, wherever it stands, and nothing of it counts: neither its signatures
/// nor its time. A list in another header does.
#[test]
fn a_list_is_printable_or_none() {
    let scheme = schemes::stripe().to_builder().alternative_signature_header("x-other-list").build().unwrap();
    let key = Key::new("k1", KEY);
    let good = Signer::new(&scheme, &key).unwrap().sign(&Outgoing::new(b"{}").timestamp(at(NOW))).unwrap();
    let good = good["stripe-signature"].to_str().unwrap();
    let verifier = Verifier::builder(scheme).key(key).build().unwrap();
    let value = |text: &str| HeaderValue::from_bytes(text.as_bytes()).unwrap();
    let alone = |text: &str| {
        let headers = HeaderMap::from_iter([(HeaderName::from_static("stripe-signature"), value(text))]);
        verdict(&verifier, &headers)
    };
    let beside = |text: &str| {
        let both = [("stripe-signature", value(text)), ("x-other-list", value(good))];
        verdict(
            &verifier,
            &both.map(|(name, value)| (HeaderName::from_static(name), value)).into_iter().collect(),
        )
    };
    for rest in ["v0=1", "v1=1", "more", "v1=1,v1=2"] {
        assert_eq!(alone(&format!("{good},{rest}")), Ok(()), "the control: {rest}");
    }
    for bad in ["v0=\u{e9}", "v1=\u{e9}", "\u{e9}", "v1=1\t", "v1=\u{e9},v1=2"] {
        for list in [format!("{good},{bad}"), format!("{bad},{good}")] {
            assert_eq!(alone(&list), Err(Refusal::MalformedHeader), "{list}");
            assert_eq!(beside(&list), Ok(()), "{list}");
        }
    }
    for list in [good.replacen(',', "\u{e9},", 1), format!("{good}\u{e9}")] {
        assert_eq!(alone(&list), Err(Refusal::MalformedHeader), "{list}");
        assert_eq!(beside(&list), Ok(()), "{list}");
    }
    assert_eq!(beside(good), Err(Refusal::MalformedHeader), "the control: two times");
}

/// A signature's length tells where it ends only if it ends there.
#[test]
fn a_signature_is_all_of_its_element() {
    for scheme in [schemes::stripe(), schemes::standard_webhooks()] {
        let (header, separator, name) = match scheme.name() {
            "stripe" => ("stripe-signature", ",", "v1="),
            _ => ("webhook-signature", " ", "v1,"),
        };
        let key = Key::new("k1", if name == "v1=" { KEY } else { WHSEC });
        let signer = Signer::new(&scheme, &key).unwrap();
        let verifier = Verifier::builder(scheme).key(key).build().unwrap();
        let good = signer.sign(&Outgoing::new(b"{}").id("evt_1").timestamp(at(NOW))).unwrap();
        let list = good[header].to_str().unwrap().to_owned();
        let with = |list: String| {
            let mut headers = good.clone();
            headers.insert(header, HeaderValue::from_str(&list).unwrap());
            verdict(&verifier, &headers)
        };
        let (before, signature) = list.rsplit_once(name).unwrap();
        let (start, end) = signature.split_at(signature.len() / 2);
        let accepted = [
            format!("{list}{separator}"),
            format!("{list}{separator}{name}"),
            format!("{list}{separator}{name}{start}{separator}{name}{signature}"),
            format!("{before}{name}{start}{separator}{name}{signature}"),
            format!("{before}{name}{start}{separator}{end}{separator}{name}{signature}"),
            format!("{before}{name}{signature}A{separator}{name}{signature}"),
            format!("{before}{name}{separator}{name}{signature}"),
        ];
        for list in accepted {
            assert_eq!(with(list.clone()), Ok(()), "{list}");
        }
        let refused = [
            format!("{list}A"),
            format!("{list}="),
            format!("{list}{name}{signature}"),
            format!("{before}{name}{start}{separator}{end}"),
            format!("{before}{name}{separator}{signature}"),
        ];
        for list in refused {
            assert_eq!(with(list.clone()), Err(Refusal::MalformedHeader), "{list}");
        }
    }
}

/// Twelve headers are looked at in place; those beyond are looked at as closely.
#[test]
fn each_of_many_headers_counts() {
    let names: Vec<_> = (1..=20).map(|n| HeaderName::try_from(format!("x-part-{n}")).unwrap()).collect();
    let plain = Scheme::builder("acme").signature_header("x-signature").algorithm(Algorithm::HmacSha256);
    let scheme = names.iter().fold(plain, |scheme, name| scheme.required_header(name.as_str(), "1"));
    let source = Source::of(scheme.build().unwrap());
    let good = source.signer.sign(&Outgoing::new(b"{}")).unwrap();
    assert_eq!(verdict(&source.verifier, &good), Ok(()));
    for name in &names {
        let with = |change: fn(&mut HeaderMap, &HeaderName)| {
            let mut headers = good.clone();
            change(&mut headers, name);
            verdict(&source.verifier, &headers)
        };
        assert_eq!(with(|headers, name| drop(headers.remove(name))), Err(Refusal::MissingHeader), "{name}");
        let other = with(|headers, name| drop(headers.insert(name, HeaderValue::from_static("2"))));
        assert_eq!(other, Err(Refusal::MalformedHeader), "{name}");
        let twice = with(|headers, name| assert!(headers.append(name, HeaderValue::from_static("1"))));
        assert_eq!(twice, Err(Refusal::DuplicateHeader), "{name}");
    }
}

/// One that is not `identity` says that the body is other than as it was signed, whatever stands beside it.
#[test]
fn each_content_encoding_counts() {
    let source = Source::named("github");
    let with = |encodings: &[&'static str]| {
        let mut headers = source.signer.sign(&Outgoing::new(b"{}")).unwrap();
        for encoding in encodings {
            headers.append("content-encoding", HeaderValue::from_static(encoding));
        }
        verdict(&source.verifier, &headers)
    };
    for same in [&[][..], &["identity"], &["Identity", "identity"]] {
        assert_eq!(with(same), Ok(()), "{same:?}");
    }
    for other in [&["gzip"][..], &["identity", "gzip"], &["gzip", "identity"], &["gzip", "gzip"]] {
        assert_eq!(with(other), Err(Refusal::UnsupportedContentEncoding), "{other:?}");
    }
}
