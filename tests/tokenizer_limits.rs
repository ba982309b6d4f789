//! Time and memory of tokenizers on ordinary and hostile texts. One test, so that nothing else shares its process.

mod common;
mod tokenizer {
    pub mod vocab;
}

use std::path::Path;
use std::time::{Duration, Instant};

use foregate::os;
use foregate::tokenizer::Tokenizer;
use tokenizer::vocab::{fixture, open, texts};

const MIB: u64 = 1 << 20;

/// The process's largest resident set so far, in bytes; `None` where the system does not say.
fn resident_max() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

fn check_resident(limit: u64, what: &str) {
    if let Some(resident) = resident_max() {
        assert!(resident <= limit, "{what}: {} MiB resident", resident / MIB);
    }
}

/// `unit` over and over, about `len` bytes.
fn repeated(unit: &str, len: usize) -> String {
    unit.repeat(len / unit.len())
}

/// Characters of all planes, the same ones each time.
fn any_characters(len: usize) -> String {
    let mut state = 1u64;
    let mut next = move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as u32 % 0x11_0000
    };
    std::iter::repeat_with(|| char::from_u32(next()).unwrap_or('x')).take(len / 4).collect()
}

/// What this thread has computed so far, which other programs do not lengthen; the wall clock where the system does not
/// say.
fn computed(since: Instant) -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = stat.and_then(|stat| stat.split_whitespace().next()?.parse().ok());
    nanos.map_or_else(|| since.elapsed(), Duration::from_nanos)
}

/// The time of `times` encodings, each of which must decode to the text.
fn time_of(times: usize, tokenizer: &Tokenizer, text: &str, since: Instant) -> Duration {
    let start = computed(since);
    for _ in 0..times {
        let ids = tokenizer.encode(text, false, true).unwrap();
        assert!(tokenizer.decode(&ids) == text.as_bytes(), "the text does not come back");
    }
    computed(since) - start
}

#[test]
fn loading_and_encoding_stay_within_their_time_and_memory() {
    let tokenizer = open(&fixture().join("ggml-vocab-qwen2.gguf"));
    check_resident(100 * MIB, "loading qwen2");

    let prose = texts(&fixture(), "qwen2").concat();
    let small = 50_000;
    let since = Instant::now();
    let hostile: [&dyn Fn(usize) -> String; 9] = [
        &|len| repeated(&prose, len),
        &|len| repeated(" ", len),
        &|len| repeated("a", len),
        &|len| repeated("😀", len),
        &|len| repeated("1", len),
        &|len| repeated("\n", len),
        &|len| repeated("!?", len),
        &|len| repeated("<|im_", len),
        &any_characters,
    ];
    for (i, text) in hostile.iter().enumerate() {
        let apart = time_of(10, &tokenizer, &text(small), since);
        let together = time_of(1, &tokenizer, &text(10 * small), since);
        // Ten times the text may take twenty times as long; the clock counts in steps of some milliseconds.
        let limit = apart * 2 + Duration::from_millis(20);
        assert!(
            together <= limit,
            "text {i}: {apart:?} for ten texts apart, {together:?} for one of ten times the size"
        );
    }

    for unit in [prose.as_str(), "a"] {
        tokenizer.encode(&repeated(unit, 10 << 20), false, false).unwrap();
        check_resident(1024 * MIB, "encoding 10 MiB");
    }

    encoding_takes_what_is_planned_for_it(&tokenizer);
    // a vocabulary that joins hardly anything of a long run, though every two of its letters
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/foregate-demo.gguf");
    encoding_takes_what_is_planned_for_it(&open(&demo));
    if let Some(vocabulary) = common::shared("tokenizer-vectors/ggml-vocab-llama-spm.gguf") {
        encoding_takes_what_is_planned_for_it(&open(&vocabulary));
    }
}

/// The peak while long texts are encoded stays under what the tokenizer says of them, runs that merge as a whole included.
fn encoding_takes_what_is_planned_for_it(tokenizer: &Tokenizer) {
    if !os::reset_peak_resident() {
        return println!("skipped: the system does not tell a peak apart from earlier ones");
    }
    for unit in [" ", "a", "1", "_=", "é ", "word "] {
        let text = repeated(unit, 4 << 20);
        let before = os::resident_bytes().unwrap_or(u64::MAX);
        os::reset_peak_resident();
        let ids = tokenizer.encode(&text, false, false).unwrap();
        let taken = os::peak_resident_bytes().unwrap_or(0).saturating_sub(before);
        let planned = tokenizer.encode_bytes(&text) - text.len() as u64;
        assert!(taken <= planned, "{unit:?}: {} MiB of {} planned", taken / MIB, planned / MIB);
        println!("{unit:?}: {} MiB of {} planned, {} tokens", taken / MIB, planned / MIB, ids.len());
    }
}
