//! What is written is read back, and what is broken is refused with its line.

use std::io::Read;
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::expert::cache::Phase;
use crate::expert::trace::{Residency, Routed, TraceWriter};
use crate::expert::{ExpertId, SlotClass};

const HEAD: &str = "turn,phase,step,layer,slot,expert,weight,residency,expert_bytes\n";

fn read(text: &str) -> Result<Trace> {
    Trace::parse(Path::new("t.csv"), text.as_bytes(), None)
}

/// The error of a trace with these rows.
fn refusal(rows: &str) -> String {
    read(&format!("{HEAD}{rows}")).unwrap_err().to_string()
}

fn setup() -> Setup {
    Setup {
        model: "tiny, \"a\"".into(),
        layers: [1, 2].map(|layer| LayerShape { layer, count: 4, class: 0 }).to_vec(),
        expert_bytes: vec![100, 200],
        k: 2,
        classes: vec![SlotClass { slots: 3, slot_bytes: 4096 }],
        policy: "lru".into(),
        batch: 8,
    }
}

fn routed(phase: Phase, position: u32, layer: u32, chosen: &[u32]) -> Routed {
    Routed {
        turn: 0,
        phase,
        position,
        layer,
        k: 2,
        chosen: chosen.to_vec(),
        weights: chosen.iter().map(|&e| 1e-7 * e as f32 + f32::EPSILON).collect(),
        residency: chosen.iter().map(|&e| if e == 0 { Residency::Missing } else { Residency::Late }).collect(),
        scores: None,
    }
}

fn written(name: &str, events: &[Event]) -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    let mut writer = TraceWriter::create(&path, &setup()).unwrap();
    events.iter().for_each(|event| writer.push(event.clone()).unwrap());
    writer.finish().unwrap();
    (dir, path)
}

fn events(trace: Trace) -> Vec<Event> {
    trace.events.into_iter().map(|r| r.event).collect()
}

#[test]
fn a_run_of_several_turns_comes_back_as_it_was() {
    let id = ExpertId { layer: 2, index: 3 };
    let scored =
        Routed { scores: Some(vec![0.5, 0.25, 0.125, f32::MIN_POSITIVE]), ..routed(Phase::Decode, 3, 2, &[0, 1]) };
    let run = vec![
        Event::Recalled(vec![(id, 0.1), (ExpertId { layer: 1, index: 0 }, -0.0)]),
        Event::Probation(0, 1),
        Event::Routed(routed(Phase::Prefill, 0, 1, &[0, 1, 2, 3, 0, 2])),
        Event::Wave,
        Event::Issued(id),
        Event::Routed(routed(Phase::Prefill, 0, 2, &[0, 1, 2, 3, 0, 2])),
        Event::Landed(id),
        Event::Promoted(id),
        Event::Routed(routed(Phase::Prefill, 3, 1, &[1, 0])),
        Event::Routed(routed(Phase::Decode, 4, 1, &[1, 0])),
        Event::Routed(scored),
        Event::Cancelled(id),
        Event::Routed(routed(Phase::Decode, 5, 1, &[1, 0])),
        Event::Routed(routed(Phase::Decode, 5, 1, &[1, 0])),
        Event::Failed(id),
        Event::Routed(routed(Phase::Decode, 5, 2, &[1, 0, 2, 3])),
        Event::Routed(routed(Phase::Decode, 6, 2, &[1, 0])),
        Event::Routed(Routed { turn: 1, ..routed(Phase::Prefill, 6, 1, &[1, 0, 3, 2]) }),
        Event::Routed(Routed { turn: 1, ..routed(Phase::Prefill, 6, 1, &[1, 0, 3, 2]) }),
        Event::Recalled(Vec::new()),
    ];
    for name in ["t.csv", "t.csv.gz"] {
        let (_dir, path) = written(name, &run);
        let trace = Trace::read(&path, None).unwrap();
        assert_eq!(trace.setup, Some(setup()));
        assert_eq!(events(trace), run);
    }
}

#[test]
fn rows_name_each_read_of_a_chunk_once() {
    let (_dir, path) = written("t.csv", &[Event::Routed(routed(Phase::Prefill, 7, 2, &[0, 1, 2, 0]))]);
    let text = std::fs::read_to_string(path).unwrap();
    let rows: Vec<&str> = text.lines().filter(|l| l.starts_with("0,")).collect();
    assert!(rows[0].starts_with("0,0,7,2,0,0,") && rows[0].ends_with(",0,200"), "{}", rows[0]);
    assert!(rows[1].ends_with(",3,0") && rows[3].starts_with("0,0,8,2,1,0,") && rows[3].ends_with(",0,0"), "{rows:?}");
}

#[test]
fn a_writer_that_is_dropped_writes_what_it_holds() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.csv.gz");
    let mut writer = TraceWriter::create(&path, &setup()).unwrap();
    writer.push(Event::Routed(routed(Phase::Decode, 0, 1, &[0, 1]))).unwrap();
    drop(writer);
    assert_eq!(Trace::read(&path, None).unwrap().events.len(), 1);
}

#[test]
fn a_run_that_ends_before_it_routes_leaves_what_stood_in_its_traces_place() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["t.csv", "t.csv.gz"] {
        let path = dir.path().join(name);
        let begun = || {
            let mut writer = TraceWriter::create(&path, &setup()).unwrap();
            writer.push(Event::Probation(0, 1)).unwrap();
            writer
        };
        drop(begun());
        assert!(!path.exists());
        std::fs::write(&path, "what was there, of another run, and longer than the head of a trace. ".repeat(40))
            .unwrap();
        let before = std::fs::read(&path).unwrap();
        drop(begun());
        assert_eq!(std::fs::read(&path).unwrap(), before);
        begun().finish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), before);
        let mut writer = begun();
        writer.push(Event::Routed(routed(Phase::Decode, 0, 1, &[0, 1]))).unwrap();
        writer.finish().unwrap();
        assert_eq!(Trace::read(&path, None).unwrap().events.len(), 2);
    }
}

#[test]
fn the_turns_that_are_over_are_in_the_file_before_the_run_ends() {
    for name in ["t.csv", "t.csv.gz"] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        let mut writer = TraceWriter::create(&path, &setup()).unwrap();
        let row = |n| Event::Routed(routed(Phase::Decode, n, 1, &[0, 1]));
        for turn in 1..=3 {
            writer.push(row(turn)).unwrap();
            writer.end_turn().unwrap();
            let (bytes, mut text) = (std::fs::read(&path).unwrap(), String::new());
            let unpacked = flate2::read::MultiGzDecoder::new(bytes.as_slice()).read_to_string(&mut text);
            let text = if unpacked.is_ok() { text } else { String::from_utf8_lossy(&bytes).into_owned() };
            assert_eq!(text.lines().filter(|line| line.starts_with("0,")).count() as u32, 2 * turn, "{name}");
        }
        writer.push(row(4)).unwrap();
        writer.finish().unwrap();
        assert_eq!(Trace::read(&path, None).unwrap().events.len(), 4, "{name}");
    }
}

#[test]
fn a_trace_that_was_cut_off_is_told_from_a_whole_one() {
    let run: Vec<_> = (0..4000).map(|n| Event::Routed(routed(Phase::Decode, n, 1, &[n % 4, (n + 1) % 4]))).collect();
    for (name, why) in [("t.csv", "no end"), ("t.csv.gz", "cut off")] {
        let (_dir, path) = written(name, &run);
        let bytes = std::fs::read(&path).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        let cut = if name == "t.csv" { text.rfind("0,1,").unwrap() } else { bytes.len() / 2 };
        let error = Trace::parse(&path, &bytes[..cut], None).unwrap_err().to_string();
        assert!(error.contains(why) && error.contains("line "), "{error}");
    }
    let error = Trace::parse(Path::new("t"), [0x1f, 0x8b, 9, 9, 9].as_slice(), None).unwrap_err().to_string();
    assert!(error.contains("line 1: the gzip data"), "{error}");
    let (_dir, path) = written("t.csv.gz", &run);
    let mut longer = std::fs::read(&path).unwrap();
    longer.extend_from_slice(b"more");
    let error = Trace::parse(&path, longer.as_slice(), None).unwrap_err().to_string();
    assert!(error.contains("behind its end") && !error.contains("line 1:"), "{error}");
}

#[test]
fn blank_lines_and_a_byte_order_mark_in_front_change_nothing() {
    let csv = format!("{HEAD}0,1,0,0,0,1,0.5,0,9\n");
    let json = "{\"tok\": 0, \"layers\": [[1, 2]]}\n".to_owned();
    for plain in [csv, json] {
        let events_of = |front: &str| events(read(&format!("{front}{plain}")).unwrap());
        for front in ["\u{feff}", "\n  \n\t\n", "\u{feff}\r\n"] {
            assert_eq!(events_of(front), events_of(""), "{front:?}");
        }
    }
}

#[test]
fn the_number_of_experts_is_not_another_one_than_the_trace_tells() {
    let text = format!("# n_expert=8\n{HEAD}0,1,0,0,0,1,0.5,0,9\n");
    let given = |experts| Trace::parse(Path::new("t.csv"), text.as_bytes(), Some(experts));
    assert!(given(8).is_ok());
    let error = given(9).unwrap_err().to_string();
    assert!(error.contains("line 1: the trace tells that a layer has 8 experts"), "{error}");
}

#[test]
fn no_expert_is_as_large_as_some_head_says() {
    let error =
        read(&format!("# layer=0 expert_bytes={}\n{HEAD}0,1,0,0,0,1,0.5,0,9\n", 1u64 << 50)).unwrap_err().to_string();
    assert!(error.contains("line 1: an expert of"), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_comes_out_of_the_writer() {
    let mut writer = TraceWriter::create("/dev/full", &setup()).unwrap();
    let event = Event::Routed(routed(Phase::Decode, 0, 1, &[0, 1]));
    let pushed = (0..100_000).try_for_each(|_| writer.push(event.clone()));
    let error = pushed.and_then(|()| writer.finish()).unwrap_err().to_string();
    assert!(error.contains("/dev/full"), "{error}");
    assert!(TraceWriter::create("/nonexistent/t.csv", &setup()).is_err());
}

#[test]
fn rows_of_another_engine_make_one_request_per_layer_and_chunk_or_step() {
    let rows = "0,0,0,0,0,3,0.5,0,9\n0,0,0,0,1,1,0.5,0,9\n0,0,1,0,0,2,1,1,0\n0,0,1,0,1,1,1,1,0\n\
                0,0,1,5,0,7,1,0,9\n0,0,1,5,1,6,1,0,9\n\
                0,1,2,0,0,1,1,0,9\n0,1,2,0,1,0,1,0,9\n0,1,2,5,0,1,1,0,9\n0,1,2,5,1,0,1,0,9\n";
    let trace = read(&format!("# made elsewhere\n# layer=0 expert_bytes=9\n{HEAD}# a word\n{rows}")).unwrap();
    assert!(trace.setup.is_none() && trace.experts_guessed);
    assert_eq!(trace.expert_bytes, [0; 0], "of layer 5 nothing is told");
    assert_eq!(trace.layers.iter().map(|l| (l.layer, l.count)).collect::<Vec<_>>(), [(0, 8), (5, 8)]);
    let requests: Vec<_> = events(trace)
        .into_iter()
        .map(|e| match e {
            Event::Routed(r) => (r.phase, r.position, r.layer, r.k, r.chosen),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        requests,
        [
            (Phase::Prefill, 0, 0, 2, vec![3, 1, 2, 1]),
            (Phase::Prefill, 1, 5, 2, vec![7, 6]),
            (Phase::Decode, 2, 0, 2, vec![1, 0]),
            (Phase::Decode, 2, 5, 2, vec![1, 0]),
        ]
    );
}

#[test]
fn a_head_that_tells_more_experts_than_a_layer_can_have_is_refused() {
    for n in ["0", "65537", "4000000", "9223372036854775809"] {
        let rows = format!("# n_layer=2 n_expert={n}\n{HEAD}0,1,0,0,0,1,1,0,0\n0,1,0,1,0,1,1,0,0\n");
        let error = read(&rows).unwrap_err().to_string();
        assert!(error.contains("1 to 65536 experts") && error.contains("line 1"), "{error}");
    }
}

#[test]
fn a_head_that_tells_the_size_of_all_layers_experts_is_believed() {
    let rows =
        format!("# layer=1 expert_bytes=7\n# layer=0 expert_bytes=9\n{HEAD}0,1,0,0,0,1,1,0,9\n0,1,0,1,0,1,1,0,7\n");
    assert_eq!(read(&rows).unwrap().expert_bytes, [9, 7]);
    for no_size in ["0", "-1", "much", "99999999999999999999"] {
        assert_eq!(read(&rows.replace("bytes=7", &format!("bytes={no_size}"))).unwrap().expert_bytes, [0; 0]);
    }
}

#[test]
fn a_head_that_tells_the_experts_is_believed() {
    let rows = format!("# model=x n_layer=2 n_expert=16\n{HEAD}0,1,0,1,0,7,1,0,0\n");
    let trace = read(&rows).unwrap();
    assert_eq!((trace.layers[0].count, trace.experts_guessed), (16, false));
    let error = read(&rows.replace(",7,1", ",16,1")).unwrap_err().to_string();
    assert!(error.contains("line 3: expert 16 of layer 1: the layer has 16"), "{error}");
    let error = read(&rows.replace("0,1,0,1,", "0,1,0,2,")).unwrap_err().to_string();
    assert!(error.contains("line 3: layer 2"), "{error}");
}

#[test]
fn broken_rows_are_refused_with_their_line() {
    let row = "0,1,0,0,0,5,0.5,0,0\n";
    for (rows, line, part) in [
        ("0,1,0,0,0,x,0.5,0,0\n".into(), 2, "expert is `x`"),
        ("0,1,0,0,0,-1,0.5,0,0\n".into(), 2, "expert is `-1`"),
        ("0,1,0,0,0,5,0.5,0\n".into(), 2, "lacks expert_bytes"),
        ("0,1,0,0,0,5,w,0,0\n".into(), 2, "weight is `w`"),
        ("0,1,0,0,0,5,nan,0,0\n".into(), 2, "weight is `nan`"),
        ("0,2,0,0,0,5,0.5,0,0\n".into(), 2, "phase 2"),
        ("0,1,0,0,0,5,0.5,4,0\n".into(), 2, "residency 4"),
        ("0,1,0,0,0,70000,0.5,0,0\n".into(), 2, "expert 70000"),
        ("0,1,0,5000,0,5,0.5,0,0\n".into(), 2, "layer 5000"),
        ("0,1,0,0,1,5,0.5,0,0\n".into(), 2, "slot 1 where slot 0 is due"),
        (format!("{row}0,1,0,0,1,5,0.5,0,0\n"), 3, "expert 5 twice"),
        (format!("{row}0,1,0,0,2,6,0.5,0,0\n"), 3, "slot 2"),
        (format!("{row}0,1,0,0,1,6,0.5,0,0\n0,1,1,0,0,6,0.5,0,0\n"), 4, "1 experts per token where there were 2"),
        (format!("{row}0,1,0,1,0,5,1,0,0\n0,1,1,0,0,5,1,0,0\n0,1,2,0,0,5,1,0,0\n"), 4, "step 1 lists 1 layers"),
    ] {
        let error = refusal(&rows);
        assert!(error.starts_with(&format!("t.csv: line {line}: ")) && error.contains(part), "{rows}: {error}");
    }
    assert!(
        read("turn,phase,step,layer,slot\n").unwrap_err().to_string().contains("line 1: the trace lacks the columns")
    );
    for empty in ["", "# only words\n"] {
        assert!(read(empty).unwrap_err().to_string().contains("no columns"), "{empty:?}");
    }
    assert!(refusal("").contains("no request"));
}

#[test]
fn broken_marks_are_refused_with_their_line() {
    let (_dir, path) = written("t.csv", &[Event::Routed(routed(Phase::Prefill, 0, 1, &[0, 1, 2, 3]))]);
    let text = std::fs::read_to_string(path).unwrap();
    for (old, new, part) in [
        ("tokens=2", "tokens=x", "line 6: tokens is `x`"),
        ("tokens=2", "tokens=3", "lists 2 tokens"),
        ("tokens=2", "", "line 6: `tokens=` is missing"),
        ("# end", "# issued layer=1\n# end", "`expert=` is missing"),
        ("# end", "# recalled 1:2\n# end", "not layer:expert:score"),
        ("# end", "# recalled 1:2:nan\n# end", "`nan` is no number"),
        ("# end", "# scores 0.5,0.5\n# end", "2 scores of 4 experts"),
        ("# end", "# scores 0.5,0.5,0,0\n# end", "4 scores are not those of 2 tokens"),
        ("# end", "# setup {}\n# end", "the setup cannot be read"),
        ("# end\n", "# end\n# more\n", "goes on after its end"),
        ("\"slots\":3", "\"slots\":99999999999", "the setup's slots"),
        ("\"slots\":3", "\"slots\":0", "line 2: the setup has no slot for the experts of layer 1"),
        ("\"lru\"", "\"lur\"", "line 2: no eviction policy is named \"lur\""),
        ("\"class\":0", "\"class\":1", "the setup's layers"),
        ("0,0,0,1,0,0,", "0,0,0,3,0,0,", "no such layer"),
        ("0,0,1,1,0,2,", "0,0,1,1,0,4,", "the layer has 4"),
        ("trace 1", "trace 2", "another version"),
    ] {
        assert!(text.contains(old), "{old}");
        let error = read(&text.replacen(old, new, 1)).unwrap_err().to_string();
        assert!(error.contains(part), "{old} -> {new}: {error}");
    }
}

#[test]
fn json_lines_are_decode_steps() {
    let text = "{\"tok\": 4, \"layers\": [[], [3, 1], [0, 2]]}\n\n{\"tok\": 5, \"layers\": [[], [1, 2], [0, 5]]}\n";
    let trace = read(text).unwrap();
    assert_eq!(trace.layers.iter().map(|l| (l.layer, l.count)).collect::<Vec<_>>(), [(1, 6), (2, 6)]);
    assert!(trace.experts_guessed);
    assert_eq!((trace.events.len(), trace.events[2].line), (4, 3));
    let Event::Routed(second) = &trace.events[2].event else { panic!() };
    assert_eq!((second.phase, second.position, second.layer, &second.chosen), (Phase::Decode, 5, 1, &vec![1, 2]));
    let told = Trace::parse(Path::new("t"), text.as_bytes(), Some(8)).unwrap();
    assert!(told.layers[0].count == 8 && !told.experts_guessed);
    for (broken, part) in [
        (text.replace("[0, 5]", "[0, 0]"), "line 3: layer 2: expert 0 twice"),
        (text.replace("[0, 5]", "[0]"), "line 3: layer 2: 1 experts"),
        (text.replace("[0, 5]", "[0, -5]"), "line 3: no {"),
        (text.replace("[0, 5]", "[0, 70000]"), "line 3: expert 70000"),
        (text.replace(", [0, 5]", ""), "line 3: 2 layers"),
        (text.replace("5]]}", ""), "line 3: no {"),
    ] {
        let error = read(&broken).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_mutation_of_a_trace_does_harm(
        edits in proptest::collection::vec((any::<prop::sample::Index>(), "[0-9#,:={}\\[\\]a-z \n\\.\\-]{0,4}", 0usize..6), 1..6),
        json in any::<bool>(),
    ) {
        let mut bytes = if json {
            b"{\"tok\": 4, \"layers\": [[], [3, 1], [0, 2]]}\n{\"tok\": 5, \"layers\": [[], [1, 2], [0, 5]]}\n".to_vec()
        } else {
            let id = ExpertId { layer: 2, index: 3 };
            let (_dir, path) = written("t.csv", &[
                Event::Recalled(vec![(id, 0.1)]),
                Event::Routed(routed(Phase::Prefill, 0, 1, &[0, 1, 2, 3])),
                Event::Issued(id),
                Event::Routed(Routed { scores: Some(vec![0.5; 4]), ..routed(Phase::Decode, 2, 2, &[0, 3]) }),
            ]);
            std::fs::read(path).unwrap()
        };
        for (at, new, drop) in edits {
            let at = at.index(bytes.len() + 1);
            let end = (at + drop).min(bytes.len());
            bytes.splice(at..end, new.bytes());
        }
        match Trace::parse(Path::new("t"), bytes.as_slice(), None) {
            Err(error) => prop_assert!(error.to_string().contains("line "), "{error}"),
            Ok(trace) => for recorded in &trace.events {
                if let Event::Routed(r) = &recorded.event {
                    let layer = trace.layers.iter().find(|l| l.layer == r.layer);
                    prop_assert!(r.chosen.iter().all(|&e| (e as usize) < layer.unwrap().count));
                    prop_assert!(r.k > 0 && r.chosen.len() % r.k == 0 && r.weights.len() == r.chosen.len());
                }
            }
        }
    }
}
