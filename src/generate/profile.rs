//! Profiles: how a model runs fastest on a machine, as `tune` found it, kept for later runs.
//!
//! One file per model, device and drive, and beside it the trace of the routing that was measured. A profile changes how
//! fast a run is and no bit of its output.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::digest;
use crate::error::{Error, Result};
use crate::expert::cache::PolicyKind;
use crate::expert::pager::Prefetch;
use crate::expert::source::{DiskModel, ReadPath};
use crate::expert::timed::Cost;
use crate::generate::kept;
use crate::generate::options::Options;
use crate::generate::plan::CacheSize;
use crate::os;

/// The first field of the file; another number where the meaning changes.
const SCHEMA: &str = "foregate.profile/1";
/// The largest file that is read.
const BYTES_MAX: u64 = 1 << 20;

/// What changes how fast a run is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// Bytes of expert slots at most; `None`: all that fits.
    pub cache: Option<u64>,
    /// Who leaves the cache.
    pub policy: PolicyKind,
    /// How much is prefetched.
    pub prefetch: Prefetch,
    /// How experts are read.
    pub path: ReadPath,
    /// Concurrent reads.
    pub lanes: usize,
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { policy, prefetch, path, lanes, .. } = self;
        write!(f, "{policy}, prefetch {prefetch}, {path} reads in {lanes} lanes")
    }
}

impl Setting {
    /// The setting with its cache in few words, for a line that is cut where the terminal ends.
    pub fn brief(&self) -> String {
        let Self { policy, prefetch, path, lanes, .. } = self;
        let cache = self.cache.map_or("all".into(), |bytes| format!("{} MiB", bytes >> 20));
        format!("{cache}, {policy}, prefetch {prefetch}, {path} x{lanes}")
    }

    /// `options` with this where they leave something open. A ceiling of their own outweighs the cache's size, and a number
    /// of lanes belongs to its read path.
    pub fn fill(&self, options: &Options) -> Options {
        let mut filled = options.clone();
        filled.policy = options.policy.or(Some(self.policy));
        filled.prefetch = options.prefetch.or(Some(self.prefetch));
        filled.io = options.io.or(Some(self.path));
        if filled.io == Some(self.path) {
            filled.lanes = options.lanes.or(Some(self.lanes));
        }
        if let (CacheSize::Fill, None, None, Some(most)) = (options.cache, options.memory, options.vram, self.cache) {
            filled.cache = CacheSize::UpTo(most);
        }
        filled
    }
}

/// What was found, and what it was found with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    schema: String,
    key: String,
    /// When, in seconds since 1970.
    pub unix_time_s: u64,
    /// The fastest.
    pub setting: Setting,
    /// Tokens per second in decode that it reached.
    pub tok_s: f64,
    /// What computing takes.
    pub cost: Cost,
    /// What reading takes.
    pub disk: DiskModel,
    /// Share of the routed experts that were predicted one layer ahead.
    pub recall: f64,
}

impl Profile {
    /// A profile, not yet of any model.
    pub fn new(unix_time_s: u64, setting: Setting, tok_s: f64, cost: Cost, disk: DiskModel, recall: f64) -> Self {
        Self { schema: SCHEMA.into(), key: String::new(), unix_time_s, setting, tok_s, cost, disk, recall }
    }

    fn is_sound(&self) -> bool {
        let Cost { token, layer, expert, prediction } = self.cost;
        let day = Duration::from_secs(24 * 3600);
        self.disk.bytes_per_s.is_finite()
            && self.disk.bytes_per_s > 0.0
            && self.disk.latency < day
            && [token, layer, expert, prediction].into_iter().all(|time| time < day)
            && (0.0..=1.0).contains(&self.recall)
            && self.tok_s.is_finite()
            && self.setting.lanes > 0
    }
}

/// Where the profile of one model on one device and one drive is kept.
#[derive(Clone, Debug)]
pub struct ProfileStore {
    path: PathBuf,
    key: String,
}

impl ProfileStore {
    /// In the folder `state`, for the model in these `shards` on the device of this name.
    ///
    /// # Errors
    /// A shard whose size and time the system does not tell.
    pub fn new(state: &Path, shards: &[PathBuf], device: &str) -> Result<Self> {
        let mut hash = Sha256::new();
        kept::identify(&mut hash, shards)?;
        for name in shards.iter().map(|shard| os::disk_of(shard)).chain([device.to_owned()]) {
            hash.update((name.len() as u64).to_le_bytes());
            hash.update(name);
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

    /// What was kept; `None` if nothing was, or if it is of another model, device or drive, or broken.
    pub fn load(&self) -> Option<Profile> {
        let profile: Profile = serde_json::from_slice(&kept::read(&self.path, BYTES_MAX)?).ok()?;
        (profile.schema == SCHEMA && profile.key == self.key && profile.is_sound()).then_some(profile)
    }

    /// Keeps a profile and the trace it was found with, which is moved, in the place of what was kept.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn save(&self, profile: &Profile, trace: &Path) -> Result<()> {
        let profile = Profile { key: self.key.clone(), ..profile.clone() };
        let text = serde_json::to_vec_pretty(&profile).map_err(|e| Error::io(&self.path, e.into()))?;
        let routing = fs::read(trace).map_err(|e| Error::io(trace, e))?;
        kept::replace(&self.trace(), &routing)?;
        kept::replace(&self.path, &text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTING: Setting = Setting {
        cache: Some(1 << 30),
        policy: PolicyKind::Lru,
        prefetch: Prefetch::AtMost(4),
        path: ReadPath::Direct,
        lanes: 3,
    };

    fn profile() -> Profile {
        let ms = Duration::from_millis;
        let cost = Cost { token: ms(1), layer: ms(2), expert: ms(3), prediction: ms(4) };
        Profile::new(7, SETTING, 5.5, cost, DiskModel { latency: ms(1), bytes_per_s: 1e9, lanes: 3 }, 0.75)
    }

    #[test]
    fn what_is_given_outweighs_the_profile() {
        let open = SETTING.fill(&Options::default());
        assert_eq!(
            (open.cache, open.policy, open.prefetch),
            (CacheSize::UpTo(1 << 30), Some(PolicyKind::Lru), Some(Prefetch::AtMost(4)))
        );
        assert_eq!((open.io, open.lanes), (Some(ReadPath::Direct), Some(3)));
        let given = Options {
            memory: Some(1 << 32),
            policy: Some(PolicyKind::Lfu),
            prefetch: Some(Prefetch::Off),
            io: Some(ReadPath::Mmap),
            ..Options::default()
        };
        let filled = SETTING.fill(&given);
        assert_eq!((filled.cache, filled.policy, filled.prefetch), (CacheSize::Fill, given.policy, given.prefetch));
        assert_eq!((filled.io, filled.lanes), (given.io, None), "lanes are those of another path");
        assert_eq!(SETTING.fill(&Options { lanes: Some(9), ..Options::default() }).lanes, Some(9));
    }

    #[test]
    fn a_profile_is_of_one_model_and_device_and_comes_back_whole() {
        let folder = tempfile::tempdir().unwrap();
        let (model, trace) = (folder.path().join("model.gguf"), folder.path().join("run.csv.gz"));
        fs::write(&model, "a model").unwrap();
        fs::write(&trace, "routing").unwrap();
        let store = |device| ProfileStore::new(folder.path(), std::slice::from_ref(&model), device).unwrap();
        let first = store("cpu");
        assert_eq!(first.load(), None);
        first.save(&profile(), &trace).unwrap();
        assert_eq!(first.load(), Some(Profile { key: first.key.clone(), ..profile() }));
        assert_eq!(fs::read(first.trace()).unwrap(), b"routing");
        assert_eq!(store("another device").load(), None);
        fs::write(&model, "another model").unwrap();
        let second = store("cpu");
        assert_eq!(second.load(), None);
        fs::copy(first.path(), second.path()).unwrap();
        assert_eq!(second.load(), None, "the file says of what it is");
    }

    #[test]
    fn a_broken_profile_is_as_good_as_none() {
        let folder = tempfile::tempdir().unwrap();
        let (model, trace) = (folder.path().join("model.gguf"), folder.path().join("run.csv.gz"));
        fs::write(&model, "a model").unwrap();
        fs::write(&trace, "routing").unwrap();
        let store = ProfileStore::new(folder.path(), &[model], "cpu").unwrap();
        store.save(&profile(), &trace).unwrap();
        let whole = fs::read_to_string(store.path()).unwrap();
        let broken = [
            whole[..whole.len() / 2].to_owned(),
            whole.replace("profile/1", "profile/2"),
            whole.replace("\"recall\": 0.75", "\"recall\": 7.5"),
            whole.replace("\"lanes\": 3", "\"lanes\": 0"),
        ];
        for text in broken {
            assert_ne!(text, whole);
            fs::write(store.path(), text).unwrap();
            assert_eq!(store.load(), None);
        }
    }
}
