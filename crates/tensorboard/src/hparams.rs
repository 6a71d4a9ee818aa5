//! Hyperparameters, in the terms of TensorBoard's plugin: an experiment has sessions, each with its values and its metrics.

use crate::messages::hparams::{
    self as messages, HParamInfo, InfoDomain, Interval, Kind, ListValue, MetricInfo, MetricName, ProtoKind,
    ProtoValue,
};

/// What the sessions below a folder differ in, and how they are judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Experiment {
    /// Columns of the table of sessions.
    pub hyperparameters: Vec<Hyperparameter>,
    /// Columns after these.
    pub metrics: Vec<Metric>,
}

/// A hyperparameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Hyperparameter {
    /// Its name, by which sessions give its value.
    pub name: String,
    /// The values that it may have.
    pub domain: Domain,
}

/// The values that a hyperparameter may have.
#[derive(Debug, Clone, PartialEq)]
pub enum Domain {
    /// One of these numbers; any number where there are none.
    Numbers(Vec<f64>),
    /// Numbers from the first to the second.
    Interval(f64, f64),
    /// One of these texts; any text where there are none.
    Texts(Vec<String>),
    /// True or false.
    Bool,
}

/// A metric: the last value of a scalar of the session's own run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metric {
    /// The scalar's tag.
    pub tag: String,
    /// What the column is called.
    pub title: String,
}

/// A session's value of a hyperparameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// True or false.
    Bool(bool),
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// As it should.
    Success,
    /// Its training diverged, or could not go on.
    Failure,
}

impl From<Value> for ProtoValue {
    fn from(value: Value) -> ProtoValue {
        let kind = match value {
            Value::Number(number) => ProtoKind::Number(number),
            Value::Text(text) => ProtoKind::String(text),
            Value::Bool(bool) => ProtoKind::Bool(bool),
        };
        ProtoValue { kind: Some(kind) }
    }
}

impl From<Status> for messages::SessionStatus {
    fn from(status: Status) -> messages::SessionStatus {
        match status {
            Status::Success => messages::SessionStatus::Success,
            Status::Failure => messages::SessionStatus::Failure,
        }
    }
}

/// The message of an experiment that was planned at this time.
pub(crate) fn experiment(experiment: &Experiment, seconds: f64) -> messages::Experiment {
    let metric = |metric: &Metric| MetricInfo {
        name: Some(MetricName { tag: metric.tag.clone() }),
        display_name: metric.title.clone(),
    };
    messages::Experiment {
        time_created_secs: seconds,
        hparam_infos: experiment.hyperparameters.iter().map(info).collect(),
        metric_infos: experiment.metrics.iter().map(metric).collect(),
    }
}

fn info(hyperparameter: &Hyperparameter) -> HParamInfo {
    let one_of = |values: Vec<Value>| {
        let values: Vec<ProtoValue> = values.into_iter().map(ProtoValue::from).collect();
        (!values.is_empty()).then_some(InfoDomain::Discrete(ListValue { values }))
    };
    let (kind, domain) = match &hyperparameter.domain {
        Domain::Numbers(numbers) => {
            (Kind::Float64, one_of(numbers.iter().copied().map(Value::Number).collect()))
        }
        Domain::Interval(min, max) => {
            (Kind::Float64, Some(InfoDomain::Interval(Interval { min_value: *min, max_value: *max })))
        }
        Domain::Texts(texts) => (Kind::String, one_of(texts.iter().cloned().map(Value::Text).collect())),
        Domain::Bool => (Kind::Bool, one_of(vec![Value::Bool(false), Value::Bool(true)])),
    };
    HParamInfo { name: hyperparameter.name.clone(), r#type: kind.into(), domain }
}
