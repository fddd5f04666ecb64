//! More events than anybody would post, and what they cost those who want others.

use std::time::{Duration, Instant};

use hookproof_consumer::retry::Outcome;

use super::{NOW, Sqlite, at, claim_one, settle};

/// Writes `events` pending events of `source` as accepting them would; `key` is an SQL expression of their number `n`.
pub fn fill(backend: &Sqlite, source: &str, key: &str, events: u32) {
    let now = NOW;
    let sql = format!(
        "BEGIN;
         CREATE TEMP TABLE new AS WITH RECURSIVE counted (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < {events})
             SELECT n, n + (SELECT COALESCE(MAX(number), 0) FROM events) AS event, {key} AS ordering_key FROM counted;
         INSERT INTO events (number, source, scheme, key_id, replay_key, identity, ordering_key, occurred_at, received_at, state)
             SELECT event, '{source}', 'github', 'k', randomblob(32), 'digest', ordering_key, {now} + n, {now}, 'pending' FROM new;
         INSERT INTO payloads (event, body_sha256, headers, body) SELECT event, randomblob(32), x'', x'7b7d' FROM new;
         INSERT INTO replay_keys (replay_key, body_sha256, event)
             SELECT replay_key, body_sha256, number FROM events JOIN payloads ON event = number WHERE number IN (SELECT event FROM new);
         INSERT INTO lanes (source, ordering_key, due_at) SELECT DISTINCT '{source}', ordering_key, {now} FROM new;
         INSERT INTO queue (lane, at, sequence, event, due_at)
             SELECT lanes.id, {now} + n, 0, event, {now} FROM new JOIN lanes
             ON lanes.source = '{source}' AND lanes.ordering_key = new.ordering_key;
         DROP TABLE new;
         COMMIT;"
    );
    backend.sql().execute_batch(&sql).unwrap();
}

/// The median of what a claim and its settle take, for several inboxes that take turns: what slows the machine down slows all of them.
pub async fn times_of_a_claim<const N: usize>(backends: [&Sqlite; N]) -> [Duration; N] {
    let mut times = [(); N].map(|()| Vec::new());
    for _ in 0..60 {
        for (backend, times) in backends.iter().zip(&mut times) {
            let start = Instant::now();
            let claimed = claim_one(backend.inbox(), at(0)).await;
            settle(backend, &claimed, Outcome::Done, 1).await;
            times.push(start.elapsed());
        }
    }
    times.map(|mut times| {
        times.sort_unstable();
        times.swap_remove(30)
    })
}
