//! Typed getters: what each accepts, and what it says of what it does not.

#[path = "common/gguf_builder.rs"]
mod builder;

use builder::{Builder, V, read_all};
use foregate::gguf::{GgmlType, Gguf, Value, ValueType};

fn open(builder: &Builder) -> Gguf {
    let dir = tempfile::tempdir().unwrap();
    // The map outlives the file's name.
    Gguf::open(&builder.write(dir.path(), "m.gguf")).unwrap()
}

fn message<T: std::fmt::Debug>(result: foregate::Result<T>) -> String {
    let text = result.unwrap_err().to_string();
    assert!(text.contains("m.gguf") && text.contains("byte "), "names the file and the offset: {text}");
    assert!(!text.contains('\n'), "one line: {text}");
    text
}

#[test]
fn integers_are_read_from_every_integer_type_that_fits() {
    let values = [V::U8(7), V::I8(7), V::U16(7), V::I16(7), V::U32(7), V::I32(7), V::U64(7), V::I64(7)];
    for v in values {
        let m = open(&Builder::new().key("n", v.clone()));
        let m = m.metadata();
        assert_eq!(
            (m.u32("n").unwrap(), m.u64("n").unwrap(), m.i32("n").unwrap()),
            (Some(7), Some(7), Some(7)),
            "{v:?}"
        );
    }
    let m = open(&Builder::new().key("big", V::U64(u64::MAX)).key("neg", V::I8(-1)).key("f", V::F32(1.0)));
    let m = m.metadata();
    assert_eq!(m.u64("big").unwrap(), Some(u64::MAX));
    assert_eq!(m.i32("neg").unwrap(), Some(-1));
    assert!(
        message(m.u32("big"))
            .contains("key `big` should be an integer from 0 to 4294967295, but is u64 18446744073709551615")
    );
    assert!(message(m.u32("neg")).contains("but is i8 -1"));
    assert!(message(m.u64("neg")).contains("but is i8 -1"));
    assert!(message(m.u32("f")).contains("but is f32 1"));
}

#[test]
fn floats_bools_and_strings_are_read_from_their_own_types_only() {
    let m = open(
        &Builder::new()
            .key("f", V::F32(0.1))
            .key("d", V::F64(0.5))
            .key("b", V::Bool(true))
            .key("s", V::str("tekst"))
            .key("n", V::U32(1)),
    );
    let m = m.metadata();
    assert_eq!(m.f32("f").unwrap(), Some(0.1));
    assert_eq!(m.f32("d").unwrap(), Some(0.5));
    assert_eq!(m.bool("b").unwrap(), Some(true));
    assert_eq!(m.str("s").unwrap(), Some("tekst"));
    assert!(message(m.f32("n")).contains("should be a float, but is u32 1"));
    assert!(message(m.bool("n")).contains("should be a bool"));
    assert!(message(m.str("n")).contains("should be a string"));
    assert!(message(m.u32("s")).contains("but is a string"));
    assert!(message(m.strings("s")).contains("should be an array of strings, but is a string"));
}

#[test]
fn an_absent_key_is_none_for_every_getter() {
    let m = open(&Builder::new());
    let m = m.metadata();
    assert!(m.is_empty() && !m.contains("x") && m.get("x").is_none());
    assert!(m.u32("x").unwrap().is_none() && m.str("x").unwrap().is_none() && m.strings("x").unwrap().is_none());
    assert!(m.u32s("x").unwrap().is_none() && m.f32_per_layer("x", 4).unwrap().is_none());
}

#[test]
fn keys_keep_the_files_order_and_values_show_themselves() {
    let nested =
        V::Arr(9, vec![V::Arr(4, vec![V::U32(1), V::U32(2)]), V::Arr(8, vec![V::str("x")]), V::Arr(4, vec![])]);
    let m = open(&Builder::new().key("z", V::U8(1)).key("a", nested).key("m", V::str("é")).key("", V::Bool(false)));
    let m = m.metadata();
    assert_eq!(m.keys().collect::<Vec<_>>(), ["z", "a", "m", ""]);
    assert_eq!(m.len(), 4);
    assert_eq!(m.get("a").unwrap().to_string(), "[[1, 2], [x], []]");
    assert_eq!(m.get("m").unwrap().to_string(), "é");
    assert_eq!(m.get("").unwrap().to_string(), "false");
    let Some(Value::Array(a)) = m.get("a") else { panic!("an array") };
    assert_eq!((a.ty(), a.len()), (ValueType::Array, 3));
}

#[test]
fn arrays_are_read_as_numbers_with_an_error_for_the_first_that_does_not_fit() {
    let m = open(
        &Builder::new()
            .key("i", V::Arr(5, vec![V::I32(1), V::I32(-2)]))
            .key("w", V::Arr(2, vec![V::U16(65535)]))
            .key("f", V::Arr(6, vec![V::F32(1.5)]))
            .key("b", V::Arr(7, vec![V::Bool(true), V::Bool(false)]))
            .key("n", V::Arr(5, vec![V::I32(0), V::I32(1)]))
            .key("e", V::Arr(5, vec![])),
    );
    let m = m.metadata();
    assert_eq!(m.i32s("i").unwrap().unwrap(), [1, -2]);
    assert_eq!(m.u32s("w").unwrap().unwrap(), [65535]);
    assert_eq!(m.f32s("f").unwrap().unwrap(), [1.5]);
    assert_eq!(m.bools("b").unwrap().unwrap(), [true, false]);
    assert_eq!(m.bools("n").unwrap().unwrap(), [false, true]);
    assert!(message(m.bools("i")).contains("entry 1 of array `i` should be a bool, 0 or 1, but is i32 -2"));
    assert!(m.u32s("e").unwrap().unwrap().is_empty());
    assert!(
        message(m.u32s("i")).contains("entry 1 of array `i` should be an integer from 0 to 4294967295, but is i32 -2")
    );
    assert!(message(m.f32s("i")).contains("entry 0 of array `i` should be a float"));
    assert!(message(m.strings("i")).contains("should be an array of strings, but is an array of 2 i32"));
    assert!(message(m.u32("i")).contains("but is an array of 2 i32"));
}

#[test]
fn per_layer_values_come_from_a_scalar_or_from_an_array_of_that_length() {
    let m = open(
        &Builder::new()
            .key("one", V::U32(8))
            .key("many", V::Arr(5, vec![V::I32(4), V::I32(0), V::I32(4)]))
            .key("f", V::F32(10000.0))
            .key("b", V::Arr(7, vec![V::Bool(true), V::Bool(false), V::Bool(true)])),
    );
    let m = m.metadata();
    assert_eq!(m.u32_per_layer("one", 3).unwrap().unwrap(), [8, 8, 8]);
    assert_eq!(m.u32_per_layer("many", 3).unwrap().unwrap(), [4, 0, 4]);
    assert_eq!(m.f32_per_layer("f", 2).unwrap().unwrap(), [10000.0, 10000.0]);
    assert_eq!(m.bool_per_layer("b", 3).unwrap().unwrap(), [true, false, true]);
    assert!(message(m.u32_per_layer("many", 4)).contains("array `many` has 3 entries for 4 layers"));
    let too_many = m.u32_per_layer("one", usize::MAX).unwrap_err().to_string();
    assert!(too_many.contains("layers are more than"), "{too_many}");
}

#[test]
fn tokens_that_are_not_utf8_are_there_as_bytes_and_an_error_as_text() {
    let tokens: [&[u8]; 4] = [b"a", b"", &[0xe4, 0xb8], "世".as_bytes()];
    let builder = Builder::new()
        .key("s", V::Str(vec![b'x', 0xff]))
        .key("t", V::Arr(8, tokens.iter().map(|t| V::Str(t.to_vec())).collect()));
    let bytes = builder.build();
    let m = open(&builder);
    let m = m.metadata();
    let strings = m.strings("t").unwrap().unwrap();
    assert_eq!(strings.len(), 4);
    assert_eq!(strings.bytes().collect::<Vec<_>>(), tokens);
    let read: Vec<_> = strings.iter().collect();
    assert_eq!((read[0].as_ref().unwrap(), read[1].as_ref().unwrap(), read[3].as_ref().unwrap()), (&"a", &"", &"世"));
    let at = bytes.windows(2).position(|w| w == [0xe4, 0xb8]).unwrap();
    let error = message(strings.iter().nth(2).unwrap());
    assert!(error.contains(&format!("entry 2 of array `t` is not valid UTF-8 (at byte {at})")), "{error}");
    assert!(message(m.str("s")).contains("key `s` is not valid UTF-8"));
    assert_eq!(m.get("t").unwrap().to_string(), "[a, , \u{fffd}, 世]");
}

#[test]
fn strings_are_borrowed_from_the_map_not_copied() {
    let gguf = open(&Builder::new().key("s", V::str("borrowed")).tensor("w", GgmlType::F32, &[4]));
    let text = gguf.metadata().str("s").unwrap().unwrap().as_ptr() as usize;
    let tensor = gguf.tensor_bytes(gguf.tensor("w").unwrap()).unwrap().as_ptr() as usize;
    assert!(tensor - text < 4096, "both are in the one map");
}

#[test]
fn a_large_vocabulary_is_read_in_one_pass() {
    const TOKENS: usize = 150_000;
    let tokens = (0..TOKENS).map(|i| V::Str(format!("token{i}").into_bytes())).collect();
    let started = std::time::Instant::now();
    let gguf = open(&Builder::new().key("tokenizer.ggml.tokens", V::Arr(8, tokens)));
    for _ in 0..10 {
        let strings = gguf.metadata().strings("tokenizer.ggml.tokens").unwrap().unwrap();
        assert!(strings.iter().enumerate().all(|(i, s)| s.unwrap() == format!("token{i}")));
    }
    // A pass takes milliseconds; with a rescan per string one alone would take minutes.
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

#[test]
fn version_2_reads_as_version_3() {
    let mut builder = Builder::new().key("k", V::U32(1)).tensor("w", GgmlType::Q4_K, &[256, 2]);
    builder.version = Some(2);
    let gguf = open(&builder);
    read_all(&gguf);
    assert_eq!(gguf.metadata().u32("k").unwrap(), Some(1));
    assert_eq!(gguf.tensor("w").unwrap().row_bytes(), 144);
}

#[test]
fn alignment_moves_the_data_and_a_tensor_without_dimensions_is_one_number() {
    let builder = Builder::new().aligned(4096).tensor("a", GgmlType::F32, &[3]).tensor("scalar", GgmlType::F32, &[]);
    let gguf = open(&builder);
    read_all(&gguf);
    assert!(gguf.tensors().all(|t| t.offset % 4096 == 0));
    let scalar = gguf.tensor("scalar").unwrap();
    assert_eq!((scalar.dims.as_slice(), scalar.elements(), scalar.bytes), ([1].as_slice(), 1, 4));
}

#[test]
fn a_tensor_of_another_model_and_a_shard_that_is_not_there_are_errors() {
    let gguf = open(&Builder::new().tensor("w", GgmlType::F32, &[4]));
    let mut other = gguf.tensor("w").unwrap().clone();
    other.offset = u64::MAX - 3;
    assert!(message(gguf.tensor_bytes(&other)).contains("does not hold tensor `w`"));
    other.shard = 5;
    assert!(gguf.tensor_bytes(&other).is_err());
    let error = gguf.read_at(5, 0, &mut [0; 4]).unwrap_err().to_string();
    assert!(error.contains("so no number 5"), "{error}");
    assert!(gguf.read_at(0, u64::MAX - 1, &mut [0; 4]).is_err());
    assert!(gguf.shard_file(0).is_some() && gguf.shard_file(1).is_none());
}
