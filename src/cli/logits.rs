//! `foregate logits`: raw logits, for who compares engines.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::cli::flags::EngineFlags;
use crate::cli::interrupt::{INTERRUPTED, Interrupt};
use crate::cli::result_file::{ResultFile, keep_apart, of_model};
use crate::cli::{message, open, out};
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

pub fn run(args: &Args) -> Result<ExitCode> {
    args.engine.check()?;
    if args.out.is_none() && io::stdout().is_terminal() {
        return Err(Error::Usage("logits are binary and stdout is a terminal: add --out FILE or a pipe".into()));
    }
    let file = open::model_file(&args.model, &args.engine, None)?;
    if let Some(path) = &args.out {
        keep_apart("--out", path, of_model(file.gguf.shard_paths()))?;
    }
    let interrupt = Interrupt::install()?;
    let result = args.out.as_deref().map(ResultFile::new).transpose()?;
    let mut opened = open::engine(file, &args.engine, None, 0)?;
    let mut write = |sink: &mut dyn Write, path: &Path| {
        let ids = &args.ids;
        let mut each = |rows: &[f32]| {
            rows.iter().try_for_each(|x| sink.write_all(&x.to_le_bytes())).map_err(|e| Error::io(path, e))
        };
        interrupt.during(|cancel| opened.engine.each_logits(ids, 0..ids.len(), cancel, &mut each))
    };
    let whole = match result {
        Some(result) => {
            let path = result.path();
            result.write(|file| write(file, path))?
        }
        None => {
            let mut stdout = BufWriter::new(io::stdout().lock());
            let path = Path::new(out::STDOUT);
            let whole = write(&mut stdout, path)?;
            stdout.flush().map_err(|e| Error::io(path, e))?;
            whole
        }
    };
    if whole {
        return Ok(ExitCode::SUCCESS);
    }
    message::note("stopped: the logits are not whole");
    Ok(ExitCode::from(INTERRUPTED))
}
