//! A second statement of what the library verifies with HMAC and shared secrets: from the table and the rules in
//! `test-vectors/README.md`, and deliberately naive. It copies, decodes twice, and compares with `==`.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hookproof::{Refusal, UnixTime};
use http::HeaderMap;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::coverage::form;
use crate::naive_json::{self, Json};
use crate::naive_table::{BOX_HAS, HEX_KEYS, HMAC_SHA1, LIST, Row};
use crate::{NOW, naive_time};

/// A request as it came, without its host: that is configured.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    pub method: &'a str,
    pub url: &'a str,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
}

pub type Verdict = Result<Option<UnixTime>, Refusal>;

/// HMAC (RFC 2104), written out.
pub fn hmac(sha1: bool, key: &[u8], message: &[u8]) -> Vec<u8> {
    let hash =
        |bytes: &[u8]| if sha1 { Sha1::digest(bytes).to_vec() } else { Sha256::digest(bytes).to_vec() };
    let mut block = if key.len() > 64 { hash(key) } else { key.to_vec() };
    block.resize(64, 0);
    let padded = |pad: u8| block.iter().map(|byte| byte ^ pad).collect::<Vec<_>>();
    hash(&[padded(0x5c), hash(&[padded(0x36), message.to_vec()].concat())].concat())
}

/// The bytes with which a scheme signs whose key was made of `secret` by [`crate::key_text`].
pub fn key_bytes(scheme: &str, secret: &[u8]) -> Vec<u8> {
    match scheme {
        "standard-webhooks" | "gitlab" | "openai" | "svix" => secret.to_vec(),
        name if HEX_KEYS.contains(&name) => secret.to_vec(),
        _ => hex::encode(secret).into_bytes(),
    }
}

fn values<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a [u8]> {
    headers.get_all(name).iter().map(http::HeaderValue::as_bytes).collect()
}

fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a [u8]> {
    values(headers, name).first().copied()
}

/// The row that a request is read by, of those of its scheme.
pub fn chosen<'r>(rows: &'r [Row], scheme: &str, headers: &HeaderMap) -> &'r Row {
    let of_scheme: Vec<_> = rows.iter().filter(|row| row.scheme == scheme).collect();
    let any = |row: &&&Row| row.reads().iter().any(|name| headers.contains_key(name.as_str()));
    let preferred = of_scheme.iter().take(of_scheme.len() - 1).find(any);
    preferred.unwrap_or(&of_scheme[of_scheme.len() - 1])
}

impl Row {
    /// The verdict, by the rules in their order.
    pub fn verify(&self, key: &[u8], request: Request<'_>) -> Verdict {
        let headers = request.headers;
        if values(headers, "content-encoding").iter().any(|value| value.to_ascii_lowercase() != b"identity") {
            return Err(Refusal::UnsupportedContentEncoding);
        }
        if self.reads().iter().any(|name| values(headers, name).len() > 1) {
            return Err(Refusal::DuplicateHeader);
        }
        if self.scheme == "box" {
            for (name, wanted) in BOX_HAS {
                let value = value(headers, name).ok_or(Refusal::MissingHeader)?;
                if value != wanted.as_bytes() {
                    return Err(Refusal::MalformedHeader);
                }
            }
        }
        if self.form == "items" {
            return naive_json::verify_items(request.body, |message| hmac(false, key, message))
                .map(|()| None);
        }
        let tags = self.tags(headers)?;
        self.check_list(headers)?;
        if self.signed.contains("{id}") {
            let id = value(headers, self.id).ok_or(Refusal::MissingHeader)?;
            let good = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-".contains(byte);
            if !(1..=256).contains(&id.len()) || !id.iter().all(good) {
                return Err(Refusal::MalformedId);
            }
        }
        let time = self.signed_time(headers)?;
        let sha1 = HMAC_SHA1.contains(&self.scheme);
        let own: Vec<_> = match self.form {
            "token" => vec![key.to_vec()],
            _ => self.messages(request).iter().map(|message| hmac(sha1, key, message)).collect(),
        };
        if !tags.iter().any(|(header, tag)| self.counts(header) && own.contains(tag)) {
            return Err(Refusal::SignatureMismatch);
        }
        if let Some(digest) = self.digest_in_url(request.url)
            && digest != hex::encode(Sha256::digest(request.body))
        {
            return Err(Refusal::DigestMismatch);
        }
        let in_body = self.time.first().is_some_and(|place| ["body", "maybe"].contains(place));
        if in_body { self.time_in_body(request.body) } else { Ok(time) }
    }

    /// A key that is not called `secondary` does not go with that header.
    fn counts(&self, header: &str) -> bool {
        header != "box-signature-secondary"
    }

    /// What the signature headers hold, each tag with its header.
    pub fn tags(&self, headers: &HeaderMap) -> Result<Vec<(String, Vec<u8>)>, Refusal> {
        let present: Vec<_> =
            self.headers.iter().filter(|name| headers.contains_key(name.as_str())).collect();
        if present.is_empty() {
            return Err(Refusal::MissingHeader);
        }
        if present.len() > 8 {
            return Err(Refusal::TooManySignatures);
        }
        let mut tags = Vec::new();
        for name in present {
            if let Some(text) = printable(value(headers, name)) {
                tags.extend(self.tags_in(&text)?.into_iter().map(|tag| (name.clone(), tag)));
            }
        }
        if tags.is_empty() { Err(Refusal::MalformedHeader) } else { Ok(tags) }
    }

    fn tags_in(&self, text: &str) -> Result<Vec<Vec<u8>>, Refusal> {
        let words: Vec<_> = self.form.split(' ').collect();
        let len = if HMAC_SHA1.contains(&self.scheme) { 20 } else { 32 };
        let (pairs, names): (Vec<(&str, &str)>, Vec<&str>) = match words[0] {
            "token" if (1..=1024).contains(&text.len()) => return Ok(vec![text.as_bytes().to_vec()]),
            "token" => return Ok(vec![]),
            "plain" => {
                return Ok(text
                    .strip_prefix(words[2])
                    .and_then(|text| decoded(words[1], text, len))
                    .into_iter()
                    .collect());
            }
            "list" => (pairs(text, words[2], "="), vec![words[3]]),
            _ => (pairs(text, " ", ","), words[1..].to_vec()),
        };
        let separator = if words[0] == "list" { words[2] } else { " " };
        let known: Vec<_> = pairs.iter().filter(|(name, _)| names.contains(name)).collect();
        if text.split(separator).count() > 32 || known.len() > 8 {
            return Err(Refusal::TooManySignatures);
        }
        let times = pairs.iter().filter(|(name, _)| words[0] == "list" && *name == words[4]).count();
        if times > 1 {
            return Err(Refusal::MalformedHeader);
        }
        let encoding = if words[0] == "list" { words[1] } else { "base64" };
        // The version of public keys has tags of 64 bytes, which are none of an HMAC.
        let decode =
            |(name, text): &&(&str, &str)| decoded(encoding, text, if *name == "v1a" { 64 } else { len });
        Ok(known.iter().filter_map(|pair| decode(pair)).collect())
    }

    /// The texts that may have been signed.
    pub fn messages(&self, request: Request<'_>) -> Vec<Vec<u8>> {
        let header = |name| value(request.headers, name).unwrap_or_default().to_vec();
        let listed = || self.form_of_listed(request.headers);
        let urls =
            if self.signed.contains("{urls}") { urls(request.url) } else { vec![request.url.to_owned()] };
        urls.iter()
            .map(|url| {
                let mut message = Vec::new();
                for piece in self.signed.split('{') {
                    let (name, literal) = piece.split_once('}').unwrap_or(("", piece));
                    message.extend(match name {
                        "id" => header(self.id),
                        "ts" => self.time_text(request.headers).unwrap_or_default(),
                        "body" => request.body.to_vec(),
                        "url" | "urls" => url.clone().into_bytes(),
                        "method" => request.method.as_bytes().to_vec(),
                        "distinct" if self.digest_in_url(request.url).is_some() => Vec::new(),
                        "distinct" => form(request.body, true),
                        "pairs" => form(request.body, false),
                        "path" => encoded_path(url).into_bytes(),
                        "listed" => listed(),
                        "nl" => b"\n".to_vec(),
                        _ => Vec::new(),
                    });
                    message.extend(literal.as_bytes());
                }
                message
            })
            .collect()
    }

    fn digest_in_url<'u>(&self, url: &'u str) -> Option<&'u str> {
        let query = url.split_once('?').map(|(_, query)| query).filter(|_| self.scheme == "twilio")?;
        let digests = query.split('&').filter(|piece| piece.split('=').next() == Some("bodySHA256"));
        digests.map(|piece| piece.split_once('=').map_or("", |(_, digest)| digest)).next()
    }

    fn time_text(&self, headers: &HeaderMap) -> Option<Vec<u8>> {
        match self.time.first()? {
            &"header" => value(headers, self.time[1]).map(<[u8]>::to_vec),
            &"list" => {
                let words: Vec<_> = self.form.split(' ').collect();
                let text = printable(value(headers, &self.headers[0]))?;
                let pairs = pairs(&text, words[2], "=");
                pairs
                    .into_iter()
                    .find(|(name, _)| *name == words[4])
                    .map(|(_, text)| text.as_bytes().to_vec())
            }
            _ => None,
        }
    }

    fn signed_time(&self, headers: &HeaderMap) -> Verdict {
        let unit = match self.time.first() {
            Some(&"header") => self.time[2],
            Some(&"list") => self.time[1],
            _ => return Ok(None),
        };
        let text = self.time_text(headers).ok_or(Refusal::MissingTimestamp)?;
        let millis = naive_time::millis(unit, &text).ok_or(Refusal::MalformedTimestamp)?;
        self.in_window(millis)
    }

    fn in_window(&self, millis: u64) -> Verdict {
        let seconds =
            |from_end: usize| self.time[self.time.len() - from_end].parse::<i128>().expect("a number") * 1000;
        let age = i128::from(NOW) * 1000 - i128::from(millis);
        if age > seconds(2) {
            Err(Refusal::TimestampTooOld)
        } else if -age > seconds(1) {
            Err(Refusal::TimestampTooNew)
        } else {
            Ok(Some(UnixTime::from_millis(millis)))
        }
    }

    fn time_in_body(&self, body: &[u8]) -> Verdict {
        let text = match naive_json::find(body, self.time[1])? {
            None | Some(Json::Null) if self.time[0] == "maybe" => return Ok(None),
            None | Some(Json::Null) => return Err(Refusal::MissingTimestamp),
            Some(Json::Text(text) | Json::Number(text)) => text,
            Some(Json::Other) => return Err(Refusal::MalformedTimestamp),
        };
        let units = self.time[2].split(',');
        let millis = units.filter_map(|unit| naive_time::millis(unit, text.as_bytes())).next();
        self.in_window(millis.ok_or(Refusal::MalformedTimestamp)?)
    }

    /// Contentful's list must name itself and the time, and headers that are there once.
    fn check_list(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        if self.scheme != "contentful" {
            return Ok(());
        }
        let names = listed_names(value(headers, LIST).ok_or(Refusal::MissingHeader)?)
            .ok_or(Refusal::MalformedHeader)?;
        let twice = (1..names.len()).any(|place| names[..place].contains(&names[place]));
        if twice || [LIST, self.time[1]].iter().any(|name| !names.contains(&(*name).to_owned())) {
            return Err(Refusal::MalformedHeader);
        }
        names.iter().try_for_each(|name| match values(headers, name).len() {
            0 => Err(Refusal::MissingHeader),
            1 => Ok(()),
            _ => Err(Refusal::DuplicateHeader),
        })
    }

    fn form_of_listed(&self, headers: &HeaderMap) -> Vec<u8> {
        let names = listed_names(value(headers, LIST).unwrap_or_default()).unwrap_or_default();
        let line = |name: &String| {
            let text = value(headers, name).unwrap_or_default();
            let text: String = text.iter().map(|byte| char::from(*byte)).collect();
            let text =
                text.trim_matches([' ', '\t']).chars().map(|c| u8::try_from(u32::from(c)).expect("a byte"));
            [name.as_bytes(), b":", &text.collect::<Vec<_>>()].concat()
        };
        names.iter().map(line).collect::<Vec<_>>().join(&b';')
    }

    /// A tag as the scheme writes it.
    pub fn encoded(&self, tag: &[u8]) -> String {
        let encoding = self.form.split(' ').nth(1).unwrap_or_default();
        match (encoding, self.form) {
            (_, "token") => String::from_utf8_lossy(tag).into_owned(),
            ("hex", _) => hex::encode(tag),
            ("base64-of-hex", _) => STANDARD.encode(hex::encode(tag)),
            _ => STANDARD.encode(tag),
        }
    }

    /// The text to put where a signature belongs, for this request as it is otherwise.
    pub fn signature(&self, key: &[u8], request: Request<'_>) -> String {
        let tag = match self.form {
            "token" => key.to_vec(),
            _ => hmac(HMAC_SHA1.contains(&self.scheme), key, &self.messages(request)[0]),
        };
        self.encoded(&tag)
    }
}

fn printable(value: Option<&[u8]>) -> Option<String> {
    let text = value?;
    text.iter().all(|byte| (0x20..0x7f).contains(byte)).then(|| String::from_utf8_lossy(text).into_owned())
}

fn pairs<'t>(text: &'t str, separator: &str, after_name: &str) -> Vec<(&'t str, &'t str)> {
    text.split(separator).filter_map(|element| element.split_once(after_name)).collect()
}

/// What encodes to this text again, but for the case of hexadecimal digits.
fn decoded(encoding: &str, text: &str, len: usize) -> Option<Vec<u8>> {
    let in_base64 = |text: &str| STANDARD.decode(text).ok().filter(|bytes| STANDARD.encode(bytes) == text);
    let bytes = match encoding {
        "hex" => hex::decode(text).ok(),
        "base64" => in_base64(text),
        _ => in_base64(text).and_then(|digits| {
            let bytes = hex::decode(&digits).ok()?;
            (hex::encode(&bytes).as_bytes() == digits).then_some(bytes)
        }),
    };
    bytes.filter(|bytes| bytes.len() == len)
}

/// A URL as it was called, with or without its port, and each with every apostrophe of its query escaped.
fn urls(url: &str) -> Vec<String> {
    let uri: http::Uri = url.parse().expect("a URL");
    let authority = uri.authority().expect("it has a host").as_str();
    let other = match uri.port_u16() {
        Some(port) => authority.strip_suffix(&format!(":{port}")).unwrap_or(authority).to_owned(),
        None => format!("{authority}:{}", if uri.scheme_str() == Some("https") { 443 } else { 80 }),
    };
    let both = [url.to_owned(), url.replacen(authority, &other, 1)];
    let escaped = both.clone().map(|url| match url.split_once('?') {
        Some((path, query)) => [path, &query.replace('\'', "%27")].join("?"),
        None => url,
    });
    [both, escaped].concat()
}

fn encoded_path(url: &str) -> String {
    let escape = |text: &str, kept: &str| -> String {
        let one = |byte: u8| match char::from(byte) {
            c if c.is_ascii_alphanumeric() || kept.contains(c) => c.to_string(),
            _ => format!("%{byte:02X}"),
        };
        text.bytes().map(one).collect()
    };
    let path = &url[url.match_indices('/').nth(2).map_or(url.len(), |(at, _)| at)..];
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let query = if query.is_empty() { String::new() } else { format!("?{}", escape(query, "-_.!~*'()")) };
    escape(&format!("{path}{query}"), "-_.!~*'();,/?:@&=+$#")
}

/// Lower-case, trimmed, sorted; `None` if one is no name of a header.
fn listed_names(list: &[u8]) -> Option<Vec<String>> {
    let text: String = list.iter().map(|byte| char::from(*byte)).collect();
    let names = text.split(',').map(|name| http::HeaderName::try_from(name.trim_matches([' ', '\t'])).ok());
    let mut names = names.collect::<Option<Vec<_>>>()?.iter().map(ToString::to_string).collect::<Vec<_>>();
    names.sort();
    Some(names)
}
