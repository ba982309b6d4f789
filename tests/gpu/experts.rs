//! Routed experts: slots, jobs, the order of the sum.

use foregate::compute::gpu::GpuDevice;
use foregate::compute::{Activation, Device, ExpertDevice, ExpertJob, ExpertOps, Routing, Weight};
use foregate::expert::{ExpertBuf, ExpertLayer, ExpertMatrix, Extent, SlotClass, SlotId, WINDOW};
use foregate::gguf::GgmlType;

use crate::blocks::{dequantize, f32_bytes, matrix, product, random};
use crate::ops::activate;
use crate::{Rng, assert_close, open};

const D: usize = 256;

/// A layer whose gate, up and down have these types and an inner width.
fn layer(types: [GgmlType; 3], width: usize, class: usize) -> ExpertLayer {
    let shapes = [(width, D), (width, D), (D, width)];
    let matrices: [ExpertMatrix; 3] = std::array::from_fn(|i| ExpertMatrix {
        ty: types[i],
        rows: shapes[i].0,
        cols: shapes[i].1,
        extent: i,
        start: 0,
    });
    let extents = matrices.iter().map(|m| Extent { shard: 0, offset: 0, len: m.bytes() }).collect();
    ExpertLayer { layer: class as u32, count: 8, matrices, extents, class, slot_bytes: 0 }
}

/// One expert's bytes per matrix, and their weights.
struct Expert {
    bytes: [Vec<u8>; 3],
    weights: [Vec<f32>; 3],
}

impl Expert {
    fn random(rng: &mut Rng, layer: &ExpertLayer) -> Self {
        let bytes = layer.matrices.map(|m| random(rng, m.ty, m.cols, m.rows));
        let weights = std::array::from_fn(|i| dequantize(layer.matrices[i].ty, &bytes[i]));
        Self { bytes, weights }
    }

    /// As the pager brings it: each extent at some offset inside an aligned window.
    fn staged(&self, layer: &ExpertLayer) -> ExpertBuf {
        let mut buf = ExpertBuf::new(layer.window_bytes());
        let mut window = 0;
        for (i, bytes) in self.bytes.iter().enumerate() {
            buf.starts[i] = window + 32 * (i + 1);
            let start = buf.starts[i];
            buf.bytes_mut()[start..start + bytes.len()].copy_from_slice(bytes);
            window += bytes.len().next_multiple_of(WINDOW) + WINDOW;
        }
        buf
    }
}

struct Extras {
    biases: [Vec<f32>; 3],
    scales: [Vec<f32>; 3],
}

/// What an expert answers, in f64.
fn answer(e: &Expert, index: usize, x: &[f32], activation: Activation, extras: Option<&Extras>) -> Vec<f64> {
    let finish = |y: Vec<f64>, i: usize| -> Vec<f64> {
        let Some(x) = extras else { return y };
        let bias = &x.biases[i][index * y.len()..];
        y.iter().zip(bias).map(|(y, b)| y * f64::from(x.scales[i][index]) + f64::from(*b)).collect()
    };
    let gate = finish(product(&e.weights[0], x), 0);
    let up = finish(product(&e.weights[1], x), 1);
    let h: Vec<f32> = gate.iter().zip(&up).map(|(g, u)| activate(activation, *g, *u) as f32).collect();
    finish(product(&e.weights[2], &h), 2)
}

fn plain(activation: Activation) -> ExpertOps {
    ExpertOps { activation, biases: None, scales: [None; 3] }
}

fn load(device: &mut GpuDevice, values: &[f32], rows: usize) -> Weight {
    device.load_weight(&matrix(GgmlType::F32, values.len() / rows, rows), &mut &*f32_bytes(values)).unwrap()
}

/// Runs `n` tokens over experts 0..4 with k = 2 and compares; jobs are given in calls of `per_call`.
fn check(types: [GgmlType; 3], width: usize, n: usize, activation: Activation, with_extras: bool, per_call: usize) {
    let Some(mut device) = open() else { return };
    let mut rng = Rng(30 + n as u64);
    let layer = layer(types, width, 0);
    let classes = [SlotClass { slots: 5, slot_bytes: layer.window_bytes() }];
    device.new_slots(&classes, std::slice::from_ref(&layer), n * 2).unwrap();
    let experts: Vec<Expert> = (0..4).map(|_| Expert::random(&mut rng, &layer)).collect();
    let extras = with_extras.then(|| Extras {
        biases: [width, width, D].map(|w| rng.floats(4 * w)),
        scales: [(); 3].map(|()| rng.floats(4)),
    });
    let mut ops = plain(activation);
    if let Some(x) = &extras {
        ops.biases = Some([0, 1, 2].map(|i| load(&mut device, &x.biases[i], 4)));
        ops.scales = [0, 1, 2].map(|i| Some(load(&mut device, &x.scales[i], 1)));
    }
    // expert e in slot 4 - e
    for (e, expert) in experts.iter().enumerate() {
        assert!(device.slot_take(SlotId(4 - e as u32)).is_none());
        let back = device.slot_put(SlotId(4 - e as u32), &layer, expert.staged(&layer)).unwrap();
        assert_eq!(back.unwrap().bytes().len(), layer.window_bytes());
    }
    let routing = Routing {
        k: 2,
        experts: (0..n).flat_map(|t| [t as u32 % 4, (t as u32 + 1 + t as u32 / 4 % 3) % 4]).collect(),
        weights: rng.floats(2 * n),
    };
    let x = rng.floats(n * D);
    let (input, out) = (device.new_act(D, n).unwrap(), device.new_act(D, n).unwrap());
    device.upload(input, &x).unwrap();
    let uses: Vec<Vec<u32>> =
        (0..4).map(|e| (0..2 * n as u32).filter(|u| routing.experts[*u as usize] == e).collect()).collect();
    let jobs: Vec<ExpertJob> = (0..4)
        .filter(|e| !uses[*e].is_empty())
        .map(|e| ExpertJob { slot: SlotId(4 - e as u32), expert: e as u32, uses: &uses[e] })
        .collect();
    device.experts_begin(n, 2, input).unwrap();
    for call in jobs.chunks(per_call) {
        device.experts_run(&layer, &ops, call).unwrap();
    }
    device.experts_end(&routing, out).unwrap();

    let mut want = vec![0.0; n * D];
    for (u, &e) in routing.experts.iter().enumerate() {
        let y = answer(&experts[e as usize], e as usize, &x[u / 2 * D..][..D], activation, extras.as_ref());
        for (o, y) in want[u / 2 * D..].iter_mut().zip(y) {
            *o += f64::from(routing.weights[u]) * y;
        }
    }
    assert_close(&device.download(out, 0..n).unwrap(), &want, &format!("{types:?}, {n} tokens"));
}

const OAI: Activation = Activation::SwiGluOai { alpha: 1.702, limit: 7.0 };

#[test]
fn experts_of_mixed_types_give_the_weighted_sum() {
    for n in [1, 30] {
        check([GgmlType::Q4_K, GgmlType::Q4_K, GgmlType::Q6_K], 256, n, Activation::SwiGlu, false, 4);
        check([GgmlType::Q5_K, GgmlType::Q8_0, GgmlType::Q5_0], 96, n, Activation::SwiGlu, false, 4);
        check([GgmlType::F16, GgmlType::BF16, GgmlType::F32], 72, n, Activation::SwiGlu, false, 4);
    }
}

#[test]
fn biases_scales_and_the_clamped_activation() {
    for n in [1, 30] {
        check([GgmlType::MXFP4; 3], 160, n, OAI, true, 4);
    }
}

#[test]
fn the_answer_is_the_same_however_jobs_are_grouped() {
    for per_call in [1, 3] {
        check([GgmlType::Q4_0, GgmlType::Q4_0, GgmlType::Q4_1], 64, 30, Activation::SwiGlu, false, per_call);
    }
}

#[test]
fn a_slot_that_is_filled_again_while_work_is_recorded_keeps_both_answers() {
    let Some(mut device) = open() else { return };
    let mut rng = Rng(40);
    let layer = layer([GgmlType::Q8_0; 3], 64, 0);
    device
        .new_slots(&[SlotClass { slots: 1, slot_bytes: layer.window_bytes() }], std::slice::from_ref(&layer), 2)
        .unwrap();
    let experts = [Expert::random(&mut rng, &layer), Expert::random(&mut rng, &layer)];
    let x = rng.floats(D);
    let (input, out) = (device.new_act(D, 1).unwrap(), device.new_act(D, 1).unwrap());
    device.upload(input, &x).unwrap();
    device.experts_begin(1, 2, input).unwrap();
    for (e, expert) in experts.iter().enumerate() {
        device.slot_put(SlotId(0), &layer, expert.staged(&layer)).unwrap();
        let job = ExpertJob { slot: SlotId(0), expert: e as u32, uses: &[e as u32] };
        device.experts_run(&layer, &plain(Activation::SwiGlu), &[job]).unwrap();
    }
    let routing = Routing { k: 2, experts: vec![0, 1], weights: vec![0.25, 0.5] };
    device.experts_end(&routing, out).unwrap();
    let answers: Vec<_> = experts.iter().enumerate().map(|(i, e)| answer(e, i, &x, Activation::SwiGlu, None)).collect();
    let want: Vec<f64> = answers[0].iter().zip(&answers[1]).map(|(a, b)| 0.25 * a + 0.5 * b).collect();
    assert_close(&device.download(out, 0..1).unwrap(), &want, "both");
}

#[test]
fn slots_spread_over_slabs_and_classes() {
    let Some(mut device) = open() else { return };
    let mut rng = Rng(41);
    // 2304 x 256 F32 three times: 7 MB an expert, so that 18 fill a slab of 128 MiB
    let layers = [layer([GgmlType::F32; 3], 2304, 0), layer([GgmlType::Q8_0; 3], 64, 1)];
    let classes = layers.each_ref().map(|l| SlotClass { slots: 20, slot_bytes: l.window_bytes() });
    device.new_slots(&classes, &layers, 4).unwrap();
    let x = rng.floats(D);
    let (input, out) = (device.new_act(D, 1).unwrap(), device.new_act(D, 1).unwrap());
    device.upload(input, &x).unwrap();
    for (layer, slots) in layers.iter().zip([[0, 17, 18, 19], [20, 21, 38, 39]]) {
        let experts: Vec<Expert> = (0..4).map(|_| Expert::random(&mut rng, layer)).collect();
        for (expert, slot) in experts.iter().zip(slots) {
            device.slot_put(SlotId(slot), layer, expert.staged(layer)).unwrap();
        }
        let uses = [0u32, 1, 2, 3];
        let jobs: Vec<ExpertJob> = (0..4)
            .map(|e| ExpertJob { slot: SlotId(slots[e]), expert: e as u32, uses: std::slice::from_ref(&uses[e]) })
            .collect();
        device.experts_begin(1, 4, input).unwrap();
        device.experts_run(layer, &plain(Activation::SwiGlu), &jobs).unwrap();
        let routing = Routing { k: 4, experts: vec![0, 1, 2, 3], weights: vec![1.0, -2.0, 3.0, 0.5] };
        device.experts_end(&routing, out).unwrap();
        let mut want = vec![0.0; D];
        for (e, w) in experts.iter().zip([1.0, -2.0, 3.0, 0.5]) {
            for (o, y) in want.iter_mut().zip(answer(e, 0, &x, Activation::SwiGlu, None)) {
                *o += w * y;
            }
        }
        assert_close(&device.download(out, 0..1).unwrap(), &want, "slabs");
    }
}

#[test]
fn a_type_without_a_kernel_is_refused_at_set_up() {
    let Some(mut device) = open() else { return };
    let layer = layer([GgmlType::IQ2_XS, GgmlType::Q8_0, GgmlType::Q8_0], 64, 0);
    let e = device.new_slots(&[SlotClass { slots: 1, slot_bytes: layer.window_bytes() }], &[layer], 2).unwrap_err();
    assert!(e.to_string().contains("IQ2_XS"), "{e}");
}

#[test]
fn an_expert_above_one_binding_is_refused() {
    let Some(mut device) = open() else { return };
    let width = (device.adapter().max_binding_bytes.min(1 << 30) / (3 * D as u64 * 4)) as usize + 16;
    let layer = layer([GgmlType::F32; 3], width, 0);
    let e = device.new_slots(&[SlotClass { slots: 1, slot_bytes: layer.window_bytes() }], &[layer], 2).unwrap_err();
    assert!(e.to_string().contains("largest binding"), "{e}");
}
