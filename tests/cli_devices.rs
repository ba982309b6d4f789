//! `foregate devices`.

mod common;

use common::foregate;
use serde_json::Value;

#[test]
fn devices_name_the_cpu_and_its_kernels() {
    let text = foregate(["devices"]).ok();
    assert!(text.starts_with("cpu: ") && text.contains("portable"), "{text}");
}

#[test]
fn devices_as_json_have_a_schema_and_at_least_the_portable_kernels() {
    let json: Value = serde_json::from_str(&foregate(["devices", "--json"]).ok()).unwrap();
    assert_eq!(json["schema"], "foregate.devices/1");
    assert_eq!(json["cpu"]["features"][0], "portable");
    assert!(json["cpu"]["threads"].as_u64().unwrap() >= 1);
}
