//! Faults for the negative controls, each with the tests of the contract that must notice it. A fault is a trigger in the
//! database: the program stays as it is, and its store does something else than the contract says.

mod accept;
mod claim;
mod dead;
mod life;
mod operate;
mod order;
mod purge;
mod records;
mod refused;
mod settle;

/// What is wrong, how, and who must see it.
pub(crate) struct Control {
    pub(crate) fault: &'static str,
    pub(crate) sql: &'static str,
    pub(crate) seen_by: &'static [&'static str],
}

const fn control(fault: &'static str, sql: &'static str, seen_by: &'static [&'static str]) -> Control {
    Control { fault, sql, seen_by }
}

/// All of them.
pub(crate) fn controls() -> impl Iterator<Item = &'static Control> {
    let all = [
        accept::FAULTS,
        claim::FAULTS,
        order::FAULTS,
        settle::FAULTS,
        operate::FAULTS,
        life::FAULTS,
        dead::FAULTS,
        refused::FAULTS,
        purge::FAULTS,
        records::FAULTS,
    ];
    all.into_iter().flatten()
}
