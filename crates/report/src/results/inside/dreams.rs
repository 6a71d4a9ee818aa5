//! Dreams, read from their runs.

use inkling_schema::outcome::{DreamOutcome, PlannedRun, RunResult};
use inkling_schema::{DreamRun, Objective};
use inkling_store::Reader;

use super::{Arrays, Pictures, outcome};
use crate::ReportError;

/// n dreams, made together.
#[derive(Debug, Clone)]
pub struct DreamResults {
    /// What the study calls them.
    pub title: String,
    /// The run's spec.
    pub spec: DreamRun,
    /// What the network and the judge make of them.
    pub outcome: DreamOutcome,
    /// The dreams, numbers from 0 to 1.
    pub pictures: Pictures,
    /// What they began with.
    pub starts: Pictures,
    /// The pictures of the way, all dreams of a step before those of the next.
    pub frames: Pictures,
    /// The steps after which the pictures of the way were kept, shape `[frames]`.
    pub frame_steps: Vec<u32>,
    /// The steps after which the way was measured, shape `[t]`.
    pub path_steps: Vec<u32>,
    /// The objective on the way, shape [t, n].
    pub path_objective: Vec<f32>,
    /// The logit and the probability of the objective's class on the way, each of shape [t, n]; `None` where the
    /// objective is of no class.
    pub path_class: Option<[Vec<f32>; 2]>,
}

impl DreamResults {
    /// The class that a picture raises, if its objective is of one.
    pub fn class_of(&self, picture: usize) -> Option<usize> {
        match self.spec.pictures.get(picture)?.objective {
            Objective::ClassLogit { class, .. } | Objective::ClassProbability { class, .. } => Some(class),
            _ => None,
        }
    }

    /// The picture of a dream after the step of this place in `frame_steps`.
    pub fn frame(&self, place: usize, picture: usize) -> &[f32] {
        self.frames.get(place * self.outcome.pictures.len() + picture)
    }

    /// The values of one dream in an array of shape [t, n].
    pub fn path<'a>(&self, values: &'a [f32], picture: usize) -> impl Iterator<Item = f64> + 'a {
        values.iter().skip(picture).step_by(self.outcome.pictures.len()).map(|&value| f64::from(value))
    }
}

pub(super) fn read(store: &Reader, run: &PlannedRun, spec: &DreamRun) -> Result<DreamResults, ReportError> {
    let result: RunResult<DreamOutcome> = outcome(store, run)?;
    let arrays = Arrays::of(store, run)?;
    let n = result.outcome.pictures.len();
    if n == 0 || n != spec.pictures.len() {
        return Err(
            arrays.damaged(format!("{} dreams were requested, but {n} were made", spec.pictures.len()))
        );
    }
    let size = arrays.size("pictures", n)?;
    let [height, width, channels] = size;
    let (frames, steps) = (arrays.length("frame_steps")?, arrays.length("path_steps")?);
    if frames == 0 || steps == 0 {
        return Err(arrays.damaged("nothing was kept of the way".into()));
    }
    let path = |name: &str| arrays.numbers(name, &[steps, n]);
    let path_class =
        if arrays.has("path_logit") { Some([path("path_logit")?, path("path_probability")?]) } else { None };
    Ok(DreamResults {
        title: run.title.clone(),
        pictures: arrays.pictures("pictures", n, size)?,
        starts: arrays.pictures("starts", n, size)?,
        frames: Pictures { size, values: arrays.numbers("frames", &[frames, n, height, width, channels])? },
        frame_steps: arrays.tensors.values("frame_steps", &[frames])?,
        path_steps: arrays.tensors.values("path_steps", &[steps])?,
        path_objective: path("path_objective")?,
        path_class,
        spec: spec.clone(),
        outcome: result.outcome,
    })
}
