use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use http::request::Parts;

use crate::handshake::{
    self, AllowedOrigins, AsanaRegistration, HookSecret, VerifyToken, discord_events, discord_interactions,
};
use crate::refusal::Refusal;
use crate::request::RequestView;
use crate::timestamp::UnixTime;
use crate::verified::Verified;
use crate::verifier::Verifier;

/// A challenge that the layer answers. What each of them asks and answers is in [`handshake`].
#[derive(Clone)]
pub struct Handshake(Kind);

#[derive(Clone)]
enum Kind {
    Meta(VerifyToken),
    Dropbox,
    CloudEvents(AllowedOrigins),
    Asana(AsanaRegistration, Store),
    Zoom,
    Slack,
    DiscordInteractions,
    DiscordEvents,
}

type Store = Arc<dyn Fn(HookSecret) -> Stored + Send + Sync>;
/// The answer, when what it promises is stored.
pub(crate) type Stored = Pin<Box<dyn Future<Output = Result<Response<Bytes>, Refusal>> + Send>>;

impl Handshake {
    /// [Meta's](handshake::meta), by this token.
    #[must_use]
    pub fn meta(token: VerifyToken) -> Self {
        Self(Kind::Meta(token))
    }

    /// [Dropbox's](handshake::dropbox).
    #[must_use]
    pub fn dropbox() -> Self {
        Self(Kind::Dropbox)
    }

    /// [That of CloudEvents](handshake::cloud_events), for these origins.
    #[must_use]
    pub fn cloud_events(origins: AllowedOrigins) -> Self {
        Self(Kind::CloudEvents(origins))
    }

    /// [Asana's](AsanaRegistration): hands the secret to `store`, and answers when that says it is kept. An error is
    /// answered 503, and the registration waits again; log it in `store`. If the sender leaves meanwhile, the registration
    /// stays taken: open it again.
    pub fn asana<Fut, E>(
        registration: AsanaRegistration,
        store: impl Fn(HookSecret) -> Fut + Send + Sync + 'static,
    ) -> Self
    where
        Fut: Future<Output = Result<(), E>> + Send + 'static,
    {
        let again = registration.clone();
        let store = move |secret: HookSecret| -> Stored {
            let (answer, again) = (secret.answer(), again.clone());
            let stored = store(secret);
            Box::pin(async move {
                stored.await.map(|()| answer).map_err(|_| {
                    again.give_back();
                    Refusal::HandshakeFailed
                })
            })
        };
        Self(Kind::Asana(registration, Arc::new(store)))
    }

    /// [Zoom's](handshake::zoom).
    #[must_use]
    pub fn zoom() -> Self {
        Self(Kind::Zoom)
    }

    /// [Slack's](handshake::slack).
    #[must_use]
    pub fn slack() -> Self {
        Self(Kind::Slack)
    }

    /// [Discord's](discord_interactions), for an interactions endpoint.
    #[must_use]
    pub fn discord_interactions() -> Self {
        Self(Kind::DiscordInteractions)
    }

    /// [Discord's](discord_events), for an endpoint of webhook events.
    #[must_use]
    pub fn discord_events() -> Self {
        Self(Kind::DiscordEvents)
    }

    /// The answer to an unsigned challenge, or the refusal of one.
    pub(crate) fn before(&self, parts: &Parts, now: UnixTime) -> Option<Before> {
        let request = RequestView::from(parts);
        let answer = match &self.0 {
            Kind::Meta(token) => handshake::meta(request, token),
            Kind::Dropbox => handshake::dropbox(request),
            Kind::CloudEvents(origins) => handshake::cloud_events(request, origins),
            Kind::Asana(registration, store) => match registration.take(request, now) {
                Ok(Some(secret)) => return Some(Before::Wait(store(secret))),
                Ok(None) => Ok(None),
                Err(refusal) => Err(refusal),
            },
            _ => Ok(None),
        };
        answer.transpose().map(Before::Answer)
    }

    /// The answer to a signed challenge, or the refusal of one.
    pub(crate) fn after(
        &self,
        verifier: &Verifier,
        proof: &Verified<Bytes>,
    ) -> Option<Result<Response<Bytes>, Refusal>> {
        match &self.0 {
            Kind::Zoom => handshake::zoom(verifier, proof).transpose(),
            Kind::Slack => handshake::slack(proof).transpose(),
            Kind::DiscordInteractions => discord_interactions(proof).map(Ok),
            Kind::DiscordEvents => discord_events(proof).map(Ok),
            _ => None,
        }
    }
}

/// What is done about an unsigned challenge.
pub(crate) enum Before {
    Answer(Result<Response<Bytes>, Refusal>),
    Wait(Stored),
}

impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Kind::Meta(_) => "Meta",
            Kind::Dropbox => "Dropbox",
            Kind::CloudEvents(_) => "CloudEvents",
            Kind::Asana(..) => "Asana",
            Kind::Zoom => "Zoom",
            Kind::Slack => "Slack",
            Kind::DiscordInteractions => "DiscordInteractions",
            Kind::DiscordEvents => "DiscordEvents",
        })
    }
}
