//! `foregate logits`: raw logits, for who compares engines.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::PathBuf;

use crate::cli::flags::EngineFlags;
use crate::cli::{open, out};
use crate::error::{Error, Result};
use crate::generate::stream::LanguageModel;

/// Write the logits at every position of a list of tokens.
///
/// They are little-endian f32, one row of the vocabulary's size per position. The file needs no tokenizer.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  foregate logits model.gguf --ids 1,2,3 --device reference --out logits.f32")]
pub struct Args {
    /// GGUF file, or the first shard of one
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    /// Token ids, separated by commas
    #[arg(long, value_name = "IDS", value_delimiter = ',', required = true)]
    ids: Vec<u32>,
    /// File to write [default: stdout, unless it is a terminal]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    engine: EngineFlags,
}

pub fn run(args: &Args) -> Result<()> {
    args.engine.check()?;
    if args.out.is_none() && io::stdout().is_terminal() {
        return Err(Error::Usage("logits are binary and stdout is a terminal: add --out FILE or a pipe".into()));
    }
    let mut opened = open::engine(open::model_file(&args.model, &args.engine, None)?, &args.engine, None, 0)?;
    let mut write = |sink: &mut dyn Write, path: PathBuf| -> Result<()> {
        let mut sink = BufWriter::new(sink);
        opened.engine.each_logits(&args.ids, 0..args.ids.len(), &|| false, &mut |rows| {
            rows.iter().try_for_each(|x| sink.write_all(&x.to_le_bytes())).map_err(|e| Error::io(&path, e))
        })?;
        sink.flush().map_err(|e| Error::io(&path, e))
    };
    match &args.out {
        Some(path) => {
            let mut file = File::create(path).map_err(|e| Error::io(path, e))?;
            write(&mut file, path.clone())
        }
        None => write(&mut io::stdout().lock(), out::STDOUT.into()),
    }
}
