//! What a person reads when a study file is wrong: file, line, key, what was expected, what was near.

use inkling_spec::{Study, preset};
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
        ("learning_rate = 0.1", "learning_rate = -0.1", "`-0.1`", "a finite number above 0"),
        ("learning_rate = 0.1", "learning_rate = nan", "NaN", "a finite number above 0"),
        ("learning_rate = 0.1", "learning_rate = inf", "inf", "a finite number above 0"),
        ("learning_rate = 0.1", "learning_rate = \"fast\"", "string \"fast\"", "a number"),
        ("max_iterations = 1000", "max_iterations = 0", "`0`", "a whole number of at least 1"),
        ("max_iterations = 1000", "max_iterations = -3", "`-3`", "a whole number of at least 1"),
        ("tolerance = 0.001", "tolerance = 1.5", "`1.5`", "a share from 0 up to, not including, 1"),
        ("components = 200", "components = 1", "too few for a plane", "at least 2"),
        ("[2, 10", "[300, 10", "must rise", "[2, 10, 50, 200]"),
        ("200]", "201]", "from 1 to 200", "`components`"),
        (
            "pictures = 10000",
            "pictures = 20001",
            "20001 pictures are more than a page can hold",
            "up to 20000",
        ),
        ("seed = 1", "seed = -1", "integer `-1`", "a whole number of at least 0"),
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
        ("batch = 50", "batch = -1", "`mlp.training.batch`", "a whole number of at least 1"),
        ("batch = 50", "batch = 60001", "larger than the 60000 images", "from 1 to 60000"),
        ("learning_rate = 0.001", "learning_rate = nan", "NaN", "a finite number above 0"),
        ("learning_rate = 0.001", "learning_rate = -0.5", "`-0.5`", "a finite number above 0"),
        (
            "beta_1 = 0.9",
            "beta_1 = 1.0",
            "`mlp.training.optimizer`",
            "a share from 0 up to, not including, 1",
        ),
        ("kind = \"constant\"", "kind = \"cosin\"", "`cosin`", "did you mean `cosine`?"),
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
        message.contains("`mlp.training.validation.images`: 60000 images held out leave none"),
        "{message}"
    );
}

#[test]
fn impossible_task_6_is_refused_with_what_was_expected() {
    let weightings = |list: &str| format!("gradients_every = 500\nweightings = [{list}]\nseeds = [1, 2]");
    let fixed = |list: &str| weightings(&format!("{{ kind = \"fixed\", weights = {list} }}"));
    for (from, to, words, expected) in [
        ("lambdas = [0.0", "lambdas = [-0.1", "`multitask.lambdas`: λ = -0.1 is no share", "from 0 to 1"),
        ("0.75, 1.0]", "0.75, 1.01]", "`multitask.lambdas`: λ = 1.01 is no share", "from 0 to 1"),
        ("0.75, 1.0]", "0.75, nan]", "λ = NaN is no share", "from 0 to 1"),
        ("0.75, 1.0]", "0.75, 0.6]", "the λ must rise", "[0.0, 0.25, 0.5, 0.75, 1.0]"),
        ("0.75, 1.0]", "0.75, 0.75]", "none may come twice", "[0.0, 0.25, 0.5, 0.75, 1.0]"),
        ("classes = [5, 7, 9]", "classes = []", "the group `shoes` has no classes", "leave it out"),
        (
            "classes = [5, 7, 9]",
            "classes = [5, 7, 9, 3]",
            "class 3 is in `shoes` and in `gendered`",
            "in one group",
        ),
        ("classes = [5, 7, 9]", "classes = [5, 7, 9, 9]", "class 9 is in `shoes` twice", "in one group"),
        ("classes = [5, 7, 9]", "classes = [5, 7, 256]", "`256`", "a whole number of at least 0"),
        ("name = \"shoes\"", "name = \"unisex\"", "two groups are called `unisex`", "by their names"),
        ("gradients_every = 500", "gradients_every = 0", "`multitask.gradients_every`", "at least 1"),
        ("gradients_every = 500", &fixed("[1.0, -1.0]"), "no weights of two losses", "two finite numbers"),
        ("gradients_every = 500", &fixed("[1.0]"), "no weights of two losses", "two finite numbers"),
        ("gradients_every = 500", &fixed("[0.0, 0.0]"), "nothing is trained", "at least one above 0"),
        // Too small for the precision of weights.
        ("gradients_every = 500", &fixed("[1e-60, 0.0]"), "nothing is trained", "at least one above 0"),
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
            "`0.0`",
            "a finite number above 0",
        ),
        (
            "gradients_every = 500",
            &weightings("{ kind = \"grad-norm\", alpha = -1.0, learning_rate = 0.1 }"),
            "`-1.0`",
            "a finite number of at least 0",
        ),
        ("gradients_every = 500", "gradients_every = 500\nseeds = [1]", "without weightings", "both lists"),
        (
            "gradients_every = 500",
            "gradients_every = 500\nweightings = [{ kind = \"pc-grad\" }]\nseeds = [4, 4]",
            "the seed 4 comes twice",
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
    assert!(help.contains("--print-spec"), "{help}");
}

#[test]
fn broken_toml_says_where() {
    let (message, _) = refusal("seed = 1", "seed = = 1");
    assert!(message.contains("mine.toml, line 1: this is not TOML"), "{message}");
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
        ("\"Bo\"", "\" \"", "`report.authors.1.name`: an author has no name"),
        ("group = 7", "group = -7", "`report.group`"),
        ("group = 7", "grup = 7", "unknown key `grup` in [report]"),
    ] {
        let message = Study::from_toml("mine.toml", &signed.replace(from, to)).unwrap_err().to_string();
        assert!(message.contains(words), "{to}: {message}");
    }
}
