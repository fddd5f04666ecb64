//! The tower layer: what it lets through, what it refuses, what it reads, and how it keeps tower's contract.

#![cfg(test)]

mod behind;
mod bodies;
mod cancelled;
mod challenged;
mod chosen;
mod guarded;
mod guards;
mod outside;
mod readiness;
mod receiving;
mod refused;
mod uniform;

use std::pin::Pin;
use std::task::Poll;

async fn polled_once<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await
}
