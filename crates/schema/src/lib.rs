//! What is asked and what was found: the plain types that every other part of Inkling shares.
//!
//! A [`Study`] is read from a TOML file or a preset; [`RunSpec`]s are the single fits it expands into; the types
//! in [`outcome`] are what those fits report. A [`ModelSpec`] is a network; its [`Plan`] says what each layer costs. Nothing here computes, opens a file or holds a tensor.

mod card;
mod check;
mod dream;
pub mod format;
mod inside;
mod merge;
mod model;
mod models;
mod multitask;
mod names;
mod networks;
mod numbers;
pub mod outcome;
mod own;
mod own_network;
mod page;
mod parse;
mod presets;
mod reading;
mod report;
mod run;
mod settings;
mod shape;
mod shapes;
mod shell;
mod slurm;
mod study;
mod sweep;
mod text;
mod training;
mod weighting;
mod words;

pub use card::{CardData, CardHead, ModelCard, Preparation, Weights};
pub use dream::{AscentSpec, DreamPicture, Objective, Parametrisation, Regulariser, Start, Transform};
pub use inside::{DreamKind, InsideTask, JUDGE, JudgeSpec, PatternSpec};
pub use model::{Head, Initializer, LayerSpec, Loss, ModelSpec, Padding};
pub use models::{MODEL_CARD, MODEL_CLASSES, MODEL_FORMAT, MODELS};
pub use multitask::{ClassRef, GROUP, GroupSpec, ITEM, MultitaskNetwork, MultitaskTask, NoGroups};
pub use networks::{CnnSpec, CnnTask, InitializerPair, MlpSpec, MlpTask};
pub use numbers::{Interval, apart, legible};
pub use own::{DataSetSpec, FitSpec, TestSpec};
pub use own_network::NetworkTask;
pub use page::{PageCandidate, PagePlace, PageRank, PageSpec, Precision, page_candidates};
pub use parse::SpecError;
pub use presets::{PRESETS, preset};
pub use report::{Author, ReportSpec};
pub use run::{
    ActivationsRun, ChoiceRun, DataSlice, DreamPurpose, DreamRun, FiltersRun, ImageChoice, Labels,
    LikenessRun, PageImagesRun, PageNetworkRun, PcaRun, PerceptronRun, RunId, RunSpec, SeparabilityRun,
    TrainRun,
};
pub use settings::{Setting, SettingError};
pub use shape::{PlannedLayer, Shape};
pub use shapes::{ModelError, Plan};
pub use shell::{printable, quoted, quoted_path};
pub use slurm::SlurmSettings;
pub use study::{DataSpec, PcaSpec, PerceptronRule, PerceptronSpec, SeparabilitySpec, Study, Task};
pub use sweep::{Sweep, SweepPoint, SweepSpec};
pub use text::{TextError, text_from_bytes};
pub use training::{
    AugmentationSpec, ClassWeights, Optimizer, Schedule, TrainingPrecision, TrainingSpec, ValidationSpec,
};
pub use weighting::Weighting;
