//! Does single runs of a planned study, in a folder in which other processes may do others.

use std::collections::BTreeMap;

use inkling_data::{DataSet, Sources};
use inkling_schema::outcome::{RunFailure, StudyRecord};
use inkling_schema::{RunSpec, Sweep};
use inkling_store::{Store, StoreError, TensorFile, clock};
use miette::Diagnostic;

use crate::error::LabError;
use crate::folder::{self, Unfinished};
use crate::inside::{LookInputs, Trained, look_in, run_likeness};
use crate::jobs::{Job, JobState, jobs, states};
use crate::observer::{Event, Observer};
use crate::options::StudyOptions;
use crate::runs::{RunContext, run_once};
use crate::train::train_in;
use crate::{page, pca, perceptron, plan, separability, sweep};

/// Does runs of one planned study.
pub struct Worker<'a> {
    record: &'a StudyRecord,
    jobs: Vec<Job>,
    store: &'a Store,
    sources: &'a Sources<'a>,
    observer: &'a dyn Observer,
    mixes_instructions: bool,
    groups: Vec<String>,
    /// Sets that were needed so far, by name.
    sets: BTreeMap<String, DataSet>,
}

impl<'a> Worker<'a> {
    /// A worker on the study that `record` describes, in the folder of `store`.
    ///
    /// # Errors
    /// [`LabError::OtherInstructions`] where networks of the study were computed with instructions whose last digits differ, and
    /// the options do not ask to mix them.
    pub fn new(
        record: &'a StudyRecord,
        store: &'a Store,
        sources: &'a Sources<'a>,
        options: &StudyOptions,
        observer: &'a dyn Observer,
    ) -> Result<Self, LabError> {
        folder::check_instructions(record.runs.iter(), store, options, Unfinished::Apart)?;
        let groups = record.study.multitask.iter().flat_map(|task| &task.groups);
        let groups = groups.map(|group| group.name.clone()).collect();
        let (jobs, mixes_instructions) = (jobs(record), options.mix_instructions);
        Ok(Self { record, jobs, store, sources, observer, mixes_instructions, groups, sets: BTreeMap::new() })
    }

    /// The jobs of the study, each after those that it needs.
    pub fn jobs(&self) -> &[Job] {
        &self.jobs
    }

    /// The numbers of the jobs that train the points of a sweep. Those that the study does not have are added; they stand in its
    /// folder like all others, and in no record.
    ///
    /// # Errors
    /// What is wrong with a network, or with its images.
    pub fn add(&mut self, sweep: &Sweep) -> Result<Vec<usize>, LabError> {
        let mut numbers = Vec::new();
        for point in &sweep.points {
            point.study.sets().try_for_each(|name| self.load_set(name.to_owned()))?;
            let runs = sweep::trials(sweep, point, &self.sets)?;
            plan::check_memory(&runs)?;
            for run in runs {
                let known = self.jobs.iter().position(|job| job.run.id == run.id);
                numbers.push(known.unwrap_or(self.jobs.len()));
                if known.is_none() {
                    self.jobs.push(Job { run, needs: Vec::new() });
                }
            }
        }
        Ok(numbers)
    }

    /// How each job stands.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn states(&self) -> Result<Vec<JobState>, StoreError> {
        states(&self.jobs, self.store.reader())
    }

    /// Does the job of this number unless it is done, and notes in the folder why it failed, where it did for reasons of its
    /// own: that it was interrupted, or that a disk is full, says nothing about it.
    ///
    /// # Errors
    /// [`StoreError::Claimed`] where another process does it and is seen to live, [`LabError::NotReady`] where it needs runs
    /// that are not finished, [`LabError::Blocked`] where those have failed, [`LabError::OtherData`] where this machine has other
    /// images; otherwise as for the run.
    ///
    /// # Panics
    /// If there is no such job.
    pub fn run(&mut self, number: usize) -> Result<(), LabError> {
        let Job { run, .. } = self.jobs[number].clone();
        let states = self.states()?;
        let title = || run.full_title();
        let titles = |ids: &[_]| {
            let titles = self.jobs.iter().filter(|job| ids.contains(&job.run.id));
            titles
                .map(|job| format!("{} ({})", job.run.full_title(), job.run.id))
                .collect::<Vec<_>>()
                .join(", ")
        };
        match &states[number] {
            JobState::Done { seconds: Some(_) } => {
                self.observer.event(Event::Skipped);
                return Ok(());
            }
            JobState::Waiting(on) => return Err(LabError::NotReady { run: title(), on: titles(on) }),
            JobState::Blocked(by) => return Err(LabError::Blocked { run: title(), by: titles(by) }),
            JobState::Done { .. } | JobState::Claimed(_) | JobState::Failed(_) | JobState::Ready => {}
        }
        self.load(number)?;
        let result = self.run_ready(number);
        if let Err(error) = &result
            && is_of_the_run(error)
        {
            let help = error.help().map(|help| help.to_string());
            let lines = [error.to_string()].into_iter().chain(help);
            let failure = RunFailure {
                host: inkling_store::host(),
                time: clock::now(),
                version: env!("CARGO_PKG_VERSION").into(),
                lines: lines.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect(),
            };
            // The failure itself is what to tell.
            let _ = self.store.note_failure(run.id.as_ref(), &failure);
        }
        result
    }

    /// Brings the images of a job into memory, and compares them with those of the plan.
    fn load(&mut self, number: usize) -> Result<(), LabError> {
        self.set_of(number).map_or(Ok(()), |name| self.load_set(name))
    }

    fn load_set(&mut self, name: String) -> Result<(), LabError> {
        if self.sets.contains_key(&name) {
            return Ok(());
        }
        let set = plan::load_set(&self.record.study, &name, self.sources, self.observer)?;
        let expected = self.record.data.get(&name).map_or("", |facts| facts.checksum.as_str());
        if set.checksum != expected {
            let (title, found) = (set.about.title.clone(), set.checksum.clone());
            return Err(LabError::OtherData { title, found, expected: expected.into() });
        }
        self.sets.insert(name, set);
        Ok(())
    }

    /// The set whose checksum is in the id of a job. That of the filters of a network is the network's.
    fn set_of(&self, number: usize) -> Option<String> {
        let Job { run, needs } = &self.jobs[number];
        let of_needed = || self.jobs.iter().find(|job| needs.contains(&job.run.id))?.run.spec.data();
        run.spec.data().or_else(of_needed).map(|data| data.set.clone())
    }

    fn run_ready(&self, number: usize) -> Result<(), LabError> {
        let Job { run, needs } = &self.jobs[number];
        let context = RunContext {
            store: self.store,
            set: self.set_of(number).map(|name| &self.sets[&name]),
            groups: &self.groups,
            observer: self.observer,
            waits: false,
            mixes_instructions: self.mixes_instructions,
        };
        let stage = |steps: usize| {
            self.observer.event(Event::Stage { title: &run.full_title(), steps });
        };
        match &run.spec {
            RunSpec::Pca(spec) => {
                stage(1);
                run_once(&context, run, |writer| pca::run(&context, spec, writer))
            }
            RunSpec::Separability(spec) => {
                let classes = separability::compared(spec, context.set().about.classes.len()).len();
                stage(classes * (classes - 1) / 2);
                let plane = self.store.run(needs[0].as_ref());
                run_once(&context, run, |writer| separability::run(&context, spec, &plane, writer))
            }
            RunSpec::Perceptron(spec) => {
                stage(1);
                run_once(&context, run, |writer| perceptron::run(&context, spec, writer))
            }
            RunSpec::Train(_) | RunSpec::Trial(_) => train_in(&context, run),
            RunSpec::Choice(_) => sweep::choose_in(&context, run),
            RunSpec::Filters(_) | RunSpec::Activations(_) | RunSpec::Dream(_) => {
                stage(1);
                let read = |place: usize| {
                    let folder = self.store.run(needs[place].as_ref()).path();
                    Trained::read(&folder.join(TensorFile::Model.name()))
                };
                let mut network = read(0)?;
                let mut judge = if needs.len() > 1 { Some(read(1)?) } else { None };
                let inputs = LookInputs {
                    network: &mut network,
                    judge: judge.as_mut(),
                    set: context.set,
                    user_images: &[],
                };
                look_in(&context, run, inputs)
            }
            RunSpec::Likeness(_) => {
                stage(1);
                run_likeness(&context, run)
            }
            RunSpec::PageNetwork(_) | RunSpec::PageImages(_) => {
                stage(1);
                page::run_in(&context, run)
            }
        }
    }
}

/// Whether an error says something about the run, and not about this process, this machine or the moment.
fn is_of_the_run(error: &LabError) -> bool {
    match error {
        LabError::Interrupted | LabError::OtherInstructions { .. } => false,
        LabError::Store(error) => !matches!(
            error,
            StoreError::Claimed { .. }
                | StoreError::ClaimLost { .. }
                | StoreError::AlreadyFinished { .. }
                | StoreError::CannotWrite { .. }
                | StoreError::DiskFull { .. }
                | StoreError::Io { .. }
        ),
        _ => true,
    }
}
