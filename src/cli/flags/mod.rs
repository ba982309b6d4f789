//! Flags that several commands share, as typed. Each command resolves them into what it runs with.

mod run;

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Command, ValueEnum};

pub use self::run::{ProfileFlag, RunFlags, Switch};
use crate::cli::size;
use crate::compute::KvKind;
use crate::error::{Error, Result};
use crate::expert::cache::PolicyKind;
use crate::expert::pager::Prefetch;
use crate::expert::predict::{LOOKAHEAD_MAX, PredictorKind};
use crate::expert::source::{LANES_MAX, ReadPath};
use crate::generate::options::{DeviceChoice, Options};
use crate::generate::plan::{CacheSize, Ceiling};
use crate::generate::planner::memory_ceiling;

/// The model's file, where the demo model can stand in.
#[derive(Args, Clone, Debug)]
pub struct ModelFlag {
    /// GGUF file, or the first shard of one [default: the demo model]
    #[arg(value_name = "MODEL")]
    pub model: Option<PathBuf>,
}

const MEMORY: &str = "Device and memory";
const COMPUTE: &str = "Compute and reading";

/// How a model is run. Nothing here but `--device`, `--kv` and `--ctx` can change a bit of the output.
#[derive(Args, Clone, Debug)]
pub struct EngineFlags {
    /// Where to compute: auto (a GPU if there is one, else the CPU), cpu, gpu (the best adapter, be it a software one),
    /// gpu:N (see `foregate devices`), reference (slow and plain: the oracle of the others)
    #[arg(long, value_name = "DEVICE", default_value = "auto", value_parser = parse_device, help_heading = MEMORY)]
    pub device: DeviceChoice,
    /// Ceiling of the process's resident memory [default: what is available, less 1 GiB or 10 %; of less than 2 GiB, half]
    #[arg(long, value_name = "SIZE", value_parser = size::parse, help_heading = MEMORY)]
    pub memory: Option<u64>,
    /// Ceiling of GPU memory
    #[arg(long, value_name = "SIZE", value_parser = size::parse, help_heading = MEMORY)]
    pub vram: Option<u64>,
    /// Expert cache: a size, N% of all experts, or Nx the experts that one token uses [default: what fits]
    #[arg(long, value_name = "SIZE|N%|Nx", value_parser = parse_cache, help_heading = MEMORY)]
    pub cache: Option<CacheSize>,
    /// Who leaves the expert cache [default: next-use]
    #[arg(long, value_name = "NAME", value_parser = policy(), help_heading = MEMORY)]
    pub policy: Option<PolicyKind>,
    /// Context: tokens that prompt and answer may have together, but for the answer's last [default: the model's, at most 4096]
    #[arg(long, value_name = "N", value_parser = count(1 << 30), help_heading = MEMORY)]
    pub ctx: Option<usize>,
    /// Storage of keys and values [default: f16; f32 on the reference device]
    #[arg(long, value_name = "TYPE", help_heading = MEMORY)]
    pub kv: Option<KvFlag>,

    /// Worker threads of the CPU device [default: the CPU's cores]
    #[arg(long, value_name = "N", value_parser = count(1024), help_heading = COMPUTE)]
    pub threads: Option<usize>,
    /// Tokens of a prompt that are computed together
    #[arg(long, value_name = "N", value_parser = count(1 << 16), help_heading = COMPUTE)]
    pub batch: Option<usize>,
    /// Instructions of the CPU device [default: the best that the CPU has]
    #[arg(long, value_name = "LEVEL", value_parser = ["portable", "avx2", "avx512"], help_heading = COMPUTE)]
    pub cpu_features: Option<String>,
    /// How experts are read: direct (past the page cache), buffered (through it), mmap (copied out of a map), or auto
    /// (whichever is fastest on the model's file; buffered where experts have less than 512 MiB)
    #[arg(long, value_name = "PATH", default_value = "auto", help_heading = COMPUTE)]
    pub io: IoFlag,
    /// Concurrent reads [default: measured, or 4 where nothing is]
    #[arg(long, value_name = "N", value_parser = count(LANES_MAX), help_heading = COMPUTE)]
    pub lanes: Option<usize>,
    /// Read experts before the router asks for them: auto (while it pays), off, or always, at most N per layer
    /// [default: auto]
    #[arg(long, value_name = "auto|off|N", help_heading = COMPUTE)]
    pub prefetch: Option<Prefetch>,
    /// Layers ahead that experts are predicted for, 1 to 3 [default: 1]
    #[arg(long, value_name = "D", value_parser = count(LOOKAHEAD_MAX), help_heading = COMPUTE)]
    pub lookahead: Option<usize>,
    /// Who predicts: residual (the next layers' routers on this layer's residual stream), fate (on its normed FFN input),
    /// gate (whichever of the two is right more often), transition (what used to follow this layer's experts)
    /// [default: gate]
    #[arg(long, value_name = "NAME", help_heading = COMPUTE)]
    pub predictor: Option<PredictorKind>,

    /// Say more on stderr: the plan, the choices, the seed
    #[arg(short, long)]
    pub verbose: bool,
}

impl EngineFlags {
    /// Refuses flags that could not act on the chosen device.
    ///
    /// # Errors
    /// The first such flag, named.
    pub fn check(&self) -> Result<()> {
        use DeviceChoice::{Auto, Cpu, Gpu, Reference};
        let refuse = |flag: &str, why: &str| Err(Error::Usage(format!("{flag} {why}")));
        if self.prefetch == Some(Prefetch::Off) {
            let idle = [("--lookahead", self.lookahead.is_some()), ("--predictor", self.predictor.is_some())];
            if let Some((flag, _)) = idle.iter().find(|(_, given)| *given) {
                return refuse(flag, "needs predictions, and --prefetch off makes none");
            }
        }
        match self.device {
            Cpu | Reference if self.vram.is_some() => refuse("--vram", "needs a GPU: add --device gpu"),
            Gpu(_) | Reference if self.threads.is_some() => refuse("--threads", "needs --device cpu"),
            Gpu(_) | Reference if self.cpu_features.is_some() => refuse("--cpu-features", "needs --device cpu"),
            Reference if self.kv.is_some_and(|kv| kv != KvFlag::F32) => {
                refuse("--kv", "cannot be changed with --device reference, which keeps f32")
            }
            Auto | Cpu | Gpu(_) | Reference => Ok(()),
        }
    }

    /// The same once `auto` has become a GPU.
    ///
    /// # Errors
    /// As [`EngineFlags::check`].
    pub fn check_gpu(&self) -> Result<()> {
        Self { device: DeviceChoice::Gpu(None), ..self.clone() }.check()
    }

    /// Refuses flags about experts for a model that has none.
    ///
    /// # Errors
    /// The first such flag, named.
    pub fn check_dense(&self) -> Result<()> {
        let given = [
            ("--cache", self.cache.is_some()),
            ("--policy", self.policy.is_some()),
            ("--io", self.io != IoFlag::Auto),
            ("--lanes", self.lanes.is_some()),
            ("--prefetch", self.prefetch.is_some()),
            ("--lookahead", self.lookahead.is_some()),
            ("--predictor", self.predictor.is_some()),
        ];
        match given.iter().find(|(_, given)| *given) {
            Some((flag, _)) => Err(Error::Usage(format!("{flag} is about experts, and this model has none"))),
            None => Ok(()),
        }
    }

    /// What the process may take: `--memory`, or what it is without.
    pub fn ceiling(&self) -> Ceiling {
        memory_ceiling(self.memory)
    }

    /// What the engine is opened with.
    ///
    /// # Errors
    /// As [`EngineFlags::check`].
    pub fn resolve(&self) -> Result<Options> {
        self.check()?;
        Ok(Options {
            device: self.device,
            memory: self.memory,
            vram: self.vram,
            cache: self.cache.unwrap_or_default(),
            io: self.io.path(),
            lanes: self.lanes,
            policy: self.policy,
            trace: None,
            warm: None,
            profiles: None,
            held: 0,
            // who asks for predictions has them
            prefetch: self
                .prefetch
                .or((self.lookahead.is_some() || self.predictor.is_some()).then_some(Prefetch::Auto)),
            lookahead: self.lookahead,
            predictor: self.predictor.unwrap_or_default(),
            threads: self.threads,
            ctx: self.ctx,
            batch: self.batch,
            kv: self.kv.map(KvFlag::kind),
            cpu_features: self.cpu_features.clone(),
        })
    }
}

fn parse_device(text: &str) -> Result<DeviceChoice, String> {
    match text {
        "auto" => Ok(DeviceChoice::Auto),
        "cpu" => Ok(DeviceChoice::Cpu),
        "gpu" => Ok(DeviceChoice::Gpu(None)),
        "reference" => Ok(DeviceChoice::Reference),
        _ => {
            let number = text.strip_prefix("gpu:").and_then(|n| n.parse().ok());
            number.map(|n| DeviceChoice::Gpu(Some(n))).ok_or_else(|| "give auto, cpu, gpu, gpu:N or reference".into())
        }
    }
}

/// A cache size as `--cache` takes it.
pub fn parse_cache(text: &str) -> Result<CacheSize, String> {
    let number = |digits: &str| {
        let plain = digits.chars().all(|c| c.is_ascii_digit() || c == '.');
        digits.parse::<f64>().ok().filter(|n| plain && *n > 0.0)
    };
    let help = || format!("`{text}` is no cache size: write 4GiB, 25% or 1.5x");
    if let Some(digits) = text.strip_suffix('%') {
        match number(digits).ok_or_else(help)? {
            percent if percent <= 100.0 => Ok(CacheSize::Share(percent / 100.0)),
            _ => Err(format!("`{text}` is more than all experts: write 100%")),
        }
    } else if let Some(digits) = text.strip_suffix('x') {
        number(digits).map(CacheSize::Cycles).ok_or_else(help)
    } else {
        size::parse(text).map(CacheSize::Bytes).map_err(|_| help())
    }
}

/// `--io` as typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum IoFlag {
    /// Measured at start.
    Auto,
    /// Copies out of a memory map, made by the lanes.
    Mmap,
    /// Reads past the page cache.
    Direct,
    /// Reads through the page cache.
    Buffered,
}

impl IoFlag {
    /// The read path; `None` where it is to be measured.
    pub fn path(self) -> Option<ReadPath> {
        match self {
            Self::Auto => None,
            Self::Mmap => Some(ReadPath::Mmap),
            Self::Direct => Some(ReadPath::Direct),
            Self::Buffered => Some(ReadPath::Buffered),
        }
    }
}

/// `--kv` as typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KvFlag {
    /// 2 bytes per element.
    F16,
    /// 4 bytes per element.
    F32,
    /// 34 bytes per 32 elements.
    #[value(name = "q8_0")]
    Q8_0,
}

impl KvFlag {
    /// The storage.
    pub fn kind(self) -> KvKind {
        match self {
            Self::F16 => KvKind::F16,
            Self::F32 => KvKind::F32,
            Self::Q8_0 => KvKind::Q8_0,
        }
    }
}

/// An eviction policy by its name; the help tells what each does.
pub fn policy() -> impl TypedValueParser<Value = PolicyKind> {
    let values = PolicyKind::ALL.map(|kind| PossibleValue::new(kind.name()).help(kind.description()));
    PossibleValuesParser::new(values).try_map(|name| name.parse::<PolicyKind>())
}

/// A count from one to `most`.
pub fn count(most: usize) -> impl TypedValueParser<Value = usize> {
    move |text: &str| {
        let number = text.parse().ok().filter(|n| (1..=most).contains(n));
        number.ok_or_else(|| format!("give a whole number from 1 to {most}"))
    }
}

/// The command, a negative number after a flag being its value, so that the flag's own error tells its range.
pub fn with_negative_numbers(command: Command) -> Command {
    command.mut_args(|flag| {
        let takes = flag.get_action().takes_values() && !flag.is_positional();
        if takes { flag.allow_negative_numbers(true) } else { flag }
    })
}

/// A whole number.
pub fn whole(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "give a whole number from 0 on".into())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        engine: EngineFlags,
    }

    fn parse(flags: &str) -> Result<Line, String> {
        let line =
            Line::try_parse_from(["x"].into_iter().chain(flags.split_whitespace())).map_err(|e| e.to_string())?;
        line.engine.check().map_err(|e| e.to_string())?;
        Ok(line)
    }

    #[test]
    fn cache_sizes_are_bytes_shares_or_cycles() {
        let cache = |text: &str| parse(&format!("--cache {text}")).map(|line| line.engine.cache.unwrap());
        assert_eq!(cache("4GiB").unwrap(), CacheSize::Bytes(4 << 30));
        assert_eq!(cache("12.5%").unwrap(), CacheSize::Share(0.125));
        assert_eq!(cache("1.5x").unwrap(), CacheSize::Cycles(1.5));
        for bad in ["0%", "101%", "0x", "x", "%", "-1x", "1e3x", "infx", "NaN%", "much"] {
            assert!(cache(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn devices_are_named_or_numbered() {
        let device = |text: &str| parse(&format!("--device {text}")).map(|line| line.engine.device);
        assert_eq!(device("gpu").unwrap(), DeviceChoice::Gpu(None));
        assert_eq!(device("gpu:1").unwrap(), DeviceChoice::Gpu(Some(1)));
        for bad in ["gpu:", "gpu:x", "tpu", ""] {
            assert!(device(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_flag_that_cannot_act_is_refused_by_name() {
        for (flags, name) in [
            ("--device cpu --vram 4G", "--vram"),
            ("--device reference --threads 2", "--threads"),
            ("--device gpu --threads 2", "--threads"),
            ("--device gpu --cpu-features portable", "--cpu-features"),
            ("--device reference --kv f16", "--kv"),
            ("--prefetch off --lookahead 2", "--lookahead"),
            ("--prefetch off --predictor fate", "--predictor"),
        ] {
            let error = parse(flags).err().unwrap_or_default();
            assert!(error.starts_with(name), "{flags}: {error}");
        }
        assert!(parse("--device reference --kv f32 --memory 4G --lanes 4 --io direct").is_ok());
    }

    #[test]
    fn flags_about_experts_are_refused_without_experts() {
        for (flags, name) in [
            ("--cache 1x", "--cache"),
            ("--io mmap", "--io"),
            ("--lanes 2", "--lanes"),
            ("--prefetch 4", "--prefetch"),
            ("--lookahead 2", "--lookahead"),
            ("--predictor fate", "--predictor"),
        ] {
            let error = parse(flags).ok().and_then(|line| line.engine.check_dense().err()).map(|e| e.to_string());
            assert!(error.as_deref().unwrap_or_default().starts_with(name), "{flags}: {error:?}");
        }
        assert!(parse("--memory 4G --threads 2").unwrap().engine.check_dense().is_ok());
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        for flags in [
            "--ctx 0",
            "--ctx 1073741825",
            "--threads 0",
            "--threads 1025",
            "--batch 0",
            "--batch 65537",
            "--lanes 0",
            "--lanes 65",
            "--memory 0",
            "--kv q4_0",
            "--io fast",
            "--cpu-features mmx",
        ] {
            assert!(parse(flags).is_err(), "{flags}");
        }
    }

    #[test]
    fn the_largest_counts_are_taken() {
        assert!(parse("--ctx 1073741824 --threads 1024 --batch 65536 --lanes 64").is_ok());
    }
}
