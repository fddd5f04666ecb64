//! What can be seen without recomputing anything, and what to do when nothing was found.

use http::HeaderName;

use super::explanation::{Cause, CauseKind};

use super::trial::{MAX_BODY_BYTES, Trial};
use super::{body, headers};
use crate::key::Key;
use crate::refusal::Refusal;
use crate::scheme::{Location, Part};
use crate::signature_list::{MAX_SIGNATURES, header_text};
use crate::timestamp::{TimestampFormat, UnixTime};

/// The most header names that are shown.
const MAX_NAMES: usize = 6;

/// A body that is shorter than it says: there is nothing to recompute.
pub(super) fn truncated(trial: &Trial) -> Option<Cause> {
    let (declared, here) = (body::declared_length(&trial.headers)?, trial.body.len());
    (here < declared).then(|| {
        Cause::seen(
            CauseKind::BodyTruncated,
            format!(
                "Content-Length is {declared}, and {here} bytes of the body are here: the end is missing, or \
                 the body was printed anew."
            ),
            "If this is a copy of the request, get all of its bytes. If the server saw it so, look for a \
             limit on the way, and for code that reads the body before the verification does.",
        )
    })
}

/// A key of the ring that made the signature, and did not count at the receipt.
pub(super) fn outside_validity(key: &Key, now: UnixTime) -> Option<Cause> {
    let (first, last) = key.validity().ok()?;
    let moment = |time| TimestampFormat::Rfc3339.print(time);
    let finding = match (first.filter(|first| now < *first), last.filter(|last| now > *last)) {
        (Some(first), _) => format!(
            "The signature is made with key '{}', which does not count before {}.",
            key.id(),
            moment(first)
        ),
        (_, Some(last)) => format!(
            "The signature is made with key '{}', which does not count after {}.",
            key.id(),
            moment(last)
        ),
        _ => return None,
    };
    let remedy = "The provider signs with a key whose time has not come or is over: end the rotation there, or set the \
                  key's not_before and not_after to when he changes.";
    Some(Cause::recomputed(CauseKind::KeyValidity, finding, remedy))
}

/// What a refusal says by itself.
pub(super) fn of_refusal(refusal: Refusal, trial: &Trial) -> Option<Cause> {
    match refusal {
        Refusal::MissingHeader => Some(missing(trial)),
        Refusal::DuplicateHeader => Some(duplicate(trial)),
        Refusal::MalformedHeader => Some(malformed(trial)),
        Refusal::TooManySignatures => Some(Cause::seen(
            CauseKind::MalformedHeader,
            format!("The signature header has more than {MAX_SIGNATURES} signatures; no more are compared."),
            "A provider sends one, or two during a rotation. Somebody is trying something.",
        )),
        Refusal::MalformedId => Some(Cause::seen(
            CauseKind::MalformedId,
            "The id that is signed has characters other than A-Z a-z 0-9 _ and -, or is too long: it could \
             be cut elsewhere.",
            "Ask the provider for ids without such characters.",
        )),
        Refusal::MalformedBody => Some(Cause::seen(
            CauseKind::MalformedBody,
            "The body is not the document from which the scheme reads a time or a signature.",
            "See whether the provider changed its format, or sends this type of event as something else than \
             JSON.",
        )),
        Refusal::DigestMismatch => Some(Cause::seen(
            CauseKind::BodyDigest,
            "The body is not the one whose digest the request states: it was changed on the way, or is not complete.",
            "Look for what changes bodies between the provider and here, and verify the bytes as they arrive.",
        )),
        Refusal::UncoveredComponent => Some(Cause::seen(
            CauseKind::MalformedHeader,
            "No signature covers all that the scheme requires.",
            "Have the provider sign the components that the scheme names, or build the scheme with what he signs.",
        )),
        Refusal::UnsupportedContentEncoding => Some(Cause::seen(
            CauseKind::BodyCompressed,
            "The request says that its body is compressed (Content-Encoding); nothing is unpacked before its \
             signature holds.",
            "Turn off the compression of requests at the provider or proxy. If a proxy unpacked the body, it \
             must remove the header.",
        )),
        Refusal::BodyTooLarge => Some(Cause::seen(
            CauseKind::BodyLimit,
            format!("The body has {} bytes, more than the limit.", trial.body.len()),
            "Raise body_limit_bytes if the provider sends bodies of this size.",
        )),
        _ => None,
    }
}

fn missing(trial: &Trial) -> Cause {
    let scheme = &trial.scheme;
    let names: Vec<_> = scheme.signature_headers.iter().map(HeaderName::as_str).collect();
    if let (true, Some(Location::Header(id))) = (scheme.parts.contains(&Part::Id), &scheme.event_id)
        && names.iter().any(|name| trial.headers.contains_key(*name))
    {
        return Cause::seen(
            CauseKind::MissingHeader,
            format!("Header '{id}' with the signed id is not there."),
            "See what the provider sends; a proxy may drop headers that it does not know.",
        );
    }
    let like = |name: &&str| ["sign", "hmac", "digest", "token"].iter().any(|word| name.contains(word));
    let others: Vec<_> = trial.headers.keys().map(HeaderName::as_str).filter(like).take(MAX_NAMES).collect();
    let others = match others.len() {
        0 => "No header looks like one.".to_owned(),
        _ => format!("Headers that look like one: {}.", others.join(", ")),
    };
    Cause::seen(
        CauseKind::MissingHeader,
        format!("The signature header '{}' is not there. {others}", names.join("' or '")),
        "Set a secret at the provider, without which many send no signature. Check that no proxy drops the \
         header, and that the preset is the provider's.",
    )
}

fn duplicate(trial: &Trial) -> Cause {
    let twice = |name: &&HeaderName| trial.headers.get_all(*name).iter().nth(1).is_some();
    let names: Vec<_> = trial.scheme.headers_read().filter(twice).map(HeaderName::as_str).collect();
    Cause::seen(
        CauseKind::DuplicateHeader,
        format!("Header '{}' is there twice; which one was signed cannot be known.", names.join("', '")),
        "Find who adds it again, most often a proxy.",
    )
}

fn malformed(trial: &Trial) -> Cause {
    let mut headers = trial.scheme.signature_headers.iter();
    let unprintable = headers.any(|name| header_text(trial.headers.get(name)).is_err());
    let finding = if unprintable {
        "The signature header has bytes that are not printable ASCII."
    } else {
        "The signature header does not have the scheme's form, or holds nothing of a signature's length (the \
         signature may be cut)."
    };
    Cause::seen(
        CauseKind::MalformedHeader,
        finding,
        "Compare the header with the preset's documentation: `hookproof schemes` names it. A length of 40 \
         hex digits is SHA-1, 64 is SHA-256, 128 is SHA-512, which no scheme here has.",
    )
}

/// What to do when no variation fits.
pub(super) fn next_steps(trial: &Trial, tries: u32, ids: &[&str]) -> Vec<String> {
    if !headers::any_signature(trial) {
        return vec![format!(
            "None of {tries} explanations fits: no header holds anything that could be a signature of this \
             scheme, so no key could be checked."
        )];
    }
    let ids = if ids.is_empty() { "missing".to_owned() } else { ids.join(", ") };
    let mut steps = vec![format!(
        "None of {tries} explanations fits: the secret is probably another one. Compare it at the provider \
         with what is configured (key: {ids}), or create a new one there and configure it here."
    )];
    steps.extend(body::beyond_repair(&trial.body).map(str::to_owned));
    if trial.body.len() > MAX_BODY_BYTES {
        steps.push(format!("The body is longer than {MAX_BODY_BYTES} bytes, so that it was not varied."));
    }
    if trial.body.is_empty() {
        steps.push("The body is empty: a body that was read before cannot be read again.".to_owned());
    }
    steps.push(
        "Make sure that these are the bytes of the request: capture it before any proxy and parser, and \
         compare the lengths."
            .to_owned(),
    );
    steps.push(
        "Ask the provider to send a test event, or send one yourself with `hookproof send`: if that is \
         accepted, the set-up is right."
            .to_owned(),
    );
    steps.push("Or nobody who has the key has sent it, and it is refused as it should be.".to_owned());
    steps
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::super::trial;
    use super::*;

    #[test]
    fn that_a_body_was_not_varied_is_said_beyond_the_limit() {
        let mut trial = trial::tests::github();
        for (length, said) in [(MAX_BODY_BYTES, false), (MAX_BODY_BYTES + 1, true)] {
            trial.body = Bytes::from(vec![b' '; length]);
            let steps = next_steps(&trial, 1, &["k"]);
            assert_eq!(
                steps.iter().any(|step| step.contains("it was not varied")),
                said,
                "{length}: {steps:?}"
            );
        }
    }
}
