//! How large the database may become.

use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;

use super::job::WorkError;

/// From this share on, the log warns; again only after it was less than [`CALM`].
const ALARM: u64 = 80;
const CALM: u64 = 70;

/// What the pages that hold something may come to. New events are refused beyond it; what was accepted is still worked on, so the
/// file may pass it by what that writes.
#[derive(Debug, Default)]
pub(super) struct Room {
    max_bytes: Option<u64>,
    alarmed: AtomicBool,
}

impl Room {
    pub(super) fn new(max_bytes: Option<u64>) -> Self {
        Self { max_bytes, alarmed: AtomicBool::new(false) }
    }

    /// Refuses if `bytes` more would be too many.
    pub(super) fn check(&self, conn: &Connection, bytes: usize) -> Result<(), WorkError> {
        let Some(most) = self.max_bytes else {
            return Ok(());
        };
        let used = used(conn)?;
        if used.saturating_add(bytes as u64) > most {
            return Err(WorkError::NoRoom { most });
        }
        let share = used.saturating_mul(100) / most.max(1);
        if share >= ALARM && !self.alarmed.swap(true, Ordering::Relaxed) {
            tracing::error!(
                used_bytes = used,
                max_bytes = most,
                "the database fills: beyond store.max_bytes deliveries are answered 503; shorten [retention] or allow more"
            );
        } else if share < CALM {
            self.alarmed.store(false, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// The bytes of all pages but the free ones.
fn used(conn: &Connection) -> rusqlite::Result<u64> {
    let number = |sql: &str| {
        conn.prepare_cached(sql)?.query_row([], |row| Ok(u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0)))
    };
    let pages = number("PRAGMA page_count")?.saturating_sub(number("PRAGMA freelist_count")?);
    Ok(pages.saturating_mul(number("PRAGMA page_size")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_refuses_one_byte_past_the_bound_and_warns_once_before() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (zeroblob(400000))").unwrap();
        let used = used(&conn).unwrap();
        let room = Room::new(Some(used + 10));
        assert!(room.check(&conn, 10).is_ok());
        let refused = room.check(&conn, 11).unwrap_err();
        assert!(refused.to_string().contains("store.max_bytes"), "{refused}");
        assert!(room.alarmed.load(Ordering::Relaxed), "more than 80 % are used");
        assert!(Room::new(None).check(&conn, usize::MAX).is_ok());

        let room = Room::new(Some(used * 100 / 79));
        room.check(&conn, 0).unwrap();
        assert!(!room.alarmed.load(Ordering::Relaxed), "79 % are not 80");
        // Calm only well below: a store at the edge does not fill the log.
        room.alarmed.store(true, Ordering::Relaxed);
        room.check(&conn, 0).unwrap();
        assert!(room.alarmed.load(Ordering::Relaxed));
        conn.execute_batch("DELETE FROM t").unwrap();
        room.check(&conn, 0).unwrap();
        assert!(!room.alarmed.load(Ordering::Relaxed), "what became free counts as free");
    }
}
