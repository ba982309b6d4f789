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

#[test]
fn drivers_that_look_for_a_desktop_say_nothing_where_there_is_none() {
    for mut command in [
        foregate(["devices"]).into_command(),
        foregate(["inspect", "--memory", "64MiB"]).arg(common::tiny_model()).into_command(),
    ] {
        let output = command.env_remove("XDG_RUNTIME_DIR").env_remove("NODEVICE_SELECT").output().unwrap();
        assert!(output.status.success(), "{}", output.status);
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    }
}

#[test]
fn a_software_adapter_that_stands_in_for_a_gpu_is_told() {
    let json: Value = serde_json::from_str(&foregate(["devices", "--json"]).ok()).unwrap();
    let gpus = json["gpus"].as_array().unwrap();
    let usable = |gpu: &&Value| gpu["unusable"].is_null();
    let software = |gpu: &Value| gpu["kind"] == "software";
    let Some(first) = gpus.iter().find(usable) else {
        println!("skip: no GPU adapter");
        return;
    };
    let all_software = gpus.iter().filter(usable).all(software);
    let note = "there is no GPU: this adapter is software";
    let run = |device: &str| {
        let run = foregate(["generate", "--device", device, "-p", "the", "-n", "1"]).arg(common::tiny_model()).run();
        run.expect_code(0);
        run.stderr()
    };
    let stderr = run("gpu");
    assert!(stderr.contains("computing on gpu: ") && stderr.contains(note) == all_software, "{stderr}");
    let by_number = run(&format!("gpu:{}", first["index"]));
    assert!(!by_number.contains(note), "it was asked for: {by_number}");
}
