//! The facts that the report's text is written from. The template computes nothing: every number in the report, and
//! every comparison on which its words depend, is made here from the results.

mod closer;
pub(crate) mod compared;
mod inside;
mod laboratory;
mod layers;
mod multitask;
mod network;
mod networks;
mod pca;
mod peers;
mod perceptron;
mod published;
mod rank;
mod seeds;
mod sweep;

use std::collections::BTreeMap;

use inkling_schema::outcome::{DataSetFacts, PlannedRun, StudyRecord};
use inkling_schema::{Author, Task, printable};
use serde::Serialize;

use self::compared::ComparedFacts;
use self::inside::InsideFacts;
use self::laboratory::LaboratoryFacts;
use self::multitask::MultitaskFacts;
use self::network::NetworkFacts;
use self::networks::NetworksFacts;
use self::pca::PcaFacts;
use self::peers::PeersFacts;
use self::perceptron::{LinkFacts, PerceptronFacts};
use self::published::{Published, published};
use self::sweep::SweepFacts;
use crate::results::Why;
use crate::rows::Rows;
use crate::{Figure, Moment, Origins, Results};

/// What the template reads as `facts.json`.
#[derive(Debug, Serialize)]
pub(super) struct Facts<'a> {
    study: StudyFacts<'a>,
    pca: Option<PcaFacts<'a>>,
    perceptrons: Option<PerceptronFacts<'a>>,
    /// What the two tasks say about each other, where they looked at the same images.
    link: Option<LinkFacts>,
    mlps: Option<NetworksFacts<'a>>,
    cnns: Option<NetworksFacts<'a>>,
    /// CNNs beside MLPs.
    compared: Option<ComparedFacts<'a>>,
    /// A network of a person's own.
    network: Option<NetworkFacts<'a>>,
    inside: Option<InsideFacts<'a>>,
    multitask: Option<MultitaskFacts<'a>>,
    sweep: Option<SweepFacts<'a>>,
    /// The page's laboratory, where it has networks.
    laboratory: Option<LaboratoryFacts<'a>>,
    /// Tasks that were asked for and are not whole, in the order of the brief.
    missing: Vec<Missing<'a>>,
    /// Published results, and what was found here beside them.
    published: Vec<Published>,
    /// Alternative text of each figure there is, by name.
    figures: BTreeMap<&'a str, &'a str>,
    /// File names of the tables, where the report shows them whole.
    tables: &'a [String],
}

#[derive(Debug, Serialize)]
struct StudyFacts<'a> {
    preset: &'a str,
    /// In words: Typst holds no whole number beyond 2⁶³ − 1.
    seeds: Vec<String>,
    /// What made the runs; the first made the most.
    #[serde(flatten)]
    origins: &'a Origins,
    /// Whether times can be compared, and whether all runs would end with the same bits again.
    times_compare: bool,
    bits_agree: bool,
    seconds: f64,
    /// When the last run ended.
    finished: Option<Moment>,
    /// What other libraries counted with the networks.
    peers: Option<PeersFacts<'a>>,
    runs: usize,
    /// Runs that are not finished.
    unfinished: usize,
    /// Words that the main part may have.
    words: usize,
    /// Whether it is of one network of a person's own, and nothing to hand in.
    own: bool,
    group: Option<u32>,
    authors: &'a [Author],
    data: Vec<DataFacts<'a>>,
    command: String,
    /// The study's file, where it lies in the study's own folder.
    file: Option<&'a str>,
}

/// What is missing of a task.
#[derive(Debug, Serialize)]
struct Missing<'a> {
    task: Task,
    runs: Vec<String>,
    /// Those that failed.
    failed: Vec<FailedFacts<'a>>,
    /// Those that need runs which cannot be done.
    blocked: Vec<BlockedFacts<'a>>,
}

/// A run that failed.
#[derive(Debug, Serialize)]
struct FailedFacts<'a> {
    title: &'a str,
    /// What went wrong, as a clause.
    reason: String,
}

/// Runs that cannot be done without the same others.
#[derive(Debug, Serialize)]
struct BlockedFacts<'a> {
    runs: Vec<&'a str>,
    needs: &'a [String],
}

#[derive(Debug, Serialize)]
struct DataFacts<'a> {
    title: &'a str,
    checksum: &'a str,
    /// The most images of it that a run uses.
    train_images: usize,
    test_images: usize,
    /// Training images that it has, where the study uses fewer.
    all_train_images: Option<usize>,
    /// The files that it was read from, where it is a person's own.
    source: Option<&'a str>,
}

impl<'a> DataFacts<'a> {
    fn new(set: &str, data: &'a DataSetFacts, record: &'a StudyRecord) -> Self {
        let slices = || record.runs.iter().filter_map(|run| run.spec.data()).filter(|slice| slice.set == set);
        let train_images = slices().map(|slice| slice.train_images).max().unwrap_or(0);
        let all = data.images.map(|[train, _]| train);
        DataFacts {
            title: &data.title,
            checksum: &data.checksum,
            train_images,
            test_images: slices().map(|slice| slice.test_images).max().unwrap_or(0),
            all_train_images: all.filter(|all| (1..*all).contains(&train_images)),
            source: record.study.data_set.iter().find(|own| own.name == set).map(|own| own.source.as_str()),
        }
    }
}

/// Two classes, and how the report writes them as a pair.
#[derive(Debug, Clone, Serialize)]
struct Pair {
    a: String,
    b: String,
    name: String,
}

impl Pair {
    fn new(classes: &[String], a: impl Into<usize>, b: impl Into<usize>) -> Pair {
        let (a, b) = (classes[a.into()].clone(), classes[b.into()].clone());
        Pair { name: format!("{a}–{b}"), a, b }
    }
}

/// A pair with the number that it is named for.
#[derive(Debug, Clone, Serialize)]
struct PairValue {
    pair: Pair,
    value: f64,
}

/// A class or a network with the number that it is named for.
#[derive(Debug, Clone, Serialize)]
struct Named<'a> {
    name: &'a str,
    value: f64,
}

/// The smallest and the largest; `None` of nothing.
fn ends(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |ends, value| match ends {
        None => Some((value, value)),
        Some((low, high)) => Some((f64::min(low, value), f64::max(high, value))),
    })
}

impl<'a> Facts<'a> {
    pub(super) fn new(
        results: &'a Results,
        rows: &'a Rows,
        figures: &'a [Figure],
        tables: &'a [String],
    ) -> Self {
        let record = &results.record;
        Facts {
            study: StudyFacts {
                preset: &record.preset,
                seeds: record.study.all_seeds().iter().map(u64::to_string).collect(),
                origins: &results.origins,
                times_compare: results.origins.times_compare(),
                bits_agree: results.origins.bits_agree(),
                seconds: record.seconds,
                finished: results.finished,
                peers: results.peers.as_ref().and_then(|peers| peers.as_ref().ok()).map(PeersFacts::new),
                runs: record.runs.len(),
                unfinished: results.missing.len(),
                words: super::WORDS,
                own: record.study.network.is_some(),
                group: record.study.report.as_ref().and_then(|report| report.group),
                authors: record.study.report.as_ref().map_or(&[], |report| &report.authors),
                data: record.data.iter().map(|(set, data)| DataFacts::new(set, data, record)).collect(),
                command: command(results),
                file: results.study_is_here.then_some(&results.record.preset),
            },
            pca: results.pca.as_ref().map(PcaFacts::new),
            perceptrons: both(&results.perceptrons, &rows.perceptron)
                .map(|(found, rows)| PerceptronFacts::new(found, rows)),
            link: both(&results.pca, &results.perceptrons)
                .and_then(|(pca, perceptrons)| LinkFacts::new(pca, perceptrons)),
            mlps: both(&results.mlps, &rows.mlp).and_then(|(found, rows)| NetworksFacts::new(found, rows)),
            cnns: both(&results.cnns, &rows.cnn).and_then(|(found, rows)| NetworksFacts::new(found, rows)),
            compared: both(&results.mlps, &results.cnns)
                .zip(rows.beside.as_ref())
                .and_then(|((mlps, cnns), rows)| ComparedFacts::new(mlps, cnns, rows)),
            network: both(&results.network, &rows.network)
                .and_then(|(found, rows)| NetworkFacts::new(found, rows)),
            inside: both(&results.inside, &rows.inside).map(|(found, rows)| InsideFacts::new(found, rows)),
            multitask: both(&results.multitask, &rows.multitask)
                .and_then(|(found, rows)| MultitaskFacts::new(found, rows)),
            sweep: both(&results.sweep, &rows.sweep).map(|(found, rows)| SweepFacts::new(found, rows)),
            laboratory: results.page.as_ref().map(LaboratoryFacts::new),
            missing: missing(results),
            published: published(results),
            figures: figures.iter().map(|figure| (figure.name.as_str(), figure.alt.as_str())).collect(),
            tables,
        }
    }
}

/// Two things, such as results and their rows, where there are both.
fn both<'a, A, B>(a: &'a Option<A>, b: &'a Option<B>) -> Option<(&'a A, &'a B)> {
    a.as_ref().zip(b.as_ref())
}

fn missing(results: &Results) -> Vec<Missing<'_>> {
    let of = |task: Task| {
        let runs = results.missing.iter().filter(|run| run.task == task);
        let (mut failed, mut blocked): (Vec<FailedFacts>, Vec<BlockedFacts>) = (Vec::new(), Vec::new());
        for unable in results.unable.iter().filter(|unable| unable.task == task) {
            let title = unable.title.as_str();
            match &unable.why {
                Why::Failed(reason) => {
                    let reason = printable(reason.trim_end_matches('.')).into_owned();
                    failed.push(FailedFacts { title, reason });
                }
                Why::Needs(needs) => match blocked.iter_mut().find(|alike| alike.needs == needs) {
                    Some(alike) => alike.runs.push(title),
                    None => blocked.push(BlockedFacts { runs: vec![title], needs }),
                },
            }
        }
        Missing { task, runs: runs.map(PlannedRun::name).collect(), failed, blocked }
    };
    Task::ALL.into_iter().map(of).filter(|found| !found.runs.is_empty()).collect()
}

/// The seeds as the command line takes them; those of a study's file that are not one after the other are in the file alone.
fn seeds(record: &StudyRecord) -> String {
    let seeds = record.study.all_seeds();
    let first = record.study.first_seed();
    let in_a_row = (0_u64..).zip(&seeds).all(|(more, &seed)| seed == first.wrapping_add(more));
    match seeds.len() {
        1 => format!(" --seed {first}"),
        count if in_a_row => format!(" --seed {first} --seeds {count}"),
        _ => String::new(),
    }
}

/// The command that makes the study again.
fn command(results: &Results) -> String {
    let record = &results.record;
    let name = inkling_schema::quoted(&record.preset);
    let tasks = record.study.tasks();
    let whole = Task::ALL.into_iter().filter_map(Task::number).count();
    let of_brief = tasks.iter().filter(|task| task.number().is_some()).count();
    let only = if of_brief == whole || record.study.network.is_some() {
        String::new()
    } else {
        format!(" --only {}", tasks.iter().map(|task| task.name()).collect::<Vec<_>>().join(","))
    };
    let cpu = if results.origins.portable() { " --cpu portable" } else { "" };
    // A study file names its own sets; a preset was given one.
    let own = record.study.data_set.first().filter(|_| inkling_schema::preset(&record.preset).is_some());
    let data = own.map_or_else(String::new, |set| format!(" --data {}", inkling_schema::quoted(&set.source)));
    format!("inkling study {name}{data}{}{only}{cpu}", seeds(record))
}
