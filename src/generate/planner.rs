//! From a file and options to a device and a memory plan; allocates nothing.

use std::path::Path;

use crate::compute::cpu::CpuDevice;
use crate::compute::gpu::{AdapterInfo, AdapterKind, GpuDevice, Selector, adapters};
use crate::compute::reference::ReferenceDevice;
use crate::compute::{Device, DeviceInfo, KvKind};
use crate::error::{Error, Result};
use crate::expert::source::{ReadPath, SourceOptions};
use crate::generate::options::{DeviceChoice, Options};
use crate::generate::plan::{Ceiling, Demand, Plan};
use crate::generate::profile::{Profile, ProfileStore};
use crate::gguf::Gguf;
use crate::model::forward::kv_specs;
use crate::model::sink::Measure;
use crate::model::{Config, Model};
use crate::os;
use crate::quant::CpuLevel;

/// Read lanes that a plan counts with before they are measured.
const LANES_PLANNED: usize = 10;
/// The budget of a GPU whose memory the system does not tell.
const VRAM_FALLBACK: u64 = 4 << 30;
/// The budget where the system does not say how much memory is available.
const MEMORY_FALLBACK: u64 = 4 << 30;

/// A model's file and what it says of the model: all that is known before a device and a budget are chosen.
pub struct ModelFile {
    /// The file.
    pub gguf: Gguf,
    /// Hyper-parameters, for the context that will be allocated.
    pub config: Config,
}

impl ModelFile {
    /// Opens a file for a context of `ctx` positions; `None`: as long as the model was trained for, within reason.
    ///
    /// # Errors
    /// A file that is no model, or one of an architecture that is not supported.
    pub fn open(path: &Path, ctx: Option<usize>) -> Result<Self> {
        let gguf = Gguf::open(path)?;
        let config = Config::from_gguf(&gguf, ctx)?;
        Ok(Self { gguf, config })
    }
}

/// A model measured for a device; plans, and allocates nothing.
pub struct Planner {
    /// The file.
    pub gguf: Gguf,
    /// Where its tensors are; handles mean nothing yet.
    pub model: Model,
    pub(super) measured: Measure,
    pub(super) device: Box<dyn Device>,
}

/// The device of a choice; what was chosen for the user goes to `notes`.
fn device(options: &Options, notes: &mut Vec<String>) -> Result<Box<dyn Device>> {
    let cpu = || -> Result<Box<dyn Device>> {
        let level = options.cpu_features.as_deref().map_or_else(|| Ok(CpuLevel::detect()), CpuLevel::by_name)?;
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Box::new(CpuDevice::new(level, options.threads.unwrap_or_else(cores))?))
    };
    let gpu = |selector| -> Result<Box<dyn Device>> {
        let for_the_cpu =
            [("--threads", options.threads.is_some()), ("--cpu-features", options.cpu_features.is_some())];
        if let Some((flag, _)) = for_the_cpu.into_iter().find(|(_, given)| *given) {
            return Err(Error::Usage(format!("{flag} is for the CPU, and a GPU is used: add --device cpu")));
        }
        Ok(Box::new(GpuDevice::open(selector, None)?))
    };
    match options.device {
        DeviceChoice::Reference => Ok(Box::new(ReferenceDevice::default())),
        DeviceChoice::Cpu => cpu(),
        DeviceChoice::Gpu(number) => gpu(number.map_or(Selector::Any, Selector::Index)),
        DeviceChoice::Auto => {
            let usable = |a: &AdapterInfo| a.kind != AdapterKind::Software && a.unusable.is_none();
            if adapters().iter().any(usable) {
                return gpu(Selector::Hardware);
            }
            notes.push("no GPU found: computing on the CPU".into());
            cpu()
        }
    }
}

/// The budget that was asked for, or else what is available, less the larger of 1 GiB and 10 %; of less than 2 GiB, half.
pub fn memory_ceiling(asked: Option<u64>) -> Ceiling {
    let default = || os::available_memory().map_or(MEMORY_FALLBACK, share_of);
    Ceiling { flag: "--memory", bytes: asked.unwrap_or_else(default), given: asked.is_some() }
}

/// What a model may take of the memory that is `available`.
fn share_of(available: u64) -> u64 {
    available - (1u64 << 30).min(available / 2).max(available / 10)
}

/// What a command takes at most that runs no model: what is available, less 10 %.
pub fn memory_without_model() -> u64 {
    os::available_memory().map_or(MEMORY_FALLBACK, |available| available - available / 10)
}

impl Planner {
    /// Checks a model's tensors and opens the device; what was chosen for the user goes to `notes`.
    ///
    /// # Errors
    /// A file that cannot be run, or a device that is not there.
    pub fn new(file: ModelFile, options: &Options, notes: &mut Vec<String>) -> Result<Self> {
        let ModelFile { gguf, config } = file;
        let mut measured = Measure::default();
        let model = Model::build(&gguf, &config, &mut measured)?;
        Ok(Self { gguf, model, measured, device: device(options, notes)? })
    }

    /// Plans for the budget of `options`; the context is the file's.
    ///
    /// # Errors
    /// A budget that cannot work, or keys and values that the device cannot hold.
    pub fn plan(&self, options: &Options) -> Result<Plan> {
        let kv = self.kv(options);
        kv_specs(&self.model.config).iter().try_for_each(|spec| self.device.check_kv(spec, kv))?;
        let (info, footprint) = (self.device.info(), self.device.footprint());
        if options.vram.is_some() && info.kind != "gpu" {
            return Err(Error::Usage("--vram needs a GPU, and none is used: leave it out".into()));
        }
        let reading = SourceOptions { path: options.io, lanes: options.lanes }.settled(&self.model.experts);
        let apart = || footprint.memory_bytes.map_or(VRAM_FALLBACK, |all| all - all / 10);
        let demand = Demand {
            device: &*self.device,
            memory: memory_ceiling(options.memory),
            vram: options.vram.or_else(|| (!info.shares_memory).then(apart)).map(|bytes| Ceiling {
                flag: "--vram",
                bytes,
                given: options.vram.is_some(),
            }),
            cache: options.cache,
            ctx: self.model.config.ctx,
            batch: options.batch,
            kv,
            lanes: reading.lanes.unwrap_or(LANES_PLANNED),
            may_map: reading.path.is_none_or(|path| path == ReadPath::Mmap),
            predictor: options.predictor,
            looked_for_gpus: options.device == DeviceChoice::Auto && info.kind != "gpu",
            held: options.held,
        };
        Plan::new(&self.gguf, &self.model, &self.measured, &demand)
    }

    /// Who will compute.
    pub fn device_info(&self) -> DeviceInfo {
        self.device.info()
    }

    /// Where in the folder `state` `tune` keeps what it finds for this model, on this device and drive, within the budget of
    /// `options`.
    ///
    /// # Errors
    /// A shard whose size and time the system does not tell.
    pub fn profiles(&self, state: &Path, options: &Options) -> Result<ProfileStore> {
        ProfileStore::new(state, self.gguf.shard_paths(), &self.device.info().name, options)
    }

    /// What was kept there, if profiles are looked for; of one that is broken a warning says why it is not used.
    ///
    /// # Errors
    /// As [`Planner::profiles`].
    pub fn profile(&self, options: &Options, warnings: &mut Vec<String>) -> Result<Option<Profile>> {
        let Some(state) = options.profiles.as_deref().filter(|_| self.model.config.max_k() > 0) else {
            return Ok(None);
        };
        let record = self.profiles(state, options)?.load().unwrap_or_else(|warning| {
            warnings.push(warning);
            None
        });
        Ok(record.map(|record| record.profile))
    }

    /// Storage of keys and values.
    pub fn kv(&self, options: &Options) -> KvKind {
        self.device.footprint().kv_only.or(options.kv).unwrap_or(KvKind::F16)
    }
}

#[cfg(test)]
mod tests {
    use super::share_of;

    #[test]
    fn small_machines_keep_half() {
        const MIB: u64 = 1 << 20;
        for (available, share) in [(0, 0), (800, 400), (2048, 1024), (3072, 2048), (20480, 18432)] {
            assert_eq!(share_of(available * MIB), share * MIB, "{available} MiB");
        }
    }
}
