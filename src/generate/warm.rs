//! Warm start: what the expert cache held at the end of a run, kept for the next run of the same model.
//!
//! One small file per model and policy. It names the model by its files' sizes and times and by where its experts stand,
//! so that another model of the same name starts cold. Scores halve from run to run.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::digest;
use crate::error::{Error, Result};
use crate::expert::{ExpertId, ExpertLayer};
use crate::generate::kept;

/// The first line of the file, as a field; another number where the meaning changes.
const SCHEMA: &str = "foregate.warm/1";
/// What is left of a score in the next run.
const DECAY: f32 = 0.5;
/// The largest file that is read: 100,000 layers' experts and more.
const BYTES_MAX: u64 = 64 << 20;

/// What the file holds.
#[derive(Serialize, Deserialize)]
struct Kept {
    schema: String,
    model: String,
    policy: String,
    /// Layer, expert, score; the least wanted in front.
    experts: Vec<(u32, u32, f32)>,
}

/// Where one model's memory is kept, and what runs before this one left there.
#[derive(Clone, Debug)]
pub struct WarmStore {
    path: PathBuf,
    model: String,
    policy: &'static str,
    /// Experts of the model's layers.
    counts: HashMap<u32, usize>,
    /// What other runs kept, decayed.
    others: Vec<(ExpertId, f32)>,
    /// Of the file as this run wrote it last.
    written: Option<Hash>,
}

/// SHA-256 of a file.
type Hash = sha2::digest::Output<Sha256>;

impl WarmStore {
    /// Opens the memory in the folder `state` of the model in these `shards` whose experts are `layers`. A file that is broken
    /// goes to `warnings` and is as good as none.
    ///
    /// # Errors
    /// A shard whose size and time the system does not tell.
    pub fn open(
        state: &Path,
        shards: &[PathBuf],
        layers: &[ExpertLayer],
        policy: &'static str,
        warnings: &mut Vec<String>,
    ) -> Result<Self> {
        let mut hash = Sha256::new();
        kept::identify(&mut hash, shards)?;
        for layer in layers {
            hash.update(layer.layer.to_le_bytes());
            hash.update((layer.count as u64).to_le_bytes());
            for extent in &layer.extents {
                hash.update(extent.offset.to_le_bytes());
                hash.update((extent.len as u64).to_le_bytes());
            }
        }
        let model = digest::hex(hash);
        let path = state.join("warm").join(format!("{}-{policy}.json", &model[..16]));
        let counts = layers.iter().map(|layer| (layer.layer, layer.count)).collect();
        let mut store = Self { path, model, policy, counts, others: Vec::new(), written: None };
        match store.load() {
            Ok(others) => store.others = others,
            Err(why) => warnings.push(format!(
                "{} is ignored, and this run starts cold: {why}; its end writes a new one",
                store.path.display()
            )),
        }
        Ok(store)
    }

    /// What the runs before this one kept, decayed, the least wanted in front; empty if none did.
    pub fn earlier(&self) -> &[(ExpertId, f32)] {
        &self.others
    }

    fn load(&self) -> Result<Vec<(ExpertId, f32)>, String> {
        let Some(text) = kept::read(&self.path, BYTES_MAX) else {
            return if self.path.exists() { Err("it cannot be read".into()) } else { Ok(Vec::new()) };
        };
        let kept: Kept = serde_json::from_slice(&text).map_err(|e| format!("it is no memory of a cache ({e})"))?;
        if kept.schema != SCHEMA || kept.model != self.model || kept.policy != self.policy {
            return Err("it is the memory of something else".into());
        }
        let mut seen = HashSet::new();
        if !kept.experts.iter().all(|&(layer, index, score)| score.is_finite() && seen.insert((layer, index))) {
            return Err("an expert stands in it twice or has no score".into());
        }
        let known = |layer, index| self.counts.get(&layer).is_some_and(|&count| (index as usize) < count);
        if let Some((layer, index, _)) = kept.experts.iter().find(|&&(layer, index, _)| !known(layer, index)) {
            return Err(format!("the model has no expert {index} of layer {layer}"));
        }
        let expert = |&(layer, index, score): &(u32, u32, f32)| (ExpertId { layer, index }, score * DECAY);
        Ok(kept.experts.iter().map(expert).collect())
    }

    /// Keeps `memory`, this run's, for the next run, with what other runs kept, decayed: a short run does not make what all
    /// runs before it used be forgotten. A run may keep several times, and the last one counts. A run that is killed meanwhile
    /// leaves the old file.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&mut self, memory: &[(ExpertId, f32)]) -> Result<()> {
        let found = kept::read(&self.path, BYTES_MAX).map(Sha256::digest);
        if found.is_some() && found != self.written {
            // another run has kept something since; of what is broken the opening has warned
            self.others = self.load().unwrap_or_default();
        }
        let memory = joined(&self.others, memory);
        let experts = memory.iter().map(|(id, score)| (id.layer, id.index, *score)).collect();
        let kept = Kept { schema: SCHEMA.into(), model: self.model.clone(), policy: self.policy.into(), experts };
        let text = serde_json::to_vec(&kept).map_err(|e| Error::io(&self.path, e.into()))?;
        kept::replace(&self.path, &text)?;
        self.written = Some(Sha256::digest(&text));
        Ok(())
    }
}

/// What two runs used, the scores summed and the lowest in front; of equal ones what only the `earlier` used, then what the
/// `later` would have let go first.
fn joined(earlier: &[(ExpertId, f32)], later: &[(ExpertId, f32)]) -> Vec<(ExpertId, f32)> {
    let before: HashMap<_, _> = earlier.iter().copied().collect();
    let again: HashSet<_> = later.iter().map(|&(id, _)| id).collect();
    let only_earlier = earlier.iter().copied().filter(|(id, _)| !again.contains(id));
    let summed = later.iter().map(|&(id, score)| (id, score + before.get(&id).copied().unwrap_or(0.0)));
    let mut all: Vec<_> = only_earlier.chain(summed).collect();
    all.sort_by(|a, b| a.1.total_cmp(&b.1));
    all
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::expert::ExpertMatrix;
    use crate::gguf::GgmlType;

    /// Two layers of ten experts.
    fn layers() -> Vec<ExpertLayer> {
        let matrices = [ExpertMatrix { ty: GgmlType::F32, rows: 1, cols: 1, extent: 0, start: 0 }; 3];
        let layer = |layer| ExpertLayer { layer, count: 10, matrices, extents: Vec::new(), class: 0, slot_bytes: 4 };
        vec![layer(0), layer(1)]
    }

    /// The store of a model with this content, and what its opening warned of.
    fn opened(folder: &Path, content: &str) -> (WarmStore, Vec<String>) {
        let (model, mut warnings) = (folder.join("model.gguf"), Vec::new());
        if fs::read_to_string(&model).ok().as_deref() != Some(content) {
            fs::write(&model, content).unwrap();
        }
        let store = WarmStore::open(&folder.join("state"), &[model], &layers(), "decay", &mut warnings).unwrap();
        (store, warnings)
    }

    fn store(folder: &Path, content: &str) -> WarmStore {
        let (store, warnings) = opened(folder, content);
        assert_eq!(warnings, [""; 0]);
        store
    }

    fn memory() -> Vec<(ExpertId, f32)> {
        vec![(ExpertId { layer: 1, index: 2 }, 0.5), (ExpertId { layer: 0, index: 7 }, 0.75)]
    }

    #[test]
    fn what_was_kept_comes_back_in_order_and_decayed() {
        let folder = tempfile::tempdir().unwrap();
        let open = || store(folder.path(), "a model");
        assert_eq!(open().earlier(), []);
        open().save(&memory()).unwrap();
        let half: Vec<_> = memory().into_iter().map(|(id, score)| (id, score / 2.0)).collect();
        assert_eq!(open().earlier(), half);
        open().save(&[]).unwrap();
        let quarter: Vec<_> = memory().into_iter().map(|(id, score)| (id, score / 4.0)).collect();
        assert_eq!(open().earlier(), quarter, "a run that used nothing");
        let files = fs::read_dir(folder.path().join("state/warm")).unwrap().count();
        assert_eq!(files, 1, "nothing unfinished is left behind");
    }

    #[test]
    fn runs_add_up_and_what_is_long_ago_stands_in_front() {
        let folder = tempfile::tempdir().unwrap();
        let open = || store(folder.path(), "a model");
        let id = |index| ExpertId { layer: 0, index };
        open().save(&[(id(1), 0.0), (id(2), 0.5), (id(3), 4.0)]).unwrap();
        let mut second = open();
        second.save(&[(id(9), 7.0)]).unwrap();
        second.save(&[(id(4), 0.0), (id(2), 0.5)]).unwrap();
        assert_eq!(open().earlier(), [(id(1), 0.0), (id(4), 0.0), (id(2), 0.375), (id(3), 1.0)], "a run counts once");
        open().save(&[(id(5), 8.0)]).unwrap();
        second.save(&[(id(4), 0.0)]).unwrap();
        let scores: Vec<_> = open().earlier().iter().map(|&(id, score)| (id.index, score)).collect();
        assert_eq!(scores, [(1, 0.0), (4, 0.0), (2, 0.09375), (3, 0.25), (5, 2.0)], "nor is a run between forgotten");
    }

    #[test]
    fn another_model_or_policy_starts_cold() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = store(folder.path(), "a model");
        first.save(&memory()).unwrap();
        let second = store(folder.path(), "another model");
        assert_eq!(second.earlier(), []);
        fs::create_dir_all(second.path.parent().unwrap()).unwrap();
        fs::copy(&first.path, &second.path).unwrap();
        let (second, warnings) = opened(folder.path(), "another model");
        assert_eq!(second.earlier(), [], "the file says of which model it is");
        assert!(warnings[0].contains("something else"), "{warnings:?}");
    }

    #[test]
    fn a_broken_file_is_as_good_as_none_and_named() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = store(folder.path(), "a model");
        store.save(&memory()).unwrap();
        let whole = fs::read_to_string(&store.path).unwrap();
        for broken in [
            whole[..whole.len() / 2].to_owned(),
            whole.replace("[0,7,", "[1,2,"),
            whole.replace("[0,7,", "[0,10,"),
            whole.replace("[1,2,", "[9,2,"),
            String::new(),
        ] {
            fs::write(&store.path, broken).unwrap();
            let (broken, warnings) = opened(folder.path(), "a model");
            assert_eq!(broken.earlier(), []);
            assert!(warnings[0].contains(&store.path.display().to_string()), "{warnings:?}");
        }
    }
}
