//! The studies that ship with the program: files like any other study, held in the binary.

use crate::Study;

/// Every preset, as (name, what it is for), the default first.
pub const PRESETS: [(&str, &str); 3] = [
    (
        "quick",
        "a sixth of the training images, every network at full size, one epoch each; a first impression (default)",
    ),
    ("brief", "the assignment's own hyperparameters; the full study"),
    ("smoke", "a few thousand images, every kind of run once; under a minute"),
];

/// The preset's TOML text, comments included; `None` where there is no such preset.
fn text(name: &str) -> Option<&'static str> {
    match name {
        "smoke" => Some(include_str!("../presets/smoke.toml")),
        "quick" => Some(include_str!("../presets/quick.toml")),
        "brief" => Some(include_str!("../presets/brief.toml")),
        _ => None,
    }
}

/// The study that a preset holds; `None` where there is no such preset.
pub fn preset(name: &str) -> Option<Study> {
    let text = text(name)?;
    Some(Study::from_toml(&format!("{name}.toml"), text).expect("a test reads every preset"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_is_a_valid_study_and_survives_printing() {
        for (name, _) in PRESETS {
            let study = preset(name).unwrap();
            assert_eq!(Study::from_toml("printed", &study.to_toml()).unwrap(), study, "{name}");
        }
    }
}
