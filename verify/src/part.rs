//! The pieces of the text that is signed.

use std::borrow::Cow;

use http::HeaderName;

use crate::canonical;

/// A piece of the text that is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// Fixed text.
    Literal(Cow<'static, str>),
    /// The event id, as presented in its header.
    Id,
    /// The timestamp, as presented, byte for byte.
    Timestamp,
    /// The request method.
    Method,
    /// The public URL: the verifier's `public_url` and the request's path and query.
    Url,
    /// The public URL in each of the ways in which Twilio may have written it: as it is, without its port, with the
    /// default port where it has none, and each of these with `%27` for every `'` of the query. Any of them counts.
    UrlVariants,
    /// The public URL's path and query as Contentful encodes them: the query as one component, and then all of it once
    /// more.
    EncodedPath,
    /// The headers that the header of this name lists (Contentful): sorted, as `name:value`, joined by `;`. The list
    /// must name itself and the timestamp's header.
    SignedHeaders(HeaderName),
    /// The id that the provider gave the endpoint, from the verifier's configuration.
    WebhookId,
    /// The raw body.
    Body,
    /// The CRC-32 of the body in decimal. Whoever holds one signed delivery can make another body for it.
    BodyCrc32,
    /// The names and values of the form in the body, without separators. Empty where the URL's query holds the body's
    /// digest instead, as `bodySHA256`.
    Form(FormOrder),
    /// The first two parts of a JSON Web Token.
    TokenContent,
    /// The components of the request that the signature covers (RFC 9421, section 2.5).
    SignatureBase,
}

/// The order of a form's names and values in the signed text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FormOrder {
    /// Names in byte order, for each the distinct values in byte order (Twilio).
    Distinct,
    /// Names in byte order, for each all values in order of arrival (Mandrill).
    Arrival,
}

impl Part {
    /// Fixed text.
    #[must_use]
    pub fn literal(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Literal(text.into())
    }

    /// Whether the body is needed to know it.
    pub(crate) fn is_of_body(&self) -> bool {
        matches!(self, Self::Body | Self::BodyCrc32 | Self::Form(_))
    }

    /// Whether it differs from event to event, and is signed beside id and body.
    pub(crate) fn tells_events_apart(&self) -> bool {
        matches!(
            self,
            Self::Timestamp
                | Self::Method
                | Self::Url
                | Self::UrlVariants
                | Self::EncodedPath
                | Self::SignedHeaders(_)
                | Self::TokenContent
        )
    }

    /// What the body contributes to the signed text. For the parts that are not of the body: nothing.
    pub(crate) fn of_body<'b>(&self, body: &'b [u8]) -> Cow<'b, [u8]> {
        match self {
            Self::Body => Cow::Borrowed(body),
            Self::BodyCrc32 => Cow::Owned(crc32fast::hash(body).to_string().into_bytes()),
            Self::Form(order) => Cow::Owned(canonical::form(body, *order)),
            _ => Cow::Borrowed(&[]),
        }
    }
}
