use std::time::{Duration, Instant};

use super::super::fence::Fence;
use super::*;

const YOUNG: u64 = 4;

struct Store {
    _folder: tempfile::TempDir,
    options: SqliteOptions,
    conn: Connection,
}

impl Store {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteOptions::new(folder.path().join("a.db")).with_young_keys(YOUNG);
        open::create(&options).unwrap();
        let conn = open::writer(&options, &Fence::new()).unwrap();
        Self { _folder: folder, options, conn }
    }

    fn add(&self, table: &str, keys: u64) {
        let sql = format!(
            "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {keys})
             INSERT INTO {table} (replay_key, body_sha256, event) SELECT randomblob(32), zeroblob(32), n FROM n"
        );
        self.conn.execute_batch(&sql).unwrap();
    }

    fn open(&self) -> (Arc<OldKeys>, Filling) {
        OldKeys::open(&self.options).unwrap()
    }

    fn keys(&self, table: &str) -> Vec<[u8; 32]> {
        let mut statement =
            self.conn.prepare(&format!("SELECT replay_key FROM {table} ORDER BY replay_key")).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }
}

/// Whatever is old, the filter has it; what is not is told apart.
fn knows_all(store: &Store, old: &OldKeys) {
    let keys = store.keys("old_replay_keys");
    assert!(keys.iter().all(|key| old.may_have(key)), "an old key that is not known runs its event twice");
    let others = (0..100).filter(|n| old.may_have(&[*n; 32])).count();
    assert!(others < 5, "{others} of 100 keys that are not there");
}

#[test]
fn when_too_many_are_young_all_are_moved_in_pieces_and_none_is_lost() {
    let store = Store::new();
    store.add("replay_keys", YOUNG);
    let (old, _filling) = store.open();
    assert!(!old.move_on(&store.conn, 100, || false).unwrap(), "not too many");
    store.add("replay_keys", 6);
    (0..6).for_each(|_| old.count_young());
    let before = store.keys("replay_keys");
    assert_eq!(before.len(), 10);
    // Three by their number, then each by the time.
    assert!(old.move_on(&store.conn, 3, || false).unwrap());
    assert_eq!(store.keys("old_replay_keys"), before[..3]);
    for moved in 4..=10 {
        assert!(old.move_on(&store.conn, 3, || true).unwrap());
        assert_eq!(store.keys("old_replay_keys"), before[..moved]);
        assert_eq!(store.keys("replay_keys"), before[moved..]);
        knows_all(&store, &old);
    }
    assert!(!old.move_on(&store.conn, 3, || false).unwrap(), "all are moved");
    assert!(!old.move_on(&store.conn, 3, || false).unwrap(), "and few are young");
    let (old, _filling) = store.open();
    assert!(old.is_filled());
    knows_all(&store, &old);
}

#[test]
fn what_is_rolled_back_is_moved_the_next_time() {
    let store = Store::new();
    store.add("replay_keys", 9);
    let (old, _filling) = store.open();
    store.conn.execute_batch("BEGIN").unwrap();
    assert!(old.move_on(&store.conn, 5, || false).unwrap());
    store.conn.execute_batch("ROLLBACK").unwrap();
    while old.move_on(&store.conn, 5, || false).unwrap() {}
    assert_eq!((store.keys("replay_keys").len(), store.keys("old_replay_keys").len()), (5, 4));
    store.add("replay_keys", 5);
    (0..9).for_each(|_| old.count_young());
    while old.move_on(&store.conn, 5, || false).unwrap() {}
    assert_eq!((store.keys("replay_keys").len(), store.keys("old_replay_keys").len()), (0, 14));
    knows_all(&store, &old);
}

#[test]
fn many_old_keys_are_taken_in_beside_the_work_and_meanwhile_none_is_said_to_be_new() {
    let store = Store::new();
    store.add("old_replay_keys", 3 * PAGE as u64 + 7);
    store.add("replay_keys", 9);
    let (old, filling) = store.open();
    // Those that are moved while the others are read.
    while old.move_on(&store.conn, 5, || false).unwrap() {
        assert!(old.is_filled() || old.may_have(&[7; 32]), "who does not know yet has to look");
    }
    let end = Instant::now() + Duration::from_secs(30);
    while !old.is_filled() {
        assert!(Instant::now() < end, "it does not come to an end");
        std::thread::yield_now();
    }
    knows_all(&store, &old);
    drop(filling);
    let (old, filling) = store.open();
    drop(filling);
    assert!(old.is_filled() || old.may_have(&[7; 32]), "who was stopped does not know");
}

#[test]
fn a_key_in_both_tables_stays_there_for_who_looks_for_faults() {
    let store = Store::new();
    store.add("replay_keys", 9);
    store.conn.execute_batch("INSERT INTO old_replay_keys SELECT * FROM replay_keys LIMIT 1").unwrap();
    let (old, _filling) = store.open();
    while old.move_on(&store.conn, 5, || false).unwrap() {}
    assert_eq!((store.keys("replay_keys").len(), store.keys("old_replay_keys").len()), (1, 9));
}

#[test]
fn how_many_there_are_is_estimated_by_the_first() {
    let key = |first: u64| {
        let mut key = [0xff; 32];
        key[..8].copy_from_slice(&first.to_be_bytes());
        key
    };
    // A thousandth of all keys is before the last one of the page.
    let page: Vec<_> = (0..PAGE as u64).map(|n| key(n * (u64::MAX / 1_000 / PAGE as u64))).collect();
    let million = estimate(&page);
    assert!((9_900_000..10_200_000).contains(&million), "{million}");
    assert_eq!(estimate(&page[..9]), 9);
    assert_eq!(estimate(&[]), 0);
    assert_eq!(estimate(&vec![[0; 32]; PAGE]), MOST);
}
