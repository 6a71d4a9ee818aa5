//! A look at the bytes of a file before they are decoded: how many parts its messages have. A part of two bytes becomes a struct
//! of some hundred, so that a small file could otherwise take all memory.

use crate::InterchangeError;

/// The most fields of messages in a file. A network of a thousand layers has a third of them.
const MOST: usize = 1 << 16;
/// The most bytes of a list of whole numbers, each of which may become eight.
const LONGEST_LIST: usize = 1 << 12;

/// What the field of a message holds.
enum Held {
    /// A message.
    Message(fn(u64) -> Held),
    /// Whole or real numbers in one field.
    List,
    /// Text, numbers that stay in the file, or what is not read.
    Other,
}

fn model(field: u64) -> Held {
    match field {
        7 => Held::Message(graph),
        8 | 14 => Held::Message(leaf),
        _ => Held::Other,
    }
}

fn graph(field: u64) -> Held {
    match field {
        1 => Held::Message(node),
        5 => Held::Message(tensor),
        11 | 12 => Held::Message(value),
        _ => Held::Other,
    }
}

fn node(field: u64) -> Held {
    match field {
        5 => Held::Message(attribute),
        _ => Held::Other,
    }
}

fn attribute(field: u64) -> Held {
    match field {
        5 => Held::Message(tensor),
        7 | 8 => Held::List,
        _ => Held::Other,
    }
}

fn tensor(field: u64) -> Held {
    match field {
        1 => Held::List,
        13 => Held::Message(leaf),
        _ => Held::Other,
    }
}

fn value(field: u64) -> Held {
    match field {
        2 => Held::Message(value_type),
        _ => Held::Other,
    }
}

fn value_type(field: u64) -> Held {
    match field {
        1 => Held::Message(array),
        _ => Held::Other,
    }
}

fn array(field: u64) -> Held {
    match field {
        2 => Held::Message(shape),
        _ => Held::Other,
    }
}

fn shape(field: u64) -> Held {
    match field {
        1 => Held::Message(leaf),
        _ => Held::Other,
    }
}

/// A message without messages.
fn leaf(_: u64) -> Held {
    Held::Other
}

/// Refuses bytes that are no messages, or whose messages would take more memory than a network's.
pub(super) fn check(file: &[u8]) -> Result<(), InterchangeError> {
    let mut left = MOST;
    walk(file, model, &mut left)
}

/// Goes through a message and those within it.
fn walk(mut bytes: &[u8], held: fn(u64) -> Held, left: &mut usize) -> Result<(), InterchangeError> {
    while !bytes.is_empty() {
        *left = left.checked_sub(1).ok_or_else(|| too_much(&format!("more than {MOST} parts")))?;
        let key = varint(&mut bytes)?;
        let len = match key & 7 {
            0 => {
                varint(&mut bytes)?;
                0
            }
            1 => 8,
            2 => usize::try_from(varint(&mut bytes)?).map_err(|_| broken())?,
            5 => 4,
            _ => return Err(broken()),
        };
        let (field, rest) = bytes.split_at_checked(len).ok_or_else(broken)?;
        bytes = rest;
        match (key & 7, held(key >> 3)) {
            (2, Held::Message(held)) => walk(field, held, left)?,
            (2, Held::List) if len > LONGEST_LIST => {
                return Err(too_much(&format!("a list of more than {LONGEST_LIST} bytes")));
            }
            _ => {}
        }
    }
    Ok(())
}

/// A number of up to 64 bits, seven to a byte, the lowest first.
pub(super) fn varint(bytes: &mut &[u8]) -> Result<u64, InterchangeError> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first().ok_or_else(broken)?;
        *bytes = rest;
        let bits = u64::from(byte & 0x7f);
        if bits << shift >> shift != bits {
            return Err(broken());
        }
        number |= bits << shift;
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err(broken())
}

/// What is refused where the bytes are no messages.
pub(super) fn broken() -> InterchangeError {
    InterchangeError::new(
        "it is no ONNX file, or a damaged one",
        "give a file that Inkling, `torch.onnx.export` or another exporter wrote, or copy it again",
    )
}

fn too_much(what: &str) -> InterchangeError {
    InterchangeError::new(
        format!("it has {what}, which no network needs"),
        "simplify the graph, or export the network again without training information",
    )
}
