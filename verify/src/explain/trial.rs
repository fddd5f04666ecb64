//! One thing changed, and the verifier asked again.

use bytes::Bytes;
use http::{HeaderMap, Method};

use super::explanation::Cause;
use super::time;
use crate::key::Key;
use crate::request::RequestView;
use crate::scheme::{Freshness, Scheme};
use crate::timestamp::UnixTime;
use crate::verifier::Verifier;

/// The most variations that are tried.
pub const MAX_TRIES: u32 = 4096;

/// The most bytes of bodies that are hashed in all trials together: 256 MiB, some seconds at most.
pub const MAX_HASHED_BYTES: u64 = 256 << 20;

/// The longest body that is varied, in bytes: 1 MiB.
pub const MAX_BODY_BYTES: usize = 1 << 20;

/// A set-up and a delivery, to be changed and tried.
#[derive(Clone)]
pub(super) struct Trial {
    pub(super) scheme: Scheme,
    pub(super) keys: Vec<Key>,
    pub(super) public_url: Option<String>,
    pub(super) webhook_id: Option<String>,
    pub(super) method: Method,
    pub(super) path_and_query: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) now: UnixTime,
}

/// A change that may explain a refusal, and what it would mean.
pub(super) struct Variation {
    pub(super) cause: Cause,
    change: Box<dyn Fn(&mut Trial)>,
}

impl Variation {
    pub(super) fn new(cause: Cause, change: impl Fn(&mut Trial) + 'static) -> Self {
        Self { cause, change: Box::new(change) }
    }

    pub(super) fn apply(&self, trial: &Trial) -> Trial {
        let mut changed = trial.clone();
        (self.change)(&mut changed);
        changed
    }
}

/// What of the limits is left.
pub(super) struct Search {
    pub(super) tries: u32,
    unhashed: u64,
    pub(super) cut_short: bool,
}

impl Search {
    pub(super) fn new(hashed_at_most: u64) -> Self {
        Self { tries: 0, unhashed: hashed_at_most, cut_short: false }
    }

    /// The id of the key with which the signature holds, at whatever time. `None` if with none, or if a limit is reached.
    pub(super) fn fits(&mut self, trial: &Trial) -> Option<String> {
        let cost = trial.body.len() as u64 * trial.keys.len() as u64;
        let Some(unhashed) = self.unhashed.checked_sub(cost).filter(|_| self.tries < MAX_TRIES) else {
            self.cut_short = true;
            return None;
        };
        self.tries += 1;
        self.unhashed = unhashed;
        // Each key by itself: one that does not decode must not hide another.
        trial.keys.iter().find(|key| trial.holds(key)).map(|key| key.id().to_owned())
    }

    /// The first variation that fits, with its key.
    pub(super) fn first<'v>(
        &mut self,
        trial: &Trial,
        family: &'v [Variation],
    ) -> Option<(&'v Variation, String)> {
        family.iter().find_map(|variation| Some((variation, self.fits(&variation.apply(trial))?)))
    }

    /// Two families at a time. Both together are tried only when neither suffices: there are many.
    pub(super) fn first_of_pairs<'v>(
        &mut self,
        trial: &Trial,
        families: &'v [Vec<Variation>],
    ) -> Option<(&'v Variation, &'v Variation, String)> {
        let mut pairs: Vec<_> = families
            .iter()
            .enumerate()
            .flat_map(|(at, first)| families.iter().skip(at + 1).map(move |second| (first, second)))
            .collect();
        // Many pairs of two small families before a few of two large ones.
        pairs.sort_by_key(|(first, second)| first.len() * second.len());
        pairs.into_iter().find_map(|(first, second)| self.first_pair(trial, first, second))
    }

    /// The first pair that fits, one of each family.
    fn first_pair<'v>(
        &mut self,
        trial: &Trial,
        first: &'v [Variation],
        second: &'v [Variation],
    ) -> Option<(&'v Variation, &'v Variation, String)> {
        first.iter().find_map(|a| {
            let changed = a.apply(trial);
            let (b, key) = self.first(&changed, second)?;
            Some((a, b, key))
        })
    }
}

impl Trial {
    /// Whether the signature holds with this key, at the time that the delivery itself states.
    fn holds(&self, key: &Key) -> bool {
        let mut scheme = self.scheme.clone();
        if matches!(scheme.freshness, Freshness::EventTime { .. }) {
            // It is looked at after the signature, and is not the question here.
            scheme.freshness = Freshness::None;
        }
        let now = time::stated(&scheme, &self.headers, &self.body).unwrap_or(self.now);
        let signs_url = scheme.signs_url();
        let mut builder = Verifier::builder(scheme).key(key.clone());
        if let (Some(url), true) = (&self.public_url, signs_url) {
            builder = builder.public_url(url);
        }
        if let Some(id) = &self.webhook_id {
            builder = builder.webhook_id(id);
        }
        let Ok(verifier) = builder.build() else { return false };
        let request = RequestView {
            method: &self.method,
            path_and_query: &self.path_and_query,
            headers: &self.headers,
        };
        verifier.verify(request, &self.body, now).is_ok()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::explain::explanation::CauseKind;
    use crate::sign::{Outgoing, Signer};

    const SECRET: &str = "a secret of at least 16 bytes";

    /// A delivery that is right as it is.
    pub(in crate::explain) fn github() -> Trial {
        let key = Key::new("k", SECRET);
        let scheme = crate::schemes::github();
        let headers = Signer::new(&scheme, &key).unwrap().sign(&Outgoing::new(b"12345678")).unwrap();
        Trial {
            scheme,
            keys: vec![key],
            public_url: None,
            webhook_id: None,
            method: Method::POST,
            path_and_query: "/".into(),
            headers,
            body: Bytes::from_static(b"12345678"),
            now: UnixTime::from_secs(0),
        }
    }

    /// Two tries of eight bytes fit into sixteen, and a third does not, right as it is.
    #[test]
    fn what_is_hashed_is_bounded() {
        let trial = github();
        let mut search = Search::new(16);
        assert_eq!(search.fits(&trial).as_deref(), Some("k"));
        assert_eq!(search.fits(&trial).as_deref(), Some("k"));
        assert!(!search.cut_short);
        assert_eq!(search.fits(&trial), None);
        assert!(search.cut_short && search.tries == 2);
    }

    fn variation(change: impl Fn(&mut Trial) + 'static) -> Variation {
        Variation::new(Cause::recomputed(CauseKind::KeyText, "", ""), change)
    }

    /// So many that change nothing.
    fn idle(number: usize) -> Vec<Variation> {
        (0..number).map(|_| variation(|_| ())).collect()
    }

    /// The body is altered, and the key another: mended by the first family and the last of the second together.
    #[test]
    fn pairs_with_less_to_try_come_first() {
        let mut trial = github();
        trial.body = Bytes::from_static(b"1234567x");
        trial.keys = vec![Key::new("k", "another secret of 16 bytes")];
        let mend_body = vec![variation(|trial| trial.body = Bytes::from_static(b"12345678"))];
        let mut mend_key = idle(99);
        mend_key.push(variation(|trial| trial.keys = vec![Key::new("k", SECRET)]));
        let families = [mend_body, mend_key, idle(20), Vec::new(), idle(20)];
        let mut search = Search::new(1 << 20);
        let found = search.first_of_pairs(&trial, &families);
        assert_eq!(found.map(|(_, _, key)| key).as_deref(), Some("k"));
        // The body with each family of twenty, then with the hundred; of the twenties together none, nor any with itself.
        assert_eq!(search.tries, 20 + 20 + 100);
    }
}
