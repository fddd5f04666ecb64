//! Deliveries for tests: genuinely signed and verified, because nothing else gets into the inbox.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of this")]

pub mod flood;

use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use hookproof::{Key, Outgoing, Scheme, Signer, UnixTime, Verified, Verifier, schemes};
use hookproof_consumer::inbox::sqlite::{SqliteInbox, SqliteOptions};
use hookproof_consumer::inbox::{Claimed, Delivery, Facts, Inbox, Incoming, Settled};
use hookproof_consumer::ordering::OrderPolicy;
use hookproof_consumer::retry::Outcome;
use tempfile::TempDir;

/// When the tests take place.
pub const NOW: u64 = 1_700_000_000_000;
pub const LEASE: Duration = Duration::from_secs(60);

pub fn at(millis_after_now: u64) -> UnixTime {
    UnixTime::from_millis(NOW + millis_after_now)
}

struct Provider {
    signer: Signer,
    verifier: Verifier,
}

impl Provider {
    fn new(scheme: Scheme, key: &str) -> Self {
        let key = Key::new("2026-11", key);
        let signer = Signer::new(&scheme, &key).unwrap();
        Self { signer, verifier: Verifier::builder(scheme).key(key).build().unwrap() }
    }

    fn prove(&self, id: Option<&str>, body: &Bytes) -> Verified<Bytes> {
        let now = at(0);
        let mut outgoing = Outgoing::new(body).timestamp(now);
        outgoing.id = id;
        let headers = self.signer.sign(&outgoing).unwrap();
        self.verifier.verify(&headers, body.clone(), now).unwrap()
    }
}

static WITH_IDS: LazyLock<Provider> = LazyLock::new(|| {
    Provider::new(schemes::standard_webhooks(), "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
});
static WITHOUT_IDS: LazyLock<Provider> =
    LazyLock::new(|| Provider::new(schemes::github(), "a key of more than sixteen bytes"));
static KLOZEO: LazyLock<Provider> =
    LazyLock::new(|| Provider::new(schemes::klozeo(), "a key of more than sixteen bytes"));

/// A delivery in the making.
#[derive(Clone)]
pub struct Sent {
    source: &'static str,
    provider: &'static LazyLock<Provider>,
    id: Option<String>,
    body: Bytes,
    facts: Facts,
    received_at: u64,
}

/// A delivery with a signed id.
pub fn sent(id: impl ToString) -> Sent {
    let body = Bytes::from_static(br#"{"type":"lead.created"}"#);
    let id = Some(id.to_string());
    Sent { source: "crm", provider: &WITH_IDS, id, body, facts: Facts::default(), received_at: 0 }
}

/// A delivery of a provider that signs only the body.
pub fn sent_without_id(body: impl Into<Bytes>) -> Sent {
    Sent { provider: &WITHOUT_IDS, id: None, ..sent("").body(body) }
}

/// A delivery from Klozeo: `{event, timestamp, data}`.
pub fn sent_by_klozeo(kind: &str, data: &str) -> Sent {
    let body = format!(r#"{{"event":"{kind}","timestamp":{},"data":{data}}}"#, NOW / 1000);
    Sent { provider: &KLOZEO, id: None, ..sent("").body(body) }
}

impl Sent {
    pub fn to(mut self, source: &'static str) -> Self {
        self.source = source;
        self
    }
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }
    pub fn key(mut self, key: impl ToString) -> Self {
        self.facts.ordering_key = Some(key.to_string());
        self
    }
    /// When it occurred, relative to [`NOW`].
    pub fn occurred(mut self, millis: u64) -> Self {
        self.facts.occurred_at = Some(at(millis));
        self
    }
    pub fn sequence(mut self, sequence: i64) -> Self {
        self.facts.sequence = Some(sequence);
        self
    }
    pub fn header(mut self, name: &str, value: &[u8]) -> Self {
        self.facts.headers.push((name.to_owned(), value.to_vec()));
        self
    }
    pub fn malformed(mut self, why: &str) -> Self {
        self.facts.malformed = Some(why.to_owned());
        self
    }
    /// When it arrived, relative to [`NOW`].
    pub fn received(mut self, millis: u64) -> Self {
        self.received_at = millis;
        self
    }
    pub fn incoming(&self) -> Incoming {
        let proof = self.provider.prove(self.id.as_deref(), &self.body);
        Incoming::new(Arc::from(self.source), proof, self.facts.clone(), at(self.received_at))
    }
}

/// Stores a delivery that must be new, and returns its event's number.
pub async fn accept(inbox: &dyn Inbox, sent: &Sent) -> hookproof_consumer::event::EventNo {
    let accepted = inbox.accept(sent.incoming()).await.unwrap();
    assert_eq!(accepted.outcome, Delivery::New);
    accepted.event
}

/// Claims one event, which must be there.
pub async fn claim_one(inbox: &dyn Inbox, now: UnixTime) -> Claimed {
    let mut claimed = inbox.claim(1, LEASE, now).await.unwrap();
    assert_eq!(claimed.len(), 1, "nothing is due");
    claimed.remove(0)
}

/// Records what became of an attempt whose lease is held.
pub async fn settle(backend: &Sqlite, claimed: &Claimed, outcome: Outcome, now: u64) {
    let settled = backend.inbox().settle(&claimed.lease, outcome, at(now)).await.unwrap();
    assert_eq!(settled, Settled::Applied);
}

/// Sets the rules of the source `crm`: the default ones but for what `change` changes.
pub async fn rules(backend: &Sqlite, change: impl FnOnce(&mut OrderPolicy)) {
    let mut policy = OrderPolicy::default();
    change(&mut policy);
    backend.inbox().set_order(vec![(Arc::from("crm"), policy)]).await.unwrap();
}

/// A folder in memory where there is such a thing: only a loss of power would tell the difference.
pub fn folder_in_memory() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

/// An SQLite inbox in a folder of its own.
pub struct Sqlite {
    pub folder: TempDir,
    pub options: SqliteOptions,
    inbox: Option<Arc<SqliteInbox>>,
}

impl Sqlite {
    pub fn start() -> Self {
        Self::start_with(|options| options)
    }

    /// For tests of which nothing but their verdict matters.
    pub fn start_in_memory() -> Self {
        Self::start_in(folder_in_memory(), |options| options)
    }

    pub fn start_with(change: impl FnOnce(SqliteOptions) -> SqliteOptions) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), change)
    }

    fn start_in(folder: TempDir, change: impl FnOnce(SqliteOptions) -> SqliteOptions) -> Self {
        let options = change(SqliteOptions::new(folder.path().join("inbox.db")));
        let inbox = Some(Arc::new(SqliteInbox::open(options.clone()).unwrap()));
        Self { folder, options, inbox }
    }

    pub fn inbox(&self) -> &SqliteInbox {
        self.inbox.as_ref().unwrap()
    }

    pub fn shared(&self) -> Arc<SqliteInbox> {
        Arc::clone(self.inbox.as_ref().unwrap())
    }

    /// Closes and opens it again, as a restart does. Nobody else may hold it.
    pub fn restart(&mut self) {
        let inbox = Arc::into_inner(self.inbox.take().unwrap()).expect("the inbox is still shared");
        drop(inbox);
        self.inbox = Some(Arc::new(SqliteInbox::open(self.options.clone()).unwrap()));
    }

    /// A connection of our own to the same file.
    pub fn sql(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.options.path()).unwrap()
    }

    pub async fn assert_sound(&self) {
        assert_eq!(self.inbox().check().await.unwrap(), Vec::<String>::new());
    }
}
