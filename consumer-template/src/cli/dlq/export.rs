//! Files for other programs.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use super::{SelectArgs, StoreArg};
use crate::dead_letters::Pages;
use crate::export::Export;
use crate::inbox::Operator as _;

/// Write dead letters to a file for other programs.
#[derive(Args, Debug)]
pub(super) struct ExportArgs {
    #[command(flatten)]
    store: StoreArg,
    #[command(flatten)]
    select: SelectArgs,
    /// CSV, safe to open in a spreadsheet.
    #[arg(long, required_unless_present = "jsonl", conflicts_with = "jsonl")]
    csv: bool,
    /// JSON, one dead letter per line.
    #[arg(long)]
    jsonl: bool,
    /// The file to write. Standard output unless given.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl ExportArgs {
    pub(super) async fn run(&self) -> anyhow::Result<()> {
        let operator = self.store.open()?;
        let out: Box<dyn Write> = match &self.output {
            Some(path) => Box::new(private_file(path)?),
            None => Box::new(std::io::stdout().lock()),
        };
        let out = std::io::BufWriter::new(out);
        let mut export = if self.csv { Export::csv(out)? } else { Export::json_lines(out) };
        let mut pages = Pages::new(&operator, &self.select.selection()).await?;
        while let Some(page) = pages.next().await? {
            for event in page {
                // Whoever was quicker may have moved it, never removed it.
                if let Some(detail) = operator.show(event.number).await? {
                    export.add(&detail)?;
                }
            }
        }
        export.finish()
    }
}

/// A new file that only its owner reads: it holds other people's data.
fn private_file(path: &Path) -> anyhow::Result<File> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.with_context(|| format!("cannot create {} (an existing file is not overwritten)", path.display()))
}
