use std::fmt;

use bytes::Bytes;
use http::{Method, Response};

use crate::config_error::ConfigError;
use crate::handshake::text::{echo, parameter};
use crate::key::MIN_KEY_BYTES;
use crate::mac::{Digest, equal_digests};
use crate::refusal::Refusal;
use crate::request::RequestView;

/// The verify token that you typed into Meta's settings. Only its digest is kept, and compared in constant time.
#[derive(Clone)]
pub struct VerifyToken {
    digest: [u8; 32],
}

impl VerifyToken {
    /// A token as it stands in Meta's settings.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Handshake`] if it could be guessed, or has white space at an end.
    pub fn new(token: &str) -> Result<Self, ConfigError> {
        let field = "verify token";
        if token.trim() != token {
            let problem = "has white space at an end: remove it (a secret file often ends in a newline)";
            return Err(ConfigError::Handshake { field, problem });
        }
        if token.len() < MIN_KEY_BYTES {
            let problem = "has fewer than 16 bytes: it is yours to choose, so choose a longer one";
            return Err(ConfigError::Handshake { field, problem });
        }
        Ok(Self { digest: digest(token) })
    }

    fn is(&self, presented: &str) -> bool {
        equal_digests(&self.digest, &digest(presented))
    }
}

fn digest(text: &str) -> [u8; 32] {
    let mut digest = Digest::new("hookproof/verify-token/1");
    digest.field(text.as_bytes());
    digest.finish()
}

impl fmt::Debug for VerifyToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifyToken(..)")
    }
}

/// Meta's verification of an endpoint: `GET` with `hub.mode=subscribe`, `hub.verify_token` and `hub.challenge`, which is
/// sent back. Unsigned: it shows that the endpoint knows the token.
///
/// Source: developers.facebook.com/docs/graph-api/webhooks/getting-started.
///
/// # Errors
///
/// [`Refusal::HandshakeRefused`] for another mode, a wrong token, or a challenge that could be more than text.
pub fn meta(request: RequestView<'_>, token: &VerifyToken) -> Result<Option<Response<Bytes>>, Refusal> {
    let parameter = |name| parameter(request.path_and_query, name);
    if request.method != Method::GET {
        return Ok(None);
    }
    let Some(mode) = parameter("hub.mode")? else { return Ok(None) };
    let presented = parameter("hub.verify_token")?.unwrap_or_default();
    let challenge = parameter("hub.challenge")?.unwrap_or_default();
    // All is looked at before any of it decides.
    if !token.is(&presented) | (mode != "subscribe") {
        return Err(Refusal::HandshakeRefused);
    }
    echo(&challenge).map(Some)
}
