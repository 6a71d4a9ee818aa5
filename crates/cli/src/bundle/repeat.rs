//! What the folder of the code says about repeating the study: `study.toml` and `REPEAT.md`.

use std::time::Duration;

use indicatif::HumanDuration;
use inkling_data::catalogue;
use inkling_data::import::published;
use inkling_report::{Origins, Share};
use inkling_schema::format::list;
use inkling_schema::outcome::{Machine, StudyRecord};
use inkling_schema::{DataSetSpec, Study, TestSpec};

use super::sources::SOURCES;

/// The study as a file. Reading it gives the same study, and so runs of the same ids.
pub(super) fn study_file(record: &StudyRecord, with_data: bool) -> String {
    let mut study = record.study.clone();
    if with_data {
        for own in &mut study.data_set {
            // As prepared, the images have their size and their parts.
            *own = DataSetSpec {
                source: prepared(own),
                test: TestSpec::default(),
                transposed: false,
                ..own.clone()
            };
        }
    }
    format!(
        "# The study `{}`, every hyperparameter written down. REPEAT.md says how to repeat it.\n\n{}",
        record.preset,
        study.to_toml(),
    )
}

/// Where a bundle has a person's own images as prepared.
pub(super) fn prepared(own: &DataSetSpec) -> String {
    format!("data/{}.npz", own.name)
}

/// What is said of the trained networks.
const PEERS: &str = "The folder `peers` holds the trained networks for PyTorch and for Keras: modules to read, their weights, and scripts. In it,\n\
                     `python reproduce.py --data ../data` counts their right answers, and `python train.py --data ../data` trains them\n\
                     from scratch; its `README.md` says what they need.\n\n";

/// How to repeat the study, on which machines it was done, and what will be the same.
pub(super) fn instructions(
    record: &StudyRecord,
    origins: &Origins,
    group: u32,
    with_data: bool,
    with_peers: bool,
) -> String {
    let portable = if origins.portable() { " --cpu portable" } else { "" };
    let several = origins.machines.len() > 1 || origins.programs.len() > 1;
    let runs = |runs: usize| match runs {
        _ if !several => String::new(),
        1 => ": 1 run".to_owned(),
        runs => format!(": {runs} runs"),
    };
    let machines = origins.machines.iter().map(|Share { of, runs: count }| {
        let Machine { cpu, threads, instructions } = of;
        let threads = if *threads == 1 { "1 thread".to_owned() } else { format!("{threads} threads") };
        format!("| machine | {cpu}, {threads}, {instructions}{} |\n", runs(*count))
    });
    let programs = origins.programs.iter();
    let programs = programs.map(|program| format!("| program | {}{} |\n", program.of, runs(program.runs)));
    let same = if origins.bits_agree() {
        "On the same kind of processor, accuracies are the\n\
         same to the bit, whatever the number of threads; elsewhere they can differ in their last digits."
    } else {
        "Its runs were not made by\n\
         one program with one kind of instructions, as the table shows, so accuracies can differ when it is repeated."
    };
    let (notebook, then) = if SOURCES.iter().any(|(path, _)| *path == "notebook/make") {
        (
            format!("notebook/make out --group {group}\n"),
            " The second writes and executes the notebook there, and needs Python besides.",
        )
    } else {
        (String::new(), "")
    };
    let own = &record.study.data_set;
    let place = if with_data {
        "The data is in `data`".to_owned()
    } else if own.is_empty() {
        "The data is not here: the program fetches it from the official mirrors".to_owned()
    } else {
        let sources: Vec<String> =
            own.iter().map(|own| format!("`{}` from `{}`", own.name, own.source)).collect();
        format!(
            "The data is not here: study.toml reads {}; change the path to where the images lie",
            list(&sources)
        )
    };
    let data = record.data.iter().map(|(name, facts)| {
        let own = own.iter().find(|own| own.name == *name);
        let published = own.and_then(|own| published().into_iter().find(|set| set.name == own.source));
        let licence = match published {
            Some(set) => set.licence,
            None => catalogue::find(name).map_or("unknown", |info| info.licence),
        };
        format!("| data | {}, SHA-256 {} (licence: {licence}) |\n", facts.title, facts.checksum)
    });
    format!(
        "# Assignment 2, group {group}: how to repeat it\n\
         \n\
         A clean machine needs Rust {rust} or newer, a C compiler, and a network for the libraries that `Cargo.lock` names.\n\
         {place}. In this folder:\n\
         \n\
         ```\n\
         cargo run --release -- study study.toml{portable}\n\
         {notebook}\
         ```\n\
         \n\
         The first command builds the program and runs the study, which writes report, figures and numbers to the folder\n\
         `out`.{then}\n\
         `README.md` introduces the program; `cargo verify` runs its tests.\n\
         \n\
         {peers}Unpack each bundle into a folder of its own and build there: all files have one fixed time, by which Cargo cannot\n\
         tell one version from another.\n\
         \n\
         `summary.json` holds the numbers of the study as it was handed in. {same} Times differ.\n\
         \n\
         | | as handed in |\n\
         | --- | --- |\n\
         | study | `{preset}`, {seed}, {runs} runs; `study.toml` has every hyperparameter |\n\
         {programs}\
         {machines}\
         | computing | {time} |\n\
         {data}",
        peers = if with_peers { PEERS } else { "" },
        rust = env!("CARGO_PKG_RUST_VERSION"),
        preset = record.preset,
        seed = seeds(&record.study),
        runs = record.runs.len(),
        programs = programs.collect::<String>(),
        machines = machines.collect::<String>(),
        time = HumanDuration(Duration::from_secs_f64(record.seconds.max(0.0))),
        data = data.collect::<String>(),
    )
}

/// The seeds of a study in words: "seed 1", "seeds 1, 2, 3".
fn seeds(study: &Study) -> String {
    let seeds: Vec<String> = study.all_seeds().iter().map(u64::to_string).collect();
    format!("seed{} {}", if seeds.len() == 1 { "" } else { "s" }, seeds.join(", "))
}
