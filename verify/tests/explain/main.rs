//! A delivery that is made wrong in one way is explained by that way, first. For every preset where that makes sense.
#![expect(
    unreachable_pub,
    reason = "a test binary has no outside; its modules still say what is their surface"
)]

#[cfg(feature = "asymmetric")]
#[cfg(test)]
mod asymmetric;
#[cfg(test)]
mod bodies;
#[cfg(test)]
mod delivery;
#[cfg(test)]
mod headers;
#[cfg(feature = "asymmetric")]
#[cfg(test)]
#[path = "../support/key_pairs.rs"]
mod key_pairs;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod printed;
#[cfg(test)]
mod redacted;
#[cfg(test)]
mod signed_texts;
#[cfg(test)]
mod texts;
#[cfg(test)]
mod verdicts;
#[cfg(test)]
mod wording;
