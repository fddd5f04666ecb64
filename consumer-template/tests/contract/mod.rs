//! One file per part of the contract.

pub(crate) mod accept;
pub(crate) mod breaker;
pub(crate) mod claim;
pub(crate) mod dead;
pub(crate) mod failing;
pub(crate) mod life;
pub(crate) mod operate;
pub(crate) mod order;
pub(crate) mod purge;
pub(crate) mod records;
pub(crate) mod refused;
pub(crate) mod settle;
pub(crate) mod stale;
