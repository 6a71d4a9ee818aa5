//! From what was asked on the command line to the run that answers it.

use std::path::Path;

use inkling_data::{DataSet, FetchEvent, Look, Sources, catalogue};
use inkling_lab::{Event, Observer, UserImage};
use inkling_schema::outcome::PlannedRun;
use inkling_schema::{
    ActivationsRun, AscentSpec, DataSlice, DreamPicture, DreamPurpose, DreamRun, FiltersRun, ImageChoice,
    InsideTask, Labels, Objective, Parametrisation, Regulariser, RunSpec, Start, Task, preset,
};

use super::error::AskError;
use super::subject::Subject;
use crate::args::{ActivationsArgs, DreamArgs, LookArgs, LookCommand, ObjectiveArgs, StartName};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::{message, trained};

/// Pictures of a dream's way in an animation.
const FRAMES: usize = 33;
/// Classes that are looked at where nothing is asked: the brief's.
const CLASSES: [usize; 2] = [2, 9];

/// A look that was asked for, and what it needs beside the network.
pub(crate) struct Wanted {
    pub(crate) run: PlannedRun,
    pub(crate) set: Option<DataSet>,
    pub(crate) user_images: Vec<UserImage>,
    /// The head whose classes it is about.
    pub(crate) head: String,
}

impl Wanted {
    pub(crate) fn new(
        command: &LookCommand,
        subject: &Subject,
        progress: &Progress,
    ) -> Result<Wanted, Failure> {
        let mut wanting =
            Wanting { subject, args: command.common(), progress, set: None, user_images: Vec::new() };
        let first = subject.network.first_head().to_owned();
        let (title, head, spec) = match command {
            LookCommand::Filters(_) => (
                "filters".into(),
                first,
                RunSpec::Filters(FiltersRun { of: subject.id.clone(), patterns: usual().filters }),
            ),
            LookCommand::Activations(args) => {
                let head = args.head.clone().unwrap_or(first);
                let run = wanting.activations(args, &head)?;
                ("activations".into(), head, RunSpec::Activations(run))
            }
            LookCommand::Dream(args) => {
                let head = wanting.head_of_dream(args)?.unwrap_or(first);
                let run = wanting.dream(args, &head)?;
                let title = title(&run.pictures[0].objective, &subject.names(&head));
                (title, head, RunSpec::Dream(run))
            }
        };
        let Wanting { set, user_images, .. } = wanting;
        let id = spec.id(set.as_ref().map_or("", |set| &set.checksum));
        Ok(Wanted { run: PlannedRun::new(id, Task::Inside, title, spec), set, user_images, head })
    }
}

/// What was asked, and what was fetched for it so far.
struct Wanting<'a> {
    subject: &'a Subject,
    args: &'a LookArgs,
    progress: &'a Progress<'a>,
    set: Option<DataSet>,
    user_images: Vec<UserImage>,
}

impl Wanting<'_> {
    /// The head whose classes a dream is about: the one that is named, or in which the layer is.
    fn head_of_dream(&self, args: &DreamArgs) -> Result<Option<String>, Failure> {
        if args.head.is_some() {
            return Ok(args.head.clone());
        }
        let ObjectiveArgs { neuron, channel, .. } = &args.objective;
        let layer = neuron.as_ref().map(|neuron| &neuron.layer);
        let layer =
            layer.or(channel.as_ref().map(|channel| &channel.layer)).or(args.objective.layer.as_ref());
        let network = &self.subject.network;
        Ok(layer.map(|name| network.layer(name)).transpose()?.map(|layer| network.head_of(&layer).to_owned()))
    }

    fn activations(&mut self, args: &ActivationsArgs, head: &str) -> Result<ActivationsRun, Failure> {
        self.subject.network.head(head)?;
        let mut images = Vec::new();
        for word in &args.classes {
            images.push(self.typical(head, self.subject.class(head, word)?)?);
        }
        images.extend(args.indices.iter().map(|&index| ImageChoice::Index { index }));
        for path in &args.images {
            images.push(self.bring(path, args.invert)?);
        }
        if images.is_empty() {
            let classes = self.subject.network.scores_of(head)?.shape.len();
            let usual = if classes > CLASSES[1] { CLASSES } else { [0, 1] };
            for class in usual.into_iter().filter(|&class| class < classes) {
                images.push(self.typical(head, class)?);
            }
        }
        let only_files = images.iter().all(|image| matches!(image, ImageChoice::File { .. }));
        let data = if only_files { self.find()? } else { Some(self.load("a test image")?) };
        let integration_steps = usual().integration_steps;
        // What is usual is not written down, so that runs keep their ids: the first head, which says the class.
        let first = head == self.subject.network.first_head();
        let labels = self.subject.labels(head).filter(|labels| !first || *labels != Labels::Classes);
        let head = (!first).then(|| head.to_owned());
        let of = self.subject.id.clone();
        Ok(ActivationsRun { of, data, images, head, labels, integration_steps })
    }

    fn dream(&mut self, args: &DreamArgs, head: &str) -> Result<DreamRun, Failure> {
        let objective = self.objective(args, head)?;
        let inside = usual();
        let start = match (&args.image, args.index, args.from) {
            (Some(path), _, _) => Start::Image { image: self.bring(path, args.invert)? },
            (None, Some(index), _) => Start::Image { image: ImageChoice::Index { index } },
            (None, None, StartName::Grey) => Start::Grey { level: level(&inside.start) },
            (None, None, StartName::Noise) => inside.start,
        };
        let data = args.index.map(|_| self.load("a test image")).transpose()?;
        let usual = match &objective {
            Objective::LayerMeanSquare { .. } => inside.amplify,
            // The usual weights are made for scores, which go to tens: others would lose themselves in the dark.
            Objective::ClassLogit { .. } => inside.dream,
            _ => AscentSpec { regularisers: Vec::new(), ..inside.dream },
        };
        let ascent = ascent(args, usual)?;
        let picture = |number| DreamPicture { objective: objective.clone(), start: start.clone(), number };
        Ok(DreamRun {
            of: self.subject.id.clone(),
            judge: None,
            data,
            purpose: DreamPurpose::Asked,
            pictures: (0..args.seeds).map(picture).collect(),
            ascent,
            seed: args.seed.unwrap_or_else(|| brief().first_seed()),
        })
    }

    fn objective(&self, args: &DreamArgs, head: &str) -> Result<Objective, Failure> {
        let asked = &args.objective;
        Ok(if let Some(word) = &asked.class {
            self.subject.network.scores_of(head)?;
            let (head, class) = (head.to_owned(), self.subject.class(head, word)?);
            self.subject.network.check_class(&head, class, &self.subject.names(&head))?;
            if args.probability {
                Objective::ClassProbability { head, class }
            } else {
                Objective::ClassLogit { head, class }
            }
        } else if let Some(neuron) = &asked.neuron {
            Objective::Neuron { layer: neuron.layer.clone(), position: neuron.position.clone() }
        } else if let Some(channel) = &asked.channel {
            Objective::Channel { layer: channel.layer.clone(), channel: channel.channel }
        } else {
            let layer = asked.layer.clone().expect("one of the four is asked for");
            Objective::LayerMeanSquare { layer }
        })
    }

    /// The typical image of a class that the head has.
    fn typical(&self, head: &str, class: usize) -> Result<ImageChoice, Failure> {
        self.subject.network.check_class(head, class, &self.subject.names(head))?;
        let class = u8::try_from(class).map_err(|_| inkling_lab::LookError::NoTypicalImage { class })?;
        Ok(ImageChoice::Typical { class })
    }

    /// Reads a picture that the person brings, and says what they should know of it.
    fn bring(&mut self, path: &Path, inverted: bool) -> Result<ImageChoice, Failure> {
        let [height, width, channels] = self.subject.network.input();
        message::of_pipe(path);
        let picture = inkling_data::read_png(path, channels, inverted)?;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        // One of another size is refused for that.
        let fits = [picture.image.height, picture.image.width] == [height, width];
        let named = self.subject.set.filter(|set| set.shape == self.subject.network.input()).map(Look::from);
        let look = named.or_else(|| trained::look(&self.subject.network));
        let notes = if fits { picture.notes(look.as_ref()) } else { Vec::new() };
        let notes: Vec<String> = notes.iter().map(|note| format!("`{name}`: {note}")).collect();
        notes.iter().for_each(|note| self.progress.say(&format!("note: {note}")));
        let checksum = picture.checksum;
        self.user_images.push(UserImage { checksum: checksum.clone(), image: picture.image, notes });
        Ok(ImageChoice::File { name, checksum, inverted })
    }

    /// Loads the data set; all its test images are meant.
    fn load(&mut self, what: &'static str) -> Result<DataSlice, Failure> {
        self.find()?.ok_or_else(|| {
            let known = catalogue::SETS.each_ref().map(|set| set.name).join(", ");
            AskError::NoSet { what, known }.into()
        })
    }

    /// Loads the data set, if it is known which one it is and where.
    fn find(&mut self) -> Result<Option<DataSlice>, Failure> {
        let begin = std::time::Instant::now();
        let mut set = match self.subject.set {
            Some(info) => {
                let fetching = |event: FetchEvent| self.progress.fetching(&event);
                let interrupted = || self.progress.interrupted();
                let sources = Sources {
                    progress: &fetching,
                    interrupted: &interrupted,
                    ..Sources::new(self.args.data.folder.clone())
                };
                sources.load(info)?
            }
            None => {
                let found = trained::own_set(&self.subject.file, &self.subject.network, self.progress)?;
                let Some(set) = found else { return Ok(None) };
                set
            }
        };
        let (train, test) = (set.train.len(), set.test.len());
        self.progress.event(Event::Loaded { images: train + test, seconds: begin.elapsed().as_secs_f64() });
        // A look has no use for them.
        set.train = set.train.take(0);
        let name = set.about.name.clone();
        self.set = Some(set);
        Ok(Some(DataSlice { set: name, train_images: 0, test_images: test }))
    }
}

fn brief() -> inkling_schema::Study {
    preset("brief").expect("the preset is in the program")
}

/// What the brief asks of looking inside.
fn usual() -> InsideTask {
    brief().inside.expect("the brief looks inside")
}

fn level(start: &Start) -> f64 {
    match start {
        Start::Grey { level } | Start::Noise { level, .. } => *level,
        Start::Image { .. } => 0.5,
    }
}

/// The usual ascent with what was asked for in its place.
fn ascent(args: &DreamArgs, usual: AscentSpec) -> Result<AscentSpec, Failure> {
    let steps = args.steps.map_or(usual.steps, std::num::NonZeroUsize::get);
    let asked = args.frames.map(|frames| frames as usize);
    if let Some(frames) = asked.filter(|&frames| frames > steps + 1) {
        return Err(AskError::Frames { frames, steps }.into());
    }
    let frames = if args.animation.is_some() { FRAMES } else { usual.frames };
    let plain = args.plain;
    Ok(AscentSpec {
        steps,
        learning_rate: args.learning_rate.unwrap_or(usual.learning_rate),
        parametrisation: if plain { Parametrisation::Pixels } else { usual.parametrisation },
        transforms: if plain { Vec::new() } else { usual.transforms },
        regularisers: if plain { Vec::new() } else { regularisers(args, &usual.regularisers) },
        frames: asked.unwrap_or(frames.min(steps + 1)),
        optimizer: usual.optimizer,
    })
}

/// The usual regularisers, with the weights that were asked for.
fn regularisers(args: &DreamArgs, usual: &[Regulariser]) -> Vec<Regulariser> {
    let (mut l2, mut total_variation) = (0.0, 0.0);
    for regulariser in usual {
        match *regulariser {
            Regulariser::L2 { weight } => l2 = weight,
            Regulariser::TotalVariation { weight } => total_variation = weight,
        }
    }
    let (l2, total_variation) = (args.l2.unwrap_or(l2), args.total_variation.unwrap_or(total_variation));
    let both = [
        (l2, Regulariser::L2 { weight: l2 }),
        (total_variation, Regulariser::TotalVariation { weight: total_variation }),
    ];
    both.into_iter().filter(|(weight, _)| *weight > 0.0).map(|(_, regulariser)| regulariser).collect()
}

/// What a dream is called.
fn title(objective: &Objective, names: &[&str]) -> String {
    match objective {
        Objective::ClassLogit { class, .. } | Objective::ClassProbability { class, .. } => {
            format!("dreams of {}", super::tell::class(*class, names))
        }
        Objective::Neuron { layer, position } => format!("dreams of {layer} at {position:?}"),
        Objective::Channel { layer, channel } => format!("dreams of channel {channel} of {layer}"),
        Objective::LayerMeanSquare { layer } => format!("dreams of {layer}"),
    }
}
