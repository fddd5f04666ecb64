//! The binary `hookproof`. All of it is in the library beside this file, so that tests can reach it.

fn main() -> std::process::ExitCode {
    hookproof_consumer::cli::run()
}
