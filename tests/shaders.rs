//! Every shader in every variant is valid WGSL; no driver is needed.

use foregate::compute::gpu::shaders::Shader;
use naga::valid::{Capabilities, ValidationFlags, Validator};

fn module_of(shader: &Shader) -> naga::Module {
    let source = shader.source();
    match naga::front::wgsl::parse_str(&source) {
        Ok(module) => module,
        Err(e) => panic!("{}: {}", shader.name(), e.emit_to_string(&source)),
    }
}

#[test]
fn every_shader_passes_the_validator() {
    for shader in Shader::every() {
        let module = module_of(&shader);
        let mut validator = Validator::new(ValidationFlags::all(), Capabilities::IMMEDIATES);
        if let Err(e) = validator.validate(&module) {
            panic!("{}: {}", shader.name(), e.emit_to_string(&shader.source()));
        }
    }
}

#[test]
fn shaders_keep_to_what_every_adapter_has() {
    for shader in Shader::every() {
        let module = module_of(&shader);
        let storage = module
            .global_variables
            .iter()
            .filter(|(_, v)| matches!(v.space, naga::AddressSpace::Storage { .. }))
            .count();
        assert!(storage <= 8, "{} binds {storage} storage buffers", shader.name());
        let layouts = |space: naga::AddressSpace| {
            module
                .global_variables
                .iter()
                .filter(|(_, v)| v.space == space)
                .map(|(_, v)| module.types[v.ty].inner.size(module.to_ctx()))
                .sum::<u32>()
        };
        let workgroup = layouts(naga::AddressSpace::WorkGroup);
        assert!(workgroup <= 16 << 10, "{} takes {workgroup} bytes of workgroup memory", shader.name());
        let immediates = layouts(naga::AddressSpace::Immediate);
        assert!(immediates <= 64, "{} takes {immediates} bytes of immediates", shader.name());
    }
}
