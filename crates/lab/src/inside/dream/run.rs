//! A dream run: its pictures ascend together, and what became of them is written to the store.

use std::time::Instant;

use inkling_engine::interpret::{
    FeatureVisualization, ImageBasis, ImageSize, InitialImage, ResolvedObjective, parameters_of_grey,
    parameters_of_image,
};
use inkling_engine::logits::{argmax, probability};
use inkling_engine::random::RngStream;
use inkling_engine::{LayerHandle, Workspace};
use inkling_schema::outcome::{DreamFound, DreamOutcome, Seen};
use inkling_schema::{DreamPicture, DreamRun, Labels, Start};
use inkling_store::{Metadata, RunWriter, Tensor, TensorFile};

use super::resolve::resolve;
use crate::error::LabError;
use crate::inside::error::LookError;
use crate::inside::images;
use crate::inside::inputs::LookInputs;
use crate::inside::trained::Trained;
use crate::observer::{Event, Observer};

/// Parts of the ascent at whose ends the pictures are measured.
const PATH_POINTS: usize = 64;

/// Makes the run's dreams and writes its arrays; nothing where it was interrupted.
pub(crate) fn run(
    title: &str,
    run: &DreamRun,
    inputs: &mut LookInputs,
    observer: &dyn Observer,
    writer: &RunWriter,
) -> Result<Option<DreamOutcome>, LabError> {
    let begin = Instant::now();
    let size = ImageSize::new(inputs.network.input());
    let basis = ImageBasis::new(run.ascent.parametrisation, size);
    let (layer, objectives) = objectives(&run.pictures, inputs)?;
    let (mut pictures, mut from) = (Vec::new(), Vec::new());
    for (picture, objective) in run.pictures.iter().zip(&objectives) {
        let stream = |purpose| RngStream::new(run.seed, &format!("dream/{purpose}/{}", picture.number));
        let parameters = parameters(picture, &basis, inputs, &mut stream("start"), &mut from)?;
        let (objective, stream) = (objective.clone(), stream("transforms"));
        pictures.push(InitialImage { objective, parameters, stream });
    }
    let n = pictures.len();
    let trained = &mut *inputs.network;
    let mut workspace = trained.network.workspace(n, true);
    let mut ascent = FeatureVisualization::new(&run.ascent, size, layer.clone(), pictures);
    let starts = ascent.images();
    let probe = Probe { layer: &layer, objectives: &objectives };
    let before = probe.measure(trained, &mut workspace, &starts);
    // Each picture and its measurements when both were last finite.
    let dim = size.num_values();
    let mut kept: Vec<(Seen, Vec<f32>)> =
        before.iter().map(|seen| held(*seen)).zip(starts.chunks_exact(dim).map(<[f32]>::to_vec)).collect();

    let steps = run.ascent.steps;
    let frame_steps = evenly(steps, run.ascent.frames);
    let path_steps = evenly(steps, PATH_POINTS.min(steps) + 1);
    let mut trajectory = Trajectory::default();
    for step in 0..=steps {
        if observer.interrupted() {
            return Ok(None);
        }
        if step > 0 {
            ascent.step(step, &mut trained.network, &mut workspace);
        }
        if path_steps.contains(&step) {
            let pictures = ascent.images();
            let seen = probe.measure(trained, &mut workspace, &pictures);
            for (number, (seen, picture)) in seen.into_iter().zip(pictures.chunks_exact(dim)).enumerate() {
                if is_held(&seen) {
                    kept[number] = (seen, picture.to_vec());
                } else {
                    ascent.stop(number, step, &kept[number].1);
                }
            }
            trajectory.record(kept.iter().map(|(seen, _)| seen));
        }
        if frame_steps.contains(&step) {
            trajectory.frames.extend(ascent.images());
        }
    }
    let seconds = begin.elapsed().as_secs_f64();
    let dreams = ascent.images();
    for number in 0..n {
        let Some(step) = ascent.diverged(number) else { continue };
        let title = if n == 1 { title.to_owned() } else { format!("{title}, picture {}", number + 1) };
        let kept = "the picture is kept as it was when it was last finite";
        let (place, advice) = match step {
            0 => (
                "before the first step".to_owned(),
                "what the network makes of the start is too large for 32-bit arithmetic",
            ),
            step => (format!("at step {step}"), "a smaller `learning_rate` may help"),
        };
        observer.event(Event::Diverged { title: &title, place: &place, kept, advice });
    }
    let judge = match &mut inputs.judge {
        // It may be another network: asked only what it knows.
        Some(judge) => cross_check(judge, &run.pictures, &dreams)?,
        None => vec![None; n],
    };

    let shape = [n, size.height, size.width, size.channels];
    let frames = [&[frame_steps.len()], &shape[..]].concat();
    let [path_steps, frame_steps] =
        [path_steps, frame_steps].map(|steps| steps.iter().map(|&step| step as u32).collect::<Vec<u32>>());
    let t = path_steps.len();
    let mut tensors = vec![
        Tensor::new("pictures", &shape, &dreams),
        Tensor::new("starts", &shape, &starts),
        Tensor::new("frames", &frames, &trajectory.frames),
        Tensor::new("frame_steps", &[frame_steps.len()], &frame_steps),
        Tensor::new("path_steps", &[t], &path_steps),
        Tensor::new("path_objective", &[t, n], &trajectory.objectives),
    ];
    if trajectory.logits.len() == trajectory.objectives.len() {
        tensors.push(Tensor::new("path_logit", &[t, n], &trajectory.logits));
        tensors.push(Tensor::new("path_probability", &[t, n], &trajectory.probabilities));
    }
    writer.write_tensors(TensorFile::Arrays, &tensors, &Metadata::new())?;
    let found = before.into_iter().zip(kept).zip(judge).enumerate();
    let found = found.map(|(number, ((before, (after, _)), judge))| DreamFound {
        before: held(before),
        after,
        judge: judge.filter(is_held),
        diverged: ascent.diverged(number),
    });
    let pictures = found.collect();
    Ok(Some(DreamOutcome { pictures, seconds, notes: images::notes(inputs.user_images, &from) }))
}

/// Refuses pictures whose objectives the network does not have, or that look at several layers.
///
/// # Errors
/// [`LookError`].
pub(crate) fn check(pictures: &[DreamPicture], inputs: &LookInputs) -> Result<(), LookError> {
    objectives(pictures, inputs).map(|_| ())
}

/// The layer that all objectives are functions of, and each picture's objective.
fn objectives(
    pictures: &[DreamPicture],
    inputs: &LookInputs,
) -> Result<(LayerHandle, Vec<ResolvedObjective>), LookError> {
    let resolved = pictures.iter().map(|picture| resolve(&picture.objective, inputs.network, inputs.names()));
    let resolved: Vec<(LayerHandle, ResolvedObjective)> = resolved.collect::<Result<_, _>>()?;
    let layer = resolved.first().expect("a run has pictures").0.clone();
    if let Some((other, _)) = resolved.iter().find(|(other, _)| *other != layer) {
        return Err(LookError::SeveralLayers { one: layer.name, other: other.name.clone() });
    }
    Ok((layer, resolved.into_iter().map(|(_, objective)| objective).collect()))
}

/// A picture's initial parameters; an image that it starts from is added to `from`.
fn parameters(
    picture: &DreamPicture,
    basis: &ImageBasis,
    inputs: &mut LookInputs,
    stream: &mut RngStream,
    from: &mut Vec<images::InputImage>,
) -> Result<Vec<f32>, LookError> {
    Ok(match &picture.start {
        Start::Grey { level } => parameters_of_grey(basis, *level, 0.0, stream),
        Start::Noise { level, deviation } => parameters_of_grey(basis, *level, *deviation, stream),
        Start::Image { image } => {
            let head = inputs.network.first_head().to_owned();
            let target = images::HeadLabels { head: &head, labels: Some(&Labels::Classes) };
            let found = images::find(image, inputs.network, target, inputs.set, inputs.user_images)?;
            let mut x = vec![0.0; basis.size().num_values()];
            inkling_engine::normalize_pixels(&found.pixels, &mut x);
            from.push(found);
            parameters_of_image(basis, &x)
        }
    })
}

/// Whether 32-bit arithmetic holds everything that a network makes of a picture.
fn is_held(seen: &Seen) -> bool {
    let numbers = [Some(seen.objective), seen.logit, seen.probability];
    numbers.into_iter().flatten().all(|number| (number as f32).is_finite())
}

/// The same if it does, else with zeros in the place of all numbers.
fn held(seen: Seen) -> Seen {
    if is_held(&seen) {
        return seen;
    }
    let (logit, probability) = (seen.logit.map(|_| 0.0), seen.probability.map(|_| 0.0));
    Seen { objective: 0.0, logit, probability, ..seen }
}

/// Whole numbers from 0 to `last`, so many of them, as evenly apart as can be.
fn evenly(last: usize, count: usize) -> Vec<usize> {
    let mut numbers: Vec<usize> =
        (0..count).map(|i| (i * last + (count - 1) / 2) / (count - 1).max(1)).collect();
    numbers.dedup();
    numbers
}

/// Measures what a network makes of pictures: each objective's value, and what the head that it is in predicts.
struct Probe<'a> {
    layer: &'a LayerHandle,
    objectives: &'a [ResolvedObjective],
}

impl Probe<'_> {
    fn measure(&self, trained: &mut Trained, workspace: &mut Workspace, pictures: &[f32]) -> Vec<Seen> {
        let network = &mut trained.network;
        network.forward(pictures, false, workspace);
        let classes = network.num_classes();
        let outputs = network.output(self.layer, pictures, workspace).chunks_exact(self.layer.shape.len());
        // The head that the objective is in says what the picture is; of layers that all share, the first.
        let head = self.layer.head().unwrap_or(0);
        let scores = workspace.logits(head).chunks_exact(classes[head]);
        let seen = |((objective, y), scores): ((&ResolvedObjective, &[f32]), &[f32])| {
            let class = objective.class(self.layer.scores_of.is_some());
            Seen {
                objective: objective.value(y),
                logit: class.map(|class| f64::from(y[class])),
                probability: class.map(|class| probability(y, class)),
                predicted: argmax(scores),
            }
        };
        self.objectives.iter().zip(outputs).zip(scores).map(seen).collect()
    }
}

/// What an independently trained network makes of the pictures; nothing where it lacks what the objective looks at.
fn cross_check(
    judge: &mut Trained,
    pictures: &[DreamPicture],
    dreams: &[f32],
) -> Result<Vec<Option<Seen>>, LabError> {
    let resolved: Result<Vec<_>, _> =
        pictures.iter().map(|picture| resolve(&picture.objective, judge, &[])).collect();
    let Ok(resolved) = resolved else { return Ok(vec![None; pictures.len()]) };
    let (layers, objectives): (Vec<LayerHandle>, Vec<ResolvedObjective>) = resolved.into_iter().unzip();
    let mut workspace = judge.network.workspace(pictures.len(), false);
    let probe = Probe { layer: &layers[0], objectives: &objectives };
    Ok(probe.measure(judge, &mut workspace, dreams).into_iter().map(Some).collect())
}

/// Frames and measurements along the ascent.
#[derive(Default)]
struct Trajectory {
    frames: Vec<f32>,
    objectives: Vec<f32>,
    logits: Vec<f32>,
    probabilities: Vec<f32>,
}

impl Trajectory {
    fn record<'a>(&mut self, seen: impl Iterator<Item = &'a Seen>) {
        for seen in seen {
            self.objectives.push(seen.objective as f32);
            self.logits.extend(seen.logit.map(|logit| logit as f32));
            self.probabilities.extend(seen.probability.map(|probability| probability as f32));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_evenly_apart_from_the_first_to_the_last() {
        assert_eq!(evenly(256, 9), [0, 32, 64, 96, 128, 160, 192, 224, 256]);
        assert_eq!(evenly(8, 4), [0, 3, 5, 8]);
        assert_eq!(evenly(3, 2), [0, 3]);
        assert_eq!(evenly(2, 3), [0, 1, 2]);
        assert_eq!(evenly(5, 6), [0, 1, 2, 3, 4, 5]);
    }
}
