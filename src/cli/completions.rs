//! `foregate completions`: a shell's completion script.

use clap::CommandFactory;

use crate::cli::{Cli, out};
use crate::error::Result;

/// Print the completion script of a shell.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  foregate completions bash > ~/.local/share/bash-completion/completions/foregate")]
pub struct Args {
    /// The shell.
    #[arg(value_name = "SHELL")]
    shell: clap_complete::Shell,
}

pub fn run(args: &Args) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "foregate", &mut script);
    out::write(&script)
}
