//! Resolves the objectives that a spec names by layers and classes to functions of a network's layer.

use inkling_engine::LayerHandle;
use inkling_engine::interpret::ResolvedObjective;
use inkling_schema::{Objective, Shape};

use crate::inside::error::LookError;
use crate::inside::trained::{Trained, as_image};

/// The layer that an objective looks at, and what it is there. `names` are the classes' names for error messages.
///
/// # Errors
/// [`LookError`]: the network has no such layer, head, class, channel or place.
pub(super) fn resolve(
    objective: &Objective,
    trained: &Trained,
    names: &[String],
) -> Result<(LayerHandle, ResolvedObjective), LookError> {
    let no_unit = |layer: &LayerHandle, what: String, hint| {
        let (layer, shape) = (layer.name.clone(), layer.shape.to_string());
        LookError::NoUnit { layer, what, shape, hint }
    };
    match objective {
        Objective::ClassLogit { head, class } => {
            trained.check_class(head, *class, names)?;
            Ok((trained.scores_of(head)?, ResolvedObjective::Number(*class)))
        }
        Objective::ClassProbability { head, class } => {
            trained.check_class(head, *class, names)?;
            Ok((trained.scores_of(head)?, ResolvedObjective::LogProbability(*class)))
        }
        Objective::Neuron { layer, position } => {
            let layer = trained.layer(layer)?;
            let number = match (layer.shape, &position[..]) {
                (Shape::Image { height, width, channels }, &[row, column, channel])
                    if row < height && column < width && channel < channels =>
                {
                    (row * width + column) * channels + channel
                }
                (Shape::Vector(units), &[unit]) if unit < units => unit,
                _ => {
                    let hint = match layer.shape {
                        Shape::Image { .. } => "; a place in it is row, column and channel, from 0",
                        Shape::Vector(_) => "; a place in it is the unit's number, from 0",
                    };
                    return Err(no_unit(&layer, format!("place {position:?}"), hint));
                }
            };
            Ok((layer, ResolvedObjective::Number(number)))
        }
        Objective::Channel { layer, channel } => {
            let layer = trained.layer(layer)?;
            let [_, _, channels] = as_image(layer.shape);
            if *channel >= channels {
                return Err(no_unit(&layer, format!("channel {channel}"), "; channels are counted from 0"));
            }
            Ok((layer, ResolvedObjective::Channel { channel: *channel, channels }))
        }
        Objective::LayerMeanSquare { layer } => Ok((trained.layer(layer)?, ResolvedObjective::MeanSquare)),
    }
}

#[cfg(test)]
mod tests {
    use inkling_engine::Network;
    use inkling_schema::ModelSpec;

    use super::*;

    const NETWORK: &str = r#"
        input = [9, 8, 2]
        trunk = [
            { layer = "conv2d", filters = 5, kernel_size = [2, 2], stride = [2, 2], padding = "valid", initializer = "he-uniform" },
            { layer = "relu" },
            { layer = "flatten" },
        ]
        heads = [{ name = "class", layers = [{ layer = "dense", units = 4, initializer = "glorot-uniform" }] }]
    "#;

    #[test]
    fn names_places_and_classes_become_numbers_of_a_layers_output() {
        let spec = ModelSpec::from_toml("network", NETWORK).unwrap();
        let trained = Trained::new(Network::new(&spec, 5).unwrap(), None);
        let (head, layer) = (String::from("class"), String::from("trunk.1"));
        let neuron = |layer: &str, position: &[usize]| Objective::Neuron {
            layer: layer.into(),
            position: position.into(),
        };
        let channel = |channel| Objective::Channel { layer: layer.clone(), channel };
        for (objective, name, expected) in [
            (Objective::ClassLogit { head: head.clone(), class: 1 }, "class.1", ResolvedObjective::Number(1)),
            (Objective::ClassProbability { head, class: 2 }, "class.1", ResolvedObjective::LogProbability(2)),
            // Of [4, 4, 5].
            (neuron("trunk.1", &[1, 2, 3]), "trunk.1", ResolvedObjective::Number((4 + 2) * 5 + 3)),
            (neuron("class.1", &[3]), "class.1", ResolvedObjective::Number(3)),
            (channel(2), "trunk.1", ResolvedObjective::Channel { channel: 2, channels: 5 }),
            (Objective::LayerMeanSquare { layer: layer.clone() }, "trunk.1", ResolvedObjective::MeanSquare),
        ] {
            let (found, resolved) = resolve(&objective, &trained, &[]).unwrap();
            assert_eq!((found.name.as_str(), resolved), (name, expected), "{objective:?}");
        }
        for objective in
            [neuron("trunk.1", &[4, 0, 0]), neuron("trunk.1", &[3]), neuron("class.1", &[4]), channel(5)]
        {
            assert!(
                matches!(resolve(&objective, &trained, &[]), Err(LookError::NoUnit { .. })),
                "{objective:?}"
            );
        }
    }
}
