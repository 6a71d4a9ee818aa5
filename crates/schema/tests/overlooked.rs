//! What a reader of TOML may pass by in silence: keys where a kind has none, lists and double brackets for single tables.

use inkling_schema::{ModelSpec, Study, preset};
use miette::Diagnostic;

/// Message and help for the `brief` preset with a text replaced by another, or for a text after it.
#[track_caller]
fn refusal(from: &str, to: &str) -> (String, String) {
    let text = preset("brief").unwrap().to_toml();
    assert!(text.contains(from), "{from:?} is not in\n{text}");
    let error = Study::from_toml("mine.toml", &text.replacen(from, to, 1)).expect_err(to);
    (error.to_string(), error.help().map(|help| help.to_string()).unwrap_or_default())
}

/// The same of a network file.
#[track_caller]
fn refused_network(trunk: &str) -> (String, String) {
    let text = format!(
        "input = [28, 28, 1]\ntrunk = [{trunk}]\nheads = [{{ name = \"class\", layers = [{{ layer = \"dense\", units = 10, \
         initializer = \"he-uniform\" }}] }}]\n"
    );
    let error = ModelSpec::from_toml("net.toml", &text).expect_err(trunk);
    (error.to_string(), error.help().map(|help| help.to_string()).unwrap_or_default())
}

#[test]
fn a_key_where_a_kind_has_none_is_refused_like_any_other() {
    for (from, to, words, keys) in [
        (
            "kind = \"constant\"",
            "kind = \"constant\"\nlast = 0.5",
            "unknown key `last` in [mlp.training.schedule]",
            "the keys here are `kind`",
        ),
        (
            "kind = \"constant\"",
            "knd = 1\nkind = \"constant\"",
            "unknown key `knd` in",
            "did you mean `kind`?",
        ),
        (
            "gradients_every = 500",
            "gradients_every = 500\nseeds = [1]\nweightings = [{ kind = \"pc-grad\", learning_rate = 0.1 }]",
            "unknown key `learning_rate` in `multitask.weightings[0]`",
            "the keys here are `kind`",
        ),
    ] {
        let (message, help) = refusal(from, to);
        assert!(message.contains(words) && help.contains(keys), "{message}\n{help}");
    }
    for (trunk, words, keys) in [
        ("{ layer = \"relu\", slope = 0.1 }", "unknown key `slope` in `trunk[0]`", "`layer`"),
        ("{ layer = \"flatten\", units = 3 }", "unknown key `units` in `trunk[0]`", "`layer`"),
        (
            "{ layer = \"relu\" }, { layer = \"flatten\", \"\" = 1 }",
            "unknown key `` in `trunk[1]`",
            "`layer`",
        ),
        ("{ layer = \"dropout\", rate = 0.5, p = 0.1 }", "unknown key `p` in `trunk[0]`", "`rate`"),
    ] {
        let (message, help) = refused_network(trunk);
        assert!(message.contains(words) && help.contains(keys), "{message}\n{help}");
    }
}

#[test]
fn a_list_is_no_table() {
    for (from, to, key, help_words) in [
        (
            "[data]\ntrain_images = 60000\ntest_images = 10000\n",
            "data = [3000, 1000, 7]\n",
            "`data`",
            "train_images",
        ),
        (
            "[data]\ntrain_images = 60000\ntest_images = 10000\n",
            "data = [3000, 1000]\n",
            "`data`",
            "test_images",
        ),
        (
            "[mlp.training.schedule]\nkind = \"constant\"\n",
            "[mlp.training.schedule]\nkind = [\"constant\"]\n",
            "`mlp.training.schedule.kind`",
            "one of",
        ),
    ] {
        let (message, help) = refusal(from, to);
        assert!(message.contains(&format!("{key} cannot be the list")), "{message}\n{help}");
        assert!(help.contains(help_words), "{message}\n{help}");
    }
    let (message, help) = refused_network("[\"dense\", 10, \"he-uniform\"]");
    assert!(
        message.contains("`trunk[0]` cannot be the list") && help.contains("a table"),
        "{message}\n{help}"
    );
    let printed = preset("brief").unwrap().to_toml();
    let authors = format!("{printed}\n[report]\nauthors = [[\"A\", \"did it\"]]\n");
    let error = Study::from_toml("mine.toml", &authors).unwrap_err().to_string();
    assert!(error.contains("`report.authors[0]` cannot be the list"), "{error}");
}

#[test]
fn a_single_table_in_double_brackets_is_told_as_such() {
    for header in [
        "[data]",
        "[pca]",
        "[perceptron]",
        "[mlp]",
        "[mlp.training]",
        "[mlp.training.schedule]",
        "[mlp.training.optimizer]",
        "[cnn.initializer]",
        "[multitask.network]",
        "[inside.dream.ascent]",
    ] {
        let text = preset("brief").unwrap().to_toml();
        if !text.contains(&format!("\n{header}\n")) {
            assert!(header.contains("ascent"), "no {header} in {text}");
            continue;
        }
        let (message, help) = refusal(&format!("\n{header}\n"), &format!("\n[{header}]\n"));
        let key = header.trim_matches(['[', ']']);
        assert!(
            message.contains(&format!("`{key}` cannot be a list of tables")),
            "{header}: {message}\n{help}"
        );
        assert!(
            help.contains("a single table has a header in single brackets"),
            "{header}: {message}\n{help}"
        );
    }
}

#[test]
fn what_is_read_whole_is_overlooked_nowhere() {
    for name in ["smoke", "quick", "brief"] {
        let study = preset(name).unwrap();
        assert_eq!(Study::from_toml("printed", &study.to_toml()).unwrap(), study, "{name}");
    }
}

#[test]
fn the_whole_range_of_a_number_is_told() {
    let printed = preset("brief").unwrap().to_toml();
    let study = |more: &str| {
        let error = Study::from_toml("mine.toml", &format!("{printed}\n{more}\n")).expect_err(more);
        error.help().map(|help| help.to_string()).unwrap_or_default()
    };
    for group in ["4294967296", "-1", "99999999999999999999999"] {
        let help = study(&format!("[report]\ngroup = {group}"));
        assert!(help.contains("from 0 to 4294967295"), "{group}: {help}");
    }
    for filters in ["99999999999999999999999", "-1"] {
        let trunk = format!(
            "{{ layer = \"conv2d\", filters = {filters}, kernel_size = [2, 2], stride = [1, 1], padding = \"same\", initializer = \
             \"he-uniform\" }}, {{ layer = \"flatten\" }}"
        );
        let (message, help) = refused_network(&trunk);
        assert!(help.contains("a whole number "), "{filters}: {message}\n{help}");
    }
}

#[test]
fn slips_are_told_in_words_and_never_in_the_parsers() {
    let printed = preset("brief").unwrap().to_toml();
    let said = |slip: &str| {
        let error = Study::from_toml("mine.toml", &printed.replacen("seed = 1", slip, 1)).expect_err(slip);
        format!("{error}; {}", error.help().map(|help| help.to_string()).unwrap_or_default())
    };
    for (slip, words) in [
        ("seed = 0.1f", "numbers stand alone, without unit or letter: write seed = 0.1"),
        ("seed = 3000images", "write seed = 3000"),
        ("seed = 1 images", "write seed = 1"),
        ("seed = 1e", "`1e` lacks the digits of its exponent"),
        ("seed = 1e+", "`1e+` lacks the digits of its exponent"),
        ("seed = 1_", "an underscore that is not between two digits"),
        ("seed = 1.2.3", "`1.2.3` is not a value"),
        ("seed = --1", "more than one sign"),
        ("seed = 01", "write seed = 1"),
        ("seed = -01", "write seed = -1"),
        ("seed = $5", "`$5` is not a value"),
        ("seed = ½", "`½` is not a value"),
        ("seed = 0xg", "`0xg` is not a value"),
        ("seed = 10%", "write seed = 0.1"),
        ("seed = 1/10", "write seed = 0.1"),
        ("seed = 10^-3", "would have to be computed"),
        ("seed = \u{2212}1", "write seed = -1"),
        ("seed = 1e\u{2212}3", "write seed = 1e-3"),
        ("seed = 1;", "a semicolon ends the line"),
        ("seed = 1 // one", "a comment begins with a number sign, `#`"),
        ("seed = 0.1 0.2", "write seed = [0.1, 0.2]"),
        ("seed = 1.000,5", "write seed = 1000.5"),
        ("seed = [1 2]", "write seed = [1, 2]"),
        ("seed = [1, 2", "the list that begins here is not closed"),
        ("seed = [1, 2\nx = 3", "the list that begins here is not closed"),
        ("seed = [\n1,\n2\nx = 3", "the list that begins here is not closed"),
        ("seed = {a = 1 b = 2}", "a comma stands between two of its `key = value`"),
        ("seed = (1, 2)", "write seed = [1, 2]"),
        ("seed = \"\"\"a", "the text that begins with `\"\"\"` is not closed"),
        ("seed = \"C:\\Users\"", "write seed = 'C:\\Users'"),
        ("seed = \"a\" \"b\"", "more than one text"),
        ("seed = None", "TOML has no empty value"),
        ("seed = NaN", "every number of a study is finite"),
        ("seed = 1, batch = 2", "each `key = value` has a line of its own"),
        ("seed =", "`seed` has no value"),
        ("seed = # one", "`seed` has no value"),
        ("seed", "`seed` has no value"),
        ("seed: 1", "write seed = 1"),
        ("seed 1", "`seed` lacks its equals sign; write seed = 1"),
        ("seed := 1", "write seed = 1"),
        ("seed == 1", "write seed = 1"),
        ("seed => 1", "write seed = 1"),
        ("my seed = 1", "`my seed` is not a key"),
        ("größe = 1", "`größe` is not a key"),
        ("= 1", "no key before the equals sign"),
        ("// one", "a comment begins with a number sign"),
        ("data]", "write [data]"),
        ("[data", "write [data]"),
        ("[data]]", "as many brackets"),
        ("[my data]", "`[my data]` is not a header"),
        ("seed = 1 # a\rb", "a carriage return that ends no line"),
        ("<<<<<<< HEAD", "a conflict between two versions"),
        (">>>>>>> other", "a conflict between two versions"),
    ] {
        let said = said(slip);
        assert!(said.contains(words), "{slip}: {said}");
        assert!(!said.contains("not TOML") && !said.contains("expected "), "{slip}: {said}");
    }
    let deep = format!("seed = {}1{}", "[".repeat(5000), "]".repeat(5000));
    let deep = said(&deep);
    assert!(deep.contains("nested too deeply"), "{}", &deep[..deep.len().min(300)]);
    let returns = Study::from_toml("mine.toml", &printed.replace('\n', "\r")).unwrap_err().to_string();
    assert!(returns.contains("carriage returns alone"), "{returns}");
}

#[test]
fn what_stands_first_is_placed_where_it_stands() {
    let printed = preset("brief").unwrap().to_toml();
    for (slip, line) in
        [("seed = [1, 2\nx = 1", 1), ("seed = 1\nx = [\n1,\n2\ny = 3", 2), ("seed = 1\n\nx = \"\"\"a\n\n", 3)]
    {
        let error = Study::from_toml("mine.toml", &printed.replacen("seed = 1", slip, 1)).unwrap_err();
        assert!(error.to_string().starts_with(&format!("mine.toml, line {line}: ")), "{slip}: {error}");
    }
}

#[test]
fn keys_of_any_characters_are_named_and_placed() {
    let printed = preset("brief").unwrap().to_toml();
    let long = "k".repeat(200_000);
    for (written, shown) in [
        ("a\\u001b[31m", "a\\u{1b}[31m"),
        ("a.b[0]", "a.b[0]"),
        ("a`b", "a`b"),
        ("`, expected `c", "`, expected `c"),
        ("a\\nb", "a\\nb"),
        ("0", "0"),
        ("", ""),
        ("[", "["),
        (&long, &format!("{}…", &long[..60])),
    ] {
        for (place, line) in [("seed = 1", "at the top level"), ("[mlp.training]", "in [mlp.training]")] {
            let text = printed.replacen(place, &format!("{place}\n\"{written}\" = 1"), 1);
            let error = Study::from_toml("mine.toml", &text).expect_err(written);
            let number = 2 + printed.lines().position(|line| line == place).unwrap();
            assert_eq!(
                error.to_string(),
                format!("mine.toml, line {number}: unknown key `{shown}` {line}"),
                "{place}"
            );
            let help = error.help().unwrap().to_string();
            assert!(help.contains("the keys here are `") && !help.contains("expected"), "{help}");
        }
    }
}

#[test]
fn a_table_in_the_place_of_a_text_is_refused() {
    for (from, to) in [
        ("rule = \"online\"", "rule = { online = {} }"),
        ("rule = \"online\"", "rule = { online = [] }"),
        ("rule = \"online\"", "rule = { online = 1 }"),
        ("rule = \"online\"", "rule = { onlin = {} }"),
        ("rule = \"online\"", "rule = {}"),
        ("hidden = \"he-uniform\"", "hidden = { he-uniform = {} }"),
    ] {
        let (message, help) = refusal(from, to);
        assert!(
            message.contains("cannot be a table") || message.contains("`onlin` is not one"),
            "{to}: {message}"
        );
        assert!(help.contains("online") || help.contains("one of the texts \"he-uniform\""), "{to}: {help}");
    }
}

#[test]
fn a_list_is_at_fault_before_what_it_holds() {
    for list in ["[]", "[0]", "[0, 0]", "[\"a\"]", "[[1]]", "[{ train_images = -1 }]"] {
        let (message, help) =
            refusal("[data]\ntrain_images = 60000\ntest_images = 10000\n", &format!("data = {list}\n"));
        assert!(message.contains("`data` cannot be "), "{list}: {message}");
        assert!(help.contains("train_images = "), "{list}: {help}");
    }
}

#[test]
fn no_side_unit_or_filter_is_said_to_be_zero() {
    let network = |input: &str, units: &str, size: &str| {
        let text = format!(
            "input = {input}\ntrunk = [{{ layer = \"max-pool\", pool_size = {size}, stride = [1, 1] }}, {{ layer = \"flatten\" \
             }}]\nheads = [{{ name = \"class\", layers = [{{ layer = \"dense\", units = {units}, initializer = \"he-uniform\" \
             }}] }}]\n"
        );
        let error = ModelSpec::from_toml("net.toml", &text).unwrap_err();
        format!("{error}; {}", error.help().unwrap())
    };
    for (said, key) in [
        (network("[-1, 28, 1]", "10", "[2, 2]"), "`input[0]` cannot be `-1`"),
        (network("[28, 0, 1]", "10", "[2, 2]"), "`input[1]` cannot be `0`"),
        (network("[28, 28, 1]", "0", "[2, 2]"), "`heads[0].layers[0].units` cannot be `0`"),
        (network("[28, 28, 1]", "99999999999999999999", "[2, 2]"), "`heads[0].layers[0].units` cannot be `9"),
        (network("[28, 28, 1]", "10", "[0, 2]"), "`trunk[0].pool_size[0]` cannot be `0`"),
    ] {
        assert!(said.contains(key) && said.contains("a whole number of at least 1"), "{said}");
    }
}

#[test]
fn lambdas_that_32_bits_do_not_tell_apart_are_refused() {
    let lambdas = "lambdas = [0.0, 0.25, 0.5, 0.75, 1.0]";
    for (list, a, b) in
        [("[0.3, 0.30000001, 0.9]", "0.3", "0.30000001"), ("[0.5, 0.99999999, 1.0]", "0.99999999", "1")]
    {
        let (message, _) = refusal(lambdas, &format!("lambdas = {list}"));
        assert!(
            message.contains(&format!("λ = {a} and λ = {b} are the same in 32-bit arithmetic")),
            "{message}"
        );
    }
    let text = preset("brief").unwrap().to_toml().replacen(
        lambdas,
        "lambdas = [0.0, 1.2e-38, 0.3, 0.3000001, 0.9999999]",
        1,
    );
    assert!(Study::from_toml("mine.toml", &text).is_ok());
}

#[test]
fn the_key_that_says_the_kind_is_among_those_that_are_known() {
    let (message, help) = refusal("kind = \"adam\"", "kind = \"adam\"\nbeta_3 = 0.9");
    assert!(
        message.contains("unknown key `beta_3`") && help.contains("`kind`, `beta_1`"),
        "{message}\n{help}"
    );
    let (message, help) = refused_network("\"flatten\"");
    assert!(help.contains("a table with a `layer`"), "{message}\n{help}");
}
