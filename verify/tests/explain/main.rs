//! A delivery that is made wrong in one way is explained by that way, first. For every preset where that makes sense.
#![expect(
    unreachable_pub,
    reason = "a test binary has no outside; its modules still say what is their surface"
)]

#[cfg(test)]
mod bodies;
#[cfg(test)]
mod delivery;
#[cfg(test)]
mod headers;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod printed;
#[cfg(test)]
mod redacted;
#[cfg(test)]
mod texts;
#[cfg(test)]
mod verdicts;
