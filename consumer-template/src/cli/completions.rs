use std::process::ExitCode;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

/// Print a completion script for a shell.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  hookproof completions bash > /etc/bash_completion.d/hookproof\n  hookproof completions zsh > ~/.zfunc/_hookproof"
)]
pub(super) struct Completions {
    /// The shell.
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut super::Cli::command(), "hookproof", &mut script);
        std::io::Write::write_all(&mut std::io::stdout(), &script)?;
        Ok(ExitCode::SUCCESS)
    }
}
