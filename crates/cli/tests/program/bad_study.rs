//! Studies and output folders that cannot be: what the person reads, and the exit code.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common::{hold, inkling, run, skipped};

/// The smoke preset with one text replaced by another, as a file in `folder`.
fn study(folder: &Path, from: &str, to: &str) -> String {
    let text = run(folder, &["study", "smoke", "--print-spec"]).stdout;
    assert!(text.contains(from), "{from:?} is not in {text}");
    fs::write(folder.join("mine.toml"), text.replacen(from, to, 1)).unwrap();
    "mine.toml".into()
}

#[test]
fn names_that_no_font_has_are_refused_before_training_and_others_train_as_ever() {
    let folder = tempfile::tempdir().unwrap();
    let of = |author: &str| {
        let text = run(folder.path(), &["study", "smoke", "--only", "pca", "--print-spec"]).stdout;
        let text = format!(
            "{text}\n[report]\nauthors = [{{ name = \"{author}\", contribution = \"all of it\" }}]\n"
        );
        fs::write(folder.path().join("mine.toml"), text).unwrap();
        run(folder.path(), &["study", "mine.toml", "--threads", "2"])
    };
    // Whether a font of the system has these is not known here.
    for (author, sign) in [("作者一", "U+4F5C"), ("\u{12000}", "U+12000")] {
        let said = of(author);
        match said.code {
            Some(78) => said.says(78, &["cannot print the author", sign, "help", "install a font"]),
            _ => said.says(0, &["finished in"]),
        }
    }
    of("Zoë Łukasiewicz-Ångström").says(0, &["finished in"]);
}

#[test]
fn an_unknown_preset() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["study", "breif"]).says(2, &["`breif`", "did you mean `brief`?"]);
    run(folder.path(), &["study", "everything"]).says(2, &["`everything`", "quick, brief, smoke"]);
}

#[test]
fn a_study_file_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["study", "gone.toml"]).says(74, &["gone.toml", "--print-spec"]);
}

#[test]
fn a_misspelt_key_with_file_line_and_the_nearest() {
    let folder = tempfile::tempdir().unwrap();
    let file = study(folder.path(), "learning_rate", "lerning_rate");
    let words =
        ["mine.toml, line ", "unknown key `lerning_rate` in [perceptron]", "did you mean `learning_rate`?"];
    run(folder.path(), &["study", &file]).says(78, &words);
    assert!(!folder.path().join("out").exists());
}

#[test]
fn negative_and_nan_hyperparameters() {
    let folder = tempfile::tempdir().unwrap();
    for (value, words) in [("-0.1", "`-0.1`"), ("nan", "`nan`")] {
        let file = study(folder.path(), "learning_rate = 0.1", &format!("learning_rate = {value}"));
        let words = ["`perceptron.learning_rate`", words, "a finite number above 0"];
        run(folder.path(), &["study", &file]).says(78, &words);
    }
}

/// The smoke preset's task 3 or 4 alone, with one text replaced by another, and what the program says to it.
fn refused(task: &str, from: &str, to: &str, words: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let text = run(folder.path(), &["study", "smoke", "--only", task, "--print-spec"]).stdout;
    assert!(text.contains(from), "{from:?} is not in {text}");
    fs::write(folder.path().join("mine.toml"), text.replacen(from, to, 1)).unwrap();
    run(folder.path(), &["study", "mine.toml"]).says(78, words);
    assert!(!folder.path().join("out/study.json").exists(), "{to}: something was begun");
}

#[test]
fn training_that_cannot_be() {
    let rate = "learning_rate = 0.002";
    for (from, to, words) in [
        ("epochs = 2", "epochs = 0", ["`mlp.training.epochs`", "`0`", "a whole number of at least 1"]),
        (
            "batch_size = 50",
            "batch_size = 0",
            ["`mlp.training.batch_size`", "`0`", "a whole number of at least 1"],
        ),
        (
            rate,
            "learning_rate = -0.002",
            ["`mlp.training.learning_rate`", "`-0.002`", "a finite number above 0"],
        ),
        (rate, "learning_rate = nan", ["`mlp.training.learning_rate`", "`nan`", "a finite number above 0"]),
        (rate, "learning_rate = inf", ["`mlp.training.learning_rate`", "inf", "a finite number above 0"]),
        (
            "batch_size = 50",
            "batch_size = 3001",
            ["`mlp.training.batch_size`", "larger than the 3000 images", "from 1 to 3000"],
        ),
    ] {
        refused("mlp", from, to, &words);
    }
    // The study allows for it, but the set is smaller than what the study takes of it.
    let folder = tempfile::tempdir().unwrap();
    let text = run(folder.path(), &["study", "smoke", "--only", "mlp", "--print-spec"]).stdout;
    let text = text.replacen("train_images = 3000", "train_images = 99999", 1).replacen(
        "batch_size = 50",
        "batch_size = 60001",
        1,
    );
    fs::write(folder.path().join("mine.toml"), text).unwrap();
    let words =
        ["`mlp.training.batch_size` is 60001", "only 60000 training images of MNIST", "use a smaller number"];
    run(folder.path(), &["study", "mine.toml"]).says(78, &words);
}

#[test]
fn networks_that_cannot_be() {
    let unit = ["`mlp.networks[0].hidden[1]` cannot be `0`", "a whole number of at least 1, such as 50"];
    refused("mlp", "hidden = [64, 64]", "hidden = [64, 0]", &unit);
    let filter = ["`cnn.networks[0].filters[0]` cannot be `0`", "a whole number of at least 1"];
    refused("cnn", "filters = [8]", "filters = [0]", &filter);
    let stride = ["`cnn.networks[0].strides[0]` cannot be `0`", "a whole number of at least 1"];
    refused("cnn", "strides = [2]", "strides = [0]", &stride);
    let lists =
        ["`cnn.networks[1].kernels`", "1 kernels for 2 convolutions", "an entry for each convolution"];
    refused("cnn", "kernels = [4, 4]", "kernels = [4]", &lists);
    let names =
        ["`cnn.networks[1].name`", "two networks are called `1 conv`", "identify networks by their names"];
    refused("cnn", "name = \"2 conv\"", "name = \"1 conv\"", &names);
}

#[test]
fn task_6_that_cannot_be() {
    let (groups, shoes) = ("classes = [5, 7, 9]", |list: &str| format!("classes = [{list}]"));
    let missing = ["Fashion-MNIST's classes: class 9 (Ankle boot) is in no group", "0 (T-shirt/top)"];
    refused("multitask", groups, &shoes("5, 7"), &missing);
    let beyond = ["the group `shoes` holds class 10, and the last one is 9", "each class is in one group"];
    refused("multitask", groups, &shoes("5, 7, 9, 10"), &beyond);
    let twice = ["`multitask.groups[1].classes`", "class 3 is in `shoes` and in `gendered`"];
    refused("multitask", groups, &shoes("5, 7, 9, 3"), &twice);
    refused(
        "multitask",
        groups,
        &shoes(""),
        &["`multitask.groups[0].classes`", "the group `shoes` has no classes"],
    );
    let lambda = ["`multitask.lambdas[3]` cannot be `1.5`", "a share from 0 to 1"];
    refused("multitask", "0.75", "1.5", &lambda);
    let head = ["`multitask.network.head[0]` cannot be `0`", "a whole number of at least 1"];
    refused("multitask", "head = [32, 16]", "head = [0, 16]", &head);
}

#[test]
fn looks_into_a_network_that_cannot_be() {
    let classes = ["the network has no class 11", "its head `class` has the classes 0 to 9"];
    refused("inside", "classes = [2, 9]", "classes = [2, 11]", &classes);
    let images = ["there is no test image 99999", "the set has the test images 0 to"];
    refused("inside", "classes = [2, 9]", "classes = [2, 9]\nimages = [0, 99999]", &images);
    let network = ["`inside.network`", "no network of [cnn] is called `9 conv`", "its networks are"];
    refused("inside", "network = \"3 conv\"", "network = \"9 conv\"", &network);
}

#[test]
fn a_kernel_larger_than_its_image() {
    let folder = tempfile::tempdir().unwrap();
    let text = run(folder.path(), &["study", "smoke", "--only", "cnn", "--print-spec"]).stdout;
    let text = text.replacen("padding = \"same\"", "padding = \"valid\"", 1);
    let text = text.replacen("kernels = [4]", "kernels = [29]", 1);
    fs::write(folder.path().join("mine.toml"), text).unwrap();
    let words = [
        "`1 conv` of task cnn cannot be built",
        "trunk 1 (conv2d): its kernel 29×29 is larger than its input 28×28",
        "use a smaller kernel",
    ];
    run(folder.path(), &["study", "mine.toml"]).says(78, &words);
}

#[test]
fn instructions_that_are_not_there() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["study", "smoke", "--cpu", "mmx"]).says(2, &["mmx", "avx512, avx2, portable"]);
    let with = |value: &str, command: &[&str]| {
        let output = inkling().current_dir(folder.path()).args(command).env("INKLING_CPU", value).output();
        crate::common::done(&output.unwrap())
    };
    let refused = with("mmx", &["study", "smoke"]);
    refused.says(2, &["environment variable INKLING_CPU", "`mmx`", "avx512, avx2, portable"]);
    // An empty variable is as none, and an option goes before it.
    let file = study(folder.path(), "data = \"mnist\"", "data = \"minst\"");
    with("", &["study", &file]).says(78, &["minst"]);
    with("mmx", &["study", &file, "--cpu", "portable"]).says(78, &["minst"]);
}

#[test]
fn a_data_set_that_does_not_exist() {
    let folder = tempfile::tempdir().unwrap();
    let file = study(folder.path(), "data = \"mnist\"", "data = \"minst\"");
    run(folder.path(), &["study", &file]).says(78, &["minst", "did you mean 'mnist'?"]);
}

#[test]
fn more_components_than_pixels() {
    let folder = tempfile::tempdir().unwrap();
    let file = study(folder.path(), "components = 50", "components = 1000");
    let words = ["PCA of 784 features cannot give 1000 components", "pca.components"];
    run(folder.path(), &["study", &file]).says(78, &words);
}

#[test]
fn a_task_that_the_study_does_not_have() {
    let folder = tempfile::tempdir().unwrap();
    let text = run(folder.path(), &["study", "smoke", "--only", "pca", "--print-spec"]).stdout;
    fs::write(folder.path().join("pca.toml"), text).unwrap();
    run(folder.path(), &["study", "pca.toml", "--only", "perceptron"])
        .says(78, &["none of the tasks", "its tasks are: pca"]);
    run(folder.path(), &["study", "--only", "pcaa"]).says(2, &["pcaa", "pca"]);
}

#[test]
fn an_output_folder_that_is_a_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("out"), "not a folder").unwrap();
    run(folder.path(), &["study", "smoke"])
        .says(73, &["cannot write", "a file stands where a folder is needed"]);
}

/// Runs the program in a mount namespace of its own, in which `mount` has been done; nothing where the system forbids
/// such namespaces to this user, which is said, and an error where continuous integration insists.
fn in_a_namespace(folder: &Path, mount: &str, arguments: &str) -> Option<crate::common::Done> {
    let script = format!("{mount} && echo mounted >&2 && exec \"$0\" {arguments}");
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", &script])
        .arg(env!("CARGO_BIN_EXE_inkling"))
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output();
    let done = output.ok().map(|output| crate::common::done(&output));
    let mounted = done.filter(|done| done.stderr.starts_with("mounted"));
    if mounted.is_none() {
        skipped("this machine does not let a test mount a file system");
    }
    mounted
}

#[test]
fn a_read_only_output_folder() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("place")).unwrap();
    if let Some(done) =
        in_a_namespace(folder.path(), "mount -t tmpfs -o ro tmpfs place", "study smoke --out place")
    {
        done.says(73, &["cannot write", "mounted read-only: choose an output folder elsewhere"]);
    }
}

#[test]
fn a_report_in_a_read_only_folder_says_what_can_be_done() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["study", "smoke", "--only", "pca"]).says(0, &[]);
    let mount = "mount --bind out out && mount -o remount,bind,ro out";
    if let Some(done) = in_a_namespace(folder.path(), mount, "report out") {
        let words =
            ["the report in `out` cannot be written again", "Read-only file system", "copy the folder"];
        done.says(73, &words);
        assert!(!done.stderr.contains("--out"), "{}", done.stderr);
    }
}

#[test]
fn a_full_disk_loses_nothing_that_was_finished() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("place")).unwrap();
    if let Some(done) =
        in_a_namespace(folder.path(), "mount -t tmpfs -o size=700k tmpfs place", "study smoke --out place")
    {
        done.says(
            73,
            &["no space left on the disk", "nothing that was finished is lost", "the same command"],
        );
    }
}

#[test]
fn a_folder_that_another_process_writes_to() {
    let folder = tempfile::tempdir().unwrap();
    let mut holder = hold(folder.path(), &[]);
    let pid = holder.id().to_string();
    run(folder.path(), &["study", "smoke"]).says(73, &["`out` is in use by", &pid, "help"]);
    holder.kill().unwrap();
    holder.wait().unwrap();
    run(folder.path(), &["study", "smoke"])
        .says(0, &["note: process", &pid, "was stopped before its work in this folder was done"]);
}

#[test]
fn a_report_of_nothing() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["report", "nowhere"]).says(65, &["there is no folder `nowhere`", "help", "--out"]);
    assert!(!folder.path().join("nowhere").exists());
    fs::create_dir(folder.path().join("empty")).unwrap();
    run(folder.path(), &["report", "empty"]).says(65, &["`empty` holds no study", "help", "run a study"]);
    fs::create_dir(folder.path().join("empty/runs")).unwrap();
    run(folder.path(), &["report", "empty"])
        .says(65, &["`empty` holds no study", "inkling study --out empty"]);
}
