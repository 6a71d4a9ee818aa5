//! The bytes of a file. Weights go straight from the network into them: as messages of their own they would take their memory a
//! second time.

use prost::{Message, length_delimiter_len};

use super::graph::{Numbers, Weight};
use super::messages::{FLOAT, GraphProto, ModelProto, TensorProto};

/// The keys of the fields that are written here: their number, and that a length follows.
const GRAPH_OF_MODEL: u8 = key(7);
const INITIALIZER_OF_GRAPH: u8 = key(5);
const RAW_DATA_OF_TENSOR: u8 = key(9);

/// The key of a field with a length, which is one byte for numbers up to 15.
const fn key(number: u8) -> u8 {
    number << 3 | 2
}

/// The bytes of a field with a length: its key, its length and what it holds.
fn field_len(held: usize) -> usize {
    1 + length_delimiter_len(held) + held
}

/// A file of this graph with these weights; `model` is all else.
pub(super) fn file(model: &ModelProto, graph: &GraphProto, weights: &[Weight]) -> Vec<u8> {
    let tensors: Vec<(TensorProto, usize)> = weights.iter().map(tensor).collect();
    let len = |(head, numbers): &(TensorProto, usize)| head.encoded_len() + field_len(*numbers);
    let graph_len = graph.encoded_len() + tensors.iter().map(|tensor| field_len(len(tensor))).sum::<usize>();
    let total = model.encoded_len() + field_len(graph_len);
    let mut file = Vec::with_capacity(total);
    file.extend(model.encode_to_vec());
    begin(&mut file, GRAPH_OF_MODEL, graph_len);
    file.extend(graph.encode_to_vec());
    for (tensor, weight) in tensors.iter().zip(weights) {
        begin(&mut file, INITIALIZER_OF_GRAPH, len(tensor));
        let (head, numbers) = tensor;
        file.extend(head.encode_to_vec());
        begin(&mut file, RAW_DATA_OF_TENSOR, *numbers);
        write(&weight.numbers, &mut file);
    }
    assert_eq!(file.len(), total, "the length that the fields state");
    file
}

/// The message of a weight without its numbers, and the bytes that they take.
fn tensor(weight: &Weight) -> (TensorProto, usize) {
    let head = TensorProto {
        dims: weight.dims.clone(),
        data_type: FLOAT,
        name: weight.name.clone(),
        ..TensorProto::default()
    };
    let count = match weight.numbers {
        Numbers::Same(values) | Numbers::Filters(values, _) => values.len(),
        Numbers::Scalar(_) => 1,
    };
    (head, count * size_of::<f32>())
}

/// Begins a field with a length.
fn begin(file: &mut Vec<u8>, key: u8, len: usize) {
    file.push(key);
    prost::encode_length_delimiter(len, file).expect("a vector grows");
}

/// Writes numbers, the lowest byte first.
fn write(numbers: &Numbers, file: &mut Vec<u8>) {
    let mut put = |number: f32| file.extend(number.to_le_bytes());
    match *numbers {
        Numbers::Same(values) => values.iter().copied().for_each(put),
        Numbers::Scalar(number) => put(number),
        Numbers::Filters(values, [height, width, channels, filters]) => {
            for filter in 0..filters {
                for channel in 0..channels {
                    for place in 0..height * width {
                        put(values[(place * channels + channel) * filters + filter]);
                    }
                }
            }
        }
    }
}
