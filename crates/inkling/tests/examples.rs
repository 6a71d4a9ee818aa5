//! Every example runs.

use std::path::PathBuf;
use std::process::Command;

/// What an example says; `cargo test` builds them beside the tests.
fn says(name: &str) -> String {
    let test = std::env::current_exe().expect("this program has a file");
    let folder: PathBuf = test.ancestors().nth(2).expect("it is in `deps`").join("examples");
    let output = Command::new(folder.join(name))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap_or_else(|error| panic!("{name}: {error}; `cargo build --examples` builds it"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    text
}

#[test]
fn every_example_runs_and_says_what_it_found() {
    for (name, words) in [
        ("1_perceptron", "test images misclassified"),
        ("2_pca", "50 components explain 8"),
        ("3_mlp", "test images are classified correctly"),
        ("4_cnn", "test accuracy"),
        ("5_own_data", "of the points are classified correctly"),
        ("6_looking_inside", "the network says 7"),
        ("7_two_heads", "even: 9"),
        ("8_own_activation", "Mish: 8"),
        ("9_own_optimiser", "epoch 3: loss"),
    ] {
        let text = says(name);
        assert!(text.contains(words), "{name}: {text}");
    }
}

#[test]
fn every_example_is_run() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples");
    let examples = std::fs::read_dir(folder).expect("the examples").count();
    assert_eq!(examples, 9, "add the new one to the list above");
}
