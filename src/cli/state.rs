//! Where the program keeps what outlives it: the history of lines typed, the memory of expert caches.

use std::env;
use std::path::PathBuf;

/// `foregate` in the directory where the system keeps a user's state; `None` where there is no such directory.
pub fn folder() -> Option<PathBuf> {
    let dir = |variable: &str| env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = if cfg!(windows) {
        dir("LOCALAPPDATA")
    } else {
        dir("XDG_STATE_HOME").or_else(|| dir("HOME").map(|home| home.join(".local/state")))
    };
    state.map(|state| state.join("foregate"))
}
