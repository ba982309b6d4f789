//! Replays the fuzz target's corpus: every input is read or refused, without harm.

#[path = "common/gguf_builder.rs"]
mod builder;

use std::path::Path;

use foregate::gguf::Gguf;

#[test]
fn every_input_of_the_corpus_is_read_or_refused() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/gguf_open");
    let (mut read, mut refused) = (0, 0);
    for entry in std::fs::read_dir(&corpus).unwrap() {
        let path = entry.unwrap().path();
        match Gguf::open(&path) {
            Ok(gguf) => {
                builder::read_all(&gguf);
                read += 1;
            }
            Err(e) => {
                let e = e.to_string();
                assert!(e.starts_with(path.to_str().unwrap()) && !e.contains('\n'), "{e}");
                refused += 1;
            }
        }
    }
    assert!(read >= 1 && refused >= 50, "the corpus has both: {read} read, {refused} refused");
}
