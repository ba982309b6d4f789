//! Where the model comes from when none is named.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The demo model's file.
const DEMO: &str = "foregate-demo.gguf";

/// The environment variable that names a default model.
const VARIABLE: &str = "FOREGATE_MODEL";

/// The model that was named, else that of the environment variable, else the demo model: next to the program, in
/// `../share/foregate`, in `assets` of the clone that built the program or of the current directory.
///
/// # Errors
/// There is none, and the text says how to give one; or what the environment variable names is not there.
pub fn find(named: Option<&Path>) -> Result<PathBuf> {
    if let Some(path) = named {
        return Ok(path.to_owned());
    }
    if let Some(path) = env::var_os(VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from) {
        let found = fs::metadata(&path);
        return found.map(|_| path.clone()).map_err(|e| Error::file(&path, format!("{e}; {VARIABLE} names it")));
    }
    places().into_iter().find(|path| path.is_file()).ok_or_else(|| {
        Error::Usage(format!("no model: give the path of a GGUF file, or set {VARIABLE} (no {DEMO} is installed)"))
    })
}

fn places() -> Vec<PathBuf> {
    let program = env::current_exe().ok();
    let beside = program.as_deref().and_then(Path::parent);
    let clone = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut dirs: Vec<PathBuf> =
        beside.into_iter().flat_map(|dir| [dir.to_owned(), dir.join("../share/foregate")]).collect();
    dirs.extend([clone.join("assets"), PathBuf::from("assets")]);
    dirs.into_iter().map(|dir| dir.join(DEMO)).collect()
}
