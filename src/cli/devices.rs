//! `foregate devices`: what this machine can compute on.

use std::thread;

use serde::Serialize;

use crate::cli::out;
use crate::error::Result;
use crate::os;
use crate::quant::CpuLevel;
use crate::report::units::bytes;

/// List the devices that `--device` can name: the CPU and the GPU adapters.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  foregate devices --json")]
pub struct Args {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What `devices --json` prints.
#[derive(Serialize)]
struct Devices {
    schema: &'static str,
    cpu: Cpu,
    memory_available_bytes: Option<u64>,
}

#[derive(Serialize)]
struct Cpu {
    name: String,
    threads: usize,
    /// What `--cpu-features` accepts here, the default last.
    features: Vec<&'static str>,
}

pub fn run(args: &Args) -> Result<()> {
    let devices = Devices {
        schema: "foregate.devices/1",
        cpu: Cpu {
            name: os::cpu_name(),
            threads: thread::available_parallelism().map_or(1, usize::from),
            features: CpuLevel::available().map(CpuLevel::name).collect(),
        },
        memory_available_bytes: os::available_memory(),
    };
    if args.json { out::json(&devices) } else { out::write(describe(&devices).as_bytes()) }
}

fn describe(devices: &Devices) -> String {
    let cpu = &devices.cpu;
    let memory = devices.memory_available_bytes.map_or("unknown".into(), bytes);
    format!(
        "cpu: {}\n  threads {}, kernels {} (the last by default), memory available {memory}\n\
         reference: the same CPU, one plain loop after another; the oracle of the others\n",
        cpu.name,
        cpu.threads,
        cpu.features.join(" ")
    )
}
