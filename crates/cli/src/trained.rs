//! A trained network that a command uses: its file, its classes, and the test images that it was trained beside.

use std::path::{Path, PathBuf};

use inkling_data::catalogue;
use inkling_data::{DataSet, FetchEvent, Look, SetInfo, Sources};
use inkling_lab::{Observer, Trained};
use inkling_schema::DataSetSpec;
use inkling_schema::outcome::StudyRecord;
use inkling_store::read_json;

use crate::args::ModelChoice;
use crate::failure::Failure;
use crate::look;
use crate::progress::Progress;

/// A network with its file, and what the file and the network are called.
pub(crate) struct Named {
    pub(crate) network: Trained,
    pub(crate) file: PathBuf,
    /// The network alone: its name in a study, else that of its file.
    pub(crate) name: String,
    /// Both.
    pub(crate) words: String,
}

/// Reads the network that was chosen, with the weights that are its own.
pub(crate) fn read(choice: &ModelChoice) -> Result<Named, Failure> {
    let (file, name) = look::find(&choice.path, choice.network.as_deref())?;
    let network = Trained::read(&file).map_err(look::failure)?;
    let words = match &name {
        Some(name) => format!("{name} ({})", file.display()),
        None => file.display().to_string(),
    };
    let of_file = || file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let name = name.map_or_else(of_file, String::from);
    Ok(Named { network, file, name, words })
}

/// The names of a head's classes: those in the file, else those of the set that it was trained on, else numbers.
pub(crate) fn classes(network: &Trained, head: usize) -> Vec<String> {
    let count = network.network.num_classes()[head];
    let in_file =
        network.card.as_ref().and_then(|card| card.heads.get(head)).map(|head| head.classes.clone());
    let in_file = in_file.or_else(|| network.classes.get(head).cloned());
    let of_set = || {
        let info = known(network).filter(|_| head == 0)?;
        Some(info.classes.iter().map(|&class| class.to_owned()).collect())
    };
    let named = in_file.or_else(of_set).filter(|names: &Vec<String>| names.len() == count);
    named.unwrap_or_else(|| (0..count).map(|class| class.to_string()).collect())
}

/// The set of the catalogue that a network was trained on, if it is one.
pub(crate) fn known(network: &Trained) -> Option<&'static SetInfo> {
    let info = catalogue::find(network.data.as_deref()?).ok()?;
    // Images of a person's own may have the name of a set.
    network.card.as_ref().is_none_or(|card| card.data.checksum == info.checksum()).then_some(info)
}

/// What the images look like that the network was trained on, where that is known.
pub(crate) fn look(network: &Trained) -> Option<Look> {
    match &network.card {
        Some(card) => Some(Look { title: card.data.title.clone(), brightness: card.preparation.brightness }),
        None => known(network).map(Look::from),
    }
}

/// The images that the network in this file was trained and tested on, where they can be found: a set that the program knows,
/// or the source that the study names in whose folder the file lies.
pub(crate) fn own_set(
    file: &Path,
    network: &Trained,
    progress: &Progress,
) -> Result<Option<DataSet>, Failure> {
    let fetching = |event: FetchEvent| progress.fetching(&event);
    let interrupted = || progress.interrupted();
    let sources = Sources { progress: &fetching, interrupted: &interrupted, ..Sources::new(None) };
    if let Some(info) = known(network) {
        return Ok(Some(sources.load(info)?));
    }
    let Some(own) = source(file, network) else { return Ok(None) };
    Ok(Some(inkling_lab::read_own(&own, &sources, progress)?))
}

/// Whether a source is the one that the network was trained on, from which its test images were drawn in their own way.
pub(crate) fn is_own_source(given: &Path, file: &Path, network: &Trained) -> bool {
    let place = |path: &Path| path.canonicalize().ok();
    let own = source(file, network).and_then(|own| place(Path::new(&own.source)));
    own.is_some() && own == place(given)
}

/// What the study says of the images whose part a network's file is.
fn source(file: &Path, network: &Trained) -> Option<DataSetSpec> {
    let folder = file.ancestors().nth(3)?;
    let record: StudyRecord = read_json(&folder.join("study.json")).ok()??;
    let name = network.data.as_deref()?;
    record.study.data_set.into_iter().find(|own| own.name == name)
}
