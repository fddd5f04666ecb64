//! One file per part of the contract.

pub(crate) mod accept;
pub(crate) mod claim;
pub(crate) mod operate;
pub(crate) mod settle;
