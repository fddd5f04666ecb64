//! Why a delivery was refused, for an operator with a copy of it.

mod request;
mod vectors;

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use hookproof::explain::{CauseKind, Explainer, Explanation};
use hookproof::{Key, RequestView, Scheme, TimestampFormat, UnixTime};

use super::is_broken_pipe;
use super::table::{eprint_line, print_line, shown, table};
use crate::clock::{Clock as _, SystemClock};
use crate::config;
use request::RawRequest;
use vectors::Told;

/// The longest input that is read.
const MAX_INPUT_BYTES: u64 = 64 << 20;

/// Verify a copy of a request, and explain why it is refused.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Verify {
    /// The request (request line, headers, empty line, body), or a file of vectors. `-`: standard input.
    #[arg(value_name = "FILE", default_value = "-")]
    input: PathBuf,
    /// Take presets, keys and URLs from this configuration. hookproof.toml unless given.
    #[arg(long, short, value_name = "FILE", env = "HOOKPROOF_CONFIG")]
    config: Option<PathBuf>,
    /// The source of the configuration. The one with the request's path unless given.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["scheme", "key_env", "key_file"])]
    source: Option<String>,
    /// The preset to verify with (see `hookproof schemes`), instead of a configuration.
    #[arg(long, value_name = "PRESET")]
    scheme: Option<String>,
    /// The environment variable that holds the key. May be given several times.
    #[arg(long, value_name = "VARIABLE", requires = "scheme")]
    key_env: Vec<String>,
    /// The file that holds the key. May be given several times.
    #[arg(long, value_name = "FILE", requires = "scheme")]
    key_file: Vec<PathBuf>,
    /// The URL that the provider calls, up to the path; for presets that sign it. With a source: instead of its own.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// The moment of receipt: RFC 3339, or Unix seconds or milliseconds. Now unless given (a vector has its own).
    #[arg(long, value_name = "TIME", value_parser = moment)]
    at: Option<UnixTime>,
    /// The body, byte for byte, where the request is shown without it (as `curl -v` does).
    #[arg(long, value_name = "FILE", conflicts_with = "id")]
    body: Option<PathBuf>,
    /// Of a file of vectors, only this one.
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// Print JSON; of several vectors one line each.
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  hookproof verify request.txt --config hookproof.toml --source klozeo
  hookproof verify request.txt --source klozeo --at 2026-11-20T18:03:11Z
  hookproof verify request.txt --scheme github --key-file github.secret
  SECRET=... hookproof verify --scheme square --key-env SECRET --public-url https://hooks.example.com < request.txt
  hookproof verify head.txt --body body.json --source klozeo --json
  hookproof verify test-vectors/v1/stripe.json --id stripe-007

A key is never given on the command line, where `ps` and the shell's history would show it: name a file or a variable.
Nothing that is printed holds a key, a computed signature or a byte of the body.

Exits 0 if the delivery is accepted; 1 if it is refused, or the set-up cannot verify anything; 2 if the command line or
the input cannot be read. Of a whole file of vectors: 0 if every answer is the one that the file states, else 1.";

fn moment(text: &str) -> Result<UnixTime, &'static str> {
    let formats = [TimestampFormat::SecondsOrRfc3339, TimestampFormat::Millis];
    let parsed = formats.into_iter().find_map(|format| format.parse(text.as_bytes()));
    parsed.ok_or("write it as 2026-11-20T18:03:11Z, or as Unix seconds or milliseconds")
}

impl Verify {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        self.explain().or_else(|error| {
            if is_broken_pipe(&error) {
                return Err(error);
            }
            eprint_line(format_args!("error: {error:#}"));
            Ok(ExitCode::from(2))
        })
    }

    fn explain(&self) -> anyhow::Result<ExitCode> {
        let input = read(&self.input)?;
        if let Some(vectors) = vectors::parse(&input)? {
            if self.source.is_some()
                || self.scheme.is_some()
                || self.public_url.is_some()
                || self.body.is_some()
            {
                bail!(
                    "vectors bring their own scheme, keys, URL and body: leave --source, --scheme, \
                     --public-url and --body out"
                );
            }
            return self.tell(&vectors.explain(self.id.as_deref(), self.at)?);
        }
        if self.id.is_some() {
            bail!("--id names a vector, and the input is no file of vectors");
        }
        let mut request = request::parse(&input)?;
        if let Some(path) = &self.body {
            request.replace_body(read(path)?);
        }
        let explainer = self.explainer(&mut request)?;
        let view = RequestView {
            method: &request.method,
            path_and_query: &request.path_and_query,
            headers: &request.headers,
        };
        let explanation =
            explainer.explain(view, &request.body, self.at.unwrap_or_else(|| SystemClock.now()));
        if self.at.is_none() && is_late(&explanation) {
            request.notes.push(
                "It was judged as if it arrived now. Give the moment of its receipt with --at to judge it as \
                 it was then.".to_owned(),
            );
        }
        self.print(&explanation, &request.notes)?;
        Ok(if explanation.is_accepted() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn explainer(&self, request: &mut RawRequest) -> anyhow::Result<Explainer> {
        let explainer = match &self.scheme {
            Some(name) => self.explicit(name)?,
            None => {
                let default = PathBuf::from("hookproof.toml");
                let path = self.config.as_ref().unwrap_or(&default);
                let found =
                    config::Explained::load(path, self.source.as_deref(), request.path_and_query.as_str())?;
                request.notes.extend(found.notes);
                found.explainer
            }
        };
        Ok(match &self.public_url {
            Some(url) => explainer.public_url(url),
            None => explainer,
        })
    }

    fn explicit(&self, name: &str) -> anyhow::Result<Explainer> {
        let scheme = Scheme::by_name(name).with_context(|| {
            format!("there is no preset '{}': see `hookproof schemes`", name.escape_debug())
        })?;
        let mut texts = Vec::new();
        for name in &self.key_env {
            texts.push(variable(name)?);
        }
        for file in &self.key_file {
            let text = std::fs::read_to_string(file);
            texts.push(text.with_context(|| format!("cannot read the key file {}", file.display()))?);
        }
        if texts.is_empty() {
            bail!("the key is missing: give --key-env or --key-file");
        }
        let keys = texts.into_iter().enumerate().map(|(n, text)| Key::new(format!("key-{}", n + 1), text));
        Ok(Explainer::new(scheme).keys(keys))
    }

    fn print(&self, explanation: &Explanation, notes: &[String]) -> anyhow::Result<()> {
        if self.json {
            let mut json = serde_json::to_value(explanation)?;
            if let Some(json) = json.as_object_mut() {
                json.insert("notes".to_owned(), notes.into());
            }
            return Ok(print_line(json)?);
        }
        print_line(explanation)?;
        for note in notes {
            print_line(format_args!("\nNote: {note}"))?;
        }
        Ok(())
    }

    fn tell(&self, told: &[Told]) -> anyhow::Result<ExitCode> {
        if let (Some(_), [one]) = (&self.id, told) {
            self.print(&one.explanation, &[])?;
            return Ok(if one.explanation.is_accepted() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        let mut rows = table(["vector", "verdict", "first cause", "as stated"]);
        for Told { id, explanation, as_stated } in told {
            if self.json {
                let mut json = serde_json::to_value(explanation)?;
                if let Some(json) = json.as_object_mut() {
                    json.insert("id".to_owned(), id.as_str().into());
                    json.insert("as_stated".to_owned(), (*as_stated).into());
                }
                print_line(json)?;
            }
            let verdict = if explanation.is_accepted() {
                "accepted"
            } else {
                explanation.reason.unwrap_or("misconfigured")
            };
            let cause = explanation.causes.first().map_or("", |cause| cause.kind.code());
            rows.add_row([&*shown(id), verdict, cause, if *as_stated { "yes" } else { "NO" }]);
        }
        if !self.json {
            print_line(rows)?;
        }
        Ok(if told.iter().all(|told| told.as_stated) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn is_late(explanation: &Explanation) -> bool {
    let late = explanation.time.as_ref().is_some_and(|time| !time.inside && !time.in_the_future);
    late && explanation.causes.iter().any(|cause| cause.kind == CauseKind::OutsideWindow)
}

fn variable(name: &str) -> anyhow::Result<String> {
    let good = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    if name.is_empty() || !name.bytes().all(good) {
        // Not shown: it may be the key itself.
        bail!("--key-env takes the name of a variable, of A-Z a-z 0-9 _, and not the key");
    }
    match std::env::var(name) {
        Ok(text) => Ok(text),
        Err(std::env::VarError::NotPresent) => {
            bail!("the environment variable that --key-env names is not set")
        }
        Err(std::env::VarError::NotUnicode(_)) => bail!("the environment variable {name} is not UTF-8"),
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut input = Vec::new();
    let limited = MAX_INPUT_BYTES + 1;
    if path.as_os_str() == "-" {
        std::io::stdin().take(limited).read_to_end(&mut input).context("cannot read standard input")?;
    } else {
        let file = std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        file.take(limited)
            .read_to_end(&mut input)
            .with_context(|| format!("cannot read {}", path.display()))?;
    }
    if input.len() as u64 > MAX_INPUT_BYTES {
        bail!("{} is longer than {MAX_INPUT_BYTES} bytes", path.display());
    }
    Ok(input)
}
