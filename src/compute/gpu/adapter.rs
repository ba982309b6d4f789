//! Adapters: listing them, choosing one, opening it.

use std::sync::{Arc, Mutex, OnceLock};

use crate::error::{Error, Result};

/// Storage buffers that the widest shader binds.
const STORAGE_BUFFERS: u32 = 8;
/// Bytes of immediate data that the largest parameter struct takes.
pub(super) const IMMEDIATE_BYTES: u32 = 64;
/// Bytes of workgroup memory that the hungriest shader takes.
const WORKGROUP_BYTES: u32 = 16 << 10;

/// What kind of hardware an adapter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AdapterKind {
    /// A GPU with memory of its own.
    Discrete,
    /// A GPU that shares the machine's memory.
    Integrated,
    /// A GPU of a virtual machine.
    Virtual,
    /// A program on the CPU.
    Software,
    /// The driver does not say.
    Other,
}

/// One line of `foregate devices`.
#[derive(Clone, Debug, serde::Serialize)]
pub struct AdapterInfo {
    /// N of `--device gpu:N`.
    pub index: usize,
    /// Name, as the driver gives it.
    pub name: String,
    /// `Vulkan`, `Metal` or `Dx12`.
    pub backend: String,
    /// Driver's name and version.
    pub driver: String,
    /// Kind of hardware.
    pub kind: AdapterKind,
    /// Bytes of memory, where the system says it.
    pub memory_bytes: Option<u64>,
    /// Largest range of a buffer that a shader can see, in bytes.
    pub max_binding_bytes: u64,
    /// Largest buffer, in bytes.
    pub max_buffer_bytes: u64,
    /// Smallest and largest subgroup.
    pub subgroup: (u32, u32),
    /// Of the features that matter here, those that the adapter has.
    pub features: Vec<&'static str>,
    /// Why the adapter cannot be used, if it cannot.
    pub unusable: Option<String>,
}

impl AdapterInfo {
    /// Whether its memory is the machine's own.
    pub fn shares_memory(&self) -> bool {
        matches!(self.kind, AdapterKind::Integrated | AdapterKind::Software)
    }
}

/// Which adapter to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selector {
    /// `auto`: a usable GPU, discrete before integrated before the rest; never a software adapter.
    Hardware,
    /// `gpu`: the same, and a software adapter where there is no GPU.
    Any,
    /// `gpu:N`.
    Index(usize),
}

fn instance() -> wgpu::Instance {
    let mut desc = wgpu::InstanceDescriptor::new_without_display_handle();
    desc.backends = wgpu::Backends::VULKAN | wgpu::Backends::METAL | wgpu::Backends::DX12;
    // checking indirect calls adds a hidden dispatch to each of them
    desc.flags = wgpu::InstanceFlags::from_build_config().difference(wgpu::InstanceFlags::VALIDATION_INDIRECT_CALL);
    wgpu::Instance::new(desc)
}

fn enumerate() -> Vec<wgpu::Adapter> {
    let all = wgpu::Backends::VULKAN | wgpu::Backends::METAL | wgpu::Backends::DX12;
    pollster::block_on(instance().enumerate_adapters(all))
}

/// All adapters of the machine, in the order of their `gpu:N` numbers; looked for once in a process.
pub fn adapters() -> Vec<AdapterInfo> {
    static FOUND: OnceLock<Vec<AdapterInfo>> = OnceLock::new();
    FOUND.get_or_init(|| enumerate().iter().enumerate().map(|(i, a)| describe(i, a)).collect()).clone()
}

fn describe(index: usize, adapter: &wgpu::Adapter) -> AdapterInfo {
    let info = adapter.get_info();
    let limits = adapter.limits();
    let features = adapter.features();
    let known = [
        (wgpu::Features::IMMEDIATES, "immediates"),
        (wgpu::Features::SUBGROUP, "subgroup"),
        (wgpu::Features::SHADER_F16, "shader-f16"),
        (wgpu::Features::TIMESTAMP_QUERY, "timestamp-query"),
    ];
    let kind = match info.device_type {
        wgpu::DeviceType::DiscreteGpu => AdapterKind::Discrete,
        wgpu::DeviceType::IntegratedGpu => AdapterKind::Integrated,
        wgpu::DeviceType::VirtualGpu => AdapterKind::Virtual,
        wgpu::DeviceType::Cpu => AdapterKind::Software,
        wgpu::DeviceType::Other => AdapterKind::Other,
    };
    AdapterInfo {
        index,
        backend: format!("{:?}", info.backend),
        driver: format!("{} {}", info.driver, info.driver_info).trim().to_owned(),
        kind,
        memory_bytes: crate::os::card_memory(&info.device_pci_bus_id),
        max_binding_bytes: limits.max_storage_buffer_binding_size,
        max_buffer_bytes: limits.max_buffer_size,
        subgroup: (info.subgroup_min_size, info.subgroup_max_size),
        features: known.iter().filter(|(f, _)| features.contains(*f)).map(|(_, n)| *n).collect(),
        unusable: what_is_missing(&limits, features),
        name: info.name,
    }
}

fn what_is_missing(limits: &wgpu::Limits, features: wgpu::Features) -> Option<String> {
    if !features.contains(wgpu::Features::IMMEDIATES) || limits.max_immediate_size < IMMEDIATE_BYTES {
        return Some(format!("no immediate data of {IMMEDIATE_BYTES} bytes"));
    }
    let counts = [
        ("storage buffers per shader", limits.max_storage_buffers_per_shader_stage, STORAGE_BUFFERS),
        ("bytes of workgroup memory", limits.max_compute_workgroup_storage_size, WORKGROUP_BYTES),
        ("lanes per workgroup", limits.max_compute_invocations_per_workgroup, super::shaders::THREADS),
        ("workgroups per dimension", limits.max_compute_workgroups_per_dimension, 65_535),
    ];
    let (what, has, needs) = counts.into_iter().find(|(_, has, needs)| has < needs)?;
    Some(format!("{has} {what}, {needs} are needed"))
}

/// An opened adapter.
pub(super) struct Opened {
    pub info: AdapterInfo,
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    pub limits: wgpu::Limits,
    /// The first error that the driver reported and nobody has returned yet.
    pub failure: Arc<Mutex<Option<String>>>,
}

/// Opens the adapter that `selector` means.
///
/// Fails with one line where there is none, it lacks a feature, or its driver refuses.
pub(super) fn open(selector: Selector) -> Result<Opened> {
    let mut found: Vec<_> = enumerate().into_iter().enumerate().map(|(i, a)| (describe(i, &a), a)).collect();
    let (info, adapter) = match selector {
        Selector::Index(n) if n < found.len() => found.swap_remove(n),
        Selector::Index(n) => {
            return Err(Error::Device(match found.len() {
                0 => format!("gpu:{n}: this machine has no GPU adapter; --device cpu needs none"),
                count => format!("gpu:{n}: adapters are numbered 0 to {}; `foregate devices` lists them", count - 1),
            }));
        }
        Selector::Hardware | Selector::Any => {
            found.retain(|(i, _)| {
                i.unusable.is_none() && (selector == Selector::Any || i.kind != AdapterKind::Software)
            });
            // stable: among equals the first listed
            found.sort_by_key(|(i, _)| match i.kind {
                AdapterKind::Discrete => 0,
                AdapterKind::Integrated => 1,
                AdapterKind::Virtual | AdapterKind::Other => 2,
                AdapterKind::Software => 3,
            });
            match found.into_iter().next() {
                Some(best) => best,
                None => {
                    let what = if selector == Selector::Any { "adapter" } else { "GPU" };
                    return Err(Error::Device(format!("no usable {what} found; --device cpu needs none")));
                }
            }
        }
    };
    if let Some(missing) = &info.unusable {
        return Err(Error::Device(format!("{}: cannot be used: {missing}", info.name)));
    }
    let limits = adapter.limits();
    let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
        label: Some("foregate"),
        required_features: wgpu::Features::IMMEDIATES,
        required_limits: limits.clone(),
        experimental_features: wgpu::ExperimentalFeatures::disabled(),
        memory_hints: wgpu::MemoryHints::MemoryUsage,
        trace: wgpu::Trace::Off,
    }))
    .map_err(|e| Error::Device(format!("{}: {e}", info.name)))?;

    let failure = Arc::new(Mutex::new(None));
    let keep_first = |slot: &Mutex<Option<String>>, text: String| {
        // a poisoned lock still holds the text
        slot.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get_or_insert(text);
    };
    let slot = failure.clone();
    device.on_uncaptured_error(Arc::new(move |e: wgpu::Error| {
        keep_first(
            &slot,
            match e {
                wgpu::Error::OutOfMemory { .. } => "out of memory".to_owned(),
                other => other.to_string().replace('\n', " "),
            },
        );
    }));
    let slot = failure.clone();
    device.set_device_lost_callback(move |reason, text| {
        if reason != wgpu::DeviceLostReason::Destroyed {
            keep_first(&slot, format!("device lost: {}", text.replace('\n', " ")));
        }
    });
    Ok(Opened { info, device, queue, limits, failure })
}
