//! The `foregate` program: parse, run, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    foregate::cli::main()
}
