//! Sweeps: the trainings of every point, which see no test image, and the choice of one point, which is then tested.

use std::borrow::Cow;

use inkling_engine::logits::argmax;
use inkling_schema::outcome::{
    ChoiceOutcome, ChoiceTest, Evaluation, PlannedRun, RunResult, Score, TrialOutcome, best,
};
use inkling_schema::{
    ChoiceRun, DataSlice, MODEL_FORMAT, RunId, RunSpec, Study, Sweep, SweepPoint, Task, TrainRun,
};
use inkling_store::{Metadata, RunWriter, Tensor, TensorFile};

use crate::batch::EVALUATION_BATCH;
use crate::error::LabError;
use crate::inside::Trained;
use crate::observer::Event;
use crate::plan::{DataSets, expand_seed, set_of, slice};
use crate::runs::{RunContext, run_once};
use crate::train::{LabelledDataset, evaluate, train_in};

/// The trainings of every point with every seed of the study, and the choice of a point; nothing of a study without a sweep.
///
/// # Errors
/// The first network that cannot be trained as a point asks.
pub(crate) fn expand(study: &Study, sets: &DataSets) -> Result<Vec<PlannedRun>, LabError> {
    let Some(sweep) = study.sweep_points()? else { return Ok(Vec::new()) };
    let (mut runs, mut points) = (Vec::new(), Vec::new());
    for point in &sweep.points {
        let trials = trials(&sweep, point, sets)?;
        points.push(trials.iter().map(|run| run.id.clone()).collect());
        runs.extend(trials);
    }
    let set = set_of(&runs[0], sets);
    let choice = RunSpec::Choice(ChoiceRun { data: slice(set), points });
    let title = format!("{}, the chosen point", sweep.network);
    runs.push(PlannedRun::new(choice.id(&set.checksum), Task::Sweep, title, choice));
    Ok(runs)
}

/// The trainings of a point, one with each seed of its study.
///
/// # Errors
/// What is wrong with its network.
pub(crate) fn trials(
    sweep: &Sweep,
    point: &SweepPoint,
    sets: &DataSets,
) -> Result<Vec<PlannedRun>, LabError> {
    let trial = |(number, seed): (usize, u64)| {
        let runs = expand_seed(&point.study, sets, seed, true)?;
        let network = runs.into_iter().find(|run| run.title == sweep.network && is_training(run));
        let network = network.expect("a point is checked when a study is read");
        let set = set_of(&network, sets);
        let RunSpec::Train(trained) = network.spec else { unreachable!("it is a training") };
        let data = DataSlice { test_images: 0, ..trained.data };
        let spec = RunSpec::Trial(TrainRun { data, seed, ..trained });
        let title = format!("{}, {}", sweep.network, point.title());
        let run = PlannedRun::new(spec.id(&set.checksum), Task::Sweep, title, spec);
        Ok(PlannedRun { seed: (number > 0).then_some(seed), ..run })
    };
    point.study.all_seeds().into_iter().enumerate().map(trial).collect()
}

fn is_training(run: &PlannedRun) -> bool {
    matches!(run.spec, RunSpec::Train(_))
}

/// Does the runs of a sweep that the store does not hold yet, one after the other: each takes all threads.
pub(crate) fn run_sweep<'a>(
    runs: &[&PlannedRun],
    context: impl Fn(&PlannedRun) -> RunContext<'a>,
) -> Result<(), LabError> {
    runs.iter().try_for_each(|run| match &run.spec {
        RunSpec::Trial(_) => train_in(&context(run), run),
        _ => choose_in(&context(run), run),
    })
}

/// Chooses a point and tests it, unless the store holds the choice; every point is trained.
pub(crate) fn choose_in(context: &RunContext, run: &PlannedRun) -> Result<(), LabError> {
    let RunSpec::Choice(spec) = &run.spec else { panic!("a {:?} run chooses nothing", run.task) };
    context.observer.event(Event::Stage { title: &run.full_title(), steps: 1 });
    rayon::scope(|_| run_once(context, run, |writer| choose(context, run, spec, writer)))
}

/// The point with the best mean over its seeds on the validation images, and its networks' answers to the test images.
fn choose(
    context: &RunContext,
    run: &PlannedRun,
    spec: &ChoiceRun,
    writer: &RunWriter,
) -> Result<Option<ChoiceOutcome>, LabError> {
    let score = |id: &RunId| {
        let result: Option<RunResult<TrialOutcome>> = context.store.run(id.as_ref()).finished()?;
        let missing = || LabError::NotReady { run: run.full_title(), on: id.to_string() };
        Ok::<_, LabError>(result.ok_or_else(missing)?.outcome.score())
    };
    let mean = |trials: &Vec<RunId>| {
        let scores = trials.iter().map(score).collect::<Result<Vec<_>, _>>()?;
        // A point that may diverge is none to choose.
        Ok::<_, LabError>(
            scores.into_iter().collect::<Option<Vec<Score>>>().and_then(|all| Score::mean(&all)),
        )
    };
    let scores = spec.points.iter().map(mean).collect::<Result<Vec<_>, _>>()?;
    let point = best(&scores);
    let chosen = point.map_or(&[][..], |point| &spec.points[point]);
    let mut tests = Vec::new();
    let mut answers: Vec<Answers> = Vec::new();
    for id in chosen {
        let Some(heads) = test(context, id, &mut answers)? else { return Ok(None) };
        tests.push(ChoiceTest { run: id.clone(), heads });
    }
    let images = context.set().test.len();
    let tensors: Vec<Tensor> = answers
        .iter()
        .flat_map(|Answers { head, labels, predictions }| {
            let name = |array: &str| head.as_ref().map_or(array.to_owned(), |head| format!("{array}/{head}"));
            [
                Tensor::new(name("test_labels"), &[images], labels),
                Tensor::new(name("test_predictions"), &[chosen.len(), images], predictions),
            ]
        })
        .collect();
    writer.write_tensors(
        TensorFile::Arrays,
        &tensors,
        &Metadata::from([("format".into(), MODEL_FORMAT.into())]),
    )?;
    Ok(Some(ChoiceOutcome { scores, point, tests }))
}

/// The answers of a head to the test images, one network after the other.
struct Answers {
    /// Its name, where it is not the first.
    head: Option<String>,
    labels: Vec<u8>,
    predictions: Vec<u8>,
}

/// What each head of a trained network makes of the test images; its answers go to the others. `None` where this was interrupted.
fn test(
    context: &RunContext,
    id: &RunId,
    answers: &mut Vec<Answers>,
) -> Result<Option<Vec<Evaluation>>, LabError> {
    let folder = context.store.run(id.as_ref());
    let mut trained = Trained::read(&folder.path().join(TensorFile::Model.name()))?;
    let card = trained.card.take().expect("a training of a sweep writes what its network is");
    let test = LabelledDataset::new(Cow::Borrowed(&context.set().test), &card.run.labels);
    if answers.is_empty() {
        answers.extend(card.run.model.heads.iter().zip(&test.labels).enumerate().map(
            |(place, (head, labels))| {
                let head = (place > 0).then(|| head.name.clone());
                Answers { head, labels: labels.clone(), predictions: Vec::new() }
            },
        ));
    }
    let classes = trained.network.num_classes().clone();
    let mut workspace = trained.network.workspace(EVALUATION_BATCH, false);
    let on_logits = |head: usize, scores: &[f32]| {
        let predicted = scores.chunks_exact(classes[head]).map(|scores| argmax(scores) as u8);
        answers[head].predictions.extend(predicted);
    };
    let go_on = || !context.observer.interrupted();
    Ok(evaluate(&mut trained.network, &mut workspace, &test, go_on, on_logits))
}
