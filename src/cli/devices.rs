//! `foregate devices`: what this machine can compute on.

use std::thread;

use serde::Serialize;

use crate::cli::out;
use crate::compute::gpu::{self, AdapterInfo};
use crate::error::Result;
use crate::os;
use crate::quant::CpuLevel;
use crate::report::units::bytes;

/// List what --device can name: the CPU and the GPU adapters.
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
    /// In the order of their `gpu:N` numbers.
    gpus: Vec<AdapterInfo>,
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
        gpus: gpu::adapters(),
    };
    if args.json { out::json(&devices) } else { out::write(describe(&devices).as_bytes()) }
}

fn describe(devices: &Devices) -> String {
    let cpu = &devices.cpu;
    let memory = devices.memory_available_bytes.map_or("unknown".into(), bytes);
    let mut text = format!(
        "cpu: {}\n  {} threads; kernels: {} (the last by default); memory available: {memory}\n\
         reference: the same CPU, in plain loops; the oracle of the others\n",
        cpu.name,
        cpu.threads,
        cpu.features.join(", ")
    );
    text.extend(devices.gpus.iter().map(describe_gpu));
    if devices.gpus.is_empty() {
        text.push_str("gpu: none found\n");
    }
    text
}

fn describe_gpu(gpu: &AdapterInfo) -> String {
    let kind = format!("{:?}", gpu.kind).to_lowercase();
    let memory = match gpu.memory_bytes {
        Some(n) => bytes(n),
        None if gpu.shares_memory() => "the machine's".into(),
        None => "not told".into(),
    };
    let (smallest, largest) = gpu.subgroup;
    let unusable = gpu.unusable.as_ref().map_or(String::new(), |why| format!("  cannot be used: {why}\n"));
    format!(
        "gpu:{}: {}\n  {}, {kind}, driver {}; memory: {memory}\n  largest binding {}, largest buffer {}, subgroups {smallest} to \
         {largest}; features: {}\n{unusable}",
        gpu.index,
        gpu.name,
        gpu.backend,
        gpu.driver,
        bytes(gpu.max_binding_bytes),
        bytes(gpu.max_buffer_bytes),
        gpu.features.join(", ")
    )
}
