//! Settings: every key can be set, near misses are told the nearest one, and values are refused as in a file.

use proptest::prelude::*;

use super::*;
use crate::{PRESETS, preset};

fn setting(text: &str) -> Setting {
    Setting::parse(text).unwrap()
}

fn set(text: &str) -> Result<Study, SettingError> {
    preset("brief").unwrap().with_settings(&[setting(text)])
}

#[test]
fn every_key_of_every_preset_can_be_set_to_its_own_value() {
    for (preset_name, _) in PRESETS {
        let study = preset(preset_name).unwrap();
        let table = Table::try_from(&study).unwrap();
        for key in study.keys() {
            let mut value = &Value::Table(table.clone());
            for step in &key {
                value = match value {
                    Value::Array(entries) => {
                        let named = entries.iter().position(|entry| name(entry) == Some(step));
                        &entries[named.unwrap_or_else(|| step.parse().unwrap())]
                    }
                    other => &other[step.as_str()],
                };
            }
            let one = Setting { key: joined(&key), value: value.clone() };
            assert_eq!(study.with_settings(&[one]).unwrap(), study, "{preset_name}: {key:?}");
        }
    }
}

#[test]
fn values_are_set_by_name_number_and_where_nothing_was() {
    let cnn = |text: &str| set(text).unwrap().cnn.unwrap();
    assert_eq!(cnn("cnn.training.learning_rate=3e-4").training.learning_rate, 3e-4);
    assert_eq!(cnn("cnn.training.learning_rate = 1").training.learning_rate, 1.0);
    assert_eq!(cnn("cnn.padding=valid").padding, crate::Padding::Valid);
    assert_eq!(cnn("cnn.training.warmup_steps=100").training.warmup_steps, Some(100));
    assert_eq!(cnn("cnn.training.validation.images=500").training.validation.unwrap().images, 500);
    let study = preset("brief").unwrap();
    let name = study.cnn.as_ref().unwrap().networks[1].name.clone();
    let wide: Vec<usize> = study.cnn.unwrap().networks[1].filters.iter().map(|filters| filters + 1).collect();
    assert_eq!(cnn(&format!("cnn.networks.\"{name}\".filters={wide:?}")).networks[1].filters, wide);
    assert_eq!(cnn(&format!("cnn.networks.1.filters={wide:?}")).networks[1].filters, wide);
    let sgd = r#"cnn.training.optimizer={ kind = "sgd", momentum = 0.5 }"#;
    assert!(matches!(cnn(sgd).training.optimizer, crate::Optimizer::Sgd { momentum: 0.5, .. }));
    // Several at once, which would not fit one by one.
    let study = preset("brief").unwrap();
    let all = [
        setting("cnn.networks.0.filters=[4, 4]"),
        setting("cnn.networks.0.kernels=[3, 3]"),
        setting("cnn.networks.0.strides=[1, 1]"),
    ];
    assert_eq!(study.with_settings(&all).unwrap().cnn.unwrap().networks[0].filters, [4, 4]);
}

#[test]
fn a_key_that_does_not_exist_is_told_the_nearest_one() {
    for (text, message, help) in [
        (
            "cnn.training.learnin_rate=1e-3",
            "unknown key `learnin_rate` in [cnn.training]",
            "did you mean `learning_rate`?",
        ),
        ("cnn.trainin.epochs=1", "unknown key `trainin` in [cnn]", "did you mean `training`?"),
        (
            "cmn.training.epochs=1",
            "unknown key `cmn` at the top level",
            "did you mean `cnn.training.epochs`?",
        ),
        ("learning_rate=1", "unknown key `learning_rate`", "learning_rate`?"),
        ("cnn.networks.nothing.filters=[1]", "unknown key `nothing` in `cnn.networks`", "the names here are"),
        ("cnn.networks.99.filters=[1]", "unknown key `99`", "the names here are"),
        ("cnn.training.epochs.more=1", "unknown key `more` in `cnn.training.epochs`", "holds no keys"),
        ("cnn.training.optimizer.momentum=0.9", "unknown key `momentum`", "`beta_1`"),
        ("network.training.epochs=1", "the study has no [network]", "it has [pca], "),
    ] {
        let error = set(text).unwrap_err();
        assert!(error.message.contains(message), "{text}: {error:?}");
        assert!(error.help.contains(help), "{text}: {error:?}");
    }
}

#[test]
fn a_value_that_does_not_fit_is_refused_as_in_a_file() {
    for (text, message, help) in [
        (
            "cnn.training.learning_rate=fast",
            "`cnn.training.learning_rate` cannot be the text",
            "a finite number",
        ),
        ("cnn.training.learning_rate=-1", "cannot be `-1`", "above 0"),
        ("cnn.training.epochs=1.5", "cannot be `1.5`", "a whole number"),
        ("cnn.training.batch_size=100000", "a batch of 100000", "`data.train_images`"),
        ("cnn.padding=sam", "`sam` is not one of its values", "did you mean `same`?"),
    ] {
        let error = set(text).unwrap_err();
        assert!(error.message.contains(message), "{text}: {error:?}");
        assert!(error.help.contains(help), "{text}: {error:?}");
    }
}

#[test]
fn what_is_no_setting_is_refused() {
    for text in ["", "cnn", "=1", "cnn=", "cnn..epochs=1", "cnn epochs=1", "#=1", "cnn.\"x=1"] {
        assert!(Setting::parse(text).is_err(), "{text:?}");
    }
    let quoted = setting(r#"cnn.networks."a = b.c".filters=[1]"#);
    assert_eq!(steps(&quoted.key).unwrap(), ["cnn", "networks", "a = b.c", "filters"]);
    assert_eq!(setting("x=a = b").value, Value::String("a = b".into()));
}

#[test]
fn settings_are_shown_as_a_person_writes_them() {
    let shown = |text: &str| setting(text).to_string();
    assert_eq!(shown("cnn.training.learning_rate=0.0001"), "learning_rate = 1e-4");
    assert_eq!(shown("cnn.training.learning_rate=0.00034129387461"), "learning_rate = 3.41294e-4");
    assert_eq!(shown("cnn.training.learning_rate=0.1"), "learning_rate = 0.1");
    assert_eq!(shown("cnn.training.learning_rate=1.0"), "learning_rate = 1");
    assert_eq!(shown("cnn.training.learning_rate=0.03"), "learning_rate = 0.03");
    assert_eq!(shown("cnn.training.batch_size=100"), "batch_size = 100");
    assert_eq!(shown("cnn.padding=same"), "padding = same");
    assert_eq!(shown("cnn.networks.0.filters=[4, 8]"), "filters = [4, 8]");
}

proptest! {
    /// One letter of a key changed, added or left out: refused, and the nearest key is the one that was meant, unless the result is
    /// another key or is not like anything.
    #[test]
    fn near_misses_are_refused(key in 0_usize..1000, letter in 0_usize..40, kind in 0_u8..3) {
        let study = preset("smoke").unwrap();
        let keys: Vec<Vec<String>> =
            study.keys().into_iter().filter(|key| key.iter().all(|step| step.parse::<f64>().is_err())).collect();
        let mut key = keys[key % keys.len()].clone();
        let last = key.last().unwrap().clone();
        let mut letters: Vec<char> = last.chars().collect();
        let at = letter % letters.len();
        match kind {
            0 => letters[at] = 'q',
            1 => letters.insert(at, 'q'),
            _ => { letters.remove(at); }
        }
        let missed: String = letters.into_iter().collect();
        prop_assume!(!missed.is_empty() && missed != last);
        *key.last_mut().unwrap() = missed.clone();
        prop_assume!(!study.keys().contains(&key));
        let missed_key = joined(&key);
        if let Err(error) = study.with_settings(&[Setting { key: missed_key.clone(), value: Value::Integer(1) }]) {
            // A key that is optional, or of which nothing is near, has no nearest one.
            prop_assert!(error.message.contains(&missed) || !error.help.is_empty(), "{missed_key}: {error:?}");
        } else {
            prop_assert!(false, "{} was accepted", missed_key);
        }
    }

    #[test]
    fn nothing_makes_the_reader_of_settings_panic(text in "[a-z.\"'= \\[\\]{}0-9]{0,30}") {
        if let Ok(setting) = Setting::parse(&text) {
            let _ = preset("smoke").unwrap().with_settings(&[setting]);
        }
    }
}
