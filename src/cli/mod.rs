//! The command line: what was typed becomes a resolved plan, the plan is run, results are printed.
//!
//! One file per command, each with its own `Args` and `run`; [`flags`] holds the groups that commands share. Stdout
//! carries a command's result and nothing else; messages, progress and figures go to stderr. This is the only room
//! that prints.

mod bench;
mod chat;
mod completions;
pub mod demo;
mod devices;
pub mod flags;
mod generate;
mod input;
mod inspect;
mod interrupt;
mod logits;
mod man;
mod measure;
mod message;
mod open;
mod out;
mod perplexity;
mod result_file;
mod sampling;
mod simulate;
pub mod size;
mod state;
mod template;
mod tokenize;
mod tune;

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::error::{Error, Result};

/// Runs Mixture-of-Experts language models that do not fit in memory.
///
/// The dense part of a model and a bounded cache of its experts stay in memory; the other experts are read from a
/// stock GGUF file as they are needed. The answer is the same at any memory budget.
#[derive(Debug, Parser)]
#[command(name = "foregate", version, propagate_version = true, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 2 bad usage, 130 ended by Ctrl-C.";

#[derive(Debug, Subcommand)]
enum Command {
    Chat(chat::Args),
    Generate(generate::Args),
    Bench(bench::Args),
    Tune(tune::Args),
    Inspect(inspect::Args),
    Perplexity(perplexity::Args),
    Simulate(simulate::Args),
    Logits(logits::Args),
    Tokenize(tokenize::Args),
    Template(template::Args),
    Devices(devices::Args),
    Completions(completions::Args),
    Man(man::Args),
}

impl Cli {
    /// What these arguments say.
    fn parse_from_args(args: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let parser = Self::command().mut_subcommands(flags::with_negative_numbers);
        Self::from_arg_matches(&parser.try_get_matches_from(args)?)
    }
}

/// Parses the process's arguments and runs the command: 0 done, 1 failed, 2 bad usage, 130 ended by Ctrl-C.
pub fn main() -> ExitCode {
    let result = match Cli::parse_from_args(std::env::args_os()) {
        Ok(cli) => crate::os::install_bus_error_handler()
            .and_then(|()| crate::os::install_end_handlers())
            .map_err(|e| crate::Error::Unsupported(format!("the system refuses a signal's handler: {e}")))
            .and_then(|()| run(cli.command)),
        Err(shown) => {
            // help, the version, or a usage error
            let failed = shown.print().is_err_and(|e| e.kind() != io::ErrorKind::BrokenPipe);
            return ExitCode::from(if failed { 1 } else { shown.exit_code() as u8 });
        }
    };
    match result {
        Ok(code) => code,
        Err(e) if is_broken_pipe(&e) => ExitCode::SUCCESS,
        Err(e) => {
            message::error(&e.to_string());
            ExitCode::from(if e.is_usage() { 2 } else { 1 })
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    let done = match command {
        Command::Generate(args) => return generate::run(&args),
        Command::Bench(args) => return bench::run(&args),
        Command::Tune(args) => return tune::run(&args),
        Command::Logits(args) => return logits::run(&args),
        Command::Chat(args) => chat::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Perplexity(args) => perplexity::run(&args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Tokenize(args) => tokenize::run(&args),
        Command::Template(args) => template::run(&args),
        Command::Devices(args) => devices::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    };
    done.map(|()| ExitCode::SUCCESS)
}

/// Whether the reader of our stdout has gone, which is its good right.
fn is_broken_pipe(e: &Error) -> bool {
    matches!(e, Error::Io { path, source }
        if path.as_os_str() == out::STDOUT && source.kind() == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_are_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_negative_number_is_the_value_of_the_flag_before_it() {
        for (line, named) in [
            ("generate -p x --ctx -5", "--ctx"),
            ("chat --memory -5", "--memory"),
            ("bench --lanes -1", "--lanes"),
            ("generate -p x --temp -0.5", "--temp"),
            ("simulate trace --warmup -1", "--warmup"),
        ] {
            let args = ["foregate"].into_iter().chain(line.split(' ')).map(OsString::from);
            let error = Cli::parse_from_args(args).expect_err(line);
            assert_eq!(error.kind(), clap::error::ErrorKind::ValueValidation, "{line}: {error}");
            assert!(error.to_string().contains(named), "{line}: {error}");
        }
        let args = ["foregate", "generate", "-p", "x", "-n", "-1", "--seed", "-1"].map(OsString::from);
        assert!(Cli::parse_from_args(args).is_ok());
    }
}
