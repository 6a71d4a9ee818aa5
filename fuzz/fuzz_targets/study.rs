//! Study files: arbitrary text is a study or an error, never a panic; and a study survives being printed.
#![no_main]

use inkling_spec::Study;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(study) = Study::from_toml("fuzz.toml", text) {
        assert_eq!(Study::from_toml("printed.toml", &study.to_toml()).ok(), Some(study));
    }
});
