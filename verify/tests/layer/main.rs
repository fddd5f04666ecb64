//! The tower layer: what it lets through, what it refuses, what it reads, and how it keeps tower's contract.

#![cfg(test)]

mod behind;
mod bodies;
mod readiness;
mod receiving;
