//! A database of before: its leads are what they were, and converge with what comes.

use hookproof_consumer::inbox::sqlite::{SqliteInbox, SqliteOptions};
use hookproof_consumer::leads::{Lead, Leads};
use rusqlite::Connection;

use crate::support::NOW;
use crate::tables::{lead_event, load, merge};

const BEFORE: [&str; 3] = [
    include_str!("../../migrations/0001_init.sql"),
    include_str!("../../migrations/0002_leads.sql"),
    include_str!("../../migrations/0003_ordering.sql"),
];

#[test]
fn leads_of_before_are_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    let conn = Connection::open(&path).unwrap();
    BEFORE.iter().for_each(|step| conn.execute_batch(step).unwrap());
    conn.pragma_update(None, "user_version", 3).unwrap();
    let n = NOW;
    conn.execute_batch(&format!(
        "INSERT INTO leads (source, lead_id, created_at, updated_at, deleted_at, restored_at, events_applied) VALUES
             ('crm', 'alive', {n} + 1, {n} + 9, NULL, NULL, 3), ('crm', 'gone', {n} + 1, {n} + 9, {n} + 8, NULL, 2),
             ('crm', 'back', {n} + 1, {n} + 9, {n} + 5, {n} + 6, 4), ('crm', 'anew', {n} + 6, {n} + 9, {n} + 5, NULL, 5),
             ('crm', 'bare', NULL, {n} + 2, NULL, NULL, 1);
         INSERT INTO lead_fields (source, lead_id, field, value, at) VALUES
             ('crm', 'alive', 'é\"\n', '{{\"a\" : 1.50}}', {n} + 3), ('crm', 'alive', 'stage', '\"won\"', {n} + 9),
             ('crm', 'alive', 'score', '7', {n} + 3), ('crm', 'gone', 'stage', '1', {n} + 2), ('crm', 'back', 'stage', '1', {n} + 2),
             ('crm', 'anew', 'old', '1', {n} + 5), ('crm', 'anew', 'new', '2', {n} + 6);"
    ))
    .unwrap();
    drop(conn);
    drop(SqliteInbox::open(SqliteOptions::new(&path)).unwrap());
    let conn = Connection::open(&path).unwrap();
    let before = Lead::load_all(&conn).unwrap();
    assert_eq!(before.len(), 5);
    let alive = load(&conn, "alive");
    assert_eq!(
        (alive.fields["stage"].as_str(), alive.fields["é\"\n"].as_str()),
        (r#""won""#, r#"{"a" : 1.50}"#)
    );
    assert_eq!((alive.scores["score"].as_str(), alive.events_applied), ("7", 3));
    let lives =
        |id: &str| (load(&conn, id).deleted, load(&conn, id).fields.keys().cloned().collect::<String>());
    assert_eq!(lives("gone"), (true, String::new()));
    assert_eq!(lives("back"), (false, "stage".to_owned()));
    assert_eq!(lives("anew"), (false, "new".to_owned()));
    // What SQL made of the rows is what the model makes of them: an event that says nothing new changes nothing else.
    for (_, id, was) in before {
        let nothing = lead_event("lead.odd", 0, &format!(r#"{{"lead_id":"{id}"}}"#));
        merge(&Leads::new(), &conn, &nothing).unwrap();
        assert_eq!(load(&conn, &id), Lead { events_applied: was.events_applied + 1, ..was }, "{id}");
    }
    // And what was known does not come back over what is newer, nor over a tie.
    let tie = lead_event("lead.updated", 9, r#"{"id":"alive","stage":"lost"}"#);
    merge(&Leads::new(), &conn, &tie).unwrap();
    assert_eq!(load(&conn, "alive").fields["stage"], r#""lost""#);
}
