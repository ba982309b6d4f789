//! Attention over the KV cache, in each of its formats.

use foregate::compute::{Attention, Device, KvKind, KvSpec};
use foregate::gguf::GgmlType;

use crate::blocks::{f32_bytes, matrix};
use crate::{Rng, nmse, open};

struct Case {
    heads: usize,
    kv_heads: usize,
    key_dim: usize,
    value_dim: usize,
    window: Option<usize>,
    sinks: bool,
    values_in_keys: bool,
}

const PLAIN: Case =
    Case { heads: 4, kv_heads: 2, key_dim: 32, value_dim: 32, window: None, sinks: false, values_in_keys: false };

/// Queries, keys, values of all tokens, and the sinks.
struct Data {
    q: Vec<f32>,
    k: Vec<f32>,
    v: Vec<f32>,
    sinks: Vec<f32>,
}

impl Data {
    fn new(c: &Case, tokens: usize) -> Self {
        let mut rng = Rng(20);
        let mut floats = |n: usize| rng.floats(n).iter().map(|v| v * 1.5).collect();
        Self {
            q: floats(tokens * c.heads * c.key_dim),
            k: floats(tokens * c.kv_heads * c.key_dim),
            v: floats(tokens * c.kv_heads * c.value_dim),
            sinks: floats(c.heads),
        }
    }
}

const SCALE: f32 = 0.2;

/// Attention as it is written down, in f64.
fn expected(c: &Case, d: &Data, tokens: usize) -> Vec<f64> {
    let mut out = Vec::new();
    for t in 0..tokens {
        for h in 0..c.heads {
            let kv = h / (c.heads / c.kv_heads);
            let first = c.window.map_or(0, |w| (t + 1).saturating_sub(w));
            let q = &d.q[(t * c.heads + h) * c.key_dim..][..c.key_dim];
            let key = |p: usize| &d.k[(p * c.kv_heads + kv) * c.key_dim..][..c.key_dim];
            let value = |p: usize| {
                if c.values_in_keys { key(p) } else { &d.v[(p * c.kv_heads + kv) * c.value_dim..][..c.value_dim] }
            };
            let dot = |p| q.iter().zip(key(p)).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
            let weights: Vec<f64> = (first..=t).map(|p| (dot(p) * f64::from(SCALE)).exp()).collect();
            let sink = if c.sinks { f64::from(d.sinks[h]).exp() } else { 0.0 };
            let total = weights.iter().sum::<f64>() + sink;
            for i in 0..c.value_dim {
                let sum: f64 = (first..=t).map(|p| weights[p - first] * f64::from(value(p)[i])).sum();
                out.push(sum / total);
            }
        }
    }
    out
}

/// Feeds the tokens in batches of these sizes.
fn run(c: &Case, d: &Data, kind: KvKind, batches: &[usize]) -> Option<Vec<f32>> {
    let mut device = open()?;
    let (kw, vw) = (c.kv_heads * c.key_dim, c.kv_heads * c.value_dim);
    let spec = KvSpec { heads: c.kv_heads, key_width: kw, value_width: if c.values_in_keys { 0 } else { vw } };
    let tokens: usize = batches.iter().sum();
    // layer 1, so that a mix-up of layers would show
    device.new_kv(&[spec, spec], tokens + 3, kind).unwrap();
    let sinks = device.load_weight(&matrix(GgmlType::F32, c.heads, 1), &mut &*f32_bytes(&d.sinks)).unwrap();
    let spec = Attention {
        layer: 1,
        heads: c.heads,
        kv_heads: c.kv_heads,
        key_dim: c.key_dim,
        value_dim: c.value_dim,
        scale: SCALE,
        window: c.window,
        sinks: c.sinks.then_some(sinks),
    };
    let max = *batches.iter().max().unwrap();
    // the matrices are wider than this layer needs, as those of a model whose layers differ are
    let widths = [c.heads * c.key_dim, kw, vw, c.heads * c.value_dim];
    let [q, k, v, o] = [0, 1, 2, 3].map(|i| device.new_act(widths[i] + i + 1, max).unwrap());
    let (mut out, mut pos) = (Vec::new(), 0);
    for &n in batches {
        for (i, (act, data)) in [(q, &d.q), (k, &d.k), (v, &d.v)].into_iter().enumerate() {
            let rows = data[pos * widths[i]..].chunks_exact(widths[i]).take(n);
            let wide: Vec<f32> = rows.flat_map(|row| [row, &vec![f32::NAN; i + 1]].concat()).collect();
            device.upload(act, &wide).unwrap();
        }
        device.attention(n, pos, &spec, q, k, (!c.values_in_keys).then_some(v), o).unwrap();
        let rows = device.download(o, 0..n).unwrap();
        out.extend(rows.chunks_exact(widths[3] + 4).flat_map(|row| &row[..widths[3]]));
        pos += n;
    }
    Some(out)
}

fn check(c: &Case, kind: KvKind, tokens: usize, bound: f64, what: &str) {
    let d = Data::new(c, tokens);
    let Some(whole) = run(c, &d, kind, &[tokens]) else { return };
    let e = nmse(&whole, &expected(c, &d, tokens));
    assert!(e < bound, "{what}: nmse {e:e}");
    // one batch, then single tokens: the same bits
    let mut batches = vec![tokens - 3];
    batches.extend([1, 2]);
    assert!(run(c, &d, kind, &batches).unwrap() == whole, "{what}: other batches, other bits");
}

#[test]
fn grouped_heads_attend_to_all_earlier_positions() {
    check(&PLAIN, KvKind::F32, 150, 1e-11, "grouped");
}

#[test]
fn a_window_hides_old_positions() {
    for window in [1, 5, 64, 100, 1000] {
        let c = Case { window: Some(window), ..PLAIN };
        check(&c, KvKind::F32, 150, 1e-11, &format!("window {window}"));
    }
}

#[test]
fn sinks_join_the_denominator() {
    check(&Case { sinks: true, ..PLAIN }, KvKind::F32, 70, 1e-11, "sinks");
    check(&Case { sinks: true, window: Some(9), ..PLAIN }, KvKind::F32, 70, 1e-11, "sinks and window");
}

#[test]
fn values_may_be_a_prefix_of_the_keys() {
    let mla = Case { heads: 3, kv_heads: 1, key_dim: 576, value_dim: 512, values_in_keys: true, ..PLAIN };
    check(&mla, KvKind::F32, 20, 1e-11, "latent attention");
    check(&mla, KvKind::F16, 20, 1e-6, "latent attention, f16");
    check(&mla, KvKind::Q8_0, 20, 1e-3, "latent attention, q8_0");
}

#[test]
fn key_and_value_heads_may_differ_and_be_odd() {
    check(&Case { key_dim: 20, value_dim: 12, ..PLAIN }, KvKind::F32, 67, 1e-11, "20 and 12");
    check(&Case { key_dim: 20, value_dim: 12, ..PLAIN }, KvKind::Q8_0, 67, 1e-3, "20 and 12, q8_0");
    check(&Case { key_dim: 192, value_dim: 128, ..PLAIN }, KvKind::F16, 67, 1e-6, "192 and 128");
}

#[test]
fn halves_are_rounded_to_nearest_even_and_subnormals_kept() {
    // one position: the output is the stored value
    let c = Case { heads: 1, kv_heads: 1, key_dim: 4, value_dim: 16, ..PLAIN };
    let mut d = Data::new(&c, 1);
    d.v = vec![
        1.0,
        1.0 + 2f32.powi(-11),
        1.0 + 3.0 * 2f32.powi(-11),
        65504.0,
        -2f32.powi(-24),
        2f32.powi(-25),
        3.0 * 2f32.powi(-26),
        6.0e-5,
        1e-30,
        0.0,
        -0.1,
        1.5 * 2f32.powi(-24),
        2.5 * 2f32.powi(-24),
        2f32.powi(-14),
        65519.0,
        -3.25,
    ];
    let Some(got) = run(&c, &d, KvKind::F16, &[1]) else { return };
    let want: Vec<f32> = d.v.iter().map(|v| half::f16::from_f32(*v).to_f32()).collect();
    assert_eq!(got, want);
}

#[test]
fn q8_0_rounds_to_a_127th_of_a_blocks_largest_value() {
    let c = Case { heads: 1, kv_heads: 1, key_dim: 4, value_dim: 64, ..PLAIN };
    let d = Data::new(&c, 1);
    let Some(got) = run(&c, &d, KvKind::Q8_0, &[1]) else { return };
    for (got, v) in got.chunks(32).zip(d.v.chunks(32)) {
        let largest = v.iter().fold(0f32, |m, x| m.max(x.abs()));
        for (g, v) in got.iter().zip(v) {
            // half a step, and the rounding of the scale to a half
            assert!((g - v).abs() <= largest * (0.5 / 127.0 + 1.0 / 2048.0), "{g} {v}");
        }
    }
}

#[test]
fn four_thousand_positions() {
    let c = Case { heads: 2, kv_heads: 1, key_dim: 64, value_dim: 64, ..PLAIN };
    let tokens = 4100;
    let d = Data::new(&c, tokens);
    let mut device = match open() {
        Some(device) => device,
        None => return,
    };
    let spec = KvSpec { heads: 1, key_width: 64, value_width: 64 };
    device.new_kv(&[spec], tokens, KvKind::F16).unwrap();
    let [q, k, v, o] = [128, 64, 64, 128].map(|w| device.new_act(w, tokens).unwrap());
    let spec = Attention {
        layer: 0,
        heads: 2,
        kv_heads: 1,
        key_dim: 64,
        value_dim: 64,
        scale: SCALE,
        window: None,
        sinks: None,
    };
    device.upload(q, &d.q[(tokens - 2) * 128..]).unwrap();
    device.upload(k, &d.k).unwrap();
    device.upload(v, &d.v).unwrap();
    // fills the cache, each position seeing itself alone, then asks for the last position
    device.attention(tokens, 0, &Attention { window: Some(1), ..spec }, q, k, Some(v), o).unwrap();
    let last = |x: &[f32], w: usize| x[(tokens - 1) * w..].to_vec();
    device.upload(q, &last(&d.q, 128)).unwrap();
    device.upload(k, &last(&d.k, 64)).unwrap();
    device.upload(v, &last(&d.v, 64)).unwrap();
    device.attention(1, tokens - 1, &spec, q, k, Some(v), o).unwrap();
    let mut want = Vec::new();
    for h in 0..2 {
        let q = &d.q[((tokens - 1) * 2 + h) * 64..][..64];
        let scores: Vec<f64> = (0..tokens)
            .map(|p| q.iter().zip(&d.k[p * 64..]).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>())
            .map(|s| (s * f64::from(SCALE)).exp())
            .collect();
        let total: f64 = scores.iter().sum();
        want.extend(
            (0..64)
                .map(|i| scores.iter().enumerate().map(|(p, s)| s * f64::from(d.v[p * 64 + i])).sum::<f64>() / total),
        );
    }
    let e = nmse(&device.download(o, 0..1).unwrap(), &want);
    assert!(e < 1e-5, "nmse {e:e}");
}

#[test]
fn a_context_above_one_binding_is_refused_with_what_to_do() {
    let Some(mut device) = open() else { return };
    let spec = KvSpec { heads: 8, key_width: 1024, value_width: 1024 };
    let ctx = (device.adapter().max_binding_bytes / 4096) as usize + 1;
    let e = device.new_kv(&[spec], ctx, KvKind::F32).unwrap_err();
    assert!(e.to_string().contains("--ctx"), "{e}");
}
