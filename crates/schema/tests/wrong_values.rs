//! Every key of a whole study and of a network, with every kind of wrong value in its place: what a person then reads.

use inkling_schema::{MODELS, ModelSpec, Study, preset};
use miette::Diagnostic;
use toml::{Table, Value};

/// Values of every kind that TOML has, a few of them wrong as numbers only.
fn wrong_values() -> Vec<Value> {
    let date: toml::value::Datetime = "1979-05-27".parse().unwrap();
    let table = Table::from_iter([("surely_unknown".to_owned(), Value::Integer(1))]);
    vec![
        Value::Integer(-1),
        Value::Integer(i64::MAX),
        Value::Float(2.5),
        Value::Float(-2.0),
        Value::Float(1e39),
        Value::Float(1e-46),
        Value::Float(f64::NAN),
        Value::Float(f64::INFINITY),
        Value::Boolean(true),
        Value::String("surely unknown".into()),
        Value::String("0.1".into()),
        Value::Datetime(date),
        Value::Array(vec![]),
        Value::Array(vec![Value::Integer(-1)]),
        Value::Array(vec![Value::String("surely unknown".into()); 3]),
        Value::Table(table),
    ]
}

/// Every way to a value: tables by key, lists by number.
fn ways(value: &Value, way: &[String], all: &mut Vec<Vec<String>>) {
    let mut deeper = |step: String, value: &Value| {
        let way = [way, &[step]].concat();
        all.push(way.clone());
        ways(value, &way, all);
    };
    match value {
        Value::Table(table) => table.iter().for_each(|(key, value)| deeper(key.clone(), value)),
        Value::Array(array) => {
            array.iter().enumerate().for_each(|(number, value)| deeper(number.to_string(), value));
        }
        _ => {}
    }
}

fn replaced(document: &Value, way: &[String], by: &Value) -> Value {
    let mut document = document.clone();
    let mut place = &mut document;
    for step in way {
        place = match place {
            Value::Table(table) => table.get_mut(step).unwrap(),
            Value::Array(array) => &mut array[step.parse::<usize>().unwrap()],
            _ => unreachable!("a way leads through tables and lists"),
        };
    }
    *place = by.clone();
    document
}

/// Words of the language that the program is written in, and of the library that reads TOML for it.
const FOREIGN: [&str; 21] = [
    "i64",
    "u64",
    "u32",
    "usize",
    "u8",
    "f64",
    "f32",
    "struct",
    "enum",
    "variant",
    "sequence",
    "tuple",
    "serde",
    "map",
    "Spec",
    "Task",
    "field",
    "identifier",
    "array of length",
    "newtype",
    "another kind",
];

/// What a person must be told of a wrong value.
fn check(way: &[String], by: &Value, message: &str, help: &str) {
    let key = way.iter().fold(String::new(), |key, step| match step.parse::<usize>() {
        Ok(number) => format!("{key}[{number}]"),
        Err(_) if key.is_empty() => step.clone(),
        Err(_) => format!("{key}.{step}"),
    });
    let told = format!("{key} = {by}\n{message}\n{help}");
    for word in FOREIGN {
        let is_word = |text: &str| {
            text.split(|c: char| !c.is_alphanumeric()).any(|part| part == word)
                || (word.contains(' ') && text.contains(word))
        };
        assert!(!is_word(message) && !is_word(help), "`{word}` in: {told}");
    }
    assert!(message.starts_with("mine.toml, line "), "{told}");
    // The message names the key, one within what was put there, or one beside it that no longer fits it.
    let parent = key.rsplit_once('.').map_or("at the top level", |(parent, _)| parent);
    let known = [key.as_str(), parent, "surely_unknown", "no network of [cnn] is called"];
    let known = known.iter().any(|words| message.contains(words));
    assert!(known, "{told}");
    assert!(!help.is_empty(), "{told}");
    if message.contains("cannot be") {
        assert!(message.contains(&format!("`{key}")), "{told}");
        assert!(
            help.starts_with("expected ")
                && ["such as", "one of", "a list of", "true or false"]
                    .iter()
                    .any(|words| help.contains(words)),
            "{told}"
        );
    }
}

fn check_all(document: &Value, read: impl Fn(&str) -> Option<(String, String)>) -> usize {
    let mut all = Vec::new();
    ways(document, &[], &mut all);
    let mut refused = 0;
    for way in &all {
        for by in wrong_values() {
            let text = toml::to_string(&replaced(document, way, &by)).unwrap();
            // Some values are right in some places: a text where a name belongs.
            if let Some((message, help)) = read(&text) {
                check(way, &by, &message, &help);
                refused += 1;
            }
        }
    }
    refused
}

fn told<T, E: Diagnostic>(read: Result<T, E>) -> Option<(String, String)> {
    let error = read.err()?;
    Some((error.to_string(), error.help().map(|help| help.to_string()).unwrap_or_default()))
}

#[test]
fn every_wrong_value_of_a_study_is_named_with_its_key_in_plain_words_and_with_what_was_expected() {
    let mut study: Value = toml::from_str(&preset("smoke").unwrap().to_toml()).unwrap();
    // What the preset leaves out.
    let more = "
        [report]
        group = 7
        authors = [{ name = \"Ada\", contribution = \"Task 1\" }]
        [inside]
        images = [1, 2]
        [mlp.training.validation]
        images = 10
        patience = 2
        [multitask]
        seeds = [1, 2]
        weightings = [
            { kind = \"fixed\", weights = [1.0, 0.5] },
            { kind = \"uncertainty\", learning_rate = 0.1 },
            { kind = \"grad-norm\", alpha = 1.5, learning_rate = 0.1 },
            { kind = \"pc-grad\" },
        ]
    ";
    let more: Value = toml::from_str(more).unwrap();
    merge(&mut study, more);
    let own = "
        [[data_set]]
        name = \"leaves\"
        source = \"photos\"
        size = [28, 28]
        channels = 1
        fit = \"pad\"
        test = 0.25
        seed = 3
        transposed = true
        [mlp]
        data = \"leaves\"
        [cnn]
        data = \"leaves\"
    ";
    merge(&mut study, toml::from_str(own).unwrap());
    let read = |text: &str| told(Study::from_toml("mine.toml", text));
    assert_eq!(read(&toml::to_string(&study).unwrap()), None);
    let refused = check_all(&study, read);
    assert!(refused > 3000, "{refused}");
}

fn merge(into: &mut Value, more: Value) {
    match (into, more) {
        (Value::Table(into), Value::Table(more)) => {
            for (key, value) in more {
                match into.get_mut(&key) {
                    Some(known) => merge(known, value),
                    None => {
                        into.insert(key, value);
                    }
                }
            }
        }
        (into, more) => *into = more,
    }
}

#[test]
fn every_wrong_value_of_a_network_is_named_too() {
    let text = MODELS.iter().find(|(name, _)| *name == "item-and-group").unwrap().1;
    let mut model: Value = toml::from_str(text).unwrap();
    let more = "
        trunk = [
            { layer = \"conv2d\", filters = 2, kernel_size = [3, 3], stride = [1, 1], padding = \"same\", initializer = \"he-uniform\" },
            { layer = \"batch-norm\", epsilon = 1e-5, momentum = 0.1 },
            { layer = \"dropout\", rate = 0.5 },
            { layer = \"max-pool\", pool_size = [2, 2], stride = [2, 2] },
            { layer = \"flatten\" },
        ]
    ";
    merge(&mut model, toml::from_str(more).unwrap());
    let read = |text: &str| match ModelSpec::from_toml("mine.toml", text) {
        Ok(_) => None,
        Err(error) => told::<(), _>(Err(error)),
    };
    let refused = check_all(&model, read);
    assert!(refused > 500, "{refused}");
}
