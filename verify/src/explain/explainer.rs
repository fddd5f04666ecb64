use std::fmt;

use bytes::Bytes;
use http::header::CONTENT_ENCODING;

use super::explanation::{Cause, CauseKind, Explanation, Verdict};
use super::others::{self, Other};
use super::trial::{MAX_BODY_BYTES, MAX_HASHED_BYTES, Search, Trial, Variation};
use super::{body, headers, keys, seen, signed_text, time, url};
use crate::config_error::ConfigError;
use crate::key::Key;
use crate::refusal::Refusal;
use crate::request::RequestView;
use crate::scheme::{Freshness, Scheme};
use crate::timestamp::{UnixTime, Window};
use crate::verified::Verified;
use crate::verifier::{DEFAULT_BODY_LIMIT, Verifier};

/// Tells why a delivery was refused. See [the module](super) for an example, and for what is tried.
///
/// Set it up as the [`Verifier`] is. Unlike that it takes any set-up, also one that cannot work, and says so.
#[derive(Clone)]
pub struct Explainer {
    scheme: Scheme,
    keys: Vec<Key>,
    window: Option<Window>,
    public_url: Option<String>,
    webhook_id: Option<String>,
    body_limit: usize,
    undated_accepted: bool,
    others: Vec<Other>,
}

impl Explainer {
    /// Explains deliveries of this scheme.
    #[must_use]
    pub fn new(scheme: Scheme) -> Self {
        Self {
            scheme,
            keys: Vec::new(),
            window: None,
            public_url: None,
            webhook_id: None,
            body_limit: DEFAULT_BODY_LIMIT,
            undated_accepted: false,
            others: Vec::new(),
        }
    }

    /// Adds a key, as [`VerifierBuilder::key`](crate::VerifierBuilder::key).
    #[must_use]
    pub fn key(mut self, key: Key) -> Self {
        self.keys.push(key);
        self
    }

    /// Adds keys.
    #[must_use]
    pub fn keys(mut self, keys: impl IntoIterator<Item = Key>) -> Self {
        self.keys.extend(keys);
        self
    }

    /// As [`VerifierBuilder::window`](crate::VerifierBuilder::window).
    #[must_use]
    pub fn window(mut self, window: Window) -> Self {
        self.window = Some(window);
        self
    }

    /// As [`VerifierBuilder::public_url`](crate::VerifierBuilder::public_url).
    #[must_use]
    pub fn public_url(mut self, url: impl Into<String>) -> Self {
        self.public_url = Some(url.into());
        self
    }

    /// As [`VerifierBuilder::webhook_id`](crate::VerifierBuilder::webhook_id).
    #[must_use]
    pub fn webhook_id(mut self, id: impl Into<String>) -> Self {
        self.webhook_id = Some(id.into());
        self
    }

    /// As [`VerifierBuilder::body_limit`](crate::VerifierBuilder::body_limit), in bytes.
    #[must_use]
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// As [`VerifierBuilder::danger_accept_undated`](crate::VerifierBuilder::danger_accept_undated). Here it
    /// endangers nothing.
    #[must_use]
    pub fn accept_undated(mut self) -> Self {
        self.undated_accepted = true;
        self
    }

    /// A key that the source had and has no more, or does not have yet; `whose` says which, for the finding.
    #[must_use]
    pub fn former_key(mut self, whose: impl Into<String>, key: Key) -> Self {
        self.others.push(Other { name: whose.into(), scheme: None, public_url: None, keys: vec![key] });
        self
    }

    /// Another source of the same service: deliveries get posted to the wrong one, and keys configured for the wrong one.
    #[must_use]
    pub fn other_source(
        mut self,
        name: impl Into<String>,
        scheme: Scheme,
        keys: impl IntoIterator<Item = Key>,
        public_url: Option<String>,
    ) -> Self {
        let keys = keys.into_iter().collect();
        self.others.push(Other { name: name.into(), scheme: Some(scheme), public_url, keys });
        self
    }

    /// Verifies the delivery as it was received at `now`; if it is refused, looks for what would make it hold.
    ///
    /// # Security
    ///
    /// Not while a request waits: see [the module](super). `now` is the moment of receipt, not the clock at which
    /// somebody asks.
    #[must_use]
    pub fn explain<'a>(
        &self,
        request: impl Into<RequestView<'a>>,
        body: &[u8],
        now: impl Into<UnixTime>,
    ) -> Explanation {
        let (request, now) = (request.into(), now.into());
        let trial = self.trial(request, body, now);
        let mut explanation = Explanation {
            verdict: Verdict::Accepted,
            reason: None,
            configuration: None,
            scheme: self.scheme.name().to_owned(),
            key_id: None,
            time: time::finding(&trial),
            causes: Vec::new(),
            tries: 0,
            cut_short: false,
            next_steps: Vec::new(),
        };
        let refusal = match self.verdict(request, body, now) {
            Ok(Ok(proof)) => {
                explanation.key_id = Some(proof.key_id().to_owned());
                return explanation;
            }
            Ok(Err(refusal)) => {
                explanation.verdict = Verdict::Refused;
                explanation.reason = Some(refusal.code());
                Some(refusal)
            }
            Err(error) => {
                explanation.verdict = Verdict::Misconfigured;
                explanation.configuration = Some(error.to_string());
                None
            }
        };
        self.search(&trial, refusal, &mut explanation);
        explanation
    }

    /// What the verifier of this set-up says.
    fn verdict(
        &self,
        request: RequestView<'_>,
        body: &[u8],
        now: UnixTime,
    ) -> Result<Result<Verified<Bytes>, Refusal>, ConfigError> {
        let mut builder = Verifier::builder(self.scheme.clone())
            .keys(self.keys.iter().cloned())
            .body_limit(self.body_limit);
        if let Some(window) = self.window {
            builder = builder.window(window);
        }
        if let Some(url) = &self.public_url {
            builder = builder.public_url(url);
        }
        if let Some(id) = &self.webhook_id {
            builder = builder.webhook_id(id);
        }
        if self.undated_accepted {
            builder = builder.danger_accept_undated();
        }
        let verifier = builder.build()?;
        let receive = || {
            let mut pending = verifier.begin(request, now)?;
            pending.update(body)?;
            pending.finish()
        };
        Ok(receive())
    }

    /// The delivery, ready to be changed. A compressed body is looked at as it is.
    fn trial(&self, request: RequestView<'_>, body: &[u8], now: UnixTime) -> Trial {
        let mut scheme = self.scheme.clone();
        if let (
            Freshness::SignedTimestamp { window, .. } | Freshness::EventTime { window, .. },
            Some(given),
        ) = (&mut scheme.freshness, self.window)
        {
            *window = given;
        }
        let mut headers = request.headers.clone();
        headers.remove(CONTENT_ENCODING);
        Trial {
            scheme,
            // Without their times of validity, which are looked at when one fits. That one is short is told by the verdict. A key that is made of another's text must not be: a stranger could
            // guess it, sign with it, and have the explanation recommend it.
            keys: self
                .keys
                .iter()
                .map(|key| Key::new(key.id(), key.text()).danger_allow_short_key())
                .collect(),
            public_url: self.public_url.clone(),
            webhook_id: self.webhook_id.clone(),
            method: request.method.clone(),
            path_and_query: request.path_and_query.to_owned(),
            headers,
            body: Bytes::copy_from_slice(body),
            now,
        }
    }

    fn search(&self, trial: &Trial, refusal: Option<Refusal>, explanation: &mut Explanation) {
        let mut search = Search::new(MAX_HASHED_BYTES);
        if let Some(key) = search.fits(trial) {
            // The signature is not what is wrong.
            let made_with = self.keys.iter().find(|own| own.id() == key);
            explanation.causes.extend(made_with.and_then(|key| seen::outside_validity(key, trial.now)));
            explanation.key_id = Some(key);
        } else {
            explanation.causes.extend(seen::truncated(trial));
            let families = self.families(trial);
            for family in &families {
                if let Some((variation, key)) = search.first(trial, family) {
                    explanation.key_id.get_or_insert(key);
                    explanation.causes.push(variation.cause.clone());
                }
            }
            if !explanation.is_proven()
                && headers::any_signature(trial)
                && let Some((first, second, key)) = search.first_of_pairs(trial, &families)
            {
                explanation.key_id = Some(key);
                explanation.causes.push(together(&first.cause, "with the next one together"));
                explanation.causes.push(together(&second.cause, "with the one before together"));
            }
            if !explanation.is_proven() {
                let ids: Vec<_> = self.keys.iter().map(Key::id).collect();
                explanation.next_steps = seen::next_steps(trial, search.tries, &ids);
            }
        }
        explanation.tries = search.tries;
        explanation.cut_short = search.cut_short;
        self.add_what_is_seen(trial, refusal, explanation);
    }

    /// What needs no recomputing: a time outside its window also, which says nothing about the signature.
    fn add_what_is_seen(&self, trial: &Trial, refusal: Option<Refusal>, explanation: &mut Explanation) {
        let known =
            |explanation: &Explanation, kind| explanation.causes.iter().any(|cause| cause.kind == kind);
        let mut more: Vec<_> =
            refusal.and_then(|refusal| seen::of_refusal(refusal, trial)).into_iter().collect();
        if let Some(problem) = &explanation.configuration {
            more.push(Cause::seen(
                CauseKind::Configuration,
                format!("{problem}."),
                "Correct the set-up; `hookproof check-config` finds it too.",
            ));
        }
        // An event time counts only once the signature holds.
        if explanation.key_id.is_some() || matches!(trial.scheme.freshness, Freshness::SignedTimestamp { .. })
        {
            more.extend(time::causes(trial));
        }
        // That a header is absent is explained if its content was found elsewhere.
        let explained = explanation.is_proven();
        more.retain(|cause| !(known(explanation, cause.kind) || explained && follows(cause.kind)));
        explanation.causes.extend(more);
    }

    /// Every variation, by family; those of a family exclude one another. The earlier family explains better.
    fn families(&self, trial: &Trial) -> Vec<Vec<Variation>> {
        let varied = |family: fn(&[u8], &http::HeaderMap) -> Vec<Variation>| {
            if trial.body.len() > MAX_BODY_BYTES { Vec::new() } else { family(&trial.body, &trial.headers) }
        };
        vec![
            others::presets(trial),
            others::keys(&self.others),
            keys::variations(&trial.scheme, &trial.keys),
            headers::variations(trial),
            varied(body::variations),
            url::variations(trial),
            time::unit_variations(trial).into_iter().chain(signed_text::variations(trial)).collect(),
        ]
    }
}

fn together(cause: &Cause, how: &str) -> Cause {
    let mut cause = cause.clone();
    cause.finding = format!("{} (Only {how}.)", cause.finding);
    cause
}

/// What a refusal sees follows from what was found by recomputing.
fn follows(kind: CauseKind) -> bool {
    matches!(
        kind,
        CauseKind::MissingHeader
            | CauseKind::MalformedHeader
            | CauseKind::DuplicateHeader
            | CauseKind::BodyCompressed
            | CauseKind::MalformedTimestamp
    )
}

/// The ids of the keys, and nothing of them.
impl fmt::Debug for Explainer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Explainer")
            .field("scheme", &self.scheme.name())
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}
