//! What is taken out of a whole study: its metrics as a table or for TensorBoard, and its networks for PyTorch and Keras.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use indicatif::DecimalBytes;
use inkling_data::Sources;
use inkling_interchange::metrics::{
    MetricRow, csv, json, parquet, rows_of_choice, rows_of_perceptron, rows_of_training, rows_of_trial,
};
use inkling_interchange::{File, Peers};
use inkling_lab::Trained;
use inkling_report::training_lines;
use inkling_schema::format::thousands;
use inkling_schema::outcome::{
    ChoiceOutcome, ChoiceTest, PerceptronOutcome, PlannedRun, RunResult, StudyRecord, TrainOutcome,
    TrialOutcome,
};
use inkling_schema::{RunId, RunSpec, Setting, Task};
use inkling_store::{Reader, StoreError, TensorFile, atomic};

use super::{ExchangeError, board, features, portable, write_folder_by_parts};
use crate::args::ExportArgs;
use crate::failure::Failure;
use crate::{look, output, replace};

/// A form of the table of metrics.
type Write = fn(&[MetricRow]) -> Vec<u8>;

/// The form that a file's ending names, and how such a file of this program begins, where that tells it from others.
fn form(path: &Path) -> Result<(Write, Option<&'static [u8]>), ExchangeError> {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("csv") => Ok((csv, Some(b"run,task,network,data_set,"))),
        Some("json") => Ok((json, None)),
        Some("parquet") => Ok((parquet, None)),
        _ => Err(ExchangeError::NoTable { path: path.to_owned() }),
    }
}

/// Checks what can be checked before anything is read.
pub(super) fn check(args: &ExportArgs) -> Result<(), Failure> {
    if let Some(path) = &args.metrics {
        let (_, begins) = form(path)?;
        let is_ours = |start: &[u8]| begins.is_some_and(|begins| start.starts_with(begins));
        replace::check(path, "such a table of this program", is_ours)?;
    }
    Ok(())
}

pub(super) fn export(args: &ExportArgs) -> Result<(), Failure> {
    if args.metrics.is_none() && args.tensorboard.is_none() && args.peers.is_none() {
        return Ok(());
    }
    let folder = args.model.path.as_path();
    let reader = Reader::open(folder)?;
    let none = || ExchangeError::NoStudy { path: folder.to_owned() };
    let record: StudyRecord = reader.json("study.json")?.ok_or_else(none)?;
    let nothing = |what| ExchangeError::Nothing { path: folder.to_owned(), what };
    if args.metrics.is_some() || args.tensorboard.is_some() {
        let runs = metrics(&reader, &record)?;
        if runs.is_empty() {
            return Err(nothing("training").into());
        }
        if let Some(path) = &args.metrics {
            let rows: Vec<MetricRow> = runs.iter().flat_map(|(_, rows)| rows.iter().cloned()).collect();
            let bytes = form(path)?.0(&rows);
            atomic::write(path, &bytes)?;
            let (values, size) = (thousands(rows.len()), DecimalBytes(bytes.len() as u64));
            output::line(&format!("{}: {values} values of {} runs, {size}", path.display(), runs.len()));
        }
        if let Some(dir) = &args.tensorboard {
            let written = board::write(dir, &reader, &record, &runs)?;
            features::write(dir, &reader, &record, &Sources::new(None))?;
            output::line(&format!(
                "{}: {written} runs; `tensorboard --logdir {}` shows them",
                dir.display(),
                inkling_schema::quoted_path(dir),
            ));
        }
    }
    if let Some(dir) = &args.peers {
        let networks = networks(&reader, &record);
        if networks.is_empty() {
            return Err(nothing("network of tasks 3, 4 or 6").into());
        }
        write_folder_by_parts(dir, |write| {
            let mut peers = Peers::default();
            for (run, file) in &networks {
                write(&peer(&mut peers, run, file)?)?;
            }
            write(&peers.finish())
        })?;
        output::line(&format!("{}: {} networks for PyTorch and Keras", dir.display(), networks.len()));
    }
    Ok(())
}

/// Writes a study that was just done for TensorBoard.
pub(crate) fn for_tensorboard(dir: &Path, reader: &Reader, sources: &Sources) -> Result<(), Failure> {
    let none = || ExchangeError::NoStudy { path: reader.path().to_owned() };
    let record: StudyRecord = reader.json("study.json")?.ok_or_else(none)?;
    board::write(dir, reader, &record, &metrics(reader, &record)?)?;
    features::write(dir, reader, &record, sources)
}

/// The runs of a study that train something, or choose among trainings, and are finished, with the rows of their metrics.
fn metrics<'a>(
    reader: &Reader,
    record: &'a StudyRecord,
) -> Result<Vec<(&'a PlannedRun, Vec<MetricRow>)>, Failure> {
    let mut found = Vec::new();
    let settings = record.trial_settings();
    for run in &record.runs {
        let dir = reader.run(run.id.as_ref());
        let rows = match &run.spec {
            RunSpec::Train(spec) => dir
                .finished::<RunResult<TrainOutcome>>()?
                .map(|result| Ok(rows_of_training(run, spec, &training_lines(&dir)?, Some(&result.outcome)))),
            RunSpec::Perceptron(spec) => dir.finished::<RunResult<PerceptronOutcome>>()?.map(|result| {
                Ok(rows_of_perceptron(run, spec, &inkling_report::metrics(&dir)?, Some(&result.outcome)))
            }),
            RunSpec::Trial(spec) => dir.finished::<RunResult<TrialOutcome>>()?.map(|result| {
                let settings = settings.get(&run.id).map_or(&[][..], Vec::as_slice);
                Ok(rows_of_trial(run, spec, settings, &training_lines(&dir)?, Some(&result.outcome)))
            }),
            RunSpec::Choice(_) => dir
                .finished::<RunResult<ChoiceOutcome>>()?
                .map(|result| Ok(chosen(record, &settings, run, &result.outcome))),
            _ => None,
        };
        if let Some(rows) = rows.transpose().map_err(|error: StoreError| Failure::from(error))? {
            found.push((run, rows));
        }
    }
    Ok(found)
}

/// What a sweep's choice says of the networks of the chosen point, which it names by their trainings.
fn chosen(
    record: &StudyRecord,
    settings: &BTreeMap<&RunId, Vec<Setting>>,
    choice: &PlannedRun,
    outcome: &ChoiceOutcome,
) -> Vec<MetricRow> {
    let rows = |test: &ChoiceTest| {
        let trial = record.runs.iter().find(|run| run.id == test.run)?;
        let RunSpec::Trial(spec) = &trial.spec else { return None };
        Some(rows_of_choice(choice, trial, spec, settings.get(&test.run)?, test))
    };
    outcome.tests.iter().filter_map(rows).flatten().collect()
}

/// The networks of tasks 3, 4 and 6 with their files, or the one of a training.
pub(crate) fn networks<'a>(reader: &Reader, record: &'a StudyRecord) -> Vec<(&'a PlannedRun, PathBuf)> {
    let of = |run: &'a PlannedRun| {
        let is_asked = matches!(run.task, Task::Mlp | Task::Cnn | Task::Network | Task::Multitask);
        let file = reader.run(run.id.as_ref()).path().join(TensorFile::Model.name());
        (is_asked && matches!(run.spec, RunSpec::Train(_)) && file.is_file()).then_some((run, file))
    };
    record.runs.iter().filter_map(of).collect()
}

/// The files of a network for PyTorch and Keras.
pub(crate) fn peer(peers: &mut Peers, run: &PlannedRun, file: &Path) -> Result<Vec<File>, Failure> {
    let network = portable(Trained::read(file).map_err(look::failure)?);
    let of_file = |source| ExchangeError::Network { path: file.to_owned(), source };
    Ok(peers.add(&run.full_title(), run.id.as_ref(), &network).map_err(of_file)?)
}
