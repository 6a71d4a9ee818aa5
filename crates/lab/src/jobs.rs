//! The runs of a study as jobs that any process can do: what each needs, how it stands, how long it may take.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use inkling_engine::{Dataset, Network, Trainer};
use inkling_schema::outcome::{PlannedRun, RunResult, StudyRecord};
use inkling_schema::{RunId, RunSpec, TrainRun};
use inkling_store::{ClaimSeen, Reader, StoreError};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::error::LabError;
use crate::options::STUDY;

/// A run of a study, once however many places of the report it is shown in.
#[derive(Debug, Clone)]
pub struct Job {
    /// The run.
    pub run: PlannedRun,
    /// The runs that must be finished before it can be done.
    pub needs: Vec<RunId>,
}

/// The jobs of a planned study, each after those that it needs.
pub fn jobs(record: &StudyRecord) -> Vec<Job> {
    let mut jobs: Vec<Job> = Vec::new();
    // The report's order is one of dependencies too: networks are planned before what looks into them.
    for run in &record.runs {
        if !jobs.iter().any(|job| job.run.id == run.id) {
            jobs.push(Job { run: run.clone(), needs: needs(run, &record.runs) });
        }
    }
    jobs
}

fn needs(run: &PlannedRun, runs: &[PlannedRun]) -> Vec<RunId> {
    match &run.spec {
        RunSpec::Separability(spec) => {
            let is_its_plane =
                |other: &&PlannedRun| matches!(&other.spec, RunSpec::Pca(pca) if pca.data == spec.data);
            runs.iter().find(is_its_plane).map(|pca| pca.id.clone()).into_iter().collect()
        }
        RunSpec::Filters(spec) => vec![spec.of.clone()],
        RunSpec::Activations(spec) => vec![spec.of.clone()],
        RunSpec::Dream(spec) => [&spec.of].into_iter().chain(&spec.judge).cloned().collect(),
        RunSpec::Likeness(spec) => spec.of.iter().chain(&spec.dreams).cloned().collect(),
        RunSpec::PageNetwork(spec) => vec![spec.of.clone()],
        RunSpec::Choice(spec) => spec.points.iter().flatten().cloned().collect(),
        RunSpec::Pca(_)
        | RunSpec::Perceptron(_)
        | RunSpec::Train(_)
        | RunSpec::Trial(_)
        | RunSpec::PageImages(_) => Vec::new(),
    }
}

/// Reads what a folder's study is and which runs it has.
///
/// # Errors
/// [`LabError::NotPlanned`] where no study was planned there, [`LabError::OtherVersion`] where another version of the program
/// did, whose runs may be others; [`LabError::Store`] where the record is damaged.
pub fn planned(reader: &Reader) -> Result<StudyRecord, LabError> {
    let folder = || reader.path().to_owned();
    let record: StudyRecord = reader.json(STUDY)?.ok_or_else(|| LabError::NotPlanned { folder: folder() })?;
    if record.version != env!("CARGO_PKG_VERSION") {
        return Err(LabError::OtherVersion { folder: folder(), theirs: record.version });
    }
    Ok(record)
}

/// Why a run could not be done, for whoever looks at its folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFailure {
    /// The host on which it failed.
    pub host: String,
    /// When, by that host's clock.
    pub time: String,
    /// The version of the program.
    pub version: String,
    /// What went wrong, and what to do about it.
    pub lines: Vec<String>,
}

/// How a run stands.
#[derive(Debug, Clone)]
pub enum JobState {
    /// It is finished.
    Done {
        /// Seconds that it took; none where its result cannot be read.
        seconds: Option<f64>,
    },
    /// A process has claimed it. Only who watches the claim for a while can tell whether that process still lives.
    Claimed(Box<ClaimSeen>),
    /// Its last attempt failed.
    Failed(RunFailure),
    /// It needs these runs, which are not finished.
    Waiting(Vec<RunId>),
    /// It cannot be done, because these runs that it needs have failed.
    Blocked(Vec<RunId>),
    /// It can be done, or gone on with where a process left it.
    Ready,
}

/// How each job stands, from the files of the folder alone.
///
/// # Errors
/// [`StoreError::Io`].
pub fn states(jobs: &[Job], reader: &Reader) -> Result<Vec<JobState>, StoreError> {
    let mut states: Vec<JobState> = Vec::with_capacity(jobs.len());
    let mut by_id: BTreeMap<&RunId, usize> = BTreeMap::new();
    for (place, job) in jobs.iter().enumerate() {
        let of = |id: &RunId| by_id.get(id).map(|&place| &states[place]);
        let needed = |is_it: &dyn Fn(&JobState) -> bool| -> Vec<RunId> {
            job.needs.iter().filter(|id| of(id).is_some_and(is_it)).cloned().collect()
        };
        let state = match own_state(&job.run, reader)? {
            JobState::Ready => {
                let failed = needed(&|state| matches!(state, JobState::Failed(_) | JobState::Blocked(_)));
                let open = needed(&|state| !matches!(state, JobState::Done { .. }));
                match (failed.is_empty(), open.is_empty()) {
                    (false, _) => JobState::Blocked(failed),
                    (true, false) => JobState::Waiting(open),
                    (true, true) => JobState::Ready,
                }
            }
            other => other,
        };
        states.push(state);
        by_id.insert(&job.run.id, place);
    }
    Ok(states)
}

/// How a run stands, whatever it needs.
fn own_state(run: &PlannedRun, reader: &Reader) -> Result<JobState, StoreError> {
    let id = run.id.as_ref();
    match reader.run(id).result::<RunResult<IgnoredAny>>() {
        Ok(Some(result)) => return Ok(JobState::Done { seconds: Some(result.seconds) }),
        Ok(None) => {}
        // It is there, and whoever needs it says what is wrong with it.
        Err(StoreError::Damaged { .. } | StoreError::NewerFormat { .. }) => {
            return Ok(JobState::Done { seconds: None });
        }
        Err(other) => return Err(other),
    }
    let claim = reader.claim(id)?.filter(|claim| !claim.is_over);
    if let Some(claim) = claim {
        return Ok(JobState::Claimed(Box::new(claim)));
    }
    match reader.failure::<RunFailure>(id) {
        Ok(Some(failure)) => Ok(JobState::Failed(failure)),
        // What cannot be read keeps nobody from trying again.
        Ok(None) | Err(StoreError::Damaged { .. } | StoreError::NewerFormat { .. }) => Ok(JobState::Ready),
        Err(other) => Err(other),
    }
}

/// What a training may take.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// Multiply-adds of all its steps and evaluations: forward once, and backward twice as many.
    pub multiply_adds: f64,
    /// Seconds at the rate that was given or measured.
    pub seconds: f64,
    /// Bytes of memory: parameters with their moments, the outputs of all layers of a batch, and the images.
    pub bytes: u64,
}

/// Estimates what trainings take, at a rate of multiply-adds a second that was given, or that is measured for each network
/// with some of its steps on this machine. Other runs take too differently long for an estimate, and much less.
#[derive(Debug, Default)]
pub struct Estimator {
    /// The rate that was given.
    rate: Option<f64>,
    /// Networks by their JSON, with their batch size.
    measured: BTreeMap<(String, usize), f64>,
}

/// How long the steps of one network are timed.
const TIMING: Duration = Duration::from_millis(150);

impl Estimator {
    /// With a rate in multiply-adds a second, or measuring.
    pub fn new(rate: Option<f64>) -> Self {
        Self { rate, measured: BTreeMap::new() }
    }

    /// What the run may take; none where it is no training.
    pub fn estimate(&mut self, run: &PlannedRun) -> Option<Estimate> {
        let (RunSpec::Train(spec) | RunSpec::Trial(spec)) = &run.spec else { return None };
        let plan = spec.model.plan().ok()?;
        let forward: f64 = plan.layers.iter().map(|layer| layer.multiply_adds as f64).sum();
        let held = spec.training.validation.as_ref().map_or(0, |held| held.images);
        let trained = (spec.data.train_images - held) as f64;
        let judged = (spec.data.test_images + held) as f64;
        let multiply_adds = forward * (3.0 * trained + judged) * spec.training.epochs as f64;
        let rate = match self.rate {
            Some(rate) => rate,
            None => self.measure(spec, 3.0 * forward)?,
        };
        let pixels = spec.model.input.iter().product::<usize>();
        let images = (pixels * (spec.data.train_images + spec.data.test_images)) as u64;
        let bytes = plan.training_bytes(spec.training.batch_size).saturating_add(images);
        Some(Estimate { multiply_adds, seconds: multiply_adds / rate, bytes })
    }

    /// Multiply-adds a second of steps that take so many for each image.
    fn measure(&mut self, spec: &TrainRun, of_image: f64) -> Option<f64> {
        let batch = spec.training.batch_size;
        let key = (serde_json::to_string(&spec.model).expect("a network is plain data"), batch);
        if let Some(&rate) = self.measured.get(&key) {
            return Some(rate);
        }
        let network = Network::new(&spec.model, spec.seed).ok()?;
        let heads = spec.model.heads.len();
        // Grey noise: what the images show makes little difference to a step.
        let pixels: Vec<u8> =
            (0..network.input_len() * batch).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let labels = vec![0_u8; batch];
        let labels: Vec<&[u8]> = vec![&labels; heads];
        let order: Vec<u32> = (0..batch as u32).collect();
        let weights = vec![1.0 / heads as f32; heads];
        let optimizer = spec.training.optimizer;
        let steps_a_second = rayon::scope(|_| {
            let mut trainer = Trainer::new(network, optimizer, batch, &weights);
            let mut step = || {
                trainer.step(Dataset::new(&pixels, &labels), &order, 1e-6);
            };
            (0..3).for_each(|_| step());
            let (start, mut steps) = (Instant::now(), 0_u32);
            while start.elapsed() < TIMING || steps == 0 {
                step();
                steps += 1;
            }
            f64::from(steps) / start.elapsed().as_secs_f64()
        });
        let rate = steps_a_second * batch as f64 * of_image;
        self.measured.insert(key, rate);
        Some(rate)
    }
}
