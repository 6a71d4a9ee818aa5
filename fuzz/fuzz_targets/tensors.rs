//! Tensor files of the run store: arbitrary bytes are tensors or an error, never a panic.
#![no_main]

use std::io::Write;

use inkling_store::Tensors;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(bytes).expect("room for it");
    if let Ok(tensors) = Tensors::read(file.path()) {
        for name in tensors.names() {
            let shape = tensors.shape(&name).expect("a name that was listed");
            let _ = tensors.values::<f32>(&name, shape);
        }
    }
});
