//! Running handlers on events: claim, run, settle, and take back what got stuck.

mod config;

pub use config::DispatchConfig;
