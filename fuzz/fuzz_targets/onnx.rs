//! ONNX files: arbitrary bytes are a network, which is written and read again as it was, or an error, never a panic.
#![no_main]

use inkling_interchange::onnx::{Options, export, import};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(network) = import(bytes.to_vec()) else { return };
    // A graph may name its heads so that their outputs cannot be told apart.
    let Ok(file) = export(&network, &Options::default()) else { return };
    let again = import(file.clone()).expect("what was written is read");
    assert_eq!(again.model, network.model);
    assert!(export(&again, &Options::default()).expect("it was written before") == file);
});
