//! How much memory there is: of this process, of the machine, and within the control groups' limits.

use std::path::Path;

/// The process's resident set in bytes; `None` where the system does not say (only Linux does).
pub fn resident_bytes() -> Option<u64> {
    kib_field(&std::fs::read_to_string("/proc/self/status").ok()?, "VmRSS:")
}

/// The largest resident set that the process ever had, in bytes; `None` where the system does not say (only Linux does).
pub fn peak_resident_bytes() -> Option<u64> {
    kib_field(&std::fs::read_to_string("/proc/self/status").ok()?, "VmHWM:")
}

/// Begins a new peak for [`peak_resident_bytes`]; `false` where the system cannot (only Linux can).
pub fn reset_peak_resident() -> bool {
    cfg!(target_os = "linux") && std::fs::write("/proc/self/clear_refs", "5").is_ok()
}

/// The machine's memory in bytes; `None` where the system does not say (only Linux does).
pub fn total_memory() -> Option<u64> {
    kib_field(&std::fs::read_to_string("/proc/meminfo").ok()?, "MemTotal:")
}

/// Memory that this process could still take without swapping, in bytes: what the machine has available, or what
/// its control groups leave, whichever is less. `None` where the system does not say (only Linux does).
pub fn available_memory() -> Option<u64> {
    let machine = kib_field(&std::fs::read_to_string("/proc/meminfo").ok()?, "MemAvailable:")?;
    let groups = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    Some(cgroup_room(&groups, Path::new("/sys/fs/cgroup")).map_or(machine, |room| room.min(machine)))
}

/// The value of a `Name:   123 kB` line, in bytes.
fn kib_field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|l| l.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The least room in bytes that the control groups of a process leave, `None` where none sets a limit.
///
/// `groups` is `/proc/self/cgroup`, `root` where control groups are mounted. Each parent of a group limits too; inside
/// a container the listed path may not exist, and then the mount's root is the container's own group.
fn cgroup_room(groups: &str, root: &Path) -> Option<u64> {
    let rooms = groups.lines().flat_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
        let (root, v1) = match controllers {
            "" if root.join("unified").is_dir() => (root.join("unified"), false),
            "" => (root.to_owned(), false),
            c if c.split(',').any(|c| c == "memory") => (root.join("memory"), true),
            _ => return Vec::new(),
        };
        let path = Path::new(path.trim_start_matches('/'));
        path.ancestors().filter_map(|dir| group_room(&root.join(dir), v1)).collect()
    });
    rooms.min()
}

/// Limit less usage of one control group in bytes. Cached file pages count as free, as they do in `MemAvailable`.
fn group_room(dir: &Path, v1: bool) -> Option<u64> {
    let read = |name: &str| std::fs::read_to_string(dir.join(name)).ok();
    let number = |name: &str| read(name)?.trim().parse::<u64>().ok();
    // Without a limit, version 2 says `max`, and version 1 the largest number that pages can make.
    let (limits, used): (&[&str], _) = match v1 {
        false => (&["memory.max", "memory.high"], number("memory.current")),
        true => (&["memory.limit_in_bytes"], number("memory.usage_in_bytes")),
    };
    let limit = limits.iter().filter_map(|name| number(name)).filter(|&n| n < 1 << 60).min()?;
    let stat = read("memory.stat").unwrap_or_default();
    let prefix = if v1 { "total_" } else { "" };
    let cached = ["inactive_file", "active_file"].into_iter().map(|name| {
        let line = stat.lines().find_map(|l| l.strip_prefix(prefix)?.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|n| n.trim().parse::<u64>().ok()).unwrap_or(0)
    });
    Some(limit.saturating_sub(used.unwrap_or(0).saturating_sub(cached.sum())))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn fields_of_proc_files_are_read_in_bytes() {
        let text = "VmPeak:\t  100 kB\nVmHWM:\t    2048 kB\nVmRSS:\t 12 pages\n";
        assert_eq!(kib_field(text, "VmHWM:"), Some(2 << 20));
        assert_eq!(kib_field(text, "VmRSS:"), None);
        assert_eq!(kib_field(text, "VmSwap:"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_peak_follows_what_is_touched() {
        let touched = std::hint::black_box(vec![1u8; 32 << 20]);
        assert!(resident_bytes().unwrap() > 30 << 20);
        assert!(peak_resident_bytes().unwrap() > 30 << 20);
        assert!(available_memory().unwrap() > 0);
        drop(touched);
    }

    fn group(dir: &Path, files: &[(&str, &str)]) {
        fs::create_dir_all(dir).unwrap();
        for (name, text) in files {
            fs::write(dir.join(name), text).unwrap();
        }
    }

    #[test]
    fn the_tightest_group_of_version_2_decides_and_cached_pages_are_free() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path();
        group(&dir.join("a"), &[("memory.max", "5000\n"), ("memory.current", "3000\n")]);
        group(
            &dir.join("a/b"),
            &[
                ("memory.max", "max\n"),
                ("memory.high", "4000\n"),
                ("memory.current", "3000\n"),
                ("memory.stat", "anon 1\ninactive_file 1500\nactive_file 400\n"),
            ],
        );
        assert_eq!(cgroup_room("0::/a/b\n", dir), Some(2000));
        assert_eq!(cgroup_room("0::/a\n", dir), Some(2000));
        fs::write(dir.join("a/memory.max"), "9000\n").unwrap();
        assert_eq!(cgroup_room("0::/a/b\n", dir), Some(2900));
        assert_eq!(cgroup_room("0::/elsewhere\n", dir), None);
    }

    #[test]
    fn a_container_without_its_own_path_uses_the_mounts_root() {
        let root = tempfile::tempdir().unwrap();
        group(root.path(), &[("memory.max", "100\n"), ("memory.current", "400\n")]);
        assert_eq!(cgroup_room("0::/docker/0123\n", root.path()), Some(0));
    }

    #[test]
    fn groups_of_version_1_are_read_where_they_limit_memory() {
        let root = tempfile::tempdir().unwrap();
        let files = [
            ("memory.limit_in_bytes", "7000\n"),
            ("memory.usage_in_bytes", "6000\n"),
            ("memory.stat", "inactive_file 1\ntotal_inactive_file 500\ntotal_active_file 0\n"),
        ];
        group(&root.path().join("memory/x"), &files);
        group(&root.path().join("memory"), &[("memory.limit_in_bytes", "9223372036854771712\n")]);
        assert_eq!(cgroup_room("4:cpu,memory:/x\n3:pids:/x\n", root.path()), Some(1500));
        assert_eq!(cgroup_room("4:memory:/y\n", root.path()), None);
    }
}
