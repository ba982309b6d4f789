//! Reference answers: where they are, how they are read and compared.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use foregate::compute::Routing;
use foregate::compute::gpu::adapters;
use foregate::generate::options::{DeviceChoice, Options};
use foregate::model::forward::RouteTap;

/// Mean squared error over the mean square of `want`.
pub fn nmse(got: &[f32], want: &[f32]) -> f64 {
    assert_eq!(got.len(), want.len());
    let square = |x: f64| x * x;
    let error: f64 = got.iter().zip(want).map(|(&g, &w)| square(f64::from(g) - f64::from(w))).sum();
    error / want.iter().map(|&w| square(f64::from(w))).sum::<f64>()
}

/// The experts chosen, layer by layer: `(tokens, k)`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choices {
    pub by_layer: BTreeMap<usize, Vec<Vec<u32>>>,
    forced: Option<BTreeMap<usize, Vec<Vec<u32>>>>,
    seen: BTreeMap<usize, usize>,
}

impl Choices {
    /// A tap that forces these choices.
    pub fn to_force(&self) -> Self {
        Self { forced: Some(self.by_layer.clone()), ..Self::default() }
    }
}

impl RouteTap for Choices {
    fn forced(&mut self, layer: usize, n: usize) -> Option<Vec<u32>> {
        let rows = &self.forced.as_ref()?[&layer];
        let first = self.seen.entry(layer).or_default();
        let ids = rows[*first..*first + n].concat();
        *first += n;
        Some(ids)
    }

    fn chosen(&mut self, layer: usize, routing: &Routing) {
        let rows = routing.experts.chunks(routing.k).map(<[u32]>::to_vec);
        self.by_layer.entry(layer).or_default().extend(rows);
    }
}

/// How often a layer chose other experts for a token than it did in another run, and how often it chose at all.
pub fn flips(got: &Choices, want: &Choices) -> (usize, usize) {
    let sorted = |row: &Vec<u32>| {
        let mut row = row.clone();
        row.sort_unstable();
        row
    };
    let pairs = || got.by_layer.values().flatten().zip(want.by_layer.values().flatten());
    (pairs().filter(|(a, b)| sorted(a) != sorted(b)).count(), pairs().count())
}

/// Options that compute on an adapter, a software one included. Where there is none, a skip is printed, or the test
/// fails if `FOREGATE_REQUIRE_GPU=1`.
pub fn gpu_options() -> Option<Options> {
    if adapters().iter().any(|a| a.unusable.is_none()) {
        return Some(Options { device: DeviceChoice::Gpu(None), ..Options::default() });
    }
    assert!(std::env::var("FOREGATE_REQUIRE_GPU").as_deref() != Ok("1"), "no adapter, and FOREGATE_REQUIRE_GPU=1");
    println!("skipped: there is no adapter");
    None
}

/// The answer that stands beside a model: NAME.json and NAME.logits.f32.
pub struct Answer {
    pub ids: Vec<u32>,
    pub logits: Vec<f32>,
    /// The model's file, where its name is another.
    pub model: Option<String>,
    /// The context to allocate, where it matters.
    pub ctx: Option<usize>,
    /// The weights are quantised, and the logits those of the weights that they stand for.
    pub quantised: bool,
    topk: BTreeMap<usize, Vec<Vec<u32>>>,
}

impl Answer {
    pub fn read(model: &Path) -> Self {
        let json = std::fs::read_to_string(model.with_extension("json")).unwrap();
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        let numbers = |v: &serde_json::Value| -> Vec<u32> {
            v.as_array().unwrap().iter().map(|x| x.as_u64().unwrap() as u32).collect()
        };
        let topk = json["topk_by_layer"].as_object().unwrap().iter();
        let bytes = std::fs::read(model.with_extension("logits.f32")).unwrap();
        Self {
            ids: numbers(&json["ids"]),
            model: json["model"].as_str().map(str::to_owned),
            ctx: json["ctx"].as_u64().map(|n| n as usize),
            quantised: json["quantised"] == true,
            logits: bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect(),
            topk: topk
                .map(|(il, rows)| (il.parse().unwrap(), rows.as_array().unwrap().iter().map(numbers).collect()))
                .collect(),
        }
    }

    /// The same experts in the same order, at every layer and token (a layer with one row has the last token's).
    pub fn assert_same_experts(&self, chosen: &Choices, model: &Path) {
        assert_eq!(self.topk.len(), chosen.by_layer.len(), "{}", model.display());
        for (il, want) in &self.topk {
            let got = &chosen.by_layer[il];
            assert_eq!(&got[got.len() - want.len()..], &want[..], "{} layer {il}", model.display());
        }
    }
}

/// Model files of the repository with that ending, by name.
pub fn fixtures(ending: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models");
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries.map(|e| e.unwrap().path()).collect();
    paths.retain(|p| p.extension().is_some_and(|e| e == ending));
    paths.sort();
    paths
}

/// Whether tests can use a GPU adapter; says so where not, and fails where `FOREGATE_REQUIRE_GPU=1` asks for one.
pub fn gpu_is_there() -> bool {
    let there = foregate::compute::gpu::adapters().iter().any(|a| a.unusable.is_none());
    let required = std::env::var_os("FOREGATE_REQUIRE_GPU").is_some_and(|v| v == "1");
    assert!(there || !required, "FOREGATE_REQUIRE_GPU=1, and no usable GPU adapter is there");
    if !there {
        println!("skipped: no usable GPU adapter is there");
    }
    there
}
