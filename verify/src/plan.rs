//! What follows from a scheme, worked out once when it is built instead of for each request.

use crate::headers_read::HeadersRead;
use crate::part::Part;
use crate::scheme::{DigestScope, Scheme};

#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    pub(crate) headers: HeadersRead,
    /// Whether [`Part::Id`] is signed.
    pub(crate) signs_id: bool,
    /// Whether there is a [`Part::UrlVariants`].
    pub(crate) url_variants: bool,
    /// Whether there is a [`Part::SignedHeaders`].
    pub(crate) signed_headers: bool,
    /// Whether what is signed beside the body tells events apart.
    pub(crate) context: bool,
}

impl Plan {
    pub(crate) fn of(scheme: &Scheme) -> Self {
        let any = |wanted: fn(&Part) -> bool| scheme.parts.iter().any(wanted);
        let signs_id = any(|part| matches!(part, Part::Id));
        Self {
            headers: HeadersRead::of(scheme),
            signs_id,
            url_variants: any(|part| matches!(part, Part::UrlVariants)),
            signed_headers: any(|part| matches!(part, Part::SignedHeaders(_))),
            context: scheme.identity != DigestScope::Body && !signs_id && any(Part::tells_events_apart),
        }
    }
}
