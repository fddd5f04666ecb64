//! What the benches share.

pub(crate) mod arguments;
pub(crate) mod deliveries;
pub(crate) mod table;
pub(crate) mod turns;
