//! Tensor files and checkpoints of the run store: arbitrary bytes are tensors or an error, never a panic.
#![no_main]

use std::fs;

use inkling_store::{Reader, Tensors};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = folder.path().join("runs/run");
    fs::create_dir_all(&run).expect("room for it");
    let path = run.join("checkpoint.safetensors");
    fs::write(&path, bytes).expect("room for it");
    if let Ok(tensors) = Tensors::read(&path) {
        for name in tensors.names() {
            let shape = tensors.shape(&name).expect("a name that was listed");
            let _ = tensors.values::<f32>(&name, shape);
        }
    }
    let reader = Reader::open(folder.path()).expect("it has a folder of runs");
    let _ = reader.run("run").checkpoints().count();
});
