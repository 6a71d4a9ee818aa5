//! The report of a network of a person's own.

use super::text::text_of;
use super::*;
use crate::fixtures::inside::{Looked, inside};

/// One network on leaves of three kinds, with a look inside.
pub(super) fn own() -> Results {
    let mut found = results(&["oak", "ash", "elm"], PerceptronRule::Online);
    let data = DataSetFacts { title: "leaves".into(), ..found.record.data["mnist"].clone() };
    found.record.data = BTreeMap::from([("leaves".into(), data.clone())]);
    (found.pca, found.perceptrons) = (None, None);
    let mut task = fixtures::cnns(&data, Shape { networks: 1, ..Shape::SMALL });
    task.networks[0].name = "my network".into();
    let spec = task.networks[0].spec.clone();
    found.record.study.network = Some(NetworkTask {
        name: "my network".into(),
        data: "leaves".into(),
        training: spec.training,
        model: spec.model,
    });
    found.network = Some(task);
    found
}

#[test]
fn a_network_alone_is_no_assignment() {
    let results = own();
    typeset_and_count(&results, &crate::draw(&results));
    let text = text_of(&results);
    for word in ["Task", "Assignment", "MISSING", "of at most"] {
        assert!(!text.contains(word), "{word}: {text}");
    }
    for words in [
        "my network on leaves",
        "belong to three classes",
        "The layers of my network",
        "95 % Wilson interval",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn dreams_of_every_class_alone_are_told_of_without_a_judge() {
    let mut results = own();
    let data = results.record.data["leaves"].clone();
    let mut found = inside(&data, &Looked { judge: false, ..Looked::small(&data) });
    found.dreams.retain(|run| run.spec.purpose == inkling_schema::DreamPurpose::Classes);
    results.inside = Some(found);
    let told = text_of(&results);
    assert!(told.contains("Of the dreams of three classes") && !told.contains("No dream"), "{told}");
    assert!(!told.contains("judge"), "{told}");
    // Without convolutions there are no filters, and the layers have units.
    let inside = results.inside.as_mut().unwrap();
    (inside.filters, inside.maps) = (None, crate::Maps::Units);
    let told = text_of(&results);
    assert!(told.contains("hidden layer 1") && told.contains("Dead units"), "{told}");
    assert!(!told.contains("onvolution 1") && !told.contains("channel"), "{told}");
    // Without any layer to look at, saliency has a heading of its own.
    let inside = results.inside.as_mut().unwrap();
    let activations = inside.activations.as_mut().unwrap();
    activations.outcome.layers.clear();
    activations.layers.clear();
    let told = text_of(&results);
    assert!(told.contains("Saliency") && !told.contains("activation map"), "{told}");
}

#[test]
fn weights_of_the_best_epoch_are_said_to_be_so() {
    let mut results = own();
    let network = &mut results.network.as_mut().unwrap().networks[0];
    network.spec.training.validation = Some(ValidationSpec { images: 300, own: false, patience: Some(2) });
    let epochs = &mut network.outcome.epochs;
    for epoch in epochs.iter_mut() {
        epoch.validation = Some(epoch.test);
    }
    network.outcome.best_epoch = Some(1);
    network.outcome.weights = inkling_schema::Weights::Best;
    let accuracy = network.outcome.epochs[0].test.accuracy();
    let told = text_of(&results);
    assert!(told.contains("Results are those of the epoch with the lowest loss"), "{told}");
    assert!(told.contains("the results after epoch 1, which had"), "{told}");
    assert!(told.contains(&inkling_schema::format::fixed(100.0 * accuracy, 2)), "{told}");
}
