//! The engine: buffers, pipelines, one open command encoder, and data in and out. With [`super::adapter`] the only file
//! that talks to wgpu; what the rest of the device records is plain data (a shader, bindings, parameters, a grid).

use std::collections::HashMap;
use std::num::NonZeroU64;

use super::adapter::{self, AdapterInfo, Selector};
use super::shaders::Shader;
use crate::error::{Error, Result};

/// Staged bytes after which they are sent and waited for, so that staging memory stays bounded.
const STAGED_MAX: u64 = 32 << 20;
/// Workgroups along one dimension of a grid.
pub(super) const GRID_MAX: u32 = 65_535;

/// A buffer of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Buf(usize);

/// A range of a buffer as a shader sees it; `bytes` 0 means all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Binding {
    pub buf: Buf,
    pub offset: u64,
    pub bytes: u64,
}

impl From<Buf> for Binding {
    fn from(buf: Buf) -> Self {
        Self { buf, offset: 0, bytes: 0 }
    }
}

/// Folds a number of workgroups into two dimensions; shaders unfold it with `flat_group` and skip what is too many.
pub(super) fn fold(groups: usize) -> [u32; 2] {
    let groups = groups.max(1) as u64;
    let y = groups.div_ceil(u64::from(GRID_MAX));
    [groups.div_ceil(y) as u32, y as u32]
}

pub(super) struct Engine {
    pub info: AdapterInfo,
    limits: wgpu::Limits,
    device: wgpu::Device,
    queue: wgpu::Queue,
    failure: std::sync::Arc<std::sync::Mutex<Option<String>>>,
    budget: Option<u64>,
    allocated: u64,
    staged: u64,
    buffers: Vec<wgpu::Buffer>,
    pipelines: HashMap<Shader, wgpu::ComputePipeline>,
    groups: HashMap<(Shader, Vec<Option<Binding>>), wgpu::BindGroup>,
    // dropped in this order: a pass ends before its encoder
    pass: Option<wgpu::ComputePass<'static>>,
    encoder: Option<wgpu::CommandEncoder>,
    submissions: u64,
    readback: Option<wgpu::Buffer>,
}

impl Engine {
    pub fn open(selector: Selector, budget: Option<u64>) -> Result<Self> {
        let adapter::Opened { info, device, queue, limits, failure } = adapter::open(selector)?;
        Ok(Self {
            info,
            limits,
            device,
            queue,
            failure,
            budget,
            allocated: 0,
            staged: 0,
            buffers: Vec::new(),
            pipelines: HashMap::new(),
            groups: HashMap::new(),
            pass: None,
            encoder: None,
            submissions: 0,
            readback: None,
        })
    }

    /// Bytes of all buffers.
    pub fn allocated(&self) -> u64 {
        self.allocated
    }

    /// Largest range that a shader can see, a multiple of 4.
    pub fn max_binding(&self) -> u64 {
        self.limits.max_storage_buffer_binding_size.min(self.limits.max_buffer_size).min(u64::from(u32::MAX) * 4) & !3
    }

    /// Number of the submission that is being recorded.
    pub fn submission(&self) -> u64 {
        self.submissions
    }

    fn fail(&self, doing: &str, what: &str) -> Error {
        Error::Device(format!("{}: {what} ({doing})", self.info.name))
    }

    /// Returns the first error that the driver has reported since the last check.
    fn check(&self, doing: &str) -> Result<()> {
        let mut slot = self.failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match slot.take() {
            Some(what) => Err(self.fail(doing, &what)),
            None => Ok(()),
        }
    }

    /// Allocates a zeroed buffer of at least `bytes`; `what` names it in errors.
    pub fn buffer(&mut self, bytes: u64, what: &str) -> Result<Buf> {
        let max = self.limits.max_buffer_size;
        if bytes > max {
            return Err(self.fail(what, &format!("a buffer of {bytes} bytes is above the adapter's largest ({max})")));
        }
        let size = bytes.next_multiple_of(4).max(4);
        self.reserve(size, what)?;
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
        let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(what),
            size,
            usage,
            mapped_at_creation: false,
        });
        self.check(&format!("allocating {size} bytes for {what}"))?;
        self.buffers.push(buffer);
        Ok(Buf(self.buffers.len() - 1))
    }

    fn reserve(&mut self, size: u64, what: &str) -> Result<()> {
        let total = self.allocated + size;
        if let Some(budget) = self.budget.filter(|b| total > *b) {
            return Err(Error::Budget(format!(
                "{}: {what} would take GPU memory to {total} bytes, above the budget of {budget}",
                self.info.name
            )));
        }
        self.allocated = total;
        Ok(())
    }

    /// Writes bytes (a multiple of 4) into a buffer, after everything submitted and before everything recorded since.
    pub fn write(&mut self, buf: Buf, offset: u64, data: &[u8]) -> Result<()> {
        let Some(size) = NonZeroU64::new(data.len() as u64) else {
            return Ok(());
        };
        if self.staged + size.get() > STAGED_MAX && self.staged > 0 {
            self.finish("sending staged data")?;
        }
        self.staged += size.get();
        match self.queue.write_buffer_with(&self.buffers[buf.0], offset, size) {
            Some(mut view) => view.copy_from_slice(data),
            None => self.check("writing a buffer")?,
        }
        self.check("writing a buffer")
    }

    /// Compiles a shader now rather than at its first dispatch.
    pub fn prepare(&mut self, shader: &Shader) -> Result<()> {
        if self.pipelines.contains_key(shader) {
            return Ok(());
        }
        let name = shader.name();
        let module = self.device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some(&name),
            source: wgpu::ShaderSource::Wgsl(shader.source().into()),
        });
        let compilation_options =
            wgpu::PipelineCompilationOptions { zero_initialize_workgroup_memory: false, ..Default::default() };
        let pipeline = self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(&name),
            layout: None,
            module: &module,
            entry_point: Some("main"),
            compilation_options,
            cache: None,
        });
        self.check(&format!("compiling shader {name}"))?;
        self.pipelines.insert(*shader, pipeline);
        Ok(())
    }

    /// Records one dispatch. `bindings` are numbered from 0, `None` for a number that the shader does not have; `params` is
    /// the shader's parameter struct.
    pub fn dispatch<P: bytemuck::Pod>(
        &mut self,
        shader: &Shader,
        bindings: &[Option<Binding>],
        params: &P,
        grid: [u32; 3],
    ) -> Result<()> {
        self.prepare(shader)?;
        let key = (*shader, bindings.to_vec());
        if !self.groups.contains_key(&key) {
            let group = self.bind_group(&self.pipelines[shader], bindings);
            self.check(&format!("binding buffers of shader {}", shader.name()))?;
            self.groups.insert(key.clone(), group);
        }
        let encoder = self.encoder.get_or_insert_with(|| self.device.create_command_encoder(&Default::default()));
        let pass = self.pass.get_or_insert_with(|| encoder.begin_compute_pass(&Default::default()).forget_lifetime());
        pass.set_pipeline(&self.pipelines[shader]);
        pass.set_bind_group(0, &self.groups[&key], &[]);
        pass.set_immediates(0, bytemuck::bytes_of(params));
        pass.dispatch_workgroups(grid[0], grid[1], grid[2]);
        Ok(())
    }

    fn bind_group(&self, pipeline: &wgpu::ComputePipeline, bindings: &[Option<Binding>]) -> wgpu::BindGroup {
        let entries: Vec<_> = bindings
            .iter()
            .enumerate()
            .filter_map(|(i, b)| Some((i, (*b)?)))
            .map(|(i, b)| wgpu::BindGroupEntry {
                binding: i as u32,
                resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                    buffer: &self.buffers[b.buf.0],
                    offset: b.offset,
                    size: NonZeroU64::new(b.bytes),
                }),
            })
            .collect();
        self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &pipeline.get_bind_group_layout(0),
            entries: &entries,
        })
    }

    /// Records a copy between buffers; offsets and size are multiples of 4.
    pub fn copy(&mut self, src: (Buf, u64), dst: (Buf, u64), bytes: u64) {
        self.pass = None;
        let encoder = self.encoder.get_or_insert_with(|| self.device.create_command_encoder(&Default::default()));
        encoder.copy_buffer_to_buffer(&self.buffers[src.0.0], src.1, &self.buffers[dst.0.0], dst.1, bytes);
    }

    /// Submits what is recorded, without waiting for it.
    pub fn submit(&mut self) -> Result<()> {
        self.pass = None;
        if let Some(encoder) = self.encoder.take() {
            self.queue.submit([encoder.finish()]);
            self.submissions += 1;
        }
        self.check("submitting work")
    }

    /// Submits what is recorded and staged, and waits until it is done.
    pub fn finish(&mut self, doing: &str) -> Result<()> {
        self.submit()?;
        if self.staged > 0 {
            self.queue.submit([]);
            self.staged = 0;
        }
        self.wait(doing)
    }

    fn wait(&self, doing: &str) -> Result<()> {
        self.device.poll(wgpu::PollType::wait_indefinitely()).map_err(|e| self.fail(doing, &e.to_string()))?;
        self.check(doing)
    }

    /// Runs everything recorded and copies a range of a buffer out; `offset` and `bytes` are multiples of 4.
    pub fn read(&mut self, buf: Buf, offset: u64, bytes: u64) -> Result<Vec<f32>> {
        const DOING: &str = "reading results back";
        if bytes == 0 {
            return Ok(Vec::new());
        }
        if self.readback.as_ref().is_none_or(|b| b.size() < bytes) {
            self.grow_readback(bytes)?;
        }
        self.pass = None;
        let mut encoder =
            self.encoder.take().unwrap_or_else(|| self.device.create_command_encoder(&Default::default()));
        let Some(readback) = self.readback.as_ref() else {
            return Err(self.fail(DOING, "no read-back buffer"));
        };
        encoder.copy_buffer_to_buffer(&self.buffers[buf.0], offset, readback, 0, bytes);
        self.queue.submit([encoder.finish()]);
        self.submissions += 1;
        self.staged = 0;
        let slice = readback.slice(0..bytes);
        let (sender, receiver) = std::sync::mpsc::channel();
        slice.map_async(wgpu::MapMode::Read, move |result| {
            // the receiver is gone only if waiting failed, which is reported already
            let _ = sender.send(result);
        });
        self.wait(DOING)?;
        match receiver.recv() {
            Ok(Ok(())) => {}
            Ok(Err(e)) => return Err(self.fail(DOING, &e.to_string())),
            Err(_) => return Err(self.fail(DOING, "the driver dropped the request")),
        }
        let view = slice.get_mapped_range().map_err(|e| self.fail(DOING, &e.to_string()))?;
        let out = bytemuck::pod_collect_to_vec(&view);
        drop(view);
        readback.unmap();
        Ok(out)
    }

    fn grow_readback(&mut self, bytes: u64) -> Result<()> {
        let old = self.readback.take().map_or(0, |b| b.size());
        self.allocated -= old;
        let size = bytes.next_power_of_two().max(64 << 10).min(self.limits.max_buffer_size).max(bytes);
        self.reserve(size, "the read-back buffer")?;
        let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("read-back"),
            size,
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        self.check("allocating the read-back buffer")?;
        self.readback = Some(buffer);
        Ok(())
    }
}
