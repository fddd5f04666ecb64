//! URLs that are signed, and what is shown of them.

use hookproof::explain::CauseKind;
use hookproof::{Key, Scheme, schemes};

use super::delivery::{Delivery, ORIGIN, PATH, assert_recomputed, assert_seen, presets};

fn url_presets() -> impl Iterator<Item = Scheme> {
    presets().filter(Scheme::signs_url)
}

#[test]
fn another_origin_is_named() {
    for scheme in url_presets() {
        for (configured, kind) in [
            ("http://hooks.example.com", CauseKind::UrlScheme),
            ("https://hooks.example.com:443", CauseKind::UrlPort),
            ("https://hooks.example.com:8443", CauseKind::UrlPort),
            ("https://www.hooks.example.com", CauseKind::UrlHost),
            ("https://HOOKS.example.com", CauseKind::UrlHost),
            ("https://hooks.example.com/api", CauseKind::UrlPath),
        ] {
            let mut delivery = Delivery::of(&scheme);
            delivery.public_url = configured.to_owned();
            let explanation = delivery.explain();
            assert_recomputed(&format!("{}: {configured}", scheme.name()), &explanation, kind);
            assert!(explanation.causes[0].remedy.contains(ORIGIN), "{explanation}");
        }
    }
    assert!(url_presets().count() >= 2);
}

/// The host that a proxy forwards is tried, and named in the remedy.
#[test]
fn the_hosts_of_the_request_are_tried() {
    for header in ["host", "x-forwarded-host"] {
        let mut delivery = Delivery::of(&schemes::square());
        delivery.public_url = "https://internal.example.net".into();
        delivery.header(header, "hooks.example.com");
        assert_recomputed(header, &delivery.explain(), CauseKind::UrlHost);
    }
}

#[test]
fn another_path_is_named() {
    for scheme in url_presets() {
        for (arrived, public_url, phrase) in [
            ("/hooks/in/?tenant=7", ORIGIN, "without the slash at the end"),
            ("/api/hooks/in?tenant=7", ORIGIN, "first segments"),
            (
                "/hooks/in?tenant=7",
                "https://hooks.example.com/hooks/in",
                "begins with https://hooks.example.com.",
            ),
            ("/hooks%2Fin?tenant=7", ORIGIN, "percent-escapes"),
        ] {
            let mut delivery = Delivery::of(&scheme);
            delivery.path_and_query = arrived.to_owned();
            delivery.public_url = public_url.to_owned();
            let explanation = delivery.explain();
            assert_recomputed(&format!("{} {arrived}", scheme.name()), &explanation, CauseKind::UrlPath);
            assert!(explanation.causes[0].finding.contains(phrase), "{arrived}\n{explanation}");
            assert!(!explanation.to_string().contains("tenant=7"), "a query may hold a token");
        }
    }
    assert!(PATH.contains("tenant=7"));
}

#[test]
fn an_absent_public_url_is_a_mistake_of_the_set_up() {
    for scheme in url_presets() {
        let delivery = Delivery::of(&scheme);
        let explainer =
            hookproof::explain::Explainer::new(scheme.clone()).key(Key::new("k", delivery.key.as_str()));
        let explanation = delivery.explain_with(&explainer);
        assert_seen(scheme.name(), &explanation, CauseKind::Configuration);
        let mut with_host = delivery.clone();
        with_host.header("host", "hooks.example.com");
        assert_recomputed(scheme.name(), &with_host.explain_with(&explainer), CauseKind::UrlHost);
    }
}
