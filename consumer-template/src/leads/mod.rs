//! The worked example: lead events in, a table of leads out.
//!
//! Deliveries come twice, late and in any order. So an event is not executed. It is read for what it says, that is joined into what
//! was said before, and a lead is what all of it comes to:
//!
//! ```text
//!   event ──read──► says ──join──► lead_facts ──look──► leads
//!         change.rs      model.rs  (the book)  lead.rs  (a row for each id)
//! ```
//!
//! The joining is the whole trick: under each key (lead, kind, name) the greater of two statements stays. By weight, then event time, the
//! provider's counter and the event's replay key, that order is total, so any permutation, repetition and grouping of the same events
//! ends in the same tables. A test holds that up with thousands of them, through crashes of the real inbox.
//!
//! What that means for a lead:
//! - **Fields.** The latest claim wins. An update that tells what was before claims what changed; what it repeats is
//!   mentioned, and counts where nobody claimed anything. A snapshot claims all that it holds.
//! - **Deletion.** A deleted lead stays deleted, whatever updates say, earlier, at the same time or later. Only a later restoration lifts that,
//!   or a later creation: then what was before the deletion is gone. Of a deleted lead nothing but its dates is shown.
//! - **Merges** join leads for good, also through others, in circles, and before anything is known of them. What was and will be said of
//!   each counts for the one that survives ([`merges`]). The others keep a row that says where they went. A deletion of one
//!   that was merged away is part of the merge: the life of a group is that of its survivor.
//! - **Scores** by what they measure; **notes** and **form submissions** by their id. A note that was deleted does not come back.
//! - **Won, lost, converted**: the latest of these is the outcome.
//! - **Anything else** is never an error. An unknown field is a field. Of an unknown type the latest event is kept (`leads show`), and
//!   if it holds the lead as a whole, its fields count. What names no lead (`invoice.paid`) is noted by type and time (`leads list`).
//!   But an event about a lead that names none is a dead letter: its source looks for the id in the wrong place
//!   ([`Leads::with_lead_id_at`]), and a replay makes it good. So is one of more than 256 fields or merged leads.
//!
//! Event time is the provider's if the source is configured to read it, else the time of arrival. Then the order of arrival decides,
//! because nothing else is known. The rule for stale events must be [`Apply`](crate::ordering::StaleRule::Apply) or `Flag`, as the presets
//! have it: `Skip` leaves out what a late event alone can tell.
//!
//! The lead's id is looked for in [`LEAD_IDS`], first match first. An integer id keeps all its digits. The names of a merge's members are our
//! choice, because no platform publishes them: see `SURVIVOR` and `LOSERS` in `change.rs`.
//!
//! To make it yours: a kind of its own for what your platform sends is a line in [`Kind`], one in `change.rs` that says it, and
//! one in `lead.rs` that shows it.

mod change;
mod claims;
mod envelope;
mod lead;
pub mod merges;
pub mod model;
mod projection;
mod register;
mod table;
mod topic;

pub use change::Change;
pub use envelope::LEAD_IDS;
pub use lead::Lead;
pub use model::{Book, Kind};
pub use projection::{Leads, SCHEMES};
pub use register::{Entry, Register, Stray};
