use std::io::Write as _;

use anyhow::Context as _;
use clap::Args;

use super::summary_json;
use crate::cli::args::StoreArg;
use crate::cli::table::{moment, print_line, shown};
use crate::inbox::{Quarantine as _, QuarantineNo, Quarantined};

/// Show one request.
#[derive(Args, Debug)]
pub(super) struct Show {
    #[command(flatten)]
    store: StoreArg,
    /// Its number.
    number: QuarantineNo,
    /// Print it as it was received, for `hookproof verify`. Every byte of it is a stranger's: not for a terminal.
    #[arg(long, conflicts_with = "json")]
    raw: bool,
    /// Print JSON, without the body.
    #[arg(long)]
    json: bool,
}

impl Show {
    pub(super) async fn run(&self) -> anyhow::Result<()> {
        let found = self.store.open()?.quarantined_request(self.number).await?;
        let found = found.with_context(|| format!("there is no request {} in quarantine", self.number))?;
        if self.raw {
            return Ok(std::io::stdout().lock().write_all(&raw(&found))?);
        }
        if self.json { Ok(print_line(json(&found))?) } else { print(&found) }
    }
}

/// Framing is left out: the body is here without it.
fn raw(request: &Quarantined) -> Vec<u8> {
    let head = &request.head;
    let mut raw = format!("{} {} HTTP/1.1\r\n", head.method, head.target).into_bytes();
    for (name, value) in head.headers.iter().filter(|(name, _)| name != "transfer-encoding") {
        raw.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    raw.extend_from_slice(b"\r\n");
    raw.extend_from_slice(&request.body);
    raw
}

fn json(request: &Quarantined) -> serde_json::Value {
    let mut json = summary_json(&request.summary);
    let headers = request
        .head
        .headers
        .iter()
        .map(|(name, value)| serde_json::json!([name, String::from_utf8_lossy(value)]));
    if let Some(json) = json.as_object_mut() {
        json.insert("headers".to_owned(), headers.collect());
    }
    json
}

fn print(request: &Quarantined) -> anyhow::Result<()> {
    let summary = &request.summary;
    let received = moment(summary.received_at);
    print_line(format_args!(
        "request {} to {}, received {received}{}, refused: {}",
        summary.number,
        shown(&summary.source),
        summary.peer.as_deref().map(|peer| format!(" from {}", shown(peer))).unwrap_or_default(),
        shown(&summary.reason),
    ))?;
    print_line(format_args!("{} {}", shown(&summary.method), shown(&summary.target)))?;
    for (name, value) in &request.head.headers {
        print_line(format_args!("{}: {}", shown(name), shown(&String::from_utf8_lossy(value))))?;
    }
    print_line(format_args!(
        "{} bytes of body; why it was refused: hookproof quarantine show {} --raw | hookproof verify --source {} --at {received}",
        summary.body_bytes,
        summary.number,
        shown(&summary.source),
    ))?;
    Ok(())
}
