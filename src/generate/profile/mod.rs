//! Profiles: how a model runs fastest on a machine, as `tune` found it, kept for later runs.
//!
//! One file per model, device, drive and budget, and beside it the trace of the routing that was measured. A profile changes
//! how fast a run is and no bit of its output.

mod setting;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use self::setting::{Setting, Taken};
use crate::digest;
use crate::error::{Error, Result};
use crate::expert::source::{DiskModel, LANES_MAX};
use crate::expert::timed::Cost;
use crate::expert::trace::Trace;
use crate::generate::kept;
use crate::generate::options::Options;
use crate::os;

/// The first field of the file; another number where the meaning changes.
const SCHEMA: &str = "foregate.profile/2";
/// The largest file that is read.
const BYTES_MAX: u64 = 1 << 20;
/// Bytes per second that a drive may have.
const RATES: std::ops::RangeInclusive<f64> = 1.0..=1e15;
/// Bytes of slots that a machine may have.
const CACHES: std::ops::RangeInclusive<u64> = 1..=1 << 50;
/// Tokens per second that a run may reach.
const SPEEDS: std::ops::RangeInclusive<f64> = 1e-9..=1e9;

/// What was found, and what it was found with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// When, in seconds since 1970.
    pub unix_time_s: u64,
    /// The fastest.
    pub setting: Setting,
    /// Tokens per second in decode that it reached.
    pub tok_s: f64,
    /// What computing takes.
    pub cost: Cost,
    /// What reading takes, by the setting's path.
    pub disk: DiskModel,
    /// Share of the routed experts that were predicted one layer ahead.
    pub recall: f64,
    /// How far off predictions were at most, as a share of what was reached.
    pub error_most: Option<f64>,
    /// What it was measured with that no prediction can change afterwards, by flag.
    pub conditions: BTreeMap<String, String>,
}

impl Profile {
    /// Whether its numbers are such as a run measures: what is kept may have been edited, or written on a broken disk.
    fn is_sound(&self) -> bool {
        let Cost { token, layer, expert, prediction } = self.cost;
        let day = Duration::from_secs(24 * 3600);
        let lanes = |n: usize| (1..=LANES_MAX).contains(&n);
        RATES.contains(&self.disk.bytes_per_s)
            && lanes(self.disk.lanes)
            && [self.disk.latency, token, layer, expert, prediction].into_iter().all(|time| time < day)
            && (0.0..=1.0).contains(&self.recall)
            && SPEEDS.contains(&self.tok_s)
            && self.error_most.is_none_or(|most| most >= 0.0)
            && lanes(self.setting.lanes)
            && self.setting.cache.is_none_or(|bytes| CACHES.contains(&bytes))
    }
}

/// A profile as its file has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    schema: String,
    key: String,
    /// SHA-256 of the trace beside it.
    routing: String,
    /// What was found.
    pub profile: Profile,
}

/// Where the profile of one model on one device and one drive, within one budget, is kept.
#[derive(Clone, Debug)]
pub struct ProfileStore {
    path: PathBuf,
    key: String,
}

impl ProfileStore {
    /// In the folder `state`, for the model in these `shards` on the device of this name, within the budget of `options` as
    /// it was given: what is fastest in little memory is not what is fastest in much.
    ///
    /// # Errors
    /// A shard whose size and time the system does not tell.
    pub fn new(state: &Path, shards: &[PathBuf], device: &str, options: &Options) -> Result<Self> {
        let mut hash = Sha256::new();
        kept::identify(&mut hash, shards)?;
        for name in shards.iter().map(|shard| os::disk_of(shard)).chain([device.to_owned()]) {
            hash.update((name.len() as u64).to_le_bytes());
            hash.update(name);
        }
        for budget in [options.memory, options.vram] {
            hash.update([u8::from(budget.is_some())]);
            hash.update(budget.unwrap_or_default().to_le_bytes());
        }
        let key = digest::hex(hash);
        Ok(Self { path: state.join("tune").join(format!("{}.json", &key[..16])), key })
    }

    /// The profile's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file of the routing that was measured.
    pub fn trace(&self) -> PathBuf {
        self.path.with_extension("csv.gz")
    }

    /// What was kept; `None` if nothing was.
    ///
    /// # Errors
    /// A warning that names the file: it holds something else, or what no run measures.
    pub fn load(&self) -> Result<Option<Record>, String> {
        let ignored =
            |why: &str| format!("{} is ignored: {why}; `foregate tune` writes a new one", self.path.display());
        let Some(text) = kept::read(&self.path, BYTES_MAX) else {
            return if self.path.exists() { Err(ignored("it cannot be read")) } else { Ok(None) };
        };
        let record: Record = serde_json::from_slice(&text).map_err(|e| ignored(&format!("it is no profile ({e})")))?;
        match () {
            () if record.schema != SCHEMA || record.key != self.key => {
                Err(ignored("it is the profile of something else"))
            }
            () if !record.profile.is_sound() => Err(ignored("it holds numbers that no run measures")),
            () => Ok(Some(record)),
        }
    }

    /// The routing that a profile was found with.
    ///
    /// # Errors
    /// The trace beside it is missing, or it is not the one that was kept.
    pub fn routing(&self, record: &Record) -> Result<Trace> {
        let path = self.trace();
        let found = digest::hex(Sha256::new_with_prefix(fs::read(&path).map_err(|e| Error::io(&path, e))?));
        if found != record.routing {
            return Err(Error::file(&path, "it is not the trace that was kept"));
        }
        Trace::read(&path, None)
    }

    /// Keeps a profile and a copy of the trace it was found with in the place of what was kept.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn save(&self, profile: &Profile, trace: &Path) -> Result<()> {
        let trace = fs::read(trace).map_err(|e| Error::io(trace, e))?;
        let routing = digest::hex(Sha256::new_with_prefix(&trace));
        let record = Record { schema: SCHEMA.into(), key: self.key.clone(), routing, profile: profile.clone() };
        let text = serde_json::to_vec_pretty(&record).map_err(|e| Error::io(&self.path, e.into()))?;
        kept::replace(&self.trace(), &trace)?;
        kept::replace(&self.path, &text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expert::cache::PolicyKind;
    use crate::expert::pager::Prefetch;
    use crate::expert::source::ReadPath;

    fn profile() -> Profile {
        let ms = Duration::from_millis;
        Profile {
            unix_time_s: 7,
            setting: Setting {
                cache: Some(1 << 30),
                policy: PolicyKind::Lru,
                prefetch: Prefetch::AtMost(4),
                path: ReadPath::Direct,
                lanes: 3,
            },
            tok_s: 5.5,
            cost: Cost { token: ms(1), layer: ms(2), expert: ms(3), prediction: ms(4) },
            disk: DiskModel { latency: ms(1), bytes_per_s: 1e9, lanes: 3 },
            recall: 0.75,
            error_most: Some(0.25),
            conditions: [("-n".to_owned(), "32".to_owned())].into(),
        }
    }

    /// A folder with a model and a trace.
    fn files() -> (tempfile::TempDir, [PathBuf; 2]) {
        let folder = tempfile::tempdir().unwrap();
        let paths = ["model.gguf", "run.csv.gz"].map(|name| folder.path().join(name));
        paths.iter().for_each(|path| fs::write(path, "something").unwrap());
        (folder, paths)
    }

    #[test]
    fn a_profile_is_of_one_model_device_and_budget_and_comes_back_whole() {
        let (folder, [model, trace]) = files();
        let store = |device, memory, vram| {
            let options = Options { memory, vram, ..Options::default() };
            ProfileStore::new(folder.path(), std::slice::from_ref(&model), device, &options).unwrap()
        };
        let first = store("cpu", None, None);
        assert_eq!(first.load(), Ok(None));
        first.save(&profile(), &trace).unwrap();
        assert_eq!(first.load().unwrap().unwrap().profile, profile());
        let others = [("gpu", None, None), ("cpu", Some(1), None), ("cpu", Some(0), None), ("cpu", None, Some(1))];
        for (device, memory, vram) in others {
            assert_eq!(store(device, memory, vram).load(), Ok(None), "{device} {memory:?} {vram:?}");
        }
        fs::write(&model, "another model").unwrap();
        let second = store("cpu", None, None);
        assert_eq!(second.load(), Ok(None));
        fs::copy(first.path(), second.path()).unwrap();
        assert!(second.load().unwrap_err().contains("something else"), "the file says of what it is");
    }

    #[test]
    fn a_broken_profile_is_ignored_with_a_warning_that_names_it() {
        let (folder, [model, trace]) = files();
        let store = ProfileStore::new(folder.path(), &[model], "cpu", &Options::default()).unwrap();
        store.save(&profile(), &trace).unwrap();
        let whole = fs::read_to_string(store.path()).unwrap();
        let mut broken = vec![whole[..whole.len() / 2].to_owned(), whole.replace("profile/2", "profile/1")];
        for (good, bad) in [
            ("\"recall\": 0.75", "\"recall\": 7.5"),
            ("\"lanes\": 3", "\"lanes\": 0"),
            ("\"lanes\": 3", "\"lanes\": 999999"),
            ("\"lanes\": 3", "\"lanes\": -1"),
            ("\"tok_s\": 5.5", "\"tok_s\": -1"),
            ("\"tok_s\": 5.5", "\"tok_s\": 1e999"),
            ("\"prefetch\": \"4\"", "\"prefetch\": 1e30"),
            ("\"prefetch\": \"4\"", "\"prefetch\": \"1e30\""),
            ("\"bytes_per_s\": 1000000000.0", "\"bytes_per_s\": 1e-300"),
            ("\"cache\": 1073741824", "\"cache\": 0"),
            ("\"cache\": 1073741824", "\"cache\": 9999999999999999999"),
            ("\"error_most\": 0.25", "\"error_most\": -0.25"),
            ("\"nanos\": 1000000", "\"nanos\": 99999999999"),
        ] {
            assert!(whole.contains(good), "{good}: {whole}");
            broken.push(whole.replace(good, bad));
        }
        for text in broken {
            fs::write(store.path(), &text).unwrap();
            let warning = store.load().expect_err(&text);
            assert!(warning.contains(&store.path().display().to_string()) && warning.contains("tune"), "{warning}");
        }
        fs::remove_file(store.path()).unwrap();
        fs::create_dir(store.path()).unwrap();
        assert!(store.load().unwrap_err().contains("cannot be read"));
    }

    #[test]
    fn a_trace_that_is_missing_or_cut_is_none() {
        let (folder, [model, trace]) = files();
        let store = ProfileStore::new(folder.path(), &[model], "cpu", &Options::default()).unwrap();
        store.save(&profile(), &trace).unwrap();
        let record = store.load().unwrap().unwrap();
        fs::write(store.trace(), "some").unwrap();
        assert!(store.routing(&record).unwrap_err().to_string().contains("not the trace that was kept"));
        fs::remove_file(store.trace()).unwrap();
        assert!(store.routing(&record).is_err());
    }
}
