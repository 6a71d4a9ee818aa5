//! Studies that are ordinary and studies at every edge, for a person to look at and for tests of all figures.

use std::fs;
use std::path::PathBuf;

use super::*;
use crate::fixtures::multitask::{Asked, GARMENTS};
use crate::fixtures::random::{self, Chance};
use crate::fixtures::sweep::{Keys, sweep};

const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/// The tasks of a study of one data set with so many networks.
fn study(data: &DataSetFacts, networks: usize, name: impl Fn(usize) -> String) -> Results {
    let mut study = found(data, 6000);
    let mut tasks = [fixtures::mlps(data, Shape::SMALL), fixtures::cnns(data, Shape::SMALL)];
    for task in &mut tasks {
        let made = task.networks.clone();
        task.networks = made.iter().cloned().cycle().take(networks).collect();
        for (i, network) in task.networks.iter_mut().enumerate() {
            if networks > made.len() || !name(i).is_empty() {
                network.name = name(i);
                network.outcome.parameters += 5000 * i;
            }
        }
    }
    let [mlps, cnns] = tasks;
    (study.mlps, study.cnns) = (Some(mlps), Some(cnns));
    study
}

/// An ordinary study, and studies with few and many classes and networks, long names, names of many scripts and several seeds.
pub(super) fn studies() -> Vec<(&'static str, Results)> {
    let digits = sized(&DIGITS, [28, 28]);
    let garments = sized(&GARMENTS, [28, 28]);
    let mut ordinary = study(&digits, 5, |_| String::new());
    ordinary.inside = Some(fixtures::inside::inside(&digits, &Looked::brief()));
    ordinary.multitask = Some(Asked::brief(60_000, 10_000).with_weightings(3).results(&garments));

    ordinary.sweep = Some(sweep(&digits, Keys::One(5), 5, &[true], |point, seed| {
        Some([380, 452, 488, 480, 430][point] - 3 * (seed * (point + 2) % 5))
    }));

    let two = sized(&["0", "1"], [5, 4]);
    let mut few = study(&two, 1, |_| String::new());
    few.inside = Some(fixtures::inside::inside(&two, &Looked::small(&two)));
    let mut asked = Asked::of(2, 2);
    asked.task.lambdas = vec![0.5];
    few.multitask = Some(asked.results(&two));

    few.sweep = Some(sweep(&two, Keys::One(1), 1, &[true], |_, _| Some(400)));

    let kinds: Vec<String> = (0..30).map(|i| format!("kind {i}")).collect();
    let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
    let thirty = sized(&kinds, [28, 28]);
    let mut many = study(&thirty, 24, |i| format!("network {i}"));
    many.inside = Some(fixtures::inside::inside(&thirty, &Looked::small(&thirty)));
    let mut asked = Asked::of(30, 6).with_weightings(6);
    asked.task.lambdas = (0..=23).map(|i| f64::from(i) / 23.0).collect();
    many.multitask = Some(asked.results(&thirty));

    many.sweep = Some(sweep(&thirty, Keys::Two(4, 6), 3, &[true], |point, seed| {
        (point != 5).then(|| 400 + (point * 37 + seed * 5) % 90)
    }));

    let names: Vec<String> = (0..10).map(|i| format!("an ankle boot of kind {i} with a buckle")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let long = sized(&names, [28, 28]);
    let units = |i: usize| format!("2 hidden layers, {} units each, with ReLU", 16 << i);
    let mut lengthy = study(&long, 8, units);
    lengthy.inside = Some(fixtures::inside::inside(&long, &Looked::brief()));
    let mut asked = Asked::of(10, 3).with_weightings(2);
    asked.task.lambdas = vec![0.0, 0.5, 0.9, 0.9995, 0.9999, 1.0];
    lengthy.multitask = Some(asked.results(&long));

    lengthy.sweep = Some(sweep(&long, Keys::Listed(50), 1, &[true], |point, _| Some(490 - point * 7 % 60)));

    let scripts = [
        "运动鞋",
        "حذاء رياضي",
        "운동화",
        "👟🎉",
        "Évening gown",
        "日本語のとても長い名前です",
        "м",
        "T-shirt <top>",
    ];
    let scripts = sized(&scripts, [28, 28]);
    let name = |i: usize| ["隐藏层一", "شبكة عصبية", "신경망", "🧠 net", "N"][i % 5].to_owned();
    let mut written = study(&scripts, 5, name);
    written.inside = Some(fixtures::inside::inside(&scripts, &Looked::brief()));
    written.multitask = Some(Asked::of(8, 3).with_weightings(1).results(&scripts));

    let mut seeds = ordinary.clone();
    random::train_again(&mut seeds, (5, 0.005, false), &mut Chance::new(5));
    vec![
        ("ordinary", ordinary),
        ("few", few),
        ("many", many),
        ("long", lengthy),
        ("scripts", written),
        ("seeds", seeds),
    ]
}

#[test]
fn every_figure_of_every_study_is_sound_and_no_two_texts_meet() {
    for (name, study) in studies() {
        for figure in draw(&study) {
            let context = format!("{} of the study `{name}`", figure.name);
            sound(&figure, &context);
            let crowded = name == "many" && ["parameters", "times"].iter().any(|of| figure.name.contains(of));
            if !crowded {
                apart(&figure, &context);
            }
        }
    }
}

/// With `INKLING_FIGURES=folder`, every figure of these studies as a PNG file for a person to look at.
#[test]
fn figures_to_look_at() {
    let Some(folder) = std::env::var_os("INKLING_FIGURES").map(PathBuf::from) else { return };
    fs::create_dir_all(&folder).unwrap();
    for (name, study) in studies() {
        let figures = draw(&study);
        for (figure, png) in figures.iter().zip(rasterise(&figures)) {
            fs::write(folder.join(format!("{name}_{}.png", figure.name)), png.unwrap()).unwrap();
            fs::write(folder.join(format!("{name}_{}.svg", figure.name)), &figure.svg).unwrap();
        }
    }
}
