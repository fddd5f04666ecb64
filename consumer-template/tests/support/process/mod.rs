//! For tests of the program as a whole: the consumer in a process of its own, and providers that post to it.
#![allow(dead_code, reason = "each test binary uses a part of this")]

pub(crate) mod client;
pub(crate) mod hasty;
pub(crate) mod letters;
pub(crate) mod planted;
pub(crate) mod server;
