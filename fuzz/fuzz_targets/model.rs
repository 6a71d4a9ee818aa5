//! Network files: arbitrary text is a network, one that cannot be built, or an error, never a panic.
#![no_main]

use inkling_schema::ModelSpec;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(spec) = ModelSpec::from_toml("fuzz.toml", text) {
        let _ = spec.plan();
    }
});
