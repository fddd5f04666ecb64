//! What follows from a scheme, worked out once when a verifier is built instead of for each request.

use crate::headers_read::HeadersRead;
use crate::part::Part;
use crate::scheme::{DigestScope, Family, Scheme, Syntax};

#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    pub(crate) headers: HeadersRead,
    /// Whether [`Part::Id`] is signed.
    pub(crate) signs_id: bool,
    /// Whether there is a [`Part::UrlVariants`].
    pub(crate) url_variants: bool,
    /// Whether there may be several texts, or something must hold beside the signature.
    pub(crate) more_than_signature: bool,
    /// Whether the body is signed as it is, or not at all.
    pub(crate) plain_body: bool,
    /// Whether there is a [`Part::SignedHeaders`].
    pub(crate) signed_headers: bool,
    /// Whether what is signed beside the body tells events apart.
    pub(crate) context: bool,
}

impl Plan {
    pub(crate) fn of(scheme: &Scheme) -> Self {
        let any = |wanted: fn(&Part) -> bool| scheme.parts.iter().any(wanted);
        let signs_id = any(|part| matches!(part, Part::Id));
        let url_variants = any(|part| matches!(part, Part::UrlVariants));
        Self {
            headers: HeadersRead::of(scheme),
            signs_id,
            url_variants,
            more_than_signature: url_variants
                || matches!(scheme.syntax, Syntax::HttpMessage { .. } | Syntax::JsonWebToken { .. }),
            plain_body: scheme.syntax != Syntax::AdyenItems
                && matches!(scheme.body_part(), None | Some(Part::Body)),
            signed_headers: any(|part| matches!(part, Part::SignedHeaders(_))),
            context: scheme.identity != DigestScope::Body && !signs_id && any(Part::tells_events_apart),
        }
    }
}

impl Scheme {
    /// Works out anew what follows from the fields, after some were changed.
    pub(crate) fn plan_again(&mut self) {
        if let Some(Family { scheme: Some(scheme), .. }) = &mut self.preferred_family {
            scheme.plan = Plan::of(scheme);
        }
        self.plan = Plan::of(self);
    }
}
