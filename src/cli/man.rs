//! `foregate man`: manual pages from the same words as `--help`.

use std::fs;
use std::path::PathBuf;

use clap::CommandFactory;

use crate::cli::{Cli, out};
use crate::error::{Error, Result};

/// Print the manual page, or write one per command.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  foregate man > foregate.1 && man ./foregate.1")]
pub struct Args {
    /// Write foregate.1 and a page for each command into this directory instead.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub fn run(args: &Args) -> Result<()> {
    match &args.dir {
        Some(dir) => fs::create_dir_all(dir)
            .and_then(|()| clap_mangen::generate_to(Cli::command(), dir))
            .map_err(|e| Error::io(dir, e)),
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page).map_err(|e| Error::io(out::STDOUT, e))?;
            out::write(&page)
        }
    }
}
