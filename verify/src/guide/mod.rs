//! Longer answers: how to add a scheme, rotate keys and stop replays, test a handler, and come from elsewhere.
//!
//! | to | read |
//! |---|---|
//! | receive from a provider that has no preset | [`adding_a_scheme`] |
//! | exchange a key without losing a delivery, and do each delivery once | [`rotation_and_replay`] |
//! | test your own handler with genuine deliveries | [`testing_your_handler`] |
//! | replace `standardwebhooks` or an HMAC of your own | [`migrating`] |

#[doc = include_str!("adding_a_scheme.md")]
pub mod adding_a_scheme {}

#[doc = include_str!("rotation_and_replay.md")]
pub mod rotation_and_replay {}

#[doc = include_str!("testing_your_handler.md")]
pub mod testing_your_handler {}

#[doc = include_str!("migrating.md")]
pub mod migrating {}
