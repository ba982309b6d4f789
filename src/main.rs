//! The `foregate` program: parse, run, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    foregate::os::quiet_driver_layers();
    foregate::cli::main()
}
