//! Networks with two heads: the head that is asked says what pictures are, by the names that its study gave its classes.

use std::fs;
use std::path::{Path, PathBuf};

use inkling_schema::outcome::StudyRecord;
use inkling_schema::{DataSlice, GroupSpec, Labels, ModelSpec, RunSpec, TrainRun, preset};

use super::common::{MLP, STUDY, changed_model, found, look};

/// Groups of Fashion-MNIST's classes that are not the catalogue's, though as many.
const GROUPS: [(&str, &[u8]); 3] = [("feet", &[5, 7, 9]), ("above", &[0, 2, 4, 6]), ("rest", &[1, 3, 8])];

/// A network with a head for the ten items and one for three groups of a study's own, in a study's folder, with random
/// weights.
fn two_heads(folder: &Path) -> PathBuf {
    let network = format!(
        "{MLP}\n[[heads]]\nname = \"group\"\nlayers = [{{ layer = \"dense\", units = 3, initializer = \"glorot-uniform\" }}]\n"
    );
    let mut multitask = preset("smoke").unwrap().multitask.unwrap();
    let training = multitask.training.clone();
    multitask.groups = GROUPS
        .map(|(name, classes)| GroupSpec {
            name: name.into(),
            classes: classes.iter().map(|&class: &u8| class.into()).collect(),
        })
        .to_vec();
    let data = DataSlice { set: "fashion-mnist".into(), train_images: 1000, test_images: 1000 };
    let labels = vec![
        Labels::Classes,
        Labels::Groups(
            multitask.mapping(&(0..10).map(|class| class.to_string()).collect::<Vec<_>>()).unwrap(),
        ),
    ];
    let model = ModelSpec::from_toml("network", &network).unwrap();
    let run = RunSpec::Train(TrainRun { labels, ..TrainRun::of_classes(data, model, training, 7) });
    let file = changed_model(folder, &network, Some("fashion-mnist"), &run, |_| {});
    let record = fs::read_to_string(Path::new(&*STUDY).join("study.json")).unwrap();
    let mut record: StudyRecord = serde_json::from_str(&record).unwrap();
    record.study.multitask = Some(multitask);
    fs::write(folder.join("made/study.json"), serde_json::to_string(&record).unwrap()).unwrap();
    file
}

#[test]
fn a_dream_is_taken_for_a_class_of_the_head_that_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let model = two_heads(folder.path());
    let model = model.to_str().unwrap();
    for (number, (name, _)) in GROUPS.iter().enumerate() {
        let dream =
            ["dream", model, "--head", "group", "--class", name, "--steps", "90", "--plain", "--probability"];
        let seen = look(folder.path(), &dream);
        seen.says(0, &[&format!("dreams of {number} {name}: ")]);
        for words in [
            format!("raising the probability of class {number} {name} (head `group`)"),
            format!("  {number} {name}\n"),
            "Predicted as: by the head `group`.".into(),
        ] {
            assert!(seen.stdout.contains(&words), "no {words:?} in {}", seen.stdout);
        }
        let found = found(folder.path(), &dream);
        assert_eq!((&found["head"], &found["classes"][number]), (&"group".into(), &(*name).into()));
        let after = &found["result"]["outcome"]["pictures"][0]["after"];
        assert!(after["probability"].as_f64().unwrap() > 0.5, "{after}");
        assert_eq!(after["predicted"], number);
        let figure = fs::read_to_string(folder.path().join(found["figures"][0].as_str().unwrap())).unwrap();
        assert!(figure.contains(&format!("probability of group {name}")), "no caption in {figure}");
    }
    // A layer of a head belongs to it, whatever is asked of it; a shared one to the first.
    for (objective, head) in [("group.1:1", "group"), ("item.1:1", "item"), ("trunk.2:1", "item")] {
        let seen = look(folder.path(), &["dream", model, "--neuron", objective, "--steps", "3"]);
        assert!(seen.stdout.contains(&format!("Predicted as: by the head `{head}`.")), "{}", seen.stdout);
    }
    let seen = look(folder.path(), &["dream", model, "--layer", "group.1", "--index", "3", "--steps", "3"]);
    let taken = seen.stdout.lines().find(|line| line.contains('→')).unwrap();
    assert!(GROUPS.iter().any(|(name, _)| taken.ends_with(name)), "{}", seen.stdout);
}

#[test]
fn classes_of_a_head_have_the_studys_names_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let model = two_heads(folder.path());
    let dream = |model: &str, class: &str| {
        look(folder.path(), &["dream", model, "--head", "group", "--class", class, "--steps", "2"])
    };
    let inside = model.to_str().unwrap();
    // The catalogue has three groups, and one is called so.
    dream(inside, "shoes").says(2, &["has no class `shoes`", "its head `group` has feet, above, rest"]);
    dream(inside, "7")
        .says(2, &["has no class 7", "its head `group` has the classes 0 to 2: feet, above, rest"]);
    dream(inside, "feat").says(2, &["did you mean `feet`?"]);
    // Nothing says what the classes of a model without its study are.
    let alone = folder.path().join("alone.safetensors");
    fs::copy(&model, &alone).unwrap();
    let alone = alone.to_str().unwrap();
    dream(alone, "shoes").says(2, &["has no class `shoes`", "its head `group` has the classes 0 to 2"]);
    let seen = dream(alone, "1");
    assert!(seen.stdout.contains("raising the logit of class 1 (head `group`)"), "{}", seen.stdout);
    // Nor what the groups are in another study.
    let record = folder.path().join("made/study.json");
    let other =
        fs::read_to_string(&record).unwrap().replace("[5,7,9]", "[5,7,8]").replace("[1,3,8]", "[1,3,9]");
    fs::write(&record, other).unwrap();
    dream(inside, "feet").says(2, &["has no class `feet`", "its head `group` has the classes 0 to 2"]);
}

#[test]
fn activations_are_of_the_head_that_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let model = two_heads(folder.path());
    let model = model.to_str().unwrap();
    let asked = ["activations", model, "--head", "group"];
    // Test image 0 is an ankle boot, image 1 a pullover.
    let found = found(folder.path(), &[&asked[..], &["--index", "0", "--index", "1"]].concat());
    let images = &found["result"]["outcome"]["images"];
    assert_eq!((&images[0]["class"], &images[1]["class"]), (&0.into(), &1.into()));
    assert!(images[0]["predicted"].as_u64().unwrap() < 3, "{images}");
    let seen = look(folder.path(), &[&asked[..], &["--index", "0"]].concat());
    assert!(seen.stdout.contains("test image 0  0 feet"), "{}", seen.stdout);
    // The typical image of a group is one of its items, whichever the network gets right.
    let typical = |class: &str| look(folder.path(), &[&asked[..], &["--class", class]].concat());
    let seen = GROUPS.map(|(name, _)| typical(name));
    let right = seen.iter().zip(GROUPS).filter(|(seen, (name, _))| {
        seen.stdout.contains(&format!(" {name}")) || seen.stderr.contains("none is typical")
    });
    assert_eq!(right.count(), 3);
    assert!(seen.iter().any(|seen| seen.code == Some(0)));

    let alone = folder.path().join("alone.safetensors");
    fs::copy(model, &alone).unwrap();
    let alone = ["activations", alone.to_str().unwrap(), "--head", "group"];
    look(folder.path(), &[&alone[..], &["--class", "1"]].concat())
        .says(2, &["not known which test images belong to the classes of the head `group`", "--index"]);
    let seen = look(folder.path(), &[&alone[..], &["--index", "0"]].concat());
    assert!(seen.stdout.contains("test image 0  unknown"), "{}", seen.stdout);
    look(folder.path(), &["activations", model, "--head", "hue", "--index", "0"])
        .says(2, &["has no head `hue`", "its heads are `item`, `group`"]);
}
