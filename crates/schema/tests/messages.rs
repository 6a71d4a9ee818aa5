//! What a person reads when a study file is wrong: file, line, key, what was expected, what was near.

use inkling_schema::{MODELS, ModelSpec, Study, preset};
use miette::Diagnostic;
use proptest::prelude::*;

/// The message and help for the `brief` preset with one text replaced by another.
fn refusal(from: &str, to: &str) -> (String, String) {
    let text = preset("brief").unwrap().to_toml();
    assert!(text.contains(from), "{from:?} is not in\n{text}");
    let error = Study::from_toml("mine.toml", &text.replacen(from, to, 1)).unwrap_err();
    (error.to_string(), error.help().map(|help| help.to_string()).unwrap_or_default())
}

#[test]
fn a_misspelt_key_is_told_the_nearest_one() {
    let (message, help) = refusal("learning_rate", "learning_rat");
    assert!(message.starts_with("mine.toml, line "), "{message}");
    assert!(message.contains("unknown key `learning_rat` in [perceptron]"), "{message}");
    assert!(help.contains("did you mean `learning_rate`?"), "{help}");
}

#[test]
fn a_misspelt_table_is_told_the_nearest_one() {
    let (message, help) = refusal("[perceptron]", "[percepton]");
    assert!(message.contains("unknown key `percepton` at the top level"), "{message}");
    assert!(help.contains("did you mean `perceptron`?"), "{help}");
}

#[test]
fn impossible_values_are_refused_with_what_was_expected() {
    for (from, to, words, expected) in [
        (
            "learning_rate = 0.1",
            "learning_rate = -0.1",
            "`-0.1`",
            "a finite number above 0 (32-bit arithmetic holds",
        ),
        ("learning_rate = 0.1", "learning_rate = nan", "`nan`", "a finite number above 0"),
        ("learning_rate = 0.1", "learning_rate = inf", "`inf`", "1.2e-38 to 3.4e38"),
        ("learning_rate = 0.1", "learning_rate = 1e39", "`1e39`", "1.2e-38 to 3.4e38"),
        ("learning_rate = 0.1", "learning_rate = 1e-39", "`1e-39`", "1.2e-38 to 3.4e38"),
        (
            "learning_rate = 0.1",
            "learning_rate = \"0.1\"",
            "the text `\"0.1\"`",
            "numbers stand without quotes",
        ),
        ("learning_rate = 0.1", "learning_rate = \"fast\"", "the text `\"fast\"`", "a finite number"),
        ("max_iterations = 1000", "max_iterations = 0", "`0`", "a whole number of at least 1"),
        ("max_iterations = 1000", "max_iterations = -3", "`-3`", "a whole number of at least 1, such as 50"),
        (
            "max_iterations = 1000",
            "max_iterations = 9223372036854775807",
            "`9223372036854775807`",
            "at most 4294967295",
        ),
        ("max_iterations = 1000", "max_iterations = 2.0", "`2.0`", "a whole number has no decimal point"),
        ("max_iterations = 1000", "max_iterations = 1e999", "`1e999`", "a whole number of at least 1"),
        ("tolerance = 0.001", "tolerance = 1e999", "`1e999`", "a share from 0"),
        ("classes = [2, 9]", "classes = [2, 9, 5]", "the list `[2, 9, 5]`", "a list of 2 entries"),
        ("classes = [2, 9]", "classes = [2, \"nine\"]", "`\"nine\"`", "from 0 to 255"),
        ("classes = [2, 9]", "classes = [2, 256]", "`inside.classes[1]` cannot be `256`", "from 0 to 255"),
        ("frames = 9", "frames = 1001", "`inside.dream.frames`", "from 2 to 1000"),
        ("decay = 1.0", "decay = 50.0", "`inside.dream.parametrisation.decay`", "from 0 to 10"),
        ("deviation = 0.5", "deviation = 1e38", "`inside.start.deviation`", "up to 1,000,000"),
        ("directions = 180", "directions = 9223372036854775807", "directions", "from 1 to 1000000"),
        ("tolerance = 0.001", "tolerance = 1.5", "`1.5`", "a share from 0 up to, not including, 1"),
        ("components = 200", "components = 1", "too few for a plane", "at least 2"),
        ("[2, 10", "[300, 10", "must be strictly increasing", "[2, 10, 50, 200]"),
        ("200]", "201]", "from 1 to 200", "`components`"),
        (
            "pictures = 10000",
            "pictures = 20001",
            "with 20001 pictures, the page would open too slowly",
            "up to 20000",
        ),
        ("seed = 1", "seed = -1", "`-1`", "a whole number from 0 to 2⁶⁴ − 1"),
        ("rule = \"online\"", "rule = \"onlin\"", "`onlin`", "did you mean `online`?"),
    ] {
        let (message, help) = refusal(from, to);
        assert!(message.contains(words), "{to}: {message}");
        assert!(help.contains(expected), "{to}: {help}");
    }
}

#[test]
fn impossible_training_is_refused_with_what_was_expected() {
    for (from, to, words, expected) in [
        ("epochs = 10", "epochs = 0", "`mlp.training.epochs`", "a whole number of at least 1"),
        ("batch_size = 50", "batch_size = -1", "`mlp.training.batch_size`", "a whole number of at least 1"),
        ("batch_size = 50", "batch_size = 60001", "larger than the 60000 images", "from 1 to 60000"),
        ("learning_rate = 0.001", "learning_rate = nan", "`nan`", "a finite number above 0"),
        ("learning_rate = 0.001", "learning_rate = -0.5", "`-0.5`", "a finite number above 0"),
        (
            "beta_1 = 0.9",
            "beta_1 = 1.0",
            "`mlp.training.optimizer.beta_1`",
            "a share from 0 up to, not including, 1",
        ),
        ("beta_2 = 0.999", "beta_2 = 0.99999999", "`mlp.training.optimizer.beta_2`", "at most 0.9999999"),
        ("epsilon = 0.00000001", "epsilon = 1e-50", "`mlp.training.optimizer.epsilon`", "at least 1.1e-19"),
        ("hidden = [1000, 1000]", "hidden = [1000, 0]", "`mlp.networks[0].hidden[1]`", "at least 1"),
        ("kind = \"constant\"", "kind = \"cosin\"", "`cosin`", "did you mean `cosine`?"),
        ("kind = \"adam\"", "kind = \"adan\"", "`adan`", "did you mean `adam`?"),
        ("log_every = 100", "log_every = 0", "`mlp.training.log_every`", "at least 1"),
        (
            "name = \"3 hidden\"",
            "name = \"2 hidden\"",
            "two networks are called `2 hidden`",
            "by their names",
        ),
    ] {
        let (message, help) = refusal(from, to);
        assert!(message.contains(words), "{to}: {message}");
        assert!(help.contains(expected), "{to}: {help}");
    }
    let text = preset("brief").unwrap().to_toml();
    let text = text.replacen(
        "[mlp.training.schedule]",
        "[mlp.training.validation]\nimages = 60000\n[mlp.training.schedule]",
        1,
    );
    let message = Study::from_toml("mine.toml", &text).unwrap_err().to_string();
    assert!(
        message.contains("`mlp.training.validation.images`: 60000 held-out images leave none"),
        "{message}"
    );
}

#[test]
fn impossible_task_6_is_refused_with_what_was_expected() {
    let weightings = |list: &str| format!("gradients_every = 500\nweightings = [{list}]\nseeds = [1, 2]");
    let fixed = |list: &str| weightings(&format!("{{ kind = \"fixed\", weights = {list} }}"));
    for (from, to, words, expected) in [
        ("lambdas = [0.0", "lambdas = [-0.1", "`multitask.lambdas[0]` cannot be `-0.1`", "from 0 to 1"),
        (
            "lambdas = [0.0",
            "lambdas = [1e-46",
            "`multitask.lambdas[0]` cannot be `1e-46`",
            "at least 1.2e-38",
        ),
        ("0.75, 1.0]", "0.75, 1.01]", "`multitask.lambdas[4]` cannot be `1.01`", "from 0 to 1"),
        ("0.75, 1.0]", "0.75, nan]", "`multitask.lambdas[4]` cannot be `nan`", "from 0 to 1"),
        ("0.75, 1.0]", "0.75, 0.6]", "the λ must be strictly increasing", "[0.0, 0.25, 0.5, 0.75, 1.0]"),
        ("0.75, 1.0]", "0.75, 0.75]", "the λ must be strictly increasing", "[0.0, 0.25, 0.5, 0.75, 1.0]"),
        ("classes = [5, 7, 9]", "classes = []", "the group `shoes` has no classes", "leave it out"),
        (
            "classes = [5, 7, 9]",
            "classes = [5, 7, 9, 3]",
            "class 3 is in `shoes` and in `gendered`",
            "in one group",
        ),
        ("classes = [5, 7, 9]", "classes = [5, 7, 9, 9]", "class 9 is in `shoes` twice", "in one group"),
        ("classes = [5, 7, 9]", "classes = [5, 7, 256]", "`256`", "a whole number from 0 to 255"),
        ("name = \"shoes\"", "name = \"unisex\"", "two groups are called `unisex`", "by their names"),
        ("gradients_every = 500", "gradients_every = 0", "`multitask.gradients_every`", "at least 1"),
        (
            "gradients_every = 500",
            &fixed("[1.0, -1.0]"),
            "`multitask.weightings[0].weights[1]` cannot be `-1.0`",
            "a finite number of at least 0",
        ),
        ("gradients_every = 500", &fixed("[1.0]"), "not the weights of two losses", "a list of two numbers"),
        ("gradients_every = 500", &fixed("[0.0, 0.0]"), "nothing is trained", "at least one above 0"),
        // Too small for the precision of weights.
        ("gradients_every = 500", &fixed("[1e-60, 0.0]"), "`1e-60`", "1.2e-38 to 3.4e38"),
        ("gradients_every = 500", &fixed("[1e39, 0.0]"), "`1e39`", "1.2e-38 to 3.4e38"),
        (
            "gradients_every = 500",
            &weightings("{ kind = \"pc-grad\" }, { kind = \"pc-grad\" }"),
            "two weightings are called `PCGrad`",
            "by their names",
        ),
        (
            "gradients_every = 500",
            &weightings("{ kind = \"pcgrad\" }"),
            "`pcgrad`",
            "did you mean `pc-grad`?",
        ),
        (
            "gradients_every = 500",
            &weightings("{ kind = \"uncertainty\", learning_rate = 0.0 }"),
            "`multitask.weightings[0].learning_rate` cannot be `0.0`",
            "a finite number above 0",
        ),
        (
            "gradients_every = 500",
            &weightings("{ kind = \"grad-norm\", alpha = -1.0, learning_rate = 0.1 }"),
            "`multitask.weightings[0].alpha` cannot be `-1.0`",
            "a finite number of at least 0",
        ),
        (
            "gradients_every = 500",
            "gradients_every = 500\nseeds = [1]",
            "seeds without weightings",
            "both lists",
        ),
        (
            "gradients_every = 500",
            "gradients_every = 500\nweightings = [{ kind = \"pc-grad\" }]\nseeds = [4, 4]",
            "the seed 4 appears twice",
            "that differ",
        ),
    ] {
        let (message, help) = refusal(from, to);
        assert!(message.contains(words), "{to}: {message}");
        assert!(help.contains(expected), "{to}: {help}");
    }
}

#[test]
fn the_line_is_that_of_the_value() {
    let text = preset("brief").unwrap().to_toml().replace("tolerance = 0.001", "tolerance = 7");
    let line = text.lines().position(|line| line.starts_with("tolerance")).unwrap() + 1;
    let message = Study::from_toml("mine.toml", &text).unwrap_err().to_string();
    assert!(message.contains(&format!("mine.toml, line {line}: `perceptron.tolerance`")), "{message}");
}

#[test]
fn a_missing_key_is_named_with_its_table() {
    let (message, help) = refusal("tolerance = 0.001", "");
    assert!(message.contains("the key `tolerance` is missing in [perceptron]"), "{message}");
    assert!(help.contains("expected here: a share from 0 up to"), "{help}");
    let (message, help) = refusal("[data]\ntrain_images = 60000\ntest_images = 10000\n", "");
    assert!(message.contains("the key `data` is missing at the top level"), "{message}");
    assert!(help.contains("expected here: a table, such as { train_images = …, test_images = … }"), "{help}");
    // Also of keys that no preset has.
    for (from, to, key, expected) in [
        ("kind = \"constant\"", "kind = \"cosine\"", "last", "a share from 0"),
        ("kind = \"constant\"", "kind = \"step\"", "every", "a whole number of at least 1"),
        ("optimizer.kind = \"adam\"", "optimizer.kind = \"sgd\"", "momentum", "a share"),
    ] {
        let text = preset("brief").unwrap().to_toml();
        if !text.contains(from) {
            continue;
        }
        let (message, help) = refusal(from, to);
        assert!(message.contains(&format!("the key `{key}` is missing in [")), "{message}");
        assert!(help.contains(&format!("expected here: {expected}")), "{help}");
    }
}

#[test]
fn a_table_of_a_kind_is_told_the_kinds_of_its_place() {
    let text = preset("brief").unwrap().to_toml();
    let start = text.find("[mlp.training.optimizer]").unwrap();
    let end = start + text[start..].find("\n\n").unwrap();
    for (from, to, words) in [
        (&text[start..end], "[mlp.training]\noptimizer = \"adam\"", "{ kind = \"adam\", … }"),
        ("[mlp.training.schedule]\nkind = \"constant\"\n", "", "{ kind = \"constant\" }"),
    ] {
        let changed = text.replacen(from, "", 1).replacen("[mlp.training]\n", &format!("{to}\n"), 1);
        let changed = if to.is_empty() { text.replacen(from, "", 1) } else { changed };
        let error = Study::from_toml("mine.toml", &changed).unwrap_err();
        let help = error.help().unwrap().to_string();
        assert!(help.contains(&format!("a table with a `kind`, such as {words}")), "{error}\n{help}");
    }
}

#[test]
fn a_key_that_lacks_within_a_table_with_a_kind_is_named_where_it_lacks() {
    let start = |words: &str| {
        let text = preset("brief").unwrap().to_toml();
        let mut study: toml::Table = text.parse().unwrap();
        study["inside"].as_table_mut().unwrap().remove("start");
        let rest = toml::to_string(&study).unwrap();
        let text = rest.replacen("[inside]", &format!("[inside]\nstart = {words}"), 1);
        Study::from_toml("mine.toml", &text).unwrap_err().to_string()
    };
    for (words, missing) in [
        (
            "{ kind = \"image\", image = { set = \"test\", index = 3 } }",
            "`kind` is missing in [inside.start.image]",
        ),
        (
            "{ kind = \"image\", image = { kind = \"typical\" } }",
            "`class` is missing in [inside.start.image]",
        ),
        ("{ kind = \"image\" }", "`image` is missing in [inside.start]"),
        ("{ kind = \"noise\", level = 0.5 }", "`deviation` is missing in [inside.start]"),
        ("{ level = 0.5 }", "`kind` is missing in [inside.start]"),
    ] {
        let message = start(words);
        assert!(message.contains(missing), "{words}: {message}");
    }
}

#[test]
fn a_mark_stands_under_the_key_that_is_unknown() {
    let text = preset("brief").unwrap().to_toml().replace("max_iterations", "foo=1\nmax_iterations");
    let error = Study::from_toml("mine.toml", &text).unwrap_err();
    let label = error.labels().unwrap().next().unwrap();
    assert_eq!(&text[label.offset()..label.offset() + label.len()], "foo");
}

#[test]
fn a_value_of_another_kind_is_told_what_belongs_there() {
    let report = |line: &str| {
        let text = format!("{}\n[report]\n{line}\n", preset("brief").unwrap().to_toml());
        Study::from_toml("mine.toml", &text).unwrap_err().help().unwrap().to_string()
    };
    let authors = report("authors = [\"Ada\"]");
    assert!(authors.contains("a table, such as { name = …, contribution = … }"), "{authors}");
    assert!(!authors.contains("kind"), "{authors}");
    let group = report("group = \"7\"");
    assert!(group.contains("without quotes") && !group.contains("decimal point"), "{group}");
    let (_, validation) = refusal("[mlp.training]", "[mlp.training]\nvalidation = 5000");
    assert!(validation.contains("{ images = …") && !validation.contains("kind"), "{validation}");
}

#[test]
fn slips_in_writing_toml_are_named_in_plain_words() {
    for (from, to, words, expected) in [
        (
            "learning_rate = 0.1",
            "learning_rate = 0,1",
            "`learning_rate`: `0,1` has a decimal comma",
            "learning_rate = 0.1",
        ),
        ("learning_rate = 0.1", "learning_rate = 0,1 # slow", "has a decimal comma", "learning_rate = 0.1"),
        ("learning_rate = 0.1", "learning_rate = .1", "`.1` lacks a digit", "write learning_rate = 0.1"),
        ("learning_rate = 0.1", "learning_rate = 1.", "`1.` lacks a digit", "write learning_rate = 1.0"),
        (
            "max_iterations = 1000",
            "max_iterations = 1 000",
            "the number `1 000` holds separators",
            "max_iterations = 1000",
        ),
        ("rule = \"online\"", "rule = online", "neither a number nor a text in quotes", "rule = \"online\""),
        ("rule = \"online\"", "rule = True", "neither a number nor a text in quotes", "write rule = true"),
        ("rule = \"online\"", "rule = \"online", "a quotation mark is missing", "rule = \"online\""),
        ("rule = \"online\"", "rule = online\"", "a quotation mark is missing", "write rule = \"online\""),
        (
            "rule = \"online\"",
            "rule = \u{201c}online\u{201d}",
            "the quotation marks are typographic",
            "straight quotation marks",
        ),
        (
            "rule = \"online\"",
            "rule = \"online\"\nrule = \"batch\"",
            "`rule` appears twice",
            "keep one of the two",
        ),
        ("[pca]", "[pca]\n[pca]", "appears twice", "double brackets"),
        ("[[mlp.networks]]", "[mlp.networks]", "appears twice", "[[mlp.networks]]"),
    ] {
        let (message, help) = refusal(from, to);
        assert!(message.starts_with("mine.toml, line ") && message.contains(words), "{to}: {message}");
        assert!(help.contains(expected), "{to}: {help}");
    }
    let text = preset("brief").unwrap().to_toml();
    let line = text.lines().position(|line| line == "rule = \"online\"").unwrap() + 1;
    for wrong in ["rule = \"online", "rule = online", "rule ="] {
        let message = refusal("rule = \"online\"", wrong).0;
        assert!(message.starts_with(&format!("mine.toml, line {line}: ")), "{wrong}: {message}");
    }
}

#[test]
fn a_single_table_where_a_list_of_tables_belongs_is_told_the_double_brackets() {
    let text = preset("brief").unwrap().to_toml();
    let first = text.find("[[mlp.networks]]").unwrap();
    let second = first + 2 + text[first + 2..].find("[[mlp.networks]]").unwrap();
    let last = first + text[first..].find("\n[cnn]").unwrap();
    let single =
        format!("{}{}", &text[..second].replace("[[mlp.networks]]", "[mlp.networks]"), &text[last..]);
    let error = Study::from_toml("mine.toml", &single).unwrap_err();
    assert!(error.to_string().contains("`mlp.networks` cannot be a table"), "{error}");
    assert!(error.help().unwrap().to_string().contains("double brackets, such as [[mlp.networks]]"));
}

#[test]
fn names_that_cannot_be_seen_or_told_apart_are_refused() {
    for (from, to, words, expected) in [
        (
            "name = \"3 hidden\"",
            "name = \"2 Hidden \"",
            "called nearly alike, `2 hidden` and `2 Hidden `",
            "by their names",
        ),
        (
            "name = \"3 hidden\"",
            "name = \"\"",
            "`mlp.networks[1].name`: a network has no name",
            "can be seen",
        ),
        ("name = \"3 hidden\"", "name = \"a\\nb\"", "it holds a line break", "in one line"),
        ("name = \"3 hidden\"", "name = \"a\\u202Eb\"", "U+202E", "in one line"),
        (
            "why = \"the brief's network\"",
            "why = \"a\\u0007\"",
            "`mlp.networks[0].why`: it holds the character U+0007",
            "punctuation",
        ),
        (
            "name = \"gendered\"",
            "name = \"SHOES\"",
            "`multitask.groups[1].name`: two groups are called nearly alike",
            "by their names",
        ),
        (
            "name = \"gendered\"",
            "name = \" \"",
            "`multitask.groups[1].name`: a group has no name",
            "can be seen",
        ),
    ] {
        let (message, help) = refusal(from, to);
        assert!(message.contains(words), "{to}: {message}");
        assert!(help.contains(expected), "{to}: {help}");
    }
    let long = format!("name = \"{}\"", "long ".repeat(20));
    assert!(refusal("name = \"3 hidden\"", &long).0.contains("100 characters"));
}

#[test]
fn validation_images_are_held_out_or_the_sets_own() {
    let mut study = preset("smoke").unwrap();
    let mut refused = |images: usize, own: bool| {
        let training = &mut study.mlp.as_mut().unwrap().training;
        training.validation = Some(inkling_schema::ValidationSpec { images, own, patience: None });
        Study::from_toml("mine.toml", &study.to_toml()).err().map(|error| error.to_string())
    };
    assert_eq!((refused(100, false), refused(0, true)), (None, None));
    assert!(refused(100, true).unwrap().contains("own validation images are used"));
    assert!(refused(0, false).unwrap().contains("there are no validation images"));
}

#[test]
fn any_seed_survives_printing() {
    let mut study = preset("brief").unwrap();
    for seed in [0, 1, 1 << 53, (1 << 53) + 1, i64::MAX as u64, i64::MAX as u64 + 1, u64::MAX] {
        study.set_seeds(&[seed]);
        study.inside.as_mut().unwrap().judge.as_mut().unwrap().seed = seed;
        let task = study.multitask.as_mut().unwrap();
        (task.seeds, task.weightings) = (vec![seed], vec![inkling_schema::Weighting::PcGrad]);
        let text = study.to_toml();
        assert_eq!(Study::from_toml("printed", &text).unwrap(), study, "{seed}");
        // TOML's whole numbers end at 2⁶³ − 1 for most readers.
        assert_eq!(text.contains(&format!("seed = \"{seed}\"")), seed > i64::MAX as u64, "{text}");
        assert_eq!(serde_json::from_str::<Study>(&serde_json::to_string(&study).unwrap()).unwrap(), study);
    }
    let plain =
        study.to_toml().replacen(&format!("seed = \"{}\"", u64::MAX), &format!("seed = {}", u64::MAX), 1);
    assert_eq!(Study::from_toml("plain", &plain).unwrap(), study);
    for wrong in ["\"1e3\"", "18446744073709551616", "\"-1\"", "1.0", "\"\""] {
        let (message, help) = refusal("seed = 1", &format!("seed = {wrong}"));
        assert!(
            message.contains("`seed` cannot be") && help.contains("from 0 to 2⁶⁴ − 1"),
            "{message}: {help}"
        );
    }
}

#[test]
fn broken_toml_says_where() {
    let (message, _) = refusal("seed = 1", "seed = = 1");
    assert!(
        message.contains("mine.toml, line 1: `seed`: its value follows more than an equals sign"),
        "{message}"
    );
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in "\\PC*") {
        let _ = Study::from_toml("any.toml", &text);
    }

    #[test]
    fn arbitrary_changes_to_a_study_never_panic(place in 0usize..400, text in "\\PC{0,12}") {
        let mut study = preset("brief").unwrap().to_toml();
        let place = place.min(study.len());
        study.insert_str(place, &text);
        let _ = Study::from_toml("any.toml", &study);
    }
}

#[test]
fn a_study_says_who_hands_it_in_or_says_nothing() {
    let text = preset("brief").unwrap().to_toml();
    assert_eq!(Study::from_toml("mine.toml", &text).unwrap().report, None);
    let signed = format!(
        "{text}\n[report]\ngroup = 7\n[[report.authors]]\nname = \"Ada\"\ncontribution = \"Task 1\"\n[[report.authors]]\nname = \"Bo\"\n"
    );
    let study = Study::from_toml("mine.toml", &signed).unwrap();
    let report = study.report.clone().unwrap();
    assert_eq!(report.group, Some(7));
    let authors: Vec<_> =
        report.authors.iter().map(|author| (author.name.as_str(), author.contribution.as_deref())).collect();
    assert_eq!(authors, [("Ada", Some("Task 1")), ("Bo", None)]);
    assert_eq!(Study::from_toml("mine.toml", &study.to_toml()).unwrap(), study);
    for (from, to, words) in [
        ("\"Bo\"", "\" \"", "`report.authors[1].name`: an author has no name"),
        ("group = 7", "group = -7", "`report.group`"),
        ("group = 7", "grup = 7", "unknown key `grup` in [report]"),
    ] {
        let message = Study::from_toml("mine.toml", &signed.replace(from, to)).unwrap_err().to_string();
        assert!(message.contains(words), "{to}: {message}");
    }
}

#[test]
fn a_key_of_version_0_1_is_refused_with_its_new_name() {
    for (from, to, old, new) in [
        ("batch_size = 50", "batch = 50", "batch", "batch_size"),
        ("[mlp.initializer]", "[mlp.initial]", "initial", "initializer"),
        ("[cnn.initializer]", "[cnn.initial]", "initial", "initializer"),
    ] {
        let (message, help) = refusal(from, to);
        assert!(message.contains(&format!("unknown key `{old}` in [")), "{message}");
        assert!(help.starts_with(&format!("`{old}` is called `{new}` since version 0.2")), "{help}");
    }
    for (name, text) in MODELS {
        for (old, new) in [("initial", "initializer"), ("kernel", "kernel_size"), ("size", "pool_size")] {
            // One place is enough: the first that is wrong is told.
            if let Some(place) = text.find(&format!(" {new} = ")) {
                let mut changed = text.to_owned();
                changed.replace_range(place + 1..place + 1 + new.len(), old);
                let error = ModelSpec::from_toml(name, &changed).unwrap_err();
                assert!(error.to_string().contains(&format!("unknown key `{old}` in `")), "{error}");
                let help = error.help().unwrap().to_string();
                assert!(help.starts_with(&format!("`{old}` is called `{new}` since version 0.2")), "{help}");
            }
        }
    }
}

#[test]
fn models_of_version_0_1_are_read() {
    for (name, text) in MODELS.into_iter().take(4) {
        let spec = ModelSpec::from_toml(name, text).unwrap();
        let json = serde_json::to_string(&spec).unwrap();
        let old = json
            .replace("initializer", "initial")
            .replace("kernel_size", "kernel")
            .replace("pool_size", "size");
        assert_ne!(json, old);
        assert_eq!(serde_json::from_str::<ModelSpec>(&old).unwrap(), spec, "{name}");
    }
}

#[test]
fn data_sets_of_ones_own_that_cannot_be() {
    let smoke = preset("smoke").unwrap().to_toml();
    let with = |sets: &str, from: &str, to: &str| {
        let text = format!("{}\n{sets}", smoke.replacen(from, to, 1));
        let error = Study::from_toml("mine.toml", &text).expect_err(sets);
        format!("{error} {}", error.help().map(|help| help.to_string()).unwrap_or_default())
    };
    let set =
        |name: &str, more: &str| format!("[[data_set]]\nname = \"{name}\"\nsource = \"photos\"\n{more}\n");
    let mlp = ("[mlp]\ndata = \"mnist\"", "[mlp]\ndata = \"leaves\"");
    for (told, words) in [
        (with(&set("../leaves", ""), mlp.0, mlp.1), "`../leaves` is no name for a data set"),
        (with(&(set("leaves", "") + &set("leaves", "")), mlp.0, mlp.1), "two data sets of the name `leaves`"),
        (with(&set("leaves", "channels = 2"), mlp.0, mlp.1), "images have 1 channel or 3"),
        (with(&set("leaves", ""), "", ""), "no task uses the data set `leaves`"),
        (with(&set("leaves", "test = 1.5"), mlp.0, mlp.1), "a share above 0 and below 1"),
        (with(&set("leaves", "size = [0, 28]"), mlp.0, mlp.1), "data_set[0].size"),
    ] {
        assert!(told.contains(words), "expected `{words}` in: {told}");
    }
}

#[test]
fn a_study_has_one_seed_or_several_that_differ() {
    let text = preset("brief").unwrap().to_toml();
    let with = |seeds: &str| Study::from_toml("mine.toml", &text.replacen("seed = 1\n", seeds, 1));
    let several = with("seeds = [3, 1, \"18446744073709551615\"]\n").unwrap();
    assert_eq!((several.all_seeds(), several.first_seed()), (vec![3, 1, u64::MAX], 3));
    assert_eq!(Study::from_toml("again", &several.to_toml()).unwrap(), several);
    // A list of one is one seed.
    assert_eq!(with("seeds = [4]\n").unwrap().all_seeds(), [4]);
    let hundred: Vec<String> = (0..101).map(|seed: u64| seed.to_string()).collect();
    for (seeds, message, help) in [
        ("", "the study has no seed", "seeds = [1, 2, 3, 4, 5]"),
        ("seeds = []\n", "the study has no seed", "seed = 1"),
        ("seed = 1\nseeds = [2, 3]\n", "the study has `seed` and `seeds`", "leave one of the two out"),
        ("seeds = [1, 2, 1]\n", "the seed 1 is there twice", "they must differ"),
        (&format!("seeds = [{}]\n", hundred.join(", ")), "101 seeds", "at most 100"),
    ] {
        let error = with(seeds).unwrap_err();
        let helped = error.help().map(|help| help.to_string()).unwrap_or_default();
        assert!(error.to_string().contains(message) && helped.contains(help), "{seeds}: {error}: {helped}");
    }
    let error = with("seeds = [1, -2]\n").unwrap_err().to_string();
    assert!(error.contains("seeds") && error.contains("-2"), "{error}");
}

#[test]
fn a_judge_is_never_the_network_that_it_judges() {
    let mut study = preset("brief").unwrap();
    let judge = |study: &Study| study.inside.clone().unwrap().judge.unwrap().seed;
    assert_eq!(judge(&study), 2);
    study.set_seeds(&[2, 3]);
    assert_eq!((judge(&study), study.seed), (3, None));
    study.set_seeds(&[9]);
    assert_eq!((judge(&study), study.seed), (3, Some(9)));
}
