//! Study files: arbitrary bytes are a study or an error, never a panic; and a study survives being printed.
#![no_main]

use inkling_schema::{Study, text_from_bytes};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = text_from_bytes(bytes) else { return };
    if let Ok(study) = Study::from_toml("fuzz.toml", &text) {
        assert_eq!(Study::from_toml("printed.toml", &study.to_toml()).ok(), Some(study));
    }
});
