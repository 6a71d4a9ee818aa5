//! Tests of the writer: what is in a file is decoded again.

use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;

use super::*;
use crate::hparams::{Domain, Hyperparameter, Metric};
use crate::messages::{DataType, GraphDef};

/// A clock that is half a second later each time that it is read.
fn clock() -> impl Fn() -> Duration + Send {
    let halves = AtomicU64::new(2_000_000_000);
    move || Duration::from_millis(500 * halves.fetch_add(1, Ordering::Relaxed))
}

/// The events of a file after its version and its start.
fn events(path: &Path) -> Vec<Event> {
    let records = record::read(&fs::read(path).unwrap());
    let mut events: Vec<Event> =
        records.iter().map(|record| Event::decode(record.as_slice()).unwrap()).collect();
    assert_eq!(events.remove(0).what, Some(What::FileVersion("brain.Event:2".into())));
    assert_eq!(events.remove(0).what, Some(What::SessionLog(SessionLog { status: 1 })));
    events
}

/// The events that something writes.
fn written(write: impl FnOnce(&mut EventWriter) -> Result<(), BoardError>) -> Vec<Event> {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = EventWriter::create(folder.path(), "host", 0, clock()).unwrap();
    write(&mut writer).unwrap();
    let path = writer.path().to_owned();
    writer.close().unwrap();
    events(&path)
}

fn only_value(event: &Event) -> &SummaryValue {
    let Some(What::Summary(Summary { value })) = &event.what else { panic!("{event:?} is no summary") };
    let [value] = value.as_slice() else { panic!("{value:?} is not one value") };
    value
}

fn plugin(value: &SummaryValue) -> &PluginData {
    value.metadata.as_ref().unwrap().plugin_data.as_ref().unwrap()
}

fn tensor(value: &SummaryValue) -> &TensorProto {
    let Some(Content::Tensor(tensor)) = &value.content else { panic!("{value:?} has no tensor") };
    tensor
}

fn sizes(tensor: &TensorProto) -> Vec<i64> {
    tensor.tensor_shape.as_ref().unwrap().dim.iter().map(|dim| dim.size).collect()
}

#[test]
fn files_are_named_by_time_and_host_and_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("a/run");
    let at = |seconds| move || Duration::from_secs(seconds);
    let first = EventWriter::create(&dir, "../my host", 0, at(7)).unwrap();
    assert_eq!(first.path(), dir.join("events.out.tfevents.0000000007...-my-host"));
    let second = EventWriter::create(&dir, "../my host", 0, at(7)).unwrap();
    assert_eq!(second.path(), dir.join("events.out.tfevents.0000000007...-my-host.1"));
    assert!(events(first.path()).is_empty(), "the version and the start are there at once");
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = EventWriter::create(&file, "host", 0, clock()).unwrap_err();
    assert_eq!(error.to_string(), format!("cannot write `{}`", file.display()));
}

#[test]
fn the_same_calls_at_the_same_times_give_the_same_bytes() {
    let bytes = || {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = EventWriter::create(folder.path(), "host", 0, clock()).unwrap();
        writer.scalar("loss", 1, 0.5).unwrap();
        let values = ["c", "a", "b"].map(|name| (name.to_owned(), Value::Bool(true)));
        writer.session_start("group", &values).unwrap();
        let path = writer.path().to_owned();
        writer.close().unwrap();
        fs::read(path).unwrap()
    };
    assert_eq!(bytes(), bytes());
}

#[test]
fn histograms_are_tables_of_thirty_buckets() {
    let values = [0.5, -1.0, 2.0];
    let events = written(|writer| writer.histogram("weights", 3, &values));
    let value = only_value(&events[0]);
    assert_eq!((value.tag.as_str(), plugin(value).plugin_name.as_str()), ("weights", "histograms"));
    let tensor = tensor(value);
    assert_eq!((tensor.dtype(), sizes(tensor)), (DataType::Double, vec![30, 3]));
    let numbers: Vec<f64> =
        tensor.tensor_content.as_chunks().0.iter().copied().map(f64::from_le_bytes).collect();
    assert_eq!(numbers, buckets(&values).as_flattened());
}

#[test]
fn images_and_texts_are_strings() {
    let events = written(|writer| {
        writer.image("filters", 4, b"PNG", 28, 14)?;
        writer.text("network", 5, "**CNN**")
    });
    let (image, text) = (only_value(&events[0]), only_value(&events[1]));
    assert_eq!((plugin(image).plugin_name.as_str(), sizes(tensor(image))), ("images", vec![3]));
    assert_eq!(tensor(image).string_val, [&b"28"[..], b"14", b"PNG"]);
    assert_eq!((plugin(text).plugin_name.as_str(), sizes(tensor(text))), ("text", vec![1]));
    assert_eq!(tensor(text).string_val, [b"**CNN**"]);
    assert_eq!(events.iter().map(|event| event.step).collect::<Vec<i64>>(), [4, 5]);
}

#[test]
fn hyperparameters_are_in_the_metadata() {
    let experiment = Experiment {
        hyperparameters: [
            ("optimizer", Domain::Texts(vec!["adam".into(), "sgd".into()])),
            ("learning rate", Domain::Interval(0.0, 1.0)),
            ("epochs", Domain::Numbers(Vec::new())),
            ("flips", Domain::Bool),
        ]
        .map(|(name, domain)| Hyperparameter { name: name.into(), domain })
        .into(),
        metrics: vec![Metric { tag: "loss/test".into(), title: "test loss".into() }],
    };
    let events = written(|writer| {
        writer.experiment(&experiment)?;
        writer.session_start("run", &[("epochs".into(), Value::Number(3.0))])?;
        writer.session_end(Status::Failure)
    });
    let values: Vec<&SummaryValue> = events.iter().map(only_value).collect();
    let tags: Vec<&str> = values.iter().map(|value| value.tag.as_str()).collect();
    assert_eq!(tags, ["_hparams_/experiment", "_hparams_/session_start_info", "_hparams_/session_end_info"]);
    let data: Vec<hparams::Data> = values
        .iter()
        .map(|value| hparams::PluginData::decode(plugin(value).content.as_slice()).unwrap().data.unwrap())
        .collect();
    let [
        hparams::Data::Experiment(planned),
        hparams::Data::SessionStart(start),
        hparams::Data::SessionEnd(end),
    ] = data.as_slice()
    else {
        panic!("{data:?}")
    };
    let kinds: Vec<hparams::Kind> = planned.hparam_infos.iter().map(hparams::HParamInfo::r#type).collect();
    use hparams::Kind::{Bool, Float64, String};
    assert_eq!(kinds, [String, Float64, Float64, Bool]);
    let has_domain: Vec<bool> = planned.hparam_infos.iter().map(|info| info.domain.is_some()).collect();
    assert_eq!(has_domain, [true, true, false, true]);
    assert_eq!(planned.metric_infos[0].name.as_ref().unwrap().tag, "loss/test");
    assert_eq!((start.group_name.as_str(), start.hparams.len()), ("run", 1));
    assert_eq!(end.status(), hparams::SessionStatus::Failure);
    assert!(start.start_time_secs < end.end_time_secs);
}

#[test]
fn a_graph_has_its_nodes_with_their_shapes() {
    let node = |name: &str, inputs: &[&str], output: &[usize]| Node {
        name: name.into(),
        op: "Dense".into(),
        inputs: inputs.iter().map(|&name| name.into()).collect(),
        output: output.into(),
    };
    let nodes = [node("images", &[], &[28, 28, 1]), node("trunk/0", &["images"], &[10])];
    let events = written(|writer| writer.graph(&nodes));
    let Some(What::GraphDef(bytes)) = &events[0].what else { panic!("{events:?}") };
    let graph = GraphDef::decode(bytes.as_slice()).unwrap();
    assert_eq!(graph.node[1].input, ["images"]);
    let shapes = &graph.node[0].attr["_output_shapes"].list.as_ref().unwrap().shape;
    assert_eq!(shapes[0].dim.iter().map(|dim| dim.size).collect::<Vec<i64>>(), [-1, 28, 28, 1]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn scalars_are_decoded_as_they_were_written(
        scalars in prop::collection::vec((".{0,20}", any::<u64>(), any::<f64>()), 0..20)
    ) {
        let events = written(|writer| {
            scalars.iter().try_for_each(|(tag, step, value)| writer.scalar(tag, *step, *value))
        });
        prop_assert_eq!(events.len(), scalars.len());
        for (event, (tag, step, value)) in events.iter().zip(&scalars) {
            let found = only_value(event);
            prop_assert_eq!(&found.tag, tag);
            prop_assert_eq!(event.step, i64::try_from(*step).unwrap_or(i64::MAX));
            let Some(Content::SimpleValue(number)) = found.content else { panic!("{found:?}") };
            prop_assert_eq!(number.to_bits(), (*value as f32).to_bits());
        }
        // The file's name, its version and its start each read the clock once.
        let times: Vec<f64> = events.iter().map(|event| event.wall_time).collect();
        let expected: Vec<f64> = (0..times.len()).map(|place| 1e9 + 0.5 * (place + 3) as f64).collect();
        prop_assert_eq!(times, expected);
    }
}
