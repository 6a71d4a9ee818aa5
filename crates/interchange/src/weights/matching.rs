//! Which array of a file belongs to which tensor of a network.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use super::Reason;
use super::layers::{FileLayer, Signature, layers, natural, signature, skeleton};
use super::read::Array;
use crate::InterchangeError;
use crate::python::places::Place;
use crate::tensors::TensorKind;

/// What fills a tensor: an array of the file, or nothing where a bias is not there.
pub(crate) type Found<'f> = (Option<&'f Array<'f>>, Reason);

/// The array of each tensor by its name, if the file has all but biases under the names that `name` gives them.
pub(crate) fn by_name<'f>(
    places: &[Place],
    arrays: &'f [Array<'f>],
    name: impl Fn(&Place) -> &String,
) -> Option<Vec<Found<'f>>> {
    let known: HashMap<&str, &Array> = arrays.iter().map(|array| (array.name.as_str(), array)).collect();
    let found = places.iter().map(|place| match known.get(name(place).as_str()) {
        Some(array) => Some((Some(*array), Reason::Name)),
        None => (place.tensor.kind == TensorKind::Bias).then_some((None, Reason::NoBias)),
    });
    found.collect()
}

/// The tensors of one layer of the network.
fn layer_of(place: &Place) -> &str {
    place.tensor.name.rsplit_once('.').map_or("", |(layer, _)| layer)
}

/// What a layer of the network has in common with those that could be taken for it, in the file's order of axes.
fn signature_of(places: &[Place]) -> Signature {
    let kinds: Vec<TensorKind> = places.iter().map(|place| place.tensor.kind).collect();
    let shape = |kind| {
        let place = places.iter().find(|place| place.tensor.kind == kind)?;
        Some(place.layout.shape(&place.tensor.shape))
    };
    signature(&kinds, shape).expect("the network's layers have a weight or a scale")
}

/// The array of each tensor by the shapes of layers, and by the order of their names where several have the same.
///
/// # Errors
/// A layer of the network that the file does not have, or one of the file that cannot be one of ours.
pub(crate) fn by_order<'f>(
    places: &[Place],
    arrays: &'f [Array<'f>],
) -> Result<Vec<Found<'f>>, InterchangeError> {
    let file = layers(arrays)?;
    let mut groups: BTreeMap<Signature, Vec<FileLayer>> = BTreeMap::new();
    for layer in file {
        groups.entry(layer.signature()?).or_default().push(layer);
    }
    let mut needed: BTreeMap<Signature, usize> = BTreeMap::new();
    let chunks: Vec<&[Place]> = places.chunk_by(|a, b| layer_of(a) == layer_of(b)).collect();
    for chunk in &chunks {
        *needed.entry(signature_of(chunk)).or_default() += 1;
    }
    for chunk in &chunks {
        let signature = signature_of(chunk);
        let there = groups.get(&signature).map_or(0, Vec::len);
        if there < needed[&signature] {
            return Err(missing(chunk, needed[&signature], there, &groups));
        }
    }
    let names: BTreeMap<Signature, Vec<String>> = groups
        .iter()
        .map(|(signature, group)| (signature.clone(), group.iter().map(|layer| layer.name.clone()).collect()))
        .collect();
    let mut waiting: BTreeMap<Signature, VecDeque<FileLayer>> =
        groups.into_iter().map(|(signature, group)| (signature, group.into())).collect();
    let mut found = Vec::new();
    for chunk in chunks {
        let signature = signature_of(chunk);
        let layer = waiting.get_mut(&signature).and_then(VecDeque::pop_front).expect("as many as are needed");
        let reason = reason(&layer.name, &names[&signature]);
        for place in chunk {
            found.push(match layer.array(place.tensor.kind) {
                Some(array) => (Some(array), reason.clone()),
                None if place.tensor.kind == TensorKind::Bias => (None, Reason::NoBias),
                None => {
                    return Err(InterchangeError::new(
                        format!("`{}` has nothing for `{}`", layer.name, place.tensor.name),
                        "write all tensors of the layer to the file",
                    ));
                }
            });
        }
    }
    Ok(found)
}

/// Why a layer was taken from these, which have the same shape.
fn reason(name: &str, group: &[String]) -> Reason {
    if group.len() == 1 {
        return Reason::Shape;
    }
    if group.iter().all(|other| skeleton(other) == skeleton(name)) {
        return Reason::Numbers(group.len());
    }
    Reason::Guess(group.iter().filter(|other| *other != name).cloned().collect())
}

/// The error of a layer that the file does not have, or not as often.
fn missing(
    chunk: &[Place],
    needed: usize,
    there: usize,
    groups: &BTreeMap<Signature, Vec<FileLayer>>,
) -> InterchangeError {
    let (kind, shape) = signature_of(chunk);
    let place = &chunk[0];
    let help = "take the network that the weights were trained in, or the weights of this one".to_owned();
    if there > 0 {
        let problem = format!(
            "the network has {needed} layers like `{}` {shape:?}, and the file has {there}",
            layer_of(place)
        );
        return InterchangeError::new(problem, help);
    }
    let similar = |layer: &FileLayer| {
        let names = [layer_of(place), place.key.as_str()];
        names.map(|name| strsim::jaro_winkler(name, &layer.name)).into_iter().fold(0.0, f64::max)
    };
    let main = |layer: &FileLayer| {
        let array = layer.array(TensorKind::Weight).or_else(|| layer.array(TensorKind::Scale));
        array.map(|array| format!("`{}` has {:?}", array.name, array.view.shape()))
    };
    let same_kind = groups.iter().filter(|((other, _), _)| *other == kind).flat_map(|(_, group)| group);
    let mut near: Vec<&FileLayer> = same_kind.collect();
    near.sort_by(|a, b| similar(b).total_cmp(&similar(a)).then_with(|| natural(&a.name, &b.name)));
    let near = near.first().and_then(|layer| main(layer));
    let nearest = near.map_or_else(String::new, |near| format!("; the nearest by name, {near}"));
    InterchangeError::new(
        format!("no array of the file fits `{}` {shape:?}{nearest}", place.tensor.name),
        help,
    )
}

/// Refuses a file with arrays that no tensor takes: the network is then not the one that was trained.
///
/// # Errors
/// The first of them.
pub(crate) fn nothing_is_left(found: &[Found], arrays: &[Array]) -> Result<(), InterchangeError> {
    let taken: HashSet<&str> =
        found.iter().filter_map(|(array, _)| Some(array.as_ref()?.name.as_str())).collect();
    let mut left: Vec<&Array> = arrays.iter().filter(|array| !taken.contains(array.name.as_str())).collect();
    left.sort_by(|a, b| natural(&a.name, &b.name));
    let Some(first) = left.first() else { return Ok(()) };
    let more = match left.len() - 1 {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Err(InterchangeError::new(
        format!("the network has no layer for `{}` {:?}{more}", first.name, first.view.shape()),
        "take the network that the weights were trained in, or leave out of the file what it does not have",
    ))
}
