//! Files for other programs.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{ArgGroup, Args};
use indicatif::ProgressBar;
use tempfile::NamedTempFile;
use tokio::signal::unix::{SignalKind, signal};

use super::select::SelectArgs;
use crate::cli::args::StoreArg;
use crate::cli::table::{eprint_line, progress};
use crate::dead_letters::Pages;
use crate::export::Export;
use crate::inbox::{DeadLetters, Filter};

/// Write dead letters to a file for other programs: with their attempts and bodies, row by row, any number.
#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP, group = ArgGroup::new("format").args(["csv", "jsonl"]).required(true))]
pub(super) struct ExportArgs {
    #[command(flatten)]
    store: StoreArg,
    #[command(flatten)]
    select: SelectArgs,
    /// CSV, safe to open in a spreadsheet: what one would compute has an apostrophe before it.
    #[arg(long)]
    csv: bool,
    /// JSON, one dead letter per line.
    #[arg(long)]
    jsonl: bool,
    /// The file to write. Standard output unless given.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

const AFTER_HELP: &str = "\
Examples:
  hookproof dlq export --csv --output dead.csv
  hookproof dlq export --jsonl --source klozeo --received-after 24h > dead.jsonl

With --output, the file has its name only when it is whole; until then it is .NAME.*.partial beside it. It is for its
owner alone, and an existing file is not overwritten.";

impl ExportArgs {
    pub(super) async fn run(&self) -> anyhow::Result<()> {
        let store = self.store.open_for(self.select.source()).await?;
        let selection = self.select.selection(&store).await?;
        let filter = Filter::dead().selecting(selection.clone());
        let Some(path) = &self.output else {
            let out = BufWriter::new(std::io::stdout().lock());
            self.write(&store, filter, out, &ProgressBar::hidden()).await?;
            return Ok(());
        };
        let partial = partial(path)?;
        let bar = progress(store.preview(selection).await?.total());
        let mut interrupt = signal(SignalKind::interrupt())?;
        let out = BufWriter::new(partial.as_file().try_clone()?);
        let written = tokio::select! {
            written = self.write(&store, filter, out, &bar) => written?,
            _ = interrupt.recv() => bail!("stopped: {} is not written", path.display()),
        };
        bar.finish_and_clear();
        finish(partial, path)?;
        eprint_line(format_args!("{written} dead letters written to {}", path.display()));
        Ok(())
    }

    /// Writes the dead letters that there are now, and returns how many.
    async fn write(
        &self,
        store: &dyn DeadLetters,
        filter: Filter,
        out: impl Write,
        bar: &ProgressBar,
    ) -> anyhow::Result<u64> {
        let mut export = if self.csv { Export::csv(out)? } else { Export::json_lines(out) };
        let mut pages = Pages::of(store, filter).await?;
        let mut written = 0;
        while let Some(page) = pages.next_details(store).await? {
            for detail in &page {
                export.add(detail)?;
                written += 1;
                bar.inc(1);
            }
        }
        export.finish()?;
        Ok(written)
    }
}

/// A file beside `path`, for its owner alone: it holds other people's data. It is gone if it is not finished, unless the process dies.
fn partial(path: &Path) -> anyhow::Result<NamedTempFile> {
    let cannot = || format!("cannot create {} (an existing file is not overwritten)", path.display());
    let name = path.file_name().with_context(cannot)?.to_string_lossy();
    // Before an hour's work, not only after it.
    if path.symlink_metadata().is_ok() {
        bail!(cannot());
    }
    tempfile::Builder::new()
        .prefix(&format!(".{name}."))
        .suffix(".partial")
        .tempfile_in(folder(path))
        .with_context(cannot)
}

/// Puts the file on the disk and gives it its name.
fn finish(partial: NamedTempFile, path: &Path) -> anyhow::Result<()> {
    let cannot = || format!("cannot write {}", path.display());
    partial.as_file().sync_all().with_context(cannot)?;
    partial.persist_noclobber(path).map_err(|error| error.error).with_context(cannot)?;
    File::open(folder(path)).and_then(|folder| folder.sync_all()).with_context(cannot)
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}
