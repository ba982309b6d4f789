//! The one error type: every variant prints one line that says what is wrong, where, and what to do.

use std::io;
use std::path::{Path, PathBuf};

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation failed. `Display` is the line a user reads.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused a file operation.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file's content is not what its format allows; `what` names the field or tensor and the offset.
    #[error("{}: {what}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong and where.
        what: String,
    },
    /// A valid file or request that this version cannot serve.
    #[error("{0}")]
    Unsupported(String),
    /// A memory budget that cannot work; the text holds the smallest that does.
    #[error("{0}")]
    Budget(String),
    /// A prompt that the context has no room for.
    #[error("{tokens} tokens do not fit into the context of {ctx}: `--ctx {tokens}` or more makes room")]
    ContextFull {
        /// Tokens of the prompt.
        tokens: usize,
        /// Tokens that the KV cache can hold.
        ctx: usize,
    },
    /// A conversation that is not even cut into tokens.
    #[error("a conversation of {bytes} bytes is too long for this context: a larger `--ctx` takes longer ones")]
    TextTooLong {
        /// Bytes of the whole prompt.
        bytes: usize,
    },
    /// A flag or argument that makes no sense (exit code 2).
    #[error("{0}")]
    Usage(String),
    /// A compute device failed or is missing.
    #[error("{0}")]
    Device(String),
    /// A chat template is broken or refused the conversation.
    #[error("chat template: {0}")]
    Template(String),
    /// A text could not be turned into tokens, or tokens into text.
    #[error("tokenizer: {0}")]
    Tokenizer(String),
}

impl Error {
    /// An I/O error on `path`.
    pub fn io(path: impl AsRef<Path>, source: io::Error) -> Self {
        Self::Io { path: path.as_ref().to_owned(), source }
    }

    /// A content error in `path`.
    pub fn file(path: impl AsRef<Path>, what: impl Into<String>) -> Self {
        Self::File { path: path.as_ref().to_owned(), what: what.into() }
    }

    /// Whether the user's command line is at fault (exit code 2).
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Usage(_))
    }
}
