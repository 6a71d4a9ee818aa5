//! A study on TensorBoard's page while it is done.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use inkling_engine::NamedTensor;
use inkling_interchange::metrics::rows_of_training;
use inkling_lab::Event;
use inkling_schema::outcome::{PlannedRun, StudyRecord, TrainingLine};
use inkling_store::Store;
use inkling_tensorboard::{BoardError, EventWriter};

use super::board;

/// Writes the metrics of the network that is being trained. When the study is done, [`super::study_for_tensorboard`] writes all
/// runs anew, whole.
pub(crate) struct Live<'a> {
    dir: PathBuf,
    store: &'a Store,
    current: Mutex<Current>,
}

/// The training that goes on.
#[derive(Default)]
struct Current {
    run: Option<PlannedRun>,
    /// Steps that earlier processes did.
    steps: u64,
    writer: Option<EventWriter>,
    histograms: Option<EventWriter>,
    /// After an error nothing more is written.
    failed: bool,
}

impl<'a> Live<'a> {
    pub(crate) fn new(dir: &Path, store: &'a Store) -> Live<'a> {
        Live { dir: dir.to_owned(), store, current: Mutex::default() }
    }

    /// Takes an event of the study.
    ///
    /// # Errors
    /// The first error of writing; later events are not written.
    pub(crate) fn hear(&self, event: Event) -> Result<(), BoardError> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.failed {
            return Ok(());
        }
        let heard = current.hear(event, &self.dir, self.store);
        current.failed = heard.is_err();
        heard
    }
}

impl Current {
    fn hear(&mut self, event: Event, dir: &Path, store: &Store) -> Result<(), BoardError> {
        match event {
            Event::Stage { title, .. } => {
                *self = Current { run: planned(store, title), ..Current::default() };
                Ok(())
            }
            Event::Resumed { steps, .. } | Event::Continued { steps, .. } => {
                self.steps = steps as u64;
                Ok(())
            }
            Event::Steps(line) => self.write(&TrainingLine::Steps(line.clone()), dir),
            Event::Epoch { outcome, .. } => self.write(&TrainingLine::Epoch(outcome.clone()), dir),
            Event::Trial { outcome, .. } => self.write(&TrainingLine::Trial(outcome.clone()), dir),
            Event::Weights { step, values, gradients } => self.histograms(step, values, gradients, dir),
            Event::Finished => {
                let writers = [self.writer.take(), self.histograms.take()];
                writers.into_iter().flatten().try_for_each(EventWriter::close)
            }
            _ => Ok(()),
        }
    }

    /// Histograms after an epoch, in a run beside the network's own, which is written anew when the study is done.
    fn histograms(
        &mut self,
        step: usize,
        values: &[NamedTensor],
        gradients: &[NamedTensor],
        dir: &Path,
    ) -> Result<(), BoardError> {
        let Some(run) = &self.run else { return Ok(()) };
        let writer = match &mut self.histograms {
            Some(writer) => writer,
            empty => {
                let first = if self.steps == 0 { 0 } else { self.steps + 1 };
                empty.insert(board::writer(&board::folder(dir, run).join("epochs"), first)?)
            }
        };
        for (kind, tensors) in [("weights", values), ("gradients", gradients)] {
            for tensor in tensors {
                writer.histogram(&format!("{kind}/{}", tensor.name), step as u64, &tensor.values)?;
            }
        }
        writer.flush()
    }

    fn write(&mut self, line: &TrainingLine, dir: &Path) -> Result<(), BoardError> {
        let Some(run) = &self.run else { return Ok(()) };
        let Some(spec) = board::training(run) else { return Ok(()) };
        let writer = match &mut self.writer {
            Some(writer) => writer,
            empty => {
                // What an earlier process wrote of later steps is done again.
                let first = if self.steps == 0 { 0 } else { self.steps + 1 };
                empty.insert(board::writer(&board::folder(dir, run), first)?)
            }
        };
        for row in rows_of_training(run, spec, std::slice::from_ref(line), None) {
            if let Some((tag, step)) = row.chart() {
                writer.scalar(&tag, step, row.value)?;
            }
        }
        writer.flush()
    }
}

/// The training of the study that is announced by this title.
fn planned(store: &Store, title: &str) -> Option<PlannedRun> {
    let record: StudyRecord = store.reader().json("study.json").ok()??;
    let is_it = |run: &PlannedRun| board::training(run).is_some() && run.full_title() == title;
    record.runs.into_iter().find(is_it)
}
