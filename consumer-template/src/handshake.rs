//! A source's answer to the provider's question who owns its endpoint.

use std::path::Path;

use hookproof::handshake::{AllowedOrigins, VerifyToken};
use hookproof::middleware::Handshake;

use crate::config::{HandshakeConfig, HandshakeKind, SourceConfig};
use crate::keys;
use crate::source::{SourceError, wrong};

/// The handshake of a source: the configured one, or that of its preset where it needs nothing but the keys.
pub(crate) fn of(config: &SourceConfig, folder: &Path) -> Result<Option<Handshake>, SourceError> {
    let Some(given) = &config.handshake else {
        return Ok(match config.scheme.as_str() {
            "slack" => Some(Handshake::slack()),
            "zoom" => Some(Handshake::zoom()),
            _ => None,
        });
    };
    let wanted = match given.kind {
        HandshakeKind::Meta => "meta",
        HandshakeKind::DiscordInteractions | HandshakeKind::DiscordEvents => "discord",
        HandshakeKind::CloudEvents => config.scheme.as_str(),
    };
    if config.scheme != wanted {
        let problem =
            format!("this kind is for the scheme '{wanted}', not for '{}'", config.scheme.escape_debug());
        return Err(wrong("handshake.kind", problem));
    }
    check_fields(given)?;
    let handshake = match given.kind {
        HandshakeKind::Meta => Handshake::meta(verify_token(given, folder)?),
        HandshakeKind::DiscordInteractions => Handshake::discord_interactions(),
        HandshakeKind::DiscordEvents => Handshake::discord_events(),
        HandshakeKind::CloudEvents => {
            let origins = AllowedOrigins::new(&given.origins);
            Handshake::cloud_events(origins.map_err(|e| wrong("handshake.origins", e.to_string()))?)
        }
    };
    Ok(Some(handshake))
}

/// A field that the kind does not read would be believed to do something.
fn check_fields(given: &HandshakeConfig) -> Result<(), SourceError> {
    if given.kind != HandshakeKind::Meta && given.verify_token.is_some() {
        return Err(wrong("handshake.verify_token", "only the kind 'meta' has one: remove it"));
    }
    if given.kind != HandshakeKind::CloudEvents && !given.origins.is_empty() {
        return Err(wrong("handshake.origins", "only the kind 'cloud-events' has them: remove them"));
    }
    Ok(())
}

fn verify_token(given: &HandshakeConfig, folder: &Path) -> Result<VerifyToken, SourceError> {
    let field = "handshake.verify_token";
    let place = given.verify_token.as_ref().ok_or_else(|| {
        wrong(field, "say where the token is that you typed into Meta's settings: { env = \"..\" }")
    })?;
    let text = keys::secret("the token", place, folder).map_err(|problem| wrong(field, problem))?;
    VerifyToken::new(&text).map_err(|error| wrong(field, error.to_string()))
}
