//! Sweeps in a study: grids, listed points, single points, parts of a study, and what is refused.

use super::*;
use crate::preset;

/// The preset `smoke` with validation images in task 4 and a sweep.
fn with(sweep: &str) -> Result<Study, crate::SpecError> {
    let mut study = preset("smoke").unwrap();
    let validation = Some(crate::ValidationSpec { images: 500, own: false, patience: None });
    study.cnn.as_mut().unwrap().training.validation.clone_from(&validation);
    study.mlp.as_mut().unwrap().training.validation = validation;
    Study::from_toml("mine.toml", &format!("{}\n{sweep}\n", study.to_toml()))
}

fn points(sweep: &str) -> Sweep {
    with(sweep).unwrap().sweep_points().unwrap().unwrap()
}

fn refusal(sweep: &str) -> String {
    let error = with(sweep).unwrap_err();
    let help = miette::Diagnostic::help(&error).map(|help| help.to_string());
    format!("{error} | {}", help.unwrap_or_default())
}

#[test]
fn a_grid_is_every_combination_of_its_values() {
    let found = points(
        "[sweep]\n\"cnn.training.learning_rate\" = [1e-4, 1e-3]\n\"cnn.training.batch_size\" = [10, 20, 50]",
    );
    let inside = preset("smoke").unwrap().inside.unwrap().network;
    assert_eq!((found.task, &found.network), (Task::Cnn, &inside), "the network that task 5 looks into");
    let titles: Vec<String> = found.points.iter().map(SweepPoint::title).collect();
    assert_eq!(titles.len(), 6);
    assert_eq!(titles[0], "batch_size = 10, learning_rate = 1e-4");
    assert_eq!(titles[5], "batch_size = 50, learning_rate = 0.001");
    for point in &found.points {
        let cnn = point.study.cnn.as_ref().unwrap();
        assert_eq!(cnn.networks.len(), 1);
        assert_eq!(point.settings[0].number(), Some(cnn.training.batch_size as f64));
        assert_eq!(point.settings[1].number(), Some(cnn.training.learning_rate));
    }
}

#[test]
fn points_can_be_listed_and_the_network_named() {
    let name = preset("smoke").unwrap().mlp.unwrap().networks[1].name.clone();
    let found = points(&format!(
        "[sweep]\nnetwork = \"{name}\"\n[[sweep.points]]\n\"mlp.training.learning_rate\" = 0.1\n\
         [[sweep.points]]\n\"mlp.training.learning_rate\" = 0.2"
    ));
    assert_eq!((found.task, found.network, found.points.len()), (Task::Mlp, name, 2));
}

#[test]
fn a_study_with_a_sweep_survives_printing_and_json() {
    let study = with(
        "[sweep]\n\"cnn.training.schedule\" = [{ kind = \"constant\" }, { kind = \"cosine\", last = 0.1 }]",
    )
    .unwrap();
    assert_eq!(Study::from_toml("printed", &study.to_toml()).unwrap(), study);
    let json = serde_json::to_string(&study).unwrap();
    assert_eq!(serde_json::from_str::<Study>(&json).unwrap(), study);
    assert!(study.sweep.unwrap().network.is_some(), "the network is written down");
}

#[test]
fn what_cannot_be_swept_is_refused_with_what_to_do() {
    for (sweep, message, help) in [
        (
            "\"cnn.training.learnin_rate\" = [1]",
            "unknown key `learnin_rate`",
            "did you mean `learning_rate`?",
        ),
        (
            "\"cn.training.learning_rate\" = [1]",
            "no key of networks",
            "did you mean `cnn.training.learning_rate`?",
        ),
        ("\"learning_rate\" = [1]", "no key of networks", "training.learning_rate`?"),
        ("\"data.train_images\" = [100]", "no key of networks", "the tables here are `mlp`, `cnn`"),
        ("\"cnn.training.learning_rate\" = [1e-3, -1]", "cannot be `-1`", "above 0"),
        ("\"cnn.training.learning_rate\" = [1e-3, \"fast\"]", "the text `\"fast\"`", "a finite number"),
        ("\"cnn.training.learning_rate\" = []", "no value to try", "in quotes"),
        ("\"cnn.training.learning_rate\" = 0.1", "no list of values", "in quotes"),
        ("cnn.training.learning_rate = [0.1]", "a table and no list", "in quotes"),
        ("", "changes nothing", "\"cnn.training.learning_rate\""),
        (
            "\"cnn.training.learning_rate\" = [0.001, 1e-3]",
            "the same network, trained alike",
            "values of its own",
        ),
        (
            "\"cnn.training.epochs\" = [1, 2]\n\"mlp.training.epochs\" = [1, 2]",
            "changes [cnn] and [mlp]",
            "one network",
        ),
        (
            "\"mlp.training.epochs\" = [1, 2]",
            "has 5 networks, and the sweep trains one",
            "its networks are `2 hidden`",
        ),
        (
            "network = \"2 hiden\"\n\"mlp.training.epochs\" = [1, 2]",
            "no network of [mlp] is called",
            "did you mean `2 hidden`?",
        ),
        (
            "\"multitask.training.epochs\" = [1, 2]\nnetwork = \"item\"",
            "[multitask.training] has none",
            "validation = { images",
        ),
        ("\"network.training.epochs\" = [1, 2]", "the study has no [network]", "give [network]"),
        ("\"cnn.data\" = [\"mnist\", \"fashion\"]", "images of its own", "leave `data`"),
        ("\"cnn.training.validation.images\" = [100, 200]", "images of its own", "leave `data` and"),
        (
            "\"cnn.training.epochs\" = [1, 2]\n[[sweep.points]]\n\"cnn.training.epochs\" = 1",
            "lists its points, and has values",
            "not both",
        ),
        (
            "[[sweep.points]]\n\"cnn.training.epochs\" = 1\n[[sweep.points]]\n\"cnn.training.batch_size\" = 1",
            "values of different keys",
            "each of cnn.training.epochs",
        ),
    ] {
        let found = refusal(&format!("[sweep]\n{sweep}"));
        assert!(found.contains(message) && found.contains(help), "{sweep}\n{found}");
        assert!(found.contains("`sweep"), "{found}");
    }
    let values: Vec<String> = (1..=15).map(|value| value.to_string()).collect();
    let values = values.join(", ");
    let many =
        format!("[sweep]\n\"cnn.training.epochs\" = [{values}]\n\"cnn.training.log_every\" = [{values}]");
    assert!(refusal(&many).contains("more than 200 points"));
}

#[test]
fn a_network_of_another_name_changes_nothing_in_the_sweep() {
    let other = preset("smoke").unwrap().cnn.unwrap().networks[0].name.clone();
    let found = refusal(&format!("[sweep]\n'cnn.networks.\"{other}\".strides' = [[1], [2]]"));
    assert!(found.contains("the same network") || found.contains("strides"), "{found}");
}

#[test]
fn a_single_point_is_a_sweep_of_its_own() {
    let study = with("").unwrap();
    let setting = |text: &str| Setting::parse(text).unwrap();
    let found = study.point(None, &[setting("cnn.training.learning_rate=3e-4")]).unwrap();
    let sweep = points("[sweep]\n\"cnn.training.learning_rate\" = [1e-3, 3e-4]");
    assert_eq!(found.points[0].study, sweep.points[1].study);
    let twice = [setting("cnn.training.epochs=1"), setting("cnn.training.epochs=2")];
    assert!(study.point(None, &twice).unwrap_err().message.contains("set twice"));
    assert!(study.point(None, &[]).unwrap_err().message.contains("changes nothing"));
    assert!(
        study.point(Some("x"), &[setting("cnn.training.epochs=1")]).unwrap_err().help.contains("networks")
    );
}

#[test]
fn a_sweep_alone_keeps_the_network_that_it_trains() {
    let mut study = with("[sweep]\n\"cnn.training.learning_rate\" = [1e-4, 1e-3]").unwrap();
    let before = study.sweep_points().unwrap().unwrap();
    study.keep_only(&[Task::Sweep]);
    assert_eq!(study.tasks(), [Task::Cnn, Task::Sweep]);
    assert_eq!(study.cnn.as_ref().unwrap().networks.len(), 1);
    assert_eq!(study.sweep_points().unwrap().unwrap(), before);
    study.keep_only(&[Task::Cnn]);
    assert_eq!(study.tasks(), [Task::Cnn]);
}

#[test]
fn a_sweep_joins_a_study_of_the_same_network_and_no_other() {
    let sweep = "[sweep]\n\"cnn.training.learning_rate\" = [1e-4, 1e-3]";
    let (study, mut held) = (with(sweep).unwrap(), with("").unwrap());
    assert_eq!(held.with_tasks_of(&study, &[Task::Sweep]).unwrap(), study);
    assert_eq!(study.with_tasks_of(&held, &[Task::Cnn]).unwrap(), study);
    assert_eq!(study.with_tasks_of(&held, &[Task::Pca]).unwrap(), study);
    held.cnn.as_mut().unwrap().training.epochs += 1;
    held.inside = None;
    let error = held.with_tasks_of(&study, &[Task::Sweep]).unwrap_err();
    assert!(error.contains("the sweep changes some of its values"), "{error}");
    held.cnn = None;
    let joined = held.with_tasks_of(&study, &[Task::Sweep]).unwrap();
    assert_eq!(joined.sweep_points().unwrap().unwrap(), study.sweep_points().unwrap().unwrap());
}

#[test]
fn of_several_keys_the_wrong_one_is_shown() {
    let said =
        refusal("[sweep]\n\"cnn.training.learning_rat\" = [1e-4]\n\"cnn.training.batch_size\" = [10, 20]");
    assert!(
        said.contains("`sweep.\"cnn.training.learning_rat\"`") && said.contains("`learning_rate`"),
        "{said}"
    );
    let said =
        refusal("[sweep]\n\"cnn.training.learning_rate\" = [-1.0]\n\"cnn.training.batch_size\" = [10]");
    assert!(said.contains("`sweep.\"cnn.training.learning_rate\"`"), "{said}");
}
