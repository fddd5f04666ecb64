//! Which URL the provider may have called, where it is signed.

use http::{HeaderMap, Uri};

use super::explanation::{Cause, CauseKind};
use super::trial::{Trial, Variation};
use crate::canonical::percent_decoded;

/// Scheme, host, port and path prefix of a public URL.
#[derive(Clone, PartialEq)]
struct Origin {
    scheme: &'static str,
    host: String,
    port: Option<u16>,
    prefix: String,
}

impl Origin {
    fn parse(url: &str) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        Some(Self {
            scheme: if uri.scheme_str()? == "http" { "http" } else { "https" },
            host: uri.host()?.to_owned(),
            port: uri.port_u16(),
            prefix: uri.path().trim_end_matches('/').to_owned(),
        })
    }

    fn print(&self) -> String {
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        format!("{}://{}{port}{}", self.scheme, self.host, self.prefix)
    }
}

/// Every other URL: by origin, by path, by both.
pub(super) fn variations(trial: &Trial) -> Vec<Variation> {
    if !trial.scheme.signs_url() {
        return Vec::new();
    }
    let configured = trial.public_url.as_deref().and_then(Origin::parse);
    let origins = origins(configured.as_ref(), trial);
    let paths = paths(&trial.path_and_query, configured.as_ref());
    let same_path = (trial.path_and_query.clone(), "");
    let mut variations: Vec<_> =
        origins.iter().map(|origin| changed(configured.as_ref(), origin, &same_path)).collect();
    let start = configured.as_ref().or(origins.first());
    variations.extend(
        start.iter().flat_map(|origin| paths.iter().map(|path| changed(configured.as_ref(), origin, path))),
    );
    variations.extend(
        origins.iter().flat_map(|origin| paths.iter().map(|path| changed(configured.as_ref(), origin, path))),
    );
    variations
}

fn origins(configured: Option<&Origin>, trial: &Trial) -> Vec<Origin> {
    let mut hosts: Vec<(String, Option<u16>)> =
        configured.iter().map(|origin| (origin.host.clone(), origin.port)).collect();
    hosts.extend(hosts_of(&trial.headers));
    let with_www: Vec<_> = hosts.iter().map(|(host, port)| (with_or_without_www(host), *port)).collect();
    let lower: Vec<_> = hosts.iter().map(|(host, port)| (host.to_ascii_lowercase(), *port)).collect();
    let own = configured.map(|origin| origin.prefix.clone()).unwrap_or_default();
    let prefixes: Vec<_> = std::iter::once(own)
        .chain(forwarded(&trial.headers, "x-forwarded-prefix"))
        .chain([String::new()])
        .collect();
    let mut origins = Vec::new();
    for (host, port) in hosts.into_iter().chain(with_www).chain(lower) {
        for scheme in ["https", "http"] {
            for port in [port, None, Some(443), Some(80), Some(8080), Some(8443)] {
                for prefix in &prefixes {
                    let origin = Origin { scheme, host: host.clone(), port, prefix: prefix.clone() };
                    if Some(&origin) != configured && !origins.contains(&origin) {
                        origins.push(origin);
                    }
                }
            }
        }
    }
    // Of two URLs that fit, the one that changes less explains better.
    origins.sort_by_key(|origin| configured.map_or(0, |from| differences(from, origin)));
    origins
}

fn differences(from: &Origin, to: &Origin) -> u8 {
    u8::from(from.scheme != to.scheme)
        + u8::from(from.host != to.host)
        + u8::from(from.port != to.port)
        + u8::from(from.prefix != to.prefix)
}

fn with_or_without_www(host: &str) -> String {
    host.strip_prefix("www.").map_or_else(|| format!("www.{host}"), str::to_owned)
}

/// The first value of such a header's list.
fn forwarded(headers: &HeaderMap, name: &str) -> Option<String> {
    let first = headers.get(name)?.to_str().ok()?.split(',').next()?.trim();
    (!first.is_empty()).then(|| first.trim_end_matches('/').to_owned())
}

/// The hosts that the request itself names, three at most. A stranger wrote them, so they are tried here and never
/// trusted elsewhere.
fn hosts_of(headers: &HeaderMap) -> Vec<(String, Option<u16>)> {
    let named = ["x-forwarded-host", "x-original-host", "host"]
        .into_iter()
        .filter_map(|name| forwarded(headers, name));
    named
        .filter_map(|host| {
            let uri: Uri = format!("https://{host}").parse().ok()?;
            Some((uri.host()?.to_owned(), uri.port_u16()))
        })
        .collect()
}

/// Other paths and queries, each with what it is.
fn paths(path_and_query: &str, configured: Option<&Origin>) -> Vec<(String, &'static str)> {
    let (path, query) = match path_and_query.split_once('?') {
        Some((path, query)) => (path, format!("?{query}")),
        None => (path_and_query, String::new()),
    };
    let mut paths = vec![
        (format!("{path}/{query}"), "with a slash at the end of the path"),
        (format!("{}{query}", path.trim_end_matches('/')), "without the slash at the end of the path"),
        (path.to_owned(), "without the query"),
        (
            format!("{}/", path.trim_end_matches('/')),
            "with a slash at the end of the path, without the query",
        ),
        (String::new(), "without path and query"),
        ("/".to_owned(), "with the path '/' alone"),
    ];
    if let Some(rest) = configured.and_then(|origin| path_and_query.strip_prefix(origin.prefix.as_str())) {
        paths.push((rest.to_owned(), "with the path prefix once: public_url has it already"));
    }
    let mut rest = path.trim_start_matches('/');
    while let Some((_, after)) = rest.split_once('/') {
        paths.push((format!("/{after}{query}"), "without the first segments of the path"));
        rest = after;
    }
    paths.extend(decoded(path_and_query).map(|text| (text, "with its percent-escapes decoded")));
    let mut seen = vec![path_and_query.to_owned()];
    paths.retain(|(path, _)| {
        let new = !seen.contains(path);
        seen.push(path.clone());
        new
    });
    paths.truncate(16);
    paths
}

fn decoded(text: &str) -> Option<String> {
    String::from_utf8(percent_decoded(text.as_bytes())).ok()
}

fn changed(configured: Option<&Origin>, origin: &Origin, (path, what): &(String, &'static str)) -> Variation {
    let url = origin.print();
    let kind = match configured {
        Some(from) if from.host != origin.host => CauseKind::UrlHost,
        Some(from) if from.scheme != origin.scheme => CauseKind::UrlScheme,
        Some(from) if from.port != origin.port => CauseKind::UrlPort,
        None => CauseKind::UrlHost,
        _ => CauseKind::UrlPath,
    };
    let and_path = if what.is_empty() { String::new() } else { format!(", {what}") };
    // The path and query are not printed: a query may hold a token.
    let cause = Cause::recomputed(
        kind,
        format!("The signature is over a URL that begins with {url}{and_path}."),
        format!(
            "Set public_url to {url}{}. It is the URL as the provider has it, so take it from his settings, \
             and never from a header of the request.",
            if what.is_empty() { "" } else { ", and hand the path and query on as the provider calls them" }
        ),
    );
    let path = path.clone();
    Variation::new(cause, move |trial| {
        trial.public_url = Some(url.clone());
        trial.path_and_query.clone_from(&path);
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::trial;

    /// What changes less is tried first, as the limits may end the search; each once, and the configured one never.
    #[test]
    fn the_nearest_origins_come_first() {
        let mut trial = trial::tests::github();
        trial.headers.insert("x-forwarded-host", "b".parse().unwrap());
        trial.headers.insert("host", "a".parse().unwrap());
        let configured = Origin::parse("http://a:8080/in").unwrap();
        let origins = origins(Some(&configured), &trial);
        let nearest: Vec<_> = origins.iter().take(11).map(Origin::print).collect();
        let wanted = [
            "https://a:8080/in",
            "http://a:8080",
            "http://a/in",
            "http://a:443/in",
            "http://a:80/in",
            "http://a:8443/in",
            "http://b:8080/in",
            "http://www.a:8080/in",
            "http://www.b:8080/in",
            "https://a:8080",
            "https://a/in",
        ];
        assert_eq!(nearest, wanted);
        // Hosts 'a' and 'b' and each with 'www.', two schemes, five ports and two prefixes.
        assert_eq!(origins.len(), 4 * 2 * 5 * 2 - 1);
    }
}
