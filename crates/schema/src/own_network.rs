//! A network of a person's own in a study file: what `inkling train` does.

use serde::{Deserialize, Serialize};

use crate::model::ModelSpec;
use crate::names::check_names;
use crate::training::TrainingSpec;

/// One network that is written down layer by layer, in the place of the tasks. Pixels are scaled to x/255.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkTask {
    /// What figures and tables call it.
    pub name: String,
    /// Name of the data set.
    pub data: String,
    /// How it is trained.
    pub training: TrainingSpec,
    /// Its layers, of one head.
    pub model: ModelSpec,
}

impl NetworkTask {
    /// What single keys cannot know of each other: the key, what is wrong, what to do.
    pub(crate) fn check(&self) -> Result<(), (&'static str, String, String)> {
        check_names("a network", std::iter::once(self.name.as_str()))
            .map_err(|(_, message, help)| ("name", message, help))?;
        if self.model.heads.len() != 1 {
            let message = format!("the network has {} heads", self.model.heads.len());
            let help = "a network that is trained alone has one; [multitask] trains two".into();
            return Err(("model.heads", message, help));
        }
        if !self.model.heads[0].loss.is_of_classes() {
            let message = format!("the head is trained by {}", self.model.heads[0].loss.name());
            return Err(("model.heads.0.loss", message, "data sets have classes: leave `loss` out".into()));
        }
        Ok(())
    }
}
