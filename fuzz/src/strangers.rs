//! Public keys whose private halves were thrown away when they were made: no input can be signed for them.

use hookproof::{Key, Verifier, schemes};

use crate::{SOURCES, builder};

/// The verifiers of every source of [`SOURCES`], in its order, that no seed is signed for: the vectors' keys for the schemes with
/// public keys are also those of the fixed pairs.
pub fn verifiers() -> Vec<Verifier> {
    let with = |scheme, text| builder(&scheme, &Key::new("key", text)).build().expect("a public key");
    let mut verifiers: Vec<_> = SOURCES
        .iter()
        .map(|source| match source.scheme.name() {
            "discord" => with(schemes::discord(), DISCORD),
            "sendgrid" => with(schemes::sendgrid(), P256),
            "paypal" => with(schemes::paypal(), RSA),
            "plaid" => with(schemes::plaid(), JWK),
            _ => source.verifier.clone(),
        })
        .collect();
    // The last source is Standard Webhooks with a public key.
    verifiers.pop();
    verifiers.push(with(schemes::standard_webhooks(), STANDARD));
    verifiers
}

const DISCORD: &str = "c9b209b5225a0e5f094c5dfef887f8699426fed39dd0338cadf9b6808a93a1a3";
const STANDARD: &str = "whpk_G7ZymVSTkPwS2WKwvtkok5ZsmY1F41/6bp+h0vWTqlQ=";
const P256: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEbEbLjI48NiyRZs39Bfu0/YPgafcnW5lKIrDRF/b3W4TKzLQhF0vSKVAL\
     UHqTutcZcc60zlYgKNdddSVHXV3iyw==";
const RSA: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAnpIv/pzqi8muxxdVqqVzgDgeMOFNoKjoNTQJZolKLRDBXDVI\
     FCtXjHHspEuh6/DJh/ZCGIcqQ7MIuzsyKlhmHdOR8/VlzuVy+OiZYuUfgqOiXEiFcT+zWmn43jV6I9oDkRVI+Oomn6qJ\
     QV+O6wHMHPpAJ2VbIyMJuj0CwacfLisV8kr5GSVOdg+eY9UHfTjz2KjW4oJFLf7RQ9EbTImHDorFwIo3fP989KbZUluZ\
     rn/NDaruVruJupI7Ge9vqIbq7K2EaTLPXTSeGeVBr3eVB7YaStJmrx+JZ2E51Mr1Rht6ttZabQ0Ar7n32GmxXSdzxj1Y\
     pikKBSk6FLDAGCGAmQIDAQAB";
const JWK: &str = r#"{"kty":"EC","crv":"P-256","x":"K-mkLwEimRdaeOOCY5SHOVbtstFDk5U5DLGh9WcPL-M","y":"SCPRryfxRh3WfB40VdHpZZUzcZU3A8C-MonUYgHjDts","kid":"key"}"#;
