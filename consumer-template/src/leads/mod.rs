//! The worked example: lead events in, a table of leads out.
//!
//! Deliveries come twice, late and in any order. So each event is merged, not executed:
//! - each field of a lead keeps the value with the latest event time; among equal times the greater text wins, which is
//!   arbitrary but the same on every machine and in every order;
//! - a deletion leaves a tombstone. Only a restoration that happened later lifts it: a late update never brings a lead back;
//! - events about something else that belongs to a lead (`note.deleted`) touch the lead and nothing more.
//!
//! Any permutation and repetition of the same events ends in the same table, and a test holds that up with thousands of them. Only
//! `events_applied` counts: with the inbox around it, each event is applied exactly once, and that number shows it.
//!
//! Event time is the provider's if the source is configured to read it, else the time of arrival. Then the order of arrival decides,
//! because nothing else is known.
//!
//! The lead's id is looked for in [`LEAD_IDS`], first match first. An integer id keeps all its digits. A lead event without a lead
//! id is a dead letter: see [`Failure::Permanent`](crate::effect::Failure::Permanent).

mod change;
mod projection;
mod table;

pub use change::LEAD_IDS;
pub use projection::{Leads, SCHEMES};
pub use table::Lead;
