//! What is refused, and what people do to it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hookproof::Refusal;
use hookproof_consumer::event::EventNo;
use hookproof_consumer::inbox::{
    Accepted, Head, KeepRefused as _, Quarantine as _, QuarantineFilter, QuarantineLimits, QuarantineNo,
    RefusedDelivery,
};
use proptest::sample::Index;

use super::people::by;
use crate::contract::Request;
use crate::seen::{saw, saw_released};
use crate::support::at;
use crate::world::{Verdict, World, same};

/// The limits of a source of which only the age matters.
fn aged(max_age: u64) -> QuarantineLimits {
    QuarantineLimits { max_age: Duration::from_millis(max_age), ..QuarantineLimits::default() }
}

impl World {
    pub(crate) async fn refuse(
        &mut self,
        (letter, other_body): (usize, bool),
        sizes: &[usize],
        limits: QuarantineLimits,
        dropped: u64,
    ) {
        let source = self.letters[letter].source;
        let refused = |bytes: &usize| RefusedDelivery {
            refusal: Refusal::SignatureMismatch,
            received_at: at(self.now),
            peer: None,
            head: Head { method: "POST".to_owned(), target: "/hooks".to_owned(), headers: Vec::new() },
            body: Bytes::from(vec![0; *bytes]),
        };
        let deliveries: Vec<_> = sizes.iter().map(refused).collect();
        let request = |delivery: &RefusedDelivery| {
            let (bytes, received) = (delivery.bytes(), self.now);
            Request { number: 0, source, received, bytes, letter, other_body }
        };
        let requests: Vec<_> = deliveries.iter().map(request).collect();
        self.inbox().quarantine(Arc::from(source), limits, deliveries, dropped).await.unwrap();
        requests.iter().filter(|one| one.bytes > limits.max_bytes).for_each(|_| saw("too large"));
        self.model.quarantine.take_in(source, limits, &requests, dropped);
    }

    pub(crate) async fn release(&mut self, request: &Index, proven: bool) -> Verdict {
        let held = &self.model.quarantine.requests;
        if held.is_empty() {
            return Ok(());
        }
        let request = *request.get(held);
        let letter = self.letters[request.letter];
        // A proof is of a delivery at the time of its receipt.
        let received = request.received + u64::from(!proven);
        let incoming = letter.delivery(request.letter, request.other_body, received).incoming();
        let released =
            self.inbox().release(QuarantineNo(request.number), incoming, by(), at(self.now)).await.unwrap();
        if !proven {
            saw("release refused");
            return same("the release with another proof", &released, &None);
        }
        let (event, outcome) = self.model.release(request, &letter);
        saw_released(outcome);
        let expected = Accepted { event: EventNo(event as i64 + 1), outcome };
        same("the answer to the release", &released, &Some(expected))
    }

    pub(crate) async fn expire(&mut self, source: &'static str, max_age: u64) {
        self.inbox().expire_quarantine(vec![(Arc::from(source), aged(max_age))], at(self.now)).await.unwrap();
        self.model.quarantine.expire(source, self.now - max_age);
    }

    pub(crate) async fn throw_away(&mut self, source: Option<&'static str>, older: u64) -> Verdict {
        let before = self.now - older;
        let filter = QuarantineFilter {
            source: source.map(str::to_owned),
            before: Some(at(before)),
            ..QuarantineFilter::default()
        };
        let purged = self.inbox().purge_quarantine(filter, by(), at(self.now)).await.unwrap();
        same("how many were thrown away", &purged, &self.model.purge_quarantine(source, before))
    }
}
