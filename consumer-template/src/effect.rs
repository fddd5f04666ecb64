//! The two kinds of handler, and the table that says which one runs for which event.
//!
//! | kind | its effect is | runs |
//! |---|---|---|
//! | [`Handler`] | anywhere: another service, a mail, a file | at least once, with an idempotency key |
//! | [`SqliteHandler`] | in the inbox's own database | exactly once: it commits together with "done" |

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::event::{Event, EventNo};
pub use crate::retry::Failure;

/// The version of a handler that does not say another: this crate's.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A handler whose effects are outside the database.
///
/// It may run more than once for one event: a machine can die between the effect and the note that it happened. Pass
/// [`Context::idempotency_key`] on to whatever you call, so that the second time changes nothing.
///
/// A run that exceeds the handler timeout is dropped at its next `.await`. A handler that blocks its thread cannot be stopped: it keeps
/// that thread, and others go on. When 64 threads are lost like this, the service ends, to be started anew.
#[async_trait]
pub trait Handler: Send + Sync {
    /// Which version of the handler this is. Stored with each attempt, so that who looks at a dead letter knows what ran. A constant:
    /// it is asked in the store's transaction.
    fn version(&self) -> &str {
        VERSION
    }

    /// Does what `event` asks for.
    ///
    /// # Errors
    ///
    /// A [`Failure`] says whether to try again. A panic counts as [`Failure::Transient`].
    async fn handle(&self, event: &Event, context: &Context) -> Result<(), Failure>;
}

/// A handler whose effects are rows in the inbox's own SQLite database.
///
/// Its SQL commits in the same transaction that marks the event done: exactly once, also when the machine dies. It runs on
/// the thread that also stores new events, so it must be quick: only SQL, no network, no waiting. A statement that exceeds
/// the transaction timeout is interrupted.
///
/// The connection refuses `BEGIN`, `COMMIT`, `ROLLBACK`, `SAVEPOINT`, `ATTACH`, `PRAGMA` and writes to the inbox's tables for as
/// long as the handler runs: the transaction belongs to the inbox, and other events' answers depend on it.
pub trait SqliteHandler: Send + Sync {
    /// Which version of the handler this is: see [`Handler::version`].
    fn version(&self) -> &str {
        VERSION
    }

    /// Writes what `event` asks for.
    ///
    /// # Errors
    ///
    /// A [`Failure`] says whether to try again; everything that was written is rolled back. A panic counts as
    /// [`Failure::Transient`].
    fn apply(&self, tx: &rusqlite::Connection, event: &Event, context: &Context) -> Result<(), Failure>;
}

/// What a handler is told besides the event.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Context {
    /// For outside systems that drop repeated calls: the same on every attempt, redelivery and replay of this event.
    pub idempotency_key: String,
    /// Which attempt this is, counted from 1. Starts over when a dead letter is replayed.
    pub attempt: u32,
    /// The event's number, for logs.
    pub event: EventNo,
    /// A later event of its key was applied already, and the source wants to know: see
    /// [`StaleRule::Flag`](crate::ordering::StaleRule::Flag).
    pub stale: bool,
    /// It was not ready, and its deadline has passed: see [`AtDeadline::Process`](crate::ordering::AtDeadline::Process). If you
    /// return [`Failure::NotReady`] once more, it is a dead letter.
    pub overdue: bool,
}

impl Context {
    /// The context of an attempt. Public so that you can test your handler.
    #[must_use]
    pub fn new(event: &Event, attempt: u32) -> Self {
        let idempotency_key = event.idempotency_key();
        Self { idempotency_key, attempt, event: event.number, stale: false, overdue: false }
    }
}

/// One handler of either kind.
#[derive(Clone)]
pub enum Effect {
    /// Effects outside: at least once.
    Outside(Arc<dyn Handler>),
    /// Effects in the inbox's database: exactly once.
    Sqlite(Arc<dyn SqliteHandler>),
}

impl Effect {
    /// A handler with effects outside the database.
    pub fn outside(handler: impl Handler + 'static) -> Self {
        Self::Outside(Arc::new(handler))
    }

    /// A handler with effects inside the database.
    pub fn sqlite(handler: impl SqliteHandler + 'static) -> Self {
        Self::Sqlite(Arc::new(handler))
    }
}

impl Effect {
    /// Which version of the handler this is.
    #[must_use]
    pub fn version(&self) -> &str {
        match self {
            Self::Outside(handler) => handler.version(),
            Self::Sqlite(handler) => handler.version(),
        }
    }
}

/// Knows which version of its handler would run for an event.
pub trait Versions: Send + Sync {
    /// The version, in the handler's words.
    fn of(&self, event: &Event) -> String;
}

impl Versions for Handlers {
    fn of(&self, event: &Event) -> String {
        self.get(event).version().to_owned()
    }
}

impl fmt::Debug for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Outside(_) => "Outside",
            Self::Sqlite(_) => "Sqlite",
        })
    }
}

/// Which handler runs for which event. The most specific entry wins: source and type, then source, then scheme, then the rest.
#[derive(Clone, Debug)]
pub struct Handlers {
    by_type: HashMap<(String, String), Effect>,
    by_source: HashMap<String, Effect>,
    by_scheme: HashMap<String, Effect>,
    otherwise: Effect,
}

impl Handlers {
    /// A table with one entry, for every event that no other entry matches. There always is one: no event is without a handler.
    #[must_use]
    pub fn new(otherwise: Effect) -> Self {
        Self { by_type: HashMap::new(), by_source: HashMap::new(), by_scheme: HashMap::new(), otherwise }
    }

    /// For events of one type from one configured source.
    #[must_use]
    pub fn on_event(mut self, source: &str, event_type: &str, effect: Effect) -> Self {
        self.by_type.insert((source.to_owned(), event_type.to_owned()), effect);
        self
    }

    /// For all events of one configured source.
    #[must_use]
    pub fn on_source(mut self, source: &str, effect: Effect) -> Self {
        self.by_source.insert(source.to_owned(), effect);
        self
    }

    /// For all events of all sources with this scheme, such as `klozeo`.
    #[must_use]
    pub fn on_scheme(mut self, scheme: &str, effect: Effect) -> Self {
        self.by_scheme.insert(scheme.to_owned(), effect);
        self
    }

    /// The same for several schemes.
    #[must_use]
    pub fn on_schemes(self, schemes: &[&str], effect: Effect) -> Self {
        schemes.iter().fold(self, |table, scheme| table.on_scheme(scheme, effect.clone()))
    }

    /// For all events of one configured source, whatever was said of its types before.
    #[must_use]
    pub fn replace_source(mut self, source: &str, effect: Effect) -> Self {
        self.by_type.retain(|(of, _), _| of != source);
        self.on_source(source, effect)
    }

    /// The handler for `event`.
    #[must_use]
    pub fn get(&self, event: &Event) -> Effect {
        let by_type = || {
            let key = (event.source.to_string(), event.kind()?.to_owned());
            self.by_type.get(&key)
        };
        by_type()
            .or_else(|| self.by_source.get(event.source.as_ref()))
            .or_else(|| self.by_scheme.get(&event.scheme))
            .unwrap_or(&self.otherwise)
            .clone()
    }
}
