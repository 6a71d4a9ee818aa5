//! From task 5 of a study to its runs.

use inkling_data::DataSet;
use inkling_schema::outcome::PlannedRun;
use inkling_schema::{
    ActivationsRun, AscentSpec, DreamKind, DreamPicture, DreamPurpose, DreamRun, FiltersRun, ImageChoice,
    InsideTask, JUDGE, JudgeSpec, LayerSpec, LikenessRun, ModelSpec, Objective, Parametrisation, Regulariser,
    RunId, RunSpec, Start, Task, TrainRun, TrainingSpec, Transform,
};

use super::error::LookError;
use crate::error::LabError;

/// Every run of task 5: the judge's training, the filters, the activations, and the dreams in the order in which a reader
/// meets them. `network` is the planned training run of the network that is looked into.
///
/// # Errors
/// [`LookError`]: a class or a test image that the set does not have, or a judge that begins as the network does.
pub(crate) fn expand(
    task: &InsideTask,
    network: &PlannedRun,
    set: &DataSet,
    seed: u64,
) -> Result<Vec<PlannedRun>, LabError> {
    let RunSpec::Train(trained) = &network.spec else { unreachable!("networks are trained") };
    check(task, trained, set)?;
    if task.judge.as_ref().is_some_and(|judge| judge.seed == seed) {
        return Err(LookError::JudgeIsTheNetwork { seed, network: task.network.clone() }.into());
    }
    let planned = |title: String, spec: RunSpec| planned(title, spec, set);
    let judge = judge(task, trained, set);
    let (of, data) = (network.id.clone(), Some(trained.data.clone()));

    let images = chosen(task);
    let activations = ActivationsRun {
        of: of.clone(),
        data: data.clone(),
        images: images.to_vec(),
        head: None,
        labels: None,
        integration_steps: task.integration_steps,
    };
    let dream = |(purpose, pictures, ascent): (DreamPurpose, Vec<DreamPicture>, AscentSpec)| {
        let (of, data, judge) = (of.clone(), data.clone(), judge.as_ref().map(|judge| judge.id.clone()));
        let title = title(&purpose, set);
        planned(title, RunSpec::Dream(DreamRun { of, judge, data, purpose, pictures, ascent, seed }))
    };
    let dreams: Vec<PlannedRun> = dreams(task, trained, set, &images).into_iter().map(dream).collect();
    let filters =
        || planned("filters".into(), RunSpec::Filters(FiltersRun { of: of.clone(), patterns: task.filters }));
    let filters = has_convolutions(&trained.model).then(filters);
    let activations = planned("activations".into(), RunSpec::Activations(activations));
    Ok(judge.into_iter().chain(filters).chain([activations]).chain(dreams).collect())
}

/// The runs of task 5 with another seed of the study: the judge of its network, and the dreams of every class.
///
/// # Errors
/// None that [`expand`] has not.
pub(crate) fn expand_again(
    task: &InsideTask,
    network: &PlannedRun,
    set: &DataSet,
    seed: u64,
) -> Result<Vec<PlannedRun>, LabError> {
    let again = |judge: &JudgeSpec| JudgeSpec { seed: judge.seed_beside(seed), ..judge.clone() };
    let task = InsideTask { judge: task.judge.as_ref().map(again), ..task.clone() };
    let is_asked = |run: &PlannedRun| match &run.spec {
        RunSpec::Train(_) => true,
        RunSpec::Dream(dream) => dream.purpose == DreamPurpose::Classes,
        _ => false,
    };
    let runs =
        if task.asks_for(DreamKind::Classes) { expand(&task, network, set, seed)? } else { Vec::new() };
    Ok(runs.into_iter().filter(is_asked).collect())
}

/// Comparisons by chance that two networks are set beside: p is a multiple of 1/1000, small enough for the correction for the pairs of ten
/// seeds.
const SHUFFLES: usize = 999;

/// The run that compares what the network that is looked into learnt from each seed of a study; `None` of one seed. `set_of` gives
/// the images of a run.
pub(crate) fn likeness<'a>(
    task: &InsideTask,
    runs: &[PlannedRun],
    set_of: impl Fn(&PlannedRun) -> &'a DataSet,
) -> Option<PlannedRun> {
    let of = |run: &&PlannedRun| matches!(run.task, Task::Cnn | Task::Network) && run.title == task.network;
    let networks: Vec<&PlannedRun> = runs.iter().filter(of).collect();
    let (first, others) = networks.split_first()?;
    if others.is_empty() {
        return None;
    }
    let ids: Vec<RunId> = networks.iter().map(|run| run.id.clone()).collect();
    let dreams = runs
        .iter()
        .filter(|run| matches!(&run.spec, RunSpec::Dream(dream) if dream.purpose == DreamPurpose::Classes));
    let dreams: Vec<RunId> = dreams.map(|run| run.id.clone()).collect();
    let seed = match &first.spec {
        RunSpec::Train(trained) => trained.seed,
        _ => 0,
    };
    // Without dreams of each network there are none to compare.
    let dreams = if dreams.len() == ids.len() { dreams } else { Vec::new() };
    let spec = RunSpec::Likeness(LikenessRun { of: ids, dreams, shuffles: SHUFFLES, seed });
    Some(planned("likeness of the seeds".into(), spec, set_of(first)))
}

fn planned(title: String, spec: RunSpec, set: &DataSet) -> PlannedRun {
    PlannedRun::new(spec.id(&set.checksum), Task::Inside, title, spec)
}

fn judge(task: &InsideTask, trained: &TrainRun, set: &DataSet) -> Option<PlannedRun> {
    let judge = task.judge.as_ref()?;
    let training = TrainingSpec { epochs: judge.epochs, ..trained.training.clone() };
    let spec = RunSpec::Train(TrainRun { training, seed: judge.seed, ..trained.clone() });
    Some(planned(JUDGE.into(), spec, set))
}

fn has_convolutions(model: &ModelSpec) -> bool {
    let plan = model.plan().expect("a network that was planned");
    plan.all_layers().any(|layer| matches!(layer.layer, LayerSpec::Conv2d { .. }))
}

fn check(task: &InsideTask, trained: &TrainRun, set: &DataSet) -> Result<(), LookError> {
    let classes = set.about.classes.len();
    if let Some(&class) = task.classes.iter().find(|&&class| usize::from(class) >= classes) {
        let head = trained.model.heads[0].name.clone();
        let names = format!(": {}", set.about.classes.join(", "));
        return Err(LookError::NoClass { class: usize::from(class), head, last: classes - 1, names });
    }
    let shown = |class: u8| set.test.labels.contains(&class);
    if let Some(&class) = task.classes.iter().find(|&&class| !shown(class)) {
        let known: Vec<&str> = (0..=u8::MAX)
            .zip(&set.about.classes)
            .filter(|(class, _)| shown(*class))
            .map(|(_, name)| name.as_str())
            .collect();
        let (images, name) = (set.test.len(), set.about.classes[usize::from(class)].to_owned());
        return Err(LookError::NoTestImage { class, name, images, known: known.join(", ") });
    }
    match task.images.iter().flatten().find(|&&index| index >= set.test.len()) {
        Some(&index) => Err(LookError::NoImage { index, last: set.test.len() - 1 }),
        None => Ok(()),
    }
}

/// The two images that stand for the two classes.
fn chosen(task: &InsideTask) -> [ImageChoice; 2] {
    match task.images {
        Some(indices) => indices.map(|index| ImageChoice::Index { index }),
        None => task.classes.map(|class| ImageChoice::Typical { class }),
    }
}

type Dream = (DreamPurpose, Vec<DreamPicture>, AscentSpec);

fn dreams(task: &InsideTask, trained: &TrainRun, set: &DataSet, images: &[ImageChoice; 2]) -> Vec<Dream> {
    let head = &trained.model.heads[0].name;
    let of_class = |class: u8, start: Start, number: u32| DreamPicture {
        objective: Objective::ClassLogit { head: head.clone(), class: usize::from(class) },
        start,
        number,
    };
    let pair = |starts: [Start; 2]| [0, 1].map(|i| of_class(task.classes[i], starts[i].clone(), 0)).to_vec();
    let usual = || pair([task.start.clone(), task.start.clone()]);
    let mut dreams = Vec::new();
    for class in task.classes.into_iter().filter(|_| task.asks_for(DreamKind::Seeds)) {
        let pictures = (0..task.seeds as u32).map(|number| of_class(class, task.start.clone(), number));
        dreams.push((DreamPurpose::Seeds { class }, pictures.collect(), task.dream.clone()));
    }
    let every =
        (0..=u8::MAX).take(set.about.classes.len()).map(|class| of_class(class, task.start.clone(), 0));
    if task.asks_for(DreamKind::Classes) {
        dreams.push((DreamPurpose::Classes, every.collect(), task.dream.clone()));
    }
    for (with, ascent) in ablation(&task.dream).into_iter().filter(|_| task.asks_for(DreamKind::Ablation)) {
        dreams.push((DreamPurpose::Ablation { with }, usual(), ascent));
    }
    for starts in starts(task, images).into_iter().filter(|_| task.asks_for(DreamKind::Starts)) {
        dreams.push((DreamPurpose::Start, pair(starts), task.dream.clone()));
    }
    let trunk = trained.model.trunk.iter().enumerate().filter(|_| task.asks_for(DreamKind::Amplified));
    for (i, _) in trunk.filter(|(_, layer)| matches!(layer, LayerSpec::Conv2d { .. })) {
        let layer = format!("trunk.{}", i + 1);
        let amplified = |image: &ImageChoice| DreamPicture {
            objective: Objective::LayerMeanSquare { layer: layer.clone() },
            start: Start::Image { image: image.clone() },
            number: 0,
        };
        let pictures = images.iter().map(amplified).collect();
        dreams.push((DreamPurpose::Amplify { layer: layer.clone() }, pictures, task.amplify.clone()));
    }
    dreams
}

/// The ascent with none of its parts, with each alone, and with all, in words.
fn ablation(whole: &AscentSpec) -> Vec<(String, AscentSpec)> {
    let bare = AscentSpec {
        parametrisation: Parametrisation::Pixels,
        transforms: Vec::new(),
        regularisers: Vec::new(),
        ..whole.clone()
    };
    let mut variants = vec![("nothing".to_owned(), bare.clone())];
    if let Parametrisation::Fourier { .. } = whole.parametrisation {
        let ascent = AscentSpec { parametrisation: whole.parametrisation, ..bare.clone() };
        variants.push(("Fourier basis alone".into(), ascent));
    }
    for &transform in &whole.transforms {
        let name = match transform {
            Transform::Jitter { .. } => "jitter alone",
            Transform::Rotation { .. } => "rotation alone",
            Transform::Scale { .. } => "scale alone",
        };
        variants.push((name.into(), AscentSpec { transforms: vec![transform], ..bare.clone() }));
    }
    for &regulariser in &whole.regularisers {
        let name = match regulariser {
            Regulariser::L2 { .. } => "L2 alone",
            Regulariser::TotalVariation { .. } => "total variation alone",
        };
        variants.push((name.into(), AscentSpec { regularisers: vec![regulariser], ..bare.clone() }));
    }
    variants.push(("everything".into(), whole.clone()));
    variants
}

/// What the two classes are dreamt from: grey, the usual start, and the image of the other class.
fn starts(task: &InsideTask, images: &[ImageChoice; 2]) -> Vec<[Start; 2]> {
    let level = match task.start {
        Start::Grey { level } | Start::Noise { level, .. } => level,
        Start::Image { .. } => 0.5,
    };
    let grey = Start::Grey { level };
    let mut starts = vec![[grey.clone(), grey.clone()]];
    if task.start != grey {
        starts.push([task.start.clone(), task.start.clone()]);
    }
    let from = |image: &ImageChoice| Start::Image { image: image.clone() };
    starts.push([from(&images[1]), from(&images[0])]);
    starts
}

/// What a dream run is called.
fn title(purpose: &DreamPurpose, set: &DataSet) -> String {
    match purpose {
        DreamPurpose::Seeds { class } => format!("dreams of {}", set.about.classes[usize::from(*class)]),
        DreamPurpose::Classes => "a dream of every class".into(),
        DreamPurpose::Ablation { with } => format!("dreams with {with}"),
        DreamPurpose::Start => "dreams from another start".into(),
        DreamPurpose::Amplify { layer } => format!("images amplified by {layer}"),
        DreamPurpose::Asked => "dreams".into(),
    }
}

#[cfg(test)]
mod tests {
    use inkling_schema::preset;

    use super::*;

    #[test]
    fn the_ablation_goes_from_nothing_by_each_part_alone_to_everything() {
        let dream = preset("brief").and_then(|study| study.inside).expect("the brief looks inside").dream;
        let variants = ablation(&dream);
        assert_eq!(variants.first().map(|(name, _)| name.as_str()), Some("nothing"));
        assert_eq!(variants.last(), Some(&("everything".to_owned(), dream.clone())));
        assert_eq!(variants.len(), 3 + dream.transforms.len() + dream.regularisers.len());
        for (name, ascent) in &variants[1..variants.len() - 1] {
            let fourier = usize::from(ascent.parametrisation != Parametrisation::Pixels);
            assert_eq!(fourier + ascent.transforms.len() + ascent.regularisers.len(), 1, "{name}");
        }
    }
}
