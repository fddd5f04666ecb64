//! Forgetting.

use std::sync::Arc;
use std::time::Duration;

use hookproof_consumer::inbox::{Budget, Keep, Purge as _, Purged, Retention};

use crate::cases::SOURCES;
use crate::seen::{saw, saw_forgotten};
use crate::snapshot;
use crate::support::at;
use crate::world::{Verdict, World, same};

/// More pieces than there are things to forget.
const PIECES: usize = 1_000;

impl World {
    pub(crate) async fn keep(
        &mut self,
        sources: &[Option<Keep>; SOURCES.len()],
        others: Keep,
        deliveries: Duration,
    ) {
        let named: Vec<_> =
            SOURCES.into_iter().zip(sources).filter_map(|(source, keep)| Some((source, (*keep)?))).collect();
        let sources = named.iter().map(|(source, keep)| (Arc::from(*source), *keep)).collect();
        let retention = Retention { sources, others, deliveries };
        self.inbox().set_retention(retention.clone()).await.unwrap();
        self.model.set_retention(&named, &retention);
    }

    pub(crate) async fn purge(&mut self, rows: usize, hurried: bool, all: bool) -> Verdict {
        let time = if hurried { Duration::ZERO } else { Duration::from_secs(600) };
        let looked = self.model.looks_at_positions(self.now);
        let told = self.inbox().purgeable(at(self.now)).await.unwrap();
        same(
            "what would go",
            &(told.deliveries, told.payloads, told.events),
            &self.model.purgeable(self.now),
        )?;
        for _ in 0..PIECES {
            let purged = self.inbox().purge(Budget { rows, time }, at(self.now)).await.unwrap();
            self.take_note(purged, rows).await?;
            self.model.purged(looked, !purged.more, self.now);
            if !purged.more {
                self.model.kept_for(self.now).into_iter().for_each(saw);
                return same(
                    "what should have gone",
                    &self.model.left_over(looked && all, self.now),
                    &Vec::new(),
                );
            }
            if !all {
                saw("a piece");
                return Ok(());
            }
        }
        Err("the pieces do not come to an end".to_owned())
    }

    /// Looks for what went, which the model must allow.
    async fn take_note(&mut self, purged: Purged, rows: usize) -> Verdict {
        let forgotten = snapshot::forgotten(self.onlooker.as_ref().unwrap(), &self.model);
        saw_forgotten(&forgotten);
        let gone =
            [forgotten.records, forgotten.payloads.len(), forgotten.events.len(), forgotten.positions.len()];
        let said = [purged.deliveries, purged.payloads, purged.events, purged.positions];
        same("what went, as it says", &said, &gone.map(|gone| gone as u64))?;
        self.model.forget(&forgotten, rows, self.now)?;
        match forgotten.events.first() {
            Some(event) => self.replay_event(*event, false).await,
            None => Ok(()),
        }
    }
}
