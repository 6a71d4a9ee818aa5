//! Tests of the tensor files: against the safetensors crate, against wrong questions, against arbitrary
//! bytes.

use std::cell::RefCell;
use std::fs;

use super::*;
use proptest::prelude::*;
use safetensors::tensor::TensorView;

const PATH: &str = "model.safetensors";

fn parse(bytes: &[u8]) -> Result<Tensors, StoreError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(PATH);
    fs::write(&path, bytes).unwrap();
    Tensors::read(&path)
}

fn written(tensors: &[Tensor], metadata: &Metadata) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(PATH);
    write(&path, tensors, metadata).unwrap();
    fs::read(path).unwrap()
}

fn metadata(pairs: &[(&str, &str)]) -> Metadata {
    pairs.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// A file of every type of element.
fn example() -> Vec<u8> {
    let tensors = [
        Tensor::new("u8", &[3], &[0_u8, 7, 255]),
        Tensor::new("weights – é", &[2, 3], &[1.5_f32, -0.0, f32::NAN, f32::INFINITY, 1e-40, 3.0]),
        Tensor::new("f64", &[1, 2], &[f64::MIN_POSITIVE, -2.5]),
        Tensor::new("labels", &[2], &[u32::MAX, 1]),
        Tensor::new("i64", &[], &[i64::MIN]),
        Tensor::new::<f32>("empty", &[0, 5], &[]),
    ];
    written(&tensors, &metadata(&[("epoch", "3"), ("a", "1"), ("b", "2"), ("c", "é")]))
}

#[test]
fn every_type_comes_back_bit_for_bit() {
    let tensors = parse(&example()).unwrap();
    assert_eq!(tensors.names(), ["empty", "f64", "i64", "labels", "u8", "weights – é"]);
    assert_eq!(tensors.shape("weights – é").unwrap(), [2, 3]);
    let weights = tensors.values::<f32>("weights – é", &[2, 3]).unwrap();
    let bits: Vec<_> = weights.iter().map(|weight| weight.to_bits()).collect();
    let expected = [1.5_f32, -0.0, f32::NAN, f32::INFINITY, 1e-40, 3.0].map(f32::to_bits);
    assert_eq!(bits, expected);
    assert_eq!(tensors.values::<f64>("f64", &[1, 2]).unwrap(), [f64::MIN_POSITIVE, -2.5]);
    assert_eq!(tensors.values::<u32>("labels", &[2]).unwrap(), [u32::MAX, 1]);
    assert_eq!(tensors.values::<i64>("i64", &[]).unwrap(), [i64::MIN]);
    assert_eq!(tensors.values::<u8>("u8", &[3]).unwrap(), [0, 7, 255]);
    assert_eq!(tensors.values::<f32>("empty", &[0, 5]).unwrap(), [0.0; 0]);
    assert_eq!((tensors.metadata("epoch"), tensors.metadata("c")), (Some("3"), Some("é")));
    assert_eq!(tensors.metadata("absent"), None);
}

#[test]
fn the_same_tensors_give_the_same_bytes_in_whatever_order_they_come() {
    let (a, b) = (Tensor::new("a", &[1], &[1_u8]), Tensor::new("b", &[1], &[2.0_f64]));
    let metadata = metadata(&[("x", "1"), ("y", "2"), ("z", "3")]);
    assert_eq!(written(&[a.clone(), b.clone()], &metadata), written(&[b, a], &metadata));
    assert_eq!(example(), example());
}

#[test]
fn the_bytes_are_those_of_the_safetensors_crate() {
    let (weights, labels) = ([1.0_f32, 2.0, 3.0, 4.0], [7_i64]);
    for metadata in [Metadata::new(), metadata(&[("key", "value \"quoted\"")])] {
        let ours =
            written(&[Tensor::new("w", &[2, 2], &weights), Tensor::new("labels", &[1], &labels)], &metadata);
        let view = |dtype, shape: &[usize], bytes| TensorView::new(dtype, shape.to_vec(), bytes).unwrap();
        let views = [
            ("w", view(Dtype::F32, &[2, 2], bytemuck::cast_slice(&weights))),
            ("labels", view(Dtype::I64, &[1], bytemuck::cast_slice(&labels))),
        ];
        let theirs = (!metadata.is_empty()).then(|| metadata.into_iter().collect());
        assert_eq!(ours, safetensors::serialize(views, theirs).unwrap());
    }
}

#[test]
fn what_is_made_when_it_is_written_gives_the_same_bytes_one_tensor_after_the_other() {
    // The last has rows of 700 kB, of which two are made one after the other.
    let arrays = [
        ("b", vec![2_usize, 3]),
        ("a", vec![5]),
        ("empty", vec![0, 4]),
        ("c", vec![1]),
        ("d", vec![2, 175_000]),
    ];
    let values: Vec<Vec<f32>> = arrays
        .iter()
        .map(|(_, shape)| (0..shape.iter().product()).map(|i| i as f32 - 0.5).collect())
        .collect();
    let labels = [3_u8, 2, 1];
    let held: Vec<Tensor> =
        arrays.iter().zip(&values).map(|((name, shape), values)| Tensor::new(*name, shape, values)).collect();
    let asked = RefCell::new(Vec::new());
    let made = arrays.iter().zip(&values).map(|((name, shape), values)| {
        Tensor::made(*name, shape, |first, to: &mut [f32]| {
            asked.borrow_mut().push(*name);
            to.copy_from_slice(&values[first..first + to.len()]);
            Ok(())
        })
    });
    // What is made and what is held stand side by side.
    let both = |some: Vec<Tensor>| -> Vec<u8> {
        let all: Vec<Tensor> = some.into_iter().chain([Tensor::new("labels", &[3], &labels)]).collect();
        let (folder, metadata) = (tempfile::tempdir().unwrap(), metadata(&[("x", "1")]));
        let path = folder.path().join(PATH);
        write_sealed(&path, &all, &metadata, || Ok(())).unwrap();
        Tensors::read(&path).unwrap().check_seal().unwrap();
        [fs::read(&path).unwrap(), written(&all, &metadata)].concat()
    };
    assert_eq!(both(made.collect()), both(held));
    assert_eq!(*asked.borrow(), ["a", "b", "c", "d", "d", "a", "b", "c", "d", "d"]);
}

#[test]
fn a_tensor_that_cannot_be_made_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(PATH);
    fs::write(&path, "old").unwrap();
    let tensor =
        Tensor::made::<f32>("w", &[2], |_, _| Err(StoreError::damaged(Path::new("elsewhere"), "so")));
    for written in [
        write(&path, std::slice::from_ref(&tensor), &Metadata::new()),
        write_sealed(&path, &[tensor], &Metadata::new(), || Ok(())),
    ] {
        let error = written.unwrap_err();
        assert!(
            matches!(&error, StoreError::Damaged { path, .. } if path == Path::new("elsewhere")),
            "{error}"
        );
    }
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_file_that_is_replaced_stays_what_it_was_to_whoever_has_it_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(PATH);
    let of = |value: f32| write(&path, &[Tensor::new("w", &[1], &[value])], &Metadata::new()).unwrap();
    of(1.0);
    let open = Tensors::read(&path).unwrap();
    of(2.0);
    assert_eq!(open.values::<f32>("w", &[1]).unwrap(), [1.0]);
    let mut there = [0.0_f32];
    Tensors::read(&path).unwrap().read_values("w", &[1], 0, &mut there).unwrap();
    assert_eq!(there, [2.0]);
}

#[test]
fn a_wrong_question_is_answered_with_what_is_there() {
    let tensors = parse(&example()).unwrap();
    for (error, words) in [
        (
            tensors.values::<f32>("f64", &[1, 2]).unwrap_err(),
            "F32 of shape [1, 2] expected, F64 of [1, 2] found",
        ),
        (tensors.values::<f64>("f64", &[2]).unwrap_err(), "F64 of shape [2] expected, F64 of [1, 2] found"),
        (tensors.shape("bias").unwrap_err(), "holds `empty`, `f64`, `i64`, `labels`"),
    ] {
        assert!(matches!(error, StoreError::WrongTensor { .. }));
        assert!(error.to_string().contains(words) && error.to_string().contains(PATH), "{error}");
    }
}

#[test]
#[should_panic(expected = "two tensors have one name")]
fn a_name_is_given_once() {
    written(&[Tensor::new("w", &[1], &[1_u8]), Tensor::new("w", &[1], &[2.0_f32])], &Metadata::new());
}

#[test]
fn lengths_that_overflow_are_damage() {
    // Eight tensors of 2^61 - 1 bytes and one of seven end at the last address there is.
    let size = (1_usize << 61) - 1;
    let mut header = String::new();
    for index in 0..8 {
        let (from, to) = (index * size, (index + 1) * size);
        header += &format!(r#""{index}":{{"dtype":"U8","shape":[{size}],"data_offsets":[{from},{to}]}},"#);
    }
    let (from, to) = (8 * size, usize::MAX);
    header += &format!(r#""8":{{"dtype":"U8","shape":[{}],"data_offsets":[{from},{to}]}}"#, to - from);
    let header = format!("{{{header}}}");
    let file = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes()].concat();
    assert!(matches!(parse(&file), Err(StoreError::Damaged { .. })));
}

/// Asks everything that can be asked of a file.
fn read_all(bytes: &[u8]) -> Result<(), StoreError> {
    let tensors = parse(bytes)?;
    for name in tensors.names() {
        let shape = tensors.shape(&name)?.to_vec();
        let _ = tensors.values::<u8>(&name, &shape);
        let _ = tensors.values::<f32>(&name, &shape);
        let _ = tensors.values::<i64>(&name, &shape);
    }
    Ok(())
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_all(&bytes);
    }

    #[test]
    fn arbitrary_headers_never_panic(
        header in r#"\{("[a-z_]{0,3}":\{"dtype":"(U8|F4|F32|C64)","shape":\[[0-9]{1,20}(,[0-9]{1,3})?\],"data_offsets":\[[0-9]{1,2},[0-9]{1,20}\]\},?){0,3}\}"#,
        values in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let file = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &values].concat();
        let _ = read_all(&file);
    }

    #[test]
    fn a_damaged_file_never_panics(position in 0..example().len(), bit in 0..8) {
        let mut bytes = example();
        bytes[position] ^= 1_u8 << bit;
        let _ = read_all(&bytes);
    }

    #[test]
    fn a_truncated_file_is_damage(length in 0..example().len()) {
        let is_damaged = matches!(read_all(&example()[..length]), Err(StoreError::Damaged { .. }));
        prop_assert!(is_damaged);
    }
}

#[test]
fn a_huge_file_of_something_else_is_refused_by_its_header() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.safetensors");
    // Sparse: it takes no room on the disk.
    let sparse = |first: u64| {
        let mut file = File::create(&path).unwrap();
        file.write_all(&first.to_le_bytes()).unwrap();
        file.set_len(1 << 40).unwrap();
        Tensors::read(&path).unwrap_err().to_string()
    };
    for (length, words) in [
        (0, "its header is not a safetensors header"),
        (1 << 39, "longer than the format allows"),
        (LONGEST_HEADER + 1, "longer than the format allows"),
        (u64::MAX, "ends within its header"),
    ] {
        let message = sparse(length);
        assert!(message.contains(words), "{message}");
    }
}
