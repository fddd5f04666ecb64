//! Help as it is printed: clap breaks it where the terminal ends, and what is broken in the source would be broken twice.

use clap::{Command, CommandFactory as _};

use super::Cli;

/// The command line, each paragraph of its help in one line.
pub(super) fn command() -> Command {
    unbroken(Cli::command())
}

fn unbroken(command: Command) -> Command {
    let command = command.mut_subcommands(unbroken);
    let joined = command.get_after_help().map(|help| joined(&help.to_string()));
    match joined {
        Some(help) => command.after_help(help),
        None => command,
    }
}

/// Examples, which are indented, and what has an empty line before it begin a line of their own; the rest goes on.
fn joined(text: &str) -> String {
    let is_prose = |line: &str| !line.is_empty() && !line.starts_with(' ');
    let (mut out, mut before) = (String::new(), None);
    for line in text.lines() {
        match before {
            None => {}
            Some(before) if is_prose(before) && is_prose(line) => out.push(' '),
            Some(_) => out.push('\n'),
        }
        out.push_str(line);
        before = Some(line);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_is_a_line_and_an_example_is_one() {
        let text = "Examples:\n  one\n  two\n\nA word,\nand another.\n\nExits 0.";
        assert_eq!(joined(text), "Examples:\n  one\n  two\n\nA word, and another.\n\nExits 0.");
    }
}
