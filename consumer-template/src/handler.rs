//! YOUR CODE GOES HERE. This is the one file that you are meant to edit.
//!
//! By the time a handler sees an event, its signature was verified, its bytes are on disk, the provider has its answer, and
//! duplicates are gone. You only say what the event means.
//!
//! Return `Ok(())` and the event is done. Return a [`Failure`] and it is tried again later, or kept as a dead letter that you can
//! look at and replay (`hookproof dlq`). Events of one ordering key (a lead, an order) never run at the same time, and the earliest
//! of those that are there runs first. If yours needs one that has not come yet, return [`Failure::not_ready`].

use async_trait::async_trait;

pub use crate::effect::{Context, Effect, Failure, Handler, Handlers, SqliteHandler};
pub use crate::event::Event;
use crate::leads::{self, Leads};

/// Which handler runs for which event.
#[must_use]
pub fn handlers() -> Handlers {
    // Everything that has no line of its own goes to `LogEvent`, below.
    Handlers::new(Effect::outside(LogEvent))
        // The worked example: the lead platforms' events become rows of the table `leads`.
        .on_schemes(&leads::SCHEMES, Effect::sqlite(Leads::new()))
    // Your handlers, for example:
    //     .on_source("billing", Effect::outside(SendReceipt { .. }))
    //     .on_event("shop", "order.created", Effect::sqlite(StoreOrder))
}

/// An example of a handler with effects outside the database. Replace its body with your own.
#[derive(Clone, Copy, Debug)]
pub struct LogEvent;

#[async_trait]
impl Handler for LogEvent {
    async fn handle(&self, event: &Event, context: &Context) -> Result<(), Failure> {
        // `event.body` holds the bytes exactly as the provider signed them. To read JSON:
        //
        //     let order: Order = serde_json::from_slice(&event.body).map_err(Failure::permanent)?;
        //
        // To call another service, send `context.idempotency_key` along: this may run again after a crash.
        //
        //     self.mailer.send(&order, &context.idempotency_key).await.map_err(Failure::transient)?;
        //
        // Log numbers and types, never bodies: they hold other people's data.
        tracing::info!(event = %context.event, r#type = event.kind().unwrap_or("-"), attempt = context.attempt, "event");
        Ok(())
    }
}
