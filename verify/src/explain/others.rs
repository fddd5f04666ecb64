//! Whose delivery it may be instead.

use super::explanation::{Cause, CauseKind};
use super::trial::{Trial, Variation};
use crate::key::Key;
use crate::scheme::Scheme;

/// Somebody else's set-up, or a key that this source had.
#[derive(Clone)]
pub(super) struct Other {
    pub(super) name: String,
    pub(super) scheme: Option<Scheme>,
    pub(super) public_url: Option<String>,
    pub(super) keys: Vec<Key>,
}

/// The keys of all others, and each other's whole set-up.
pub(super) fn keys(others: &[Other]) -> Vec<Variation> {
    let mut variations = Vec::new();
    for other in others {
        for key in &other.keys {
            let cause = Cause::recomputed(
                CauseKind::OtherKey,
                format!("The signature is made with key '{}' of {}.", key.id(), other.name),
                "Configure the key for this source if it belongs here, or correct it at the provider. \
                 Sources must not share a key: whoever can send to one could replay to the other.",
            );
            let key = key.clone();
            variations.push(Variation::new(cause, move |trial| trial.keys = vec![key.clone()]));
        }
        variations.extend(other.whole());
    }
    variations
}

impl Other {
    /// The delivery taken for one of this source.
    fn whole(&self) -> Option<Variation> {
        let scheme = self.scheme.clone()?;
        let cause = Cause::recomputed(
            CauseKind::OtherSource,
            format!("It is a delivery of {}: its preset '{}' and its key fit.", self.name, scheme.name()),
            "The provider posts to the wrong URL, or a proxy routes to the wrong path: correct it there.",
        );
        let (keys, url) = (self.keys.clone(), self.public_url.clone());
        Some(Variation::new(cause, move |trial| {
            trial.scheme = scheme.clone();
            trial.keys.clone_from(&keys);
            if url.is_some() {
                trial.public_url.clone_from(&url);
            }
        }))
    }
}

/// Every other preset that accepts the same delivery with the same keys, as one cause.
pub(super) fn presets(trial: &Trial) -> Vec<Variation> {
    let others = Scheme::all().filter(|scheme| scheme.name() != trial.scheme.name());
    let others = others.map(|scheme| {
        let cause = Cause::recomputed(
            CauseKind::OtherPreset,
            format!("The delivery is signed as preset '{}' has it, with the same key.", scheme.name()),
            format!(
                "Set the source's scheme to '{}' if that is the provider; several presets may share one \
                 form.",
                scheme.name()
            ),
        );
        Variation::new(cause, move |trial| trial.scheme = scheme.clone())
    });
    others.collect()
}
