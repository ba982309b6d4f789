//! Adapters, memory and errors.

use foregate::Error;
use foregate::compute::Device;
use foregate::compute::gpu::{AdapterKind, GpuDevice, Selector, adapters};

use crate::open;

#[test]
fn an_adapter_that_does_not_exist_is_refused_with_what_to_do() {
    let Err(e) = GpuDevice::open(Selector::Index(999), None) else { panic!("adapter 999 exists") };
    let text = e.to_string();
    assert!(text.contains("gpu:999") && text.contains("--device cpu") || text.contains("foregate devices"), "{text}");
}

#[test]
fn adapters_are_numbered_in_the_order_that_they_are_opened_by() {
    let Some(_) = open() else { return };
    for (i, a) in adapters().into_iter().enumerate() {
        assert_eq!(a.index, i);
        if a.unusable.is_none() {
            let device = GpuDevice::open(Selector::Index(i), None).unwrap();
            assert_eq!(device.adapter().name, a.name);
            assert_eq!(device.info().shares_memory, a.shares_memory());
        }
    }
}

#[test]
fn a_software_adapter_is_never_taken_unasked() {
    if let Ok(device) = GpuDevice::open(Selector::Hardware, None) {
        assert_ne!(device.adapter().kind, AdapterKind::Software);
    }
}

#[test]
fn the_budget_is_a_ceiling_and_the_bytes_are_counted() {
    let Some(_) = open() else { return };
    let mut device = GpuDevice::open(Selector::Any, Some(1 << 20)).unwrap();
    let before = device.bytes_allocated();
    device.new_act(1024, 100).unwrap();
    assert_eq!(device.bytes_allocated() - before, 1024 * 100 * 4);
    let e = device.new_act(1024, 200).unwrap_err();
    assert!(matches!(e, Error::Budget(_)), "{e}");
    assert_eq!(device.bytes_allocated() - before, 1024 * 100 * 4);
}

#[test]
fn a_buffer_that_no_adapter_has_is_an_error_and_no_panic() {
    let Some(mut device) = open() else { return };
    let e = device.new_act(1 << 40, 1 << 10).unwrap_err();
    assert!(matches!(e, Error::Device(_)), "{e}");
    let e = device.new_act(1 << 40, 1 << 40).unwrap_err();
    assert!(matches!(e, Error::Device(_)), "{e}");
}
