//! `foregate tokenize`: the tokens of a text.

use std::fmt::Write;
use std::path::PathBuf;

use crate::cli::input::TextFlags;
use crate::cli::{message, out};
use crate::error::{Error, Result};
use crate::generate::plan::text::text_bytes;
use crate::generate::planner::memory_without_model;
use crate::gguf::Gguf;
use crate::report::units::bytes;
use crate::tokenizer::Tokenizer;

/// Print the token ids of a text on one line.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  foregate tokenize model.gguf -p \"Hello, world\" --pieces")]
pub struct Args {
    /// GGUF file, or the first shard of one
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    #[command(flatten)]
    text: TextFlags,
    /// Print a line per token: its id and its text, quoted
    #[arg(long)]
    pieces: bool,
    /// Add no BOS and EOS, and take the texts of control tokens as plain text
    #[arg(long)]
    no_special: bool,
}

/// Bytes that are gathered before they are printed.
const PRINTED_AT_ONCE: usize = 1 << 16;

pub fn run(args: &Args) -> Result<()> {
    let text = args.text.read(memory_without_model())?;
    let gguf = Gguf::open(&args.model)?;
    let tokenizer = Tokenizer::from_gguf(&gguf)?;
    message::warnings(tokenizer.warnings());
    let (need, most) = (text_bytes(&gguf, &tokenizer, &text, false), memory_without_model());
    if need > most {
        let [long, need, most] = [text.len() as u64, need, most].map(bytes);
        return Err(Error::Budget(format!(
            "to cut a text of {long} into tokens may take {need}, and {most} is the most that is taken: give a shorter one"
        )));
    }
    let ids = tokenizer.encode(&text, !args.no_special, !args.no_special)?;
    drop(text);
    let mut lines = String::new();
    // a string takes whatever is written to it
    for (n, &id) in ids.iter().enumerate() {
        let _ = match args.pieces {
            true => writeln!(lines, "{id}\t{}", quoted(tokenizer.piece(id))),
            false => write!(lines, "{}{id}", if n == 0 { "" } else { " " }),
        };
        if lines.len() > PRINTED_AT_ONCE {
            out::write(lines.as_bytes())?;
            lines.clear();
        }
    }
    if !args.pieces {
        lines.push('\n');
    }
    out::write(lines.as_bytes())
}

/// A piece in quotes, bytes that are no characters as `\xNN`.
fn quoted(piece: &[u8]) -> String {
    let mut text = String::from("\"");
    for chunk in piece.utf8_chunks() {
        text.extend(chunk.valid().chars().flat_map(char::escape_debug));
        text.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    text + "\""
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn pieces_show_spaces_newlines_and_broken_characters() {
        assert_eq!(quoted(" a\n\"é".as_bytes()), r#"" a\n\"é""#);
        assert_eq!(quoted(&[b'x', 0xe2, 0x82]), r#""x\xe2\x82""#);
    }
}
