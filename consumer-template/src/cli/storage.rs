//! What `status` says of the store itself.

use super::table::{moment, print_line, shown, table};
use crate::inbox::sqlite::SqliteOperator;
use crate::inbox::{Keep, Purge as _, Records as _, Retention, Storage};

pub(super) async fn print(operator: &SqliteOperator, as_json: bool) -> anyhow::Result<()> {
    let (storage, retention) = (operator.storage().await?, operator.retention().await?);
    if as_json {
        return Ok(print_line(json(&storage, retention.as_ref()))?);
    }
    let mut rows = table(["store", ""]);
    let mut row = |name: String, value: String| {
        rows.add_row([name, value]);
    };
    row(
        "database".to_owned(),
        format!("{}, of it {} free", size(storage.database_bytes), size(storage.free_bytes)),
    );
    row("write-ahead log".to_owned(), size(storage.log_bytes));
    row("payloads".to_owned(), format!("{} in {}", size(storage.payload_bytes), storage.payloads));
    for (state, at) in &storage.oldest {
        row(format!("oldest {state}"), moment(*at));
    }
    if let Some(at) = storage.oldest_replay_key {
        row("oldest replay key".to_owned(), moment(at));
    }
    if let Some(at) = storage.oldest_delivery {
        row("oldest delivery".to_owned(), moment(at));
    }
    for (source, keep) in retention.iter().flat_map(|retention| &retention.sources) {
        row(format!("kept of {}", shown(source)), kept(keep));
    }
    if let Some(retention) = &retention {
        row("kept of other sources".to_owned(), kept(&retention.others));
        row("kept of deliveries".to_owned(), days(retention.deliveries));
    }
    Ok(print_line(rows)?)
}

fn kept(keep: &Keep) -> String {
    let replay_key = keep.replay_key.map_or_else(|| "for ever".to_owned(), days);
    format!("payloads {}, replay keys {replay_key}", days(keep.payload))
}

fn days(time: std::time::Duration) -> String {
    format!("{} days", time.as_secs() / 86_400)
}

fn json(storage: &Storage, retention: Option<&Retention>) -> serde_json::Value {
    let oldest = storage.oldest.iter().map(|(state, at)| (state.as_str().to_owned(), moment(*at).into()));
    let kept = |keep: &Keep| {
        serde_json::json!({
            "payload_seconds": keep.payload.as_secs(),
            "replay_key_seconds": keep.replay_key.map(|time| time.as_secs()),
        })
    };
    let retention = retention.map(|retention| {
        let sources = retention.sources.iter().map(|(name, keep)| (name.to_string(), kept(keep)));
        serde_json::json!({
            "sources": sources.collect::<serde_json::Map<_, _>>(),
            "others": kept(&retention.others),
            "delivery_seconds": retention.deliveries.as_secs(),
        })
    });
    serde_json::json!({ "store": {
        "database_bytes": storage.database_bytes,
        "free_bytes": storage.free_bytes,
        "log_bytes": storage.log_bytes,
        "payloads": storage.payloads,
        "payload_bytes": storage.payload_bytes,
        "oldest": oldest.collect::<serde_json::Map<_, _>>(),
        "oldest_replay_key": storage.oldest_replay_key.map(moment),
        "oldest_delivery": storage.oldest_delivery.map(moment),
        "retention": retention,
    }})
}

/// Bytes for people.
pub(super) fn size(bytes: u64) -> String {
    indicatif::BinaryBytes(bytes).to_string()
}
