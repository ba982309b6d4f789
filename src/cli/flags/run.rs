//! Flags of commands that run a model: what a run takes up, and what it leaves.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::COMPUTE;
use crate::cli::result_file::keep_apart;
use crate::cli::state;
use crate::error::{Error, Result};

/// What a run takes up from runs before it, and what it leaves.
#[derive(Args, Clone, Debug, Default)]
pub struct RunFlags {
    /// Record which experts the router asks for, and what the cache makes of it, for `foregate simulate`; gzip if FILE
    /// ends in .gz
    #[arg(long, value_name = "FILE", help_heading = COMPUTE)]
    pub trace: Option<PathBuf>,
    /// Record the router's scores of all experts too
    #[arg(long, requires = "trace", help_heading = COMPUTE)]
    pub trace_scores: bool,
    /// Begin with the experts that the cache held when the model was last used, and keep them for the next time [default: on]
    #[arg(long, value_name = "on|off", env = "FOREGATE_WARM_START", help_heading = COMPUTE)]
    pub warm_start: Option<Switch>,
    /// What `tune` kept.
    #[command(flatten)]
    pub profile: ProfileFlag,
}

/// Whether what `tune` kept is used.
#[derive(Args, Clone, Debug, Default)]
pub struct ProfileFlag {
    /// Settle what is left open as `foregate tune` found it to be fastest under the same --memory and --vram [default: on]
    #[arg(long, value_name = "on|off", env = "FOREGATE_PROFILE", help_heading = COMPUTE)]
    profile: Option<Switch>,
}

impl ProfileFlag {
    /// Where profiles are, if they are used.
    pub fn folder(&self) -> Option<PathBuf> {
        state::folder().filter(|_| self.profile != Some(Switch::Off))
    }
}

impl RunFlags {
    /// Refuses a trace that has no folder, or would take the place of a file that the command reads; `read` are such files, and
    /// what each is.
    ///
    /// # Errors
    /// [`Error::Usage`], or what the system says of the folder.
    pub fn check<'a>(&self, read: impl IntoIterator<Item = (&'a Option<PathBuf>, &'a str)>) -> Result<()> {
        let Some(trace) = &self.trace else { return Ok(()) };
        let folder = trace.parent().filter(|folder| *folder != Path::new(""));
        folder.map_or(Ok(()), |folder| std::fs::metadata(folder).map(drop)).map_err(|e| Error::io(trace, e))?;
        keep_apart("--trace", trace, read.into_iter().filter_map(|(path, what)| Some((path.as_deref()?, what))))
    }
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum Switch {
    On,
    Off,
}
