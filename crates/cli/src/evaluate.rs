//! `inkling evaluate`: a trained network on test images.

use std::path::Path;

use inkling_data::import::{Fit, Imported, Request};
use inkling_data::{DataSet, FetchEvent, Samples, Sources};
use inkling_engine::logits::{argmax, log_probability};
use inkling_lab::{Observer, Trained};
use inkling_schema::Labels;
use inkling_schema::format::{fixed, percent, percent_range, thousands};
use inkling_statistics::{class_measures, wilson_interval};
use miette::Diagnostic;
use serde_json::{Value, json};
use thiserror::Error;

use crate::args::EvaluateArgs;
use crate::failure::{BAD_DATA, Failure};
use crate::interrupt::STOP;
use crate::progress::Progress;
use crate::trained::{self, Named};
use crate::{message, output, own, start_computing};

/// Confusions that are named.
const NAMED: usize = 5;

/// Why images say nothing of a network.
#[derive(Debug, Error, Diagnostic)]
enum EvaluateError {
    #[error("it is not known on which images the network was trained, or they cannot be found")]
    #[diagnostic(help("name images with --data"))]
    NoImages,

    #[error("the images of {title} have {found} (height, width, channels), and the network takes {expected}")]
    #[diagnostic(help("name images of the kind that it was trained on with --data"))]
    Shape { title: String, found: String, expected: String },

    #[error("{title} has the class `{class}`, which the network does not know")]
    #[diagnostic(help("its classes are {known}: rename the class, or leave its images out"))]
    UnknownClass { title: String, class: String, known: String },

    #[error("the head `{head}` says groups of the classes of other images than {title}")]
    #[diagnostic(help("leave --data out, to evaluate it on the images that it was trained beside"))]
    OtherGroups { head: String, title: String },
}

impl From<EvaluateError> for Failure {
    fn from(error: EvaluateError) -> Self {
        Failure::new(error, BAD_DATA)
    }
}

/// Images with the names of their classes.
struct TestImages {
    title: String,
    /// Whether they are those that the network was trained beside.
    own: bool,
    classes: Vec<String>,
    samples: Samples,
}

pub(crate) fn evaluate(args: &EvaluateArgs) -> Result<(), Failure> {
    start_computing(&args.compute)?;
    let Named { mut network, file, words, .. } = trained::read(&args.model)?;
    if let Some(said) = &network.diverged {
        message::warning(&format!("this is not a trained network: {said}"));
    }
    let progress = Progress::new(&STOP);
    let images = match &args.data {
        Some(source) if !trained::is_own_source(source, &file, &network) => {
            given(source, &network, &progress)?
        }
        _ => {
            let set = trained::own_set(&file, &network, &progress)?.ok_or(EvaluateError::NoImages)?;
            of_set(set, true)
        }
    };
    check_shape(&images, &network)?;
    let heads: Vec<String> = network.network.spec().heads.iter().map(|head| head.name.clone()).collect();
    let scores = network.scores_of_images(&images.samples.images);
    let mut found = Vec::new();
    for (number, (name, scores)) in heads.iter().zip(&scores).enumerate() {
        let classes = trained::classes(&network, number);
        let labels = labels(&network, number, &classes, &images)?;
        found.push(Found::new(name, classes, scores, &labels));
    }
    if args.json {
        let all = json!({
            "model": words, "data": images.title, "images": images.samples.len(),
            "heads": found.iter().map(Found::json).collect::<Vec<_>>(),
        });
        output::line(&serde_json::to_string_pretty(&all).expect("plain data"));
        return Ok(());
    }
    output::line(&words);
    let count = thousands(images.samples.len());
    output::line(&format!("{count} images of {}", images.title));
    for head in &found {
        head.tell(found.len() > 1);
    }
    Ok(())
}

/// The images that a word names.
fn given(source: &Path, network: &Trained, progress: &Progress) -> Result<TestImages, Failure> {
    if own::is_no_path(source) {
        let info = own::known_set(source)?;
        let fetching = |event: FetchEvent| progress.fetching(&event);
        let interrupted = || progress.interrupted();
        let sources = Sources { progress: &fetching, interrupted: &interrupted, ..Sources::new(None) };
        let own = network.card.as_ref().is_some_and(|card| card.data.checksum == info.checksum());
        return Ok(of_set(sources.load(info)?, own));
    }
    let [height, width, channels] = network.input();
    let preparation = network.card.as_ref().map(|card| &card.preparation);
    let request = Request {
        size: Some([height, width]),
        channels: Some(channels),
        fit: preparation.map_or(Fit::Stretch, |preparation| inkling_lab::fit(preparation.fit)),
        // Of the same images, wherever they lie, the same are drawn.
        seed: network.card.as_ref().map_or(Request::default().seed, |card| card.run.seed),
        cache: inkling_data::cache_folder(),
        places: inkling_data::usual_places(),
        ..Request::default()
    };
    let set = own::import(source, &request)?;
    set.notes.iter().for_each(|note| message::note(note));
    // Images that it was trained on say little of it: of these, the test images are drawn as they were.
    let own = network.card.as_ref().is_some_and(|card| card.data.checksum == set.checksum());
    if set.drawn && !own {
        let Imported { name, classes, train, test, .. } = set;
        return Ok(TestImages { title: name, own, classes, samples: train.join(test) });
    }
    Ok(of_set(set.into(), own))
}

fn of_set(set: DataSet, own: bool) -> TestImages {
    let title = format!("{} (test images)", set.about.title);
    TestImages { title, own, classes: set.about.classes, samples: set.test }
}

fn check_shape(images: &TestImages, network: &Trained) -> Result<(), EvaluateError> {
    let found = &images.samples.images;
    let (found, expected) = ([found.height, found.width, found.channels], network.input());
    if found == expected {
        return Ok(());
    }
    let words = |[height, width, channels]: [usize; 3]| format!("{height} × {width} × {channels}");
    Err(EvaluateError::Shape { title: images.title.clone(), found: words(found), expected: words(expected) })
}

/// What a head should say of each image.
fn labels(
    network: &Trained,
    head: usize,
    classes: &[String],
    images: &TestImages,
) -> Result<Vec<usize>, EvaluateError> {
    let trained_on = network.card.as_ref().and_then(|card| card.run.labels.get(head));
    if let Some(labels @ Labels::Groups(groups)) = trained_on {
        if !images.own || groups.len() != images.classes.len() {
            let head = network.network.spec().heads[head].name.clone();
            return Err(EvaluateError::OtherGroups { head, title: images.title.clone() });
        }
        return Ok(labels.of(&images.samples.labels).into_iter().map(usize::from).collect());
    }
    let place = |class: &String| {
        classes.iter().position(|known| known == class).ok_or_else(|| EvaluateError::UnknownClass {
            title: images.title.clone(),
            class: class.clone(),
            known: classes.join(", "),
        })
    };
    let places: Vec<usize> = images.classes.iter().map(place).collect::<Result<_, _>>()?;
    Ok(images.samples.labels.iter().map(|&label| places[usize::from(label)]).collect())
}

/// What was found of a head.
struct Found {
    head: String,
    classes: Vec<String>,
    images: usize,
    correct: usize,
    loss: f64,
    /// Images of each class (rows) by the answers (columns).
    confusion: Vec<Vec<usize>>,
}

impl Found {
    fn new(head: &str, classes: Vec<String>, scores: &[f32], labels: &[usize]) -> Found {
        let mut confusion = vec![vec![0; classes.len()]; classes.len()];
        let mut loss = 0.0;
        for (scores, &label) in scores.chunks_exact(classes.len()).zip(labels) {
            confusion[label][argmax(scores)] += 1;
            loss -= log_probability(scores, label);
        }
        Found {
            head: head.to_owned(),
            images: labels.len(),
            correct: (0..classes.len()).map(|class| confusion[class][class]).sum(),
            loss: loss / labels.len().max(1) as f64,
            classes,
            confusion,
        }
    }

    fn accuracy(&self) -> f64 {
        self.correct as f64 / self.images.max(1) as f64
    }

    fn json(&self) -> Value {
        let measures = class_measures(&self.confusion);
        let class = |(name, found): (&String, &inkling_statistics::ClassMeasures)| {
            json!({
                "class": name, "images": found.support, "precision": found.precision, "recall": found.recall,
                "f1": found.f1,
            })
        };
        json!({
            "head": self.head, "correct": self.correct, "accuracy": self.accuracy(),
            "interval": wilson_interval(self.correct, self.images), "loss": self.loss,
            "classes": self.classes.iter().zip(&measures).map(class).collect::<Vec<_>>(),
            "confusion": self.confusion,
        })
    }

    fn tell(&self, named: bool) {
        let (low, high) = wilson_interval(self.correct, self.images);
        let head = if named { format!("head `{}`: ", self.head) } else { String::new() };
        output::line(&format!(
            "\n{head}accuracy {} (95 % interval {}), cross-entropy {}\n",
            percent(self.accuracy(), 2),
            percent_range(low, high, 2),
            fixed(self.loss, 4)
        ));
        let share = |value: Option<f64>| value.map_or_else(|| "–".into(), |value| percent(value, 2));
        let mut rows = vec![["class", "images", "precision", "recall", "F1"].map(String::from).to_vec()];
        for (name, found) in self.classes.iter().zip(class_measures(&self.confusion)) {
            rows.push(vec![
                name.clone(),
                thousands(found.support),
                share(found.precision),
                share(found.recall),
                share(found.f1),
            ]);
        }
        output::table(&rows, 1);
        let mut confused: Vec<(usize, usize, usize)> = Vec::new();
        for (class, answers) in self.confusion.iter().enumerate() {
            let wrong = answers.iter().enumerate().filter(|&(answer, &count)| answer != class && count > 0);
            confused.extend(wrong.map(|(answer, &count)| (count, class, answer)));
        }
        confused.sort_by(|a, b| b.0.cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        let words = confused.iter().take(NAMED).map(|&(count, class, answer)| {
            format!("{} predicted as {} ({})", self.classes[class], self.classes[answer], thousands(count))
        });
        let words: Vec<String> = words.collect();
        if !words.is_empty() {
            output::line(&format!("\nMost frequent confusions: {}", words.join(", ")));
        }
    }
}
