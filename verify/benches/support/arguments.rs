//! The command line of a bench.

use std::process::ExitCode;

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arguments {
    /// Whether cargo runs this to measure. `cargo test --all-targets` runs it too: then it only has to work.
    pub(crate) measuring: bool,
    pub(crate) json: bool,
    pub(crate) check: bool,
    /// Do this one thing so many times and nothing else: for a profiler.
    pub(crate) repeat: Option<(String, u64)>,
    /// Compare only what has this in its name.
    pub(crate) only: String,
    pub(crate) help: bool,
}

impl Arguments {
    /// What was asked for, unless that is all: the help, which begins with what the bench is `about`, or what is wrong.
    ///
    /// # Errors
    ///
    /// How to exit.
    #[expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]
    pub(crate) fn read_or_exit(about: &str) -> Result<Self, ExitCode> {
        let arguments = Self::read().map_err(|problem| {
            eprintln!("{problem}");
            ExitCode::from(2)
        })?;
        if arguments.help {
            println!("{about}\n\n{HELP}");
            return Err(ExitCode::SUCCESS);
        }
        Ok(arguments)
    }

    /// What stands behind `--` on cargo's command line.
    fn read() -> Result<Self, String> {
        let mut read = Self::default();
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            match word.as_str() {
                "--bench" => read.measuring = true,
                "--json" => read.json = true,
                "--check" => read.check = true,
                "--help" | "-h" => read.help = true,
                "--only" => read.only = words.next().ok_or("--only wants a part of a name")?,
                "--repeat" => {
                    let (name, times) = (words.next(), words.next().and_then(|times| times.parse().ok()));
                    read.repeat = Some(name.zip(times).ok_or("--repeat wants a name and a number")?);
                }
                other => return Err(format!("unknown argument {other:?}; --help lists the known ones")),
            }
        }
        Ok(read)
    }
}

/// What the arguments do.
const HELP: &str = "  --json                as JSON instead of a table
  --check               exit with 1 if a limit is missed
  --only PART           only what has this in its name
  --repeat NAME TIMES   do one thing so many times and measure nothing: for a profiler
  --help                this text";
