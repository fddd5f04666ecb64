//! Each operation, done to the inbox and to the model: what they say must be the same.

mod forget;
mod people;
mod refused;
mod work;
