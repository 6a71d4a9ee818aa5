//! The values of a page, in the encodings that writers of tables use for bytes and whole numbers.

use std::ops::Range;

use super::Problem;
use super::thrift::{signed, unsigned};

/// The end of the bytes of a page in the middle of a value.
const SHORT: &str = "has a damaged page: it ends within a value";

/// Numbers of so many bits each, at most 32, as runs of one number and as groups of eight numbers.
pub(super) fn hybrid(mut bytes: &[u8], bits: u32, count: usize) -> Result<Vec<u32>, Problem> {
    if bits > 32 {
        return Err("has a damaged page: its numbers have more than 32 bits".into());
    }
    let mut values = Vec::new();
    while values.len() < count {
        let (header, rest) = unsigned(bytes).ok_or(SHORT)?;
        if header >> 1 == 0 {
            return Err("has a damaged page: it has a run of no numbers".into());
        }
        let wanted = (count - values.len()) as u64;
        if header & 1 == 0 {
            let (value, rest) = rest.split_at_checked(bits.div_ceil(8) as usize).ok_or(SHORT)?;
            let mut number = [0; 4];
            number[..value.len()].copy_from_slice(value);
            let length = (header >> 1).min(wanted) as usize;
            values.resize(values.len() + length, u32::from_le_bytes(number));
            bytes = rest;
        } else {
            // The last group may be cut off behind the last number.
            let length = (header >> 1).saturating_mul(8).min(wanted);
            let taken = unpack(rest, bits, length as usize)?;
            values.extend(taken.map(|value| value as u32));
            let whole = (header >> 1).saturating_mul(bits.into());
            bytes = rest.get(usize::try_from(whole).unwrap_or(usize::MAX)..).unwrap_or_default();
        }
    }
    Ok(values)
}

/// Numbers of so many bits each, at most 64, one behind another from the lowest bit on.
fn unpack(bytes: &[u8], bits: u32, count: usize) -> Result<impl Iterator<Item = u64>, Problem> {
    let needed = (count as u64).checked_mul(bits.into()).map(|bits| bits.div_ceil(8)).ok_or(SHORT)?;
    if needed > bytes.len() as u64 {
        return Err(SHORT.into());
    }
    let mask = if bits == 64 { u64::MAX } else { (1 << bits) - 1 };
    let mut bytes = bytes.iter();
    let (mut held, mut bits_held) = (0_u128, 0);
    Ok((0..count).map(move |_| {
        while bits_held < bits {
            held |= u128::from(*bytes.next().expect("bytes that were counted")) << bits_held;
            bits_held += 8;
        }
        let value = held as u64 & mask;
        held >>= bits;
        bits_held -= bits;
        value
    }))
}

/// The places in a dictionary that a page names.
pub(super) fn places(bytes: &[u8], count: usize) -> Result<Vec<u32>, Problem> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let (&bits, rest) = bytes.split_first().ok_or(SHORT)?;
    hybrid(rest, bits.into(), count)
}

/// Texts or images, each behind its length.
pub(super) fn plain_bytes(bytes: &[u8], count: usize) -> Result<Vec<Range<usize>>, Problem> {
    let (mut ranges, mut place) = (Vec::new(), 0);
    for _ in 0..count {
        let length = bytes.get(place..).and_then(<[u8]>::first_chunk::<4>).ok_or(SHORT)?;
        let start = place + 4;
        place = start.checked_add(u32::from_le_bytes(*length) as usize).ok_or(SHORT)?;
        if place > bytes.len() {
            return Err(SHORT.into());
        }
        ranges.push(start..place);
    }
    Ok(ranges)
}

/// Whole numbers of four or eight bytes each.
pub(super) fn plain_integers<const WIDTH: usize>(
    bytes: &[u8],
    count: usize,
    value: fn([u8; WIDTH]) -> i64,
) -> Result<Vec<i64>, Problem> {
    let (values, _) = bytes.as_chunks::<WIDTH>();
    Ok(values.get(..count).ok_or(SHORT)?.iter().map(|&bytes| value(bytes)).collect())
}

/// Whole numbers by their differences, in blocks (`DELTA_BINARY_PACKED`), and what follows them.
pub(super) fn differences(bytes: &[u8], count: usize) -> Result<(Vec<i64>, &[u8]), Problem> {
    let next = |bytes| unsigned(bytes).ok_or(Problem::from(SHORT));
    let (block, bytes) = next(bytes)?;
    let (parts, bytes) = next(bytes)?;
    let (said, bytes) = next(bytes)?;
    let (first, mut bytes) = next(bytes)?;
    let sound = parts > 0
        && block % parts == 0
        && (block / parts).is_multiple_of(32)
        && (1..=1 << 20).contains(&block);
    if !sound || said != count as u64 {
        return Err("has a damaged page of differences".into());
    }
    let each = (block / parts) as usize;
    let mut value = signed(first);
    let mut values = Vec::new();
    values.extend((count > 0).then_some(value));
    while values.len() < count {
        let (least, rest) = next(bytes)?;
        let (widths, rest) = rest.split_at_checked(parts as usize).ok_or(SHORT)?;
        bytes = rest;
        for &bits in widths {
            // Parts behind the last number have a width and no bytes.
            if values.len() == count {
                break;
            }
            if bits > 64 {
                return Err("has a damaged page: its numbers have more than 64 bits".into());
            }
            let wanted = each.min(count - values.len());
            for difference in unpack(bytes, bits.into(), wanted)? {
                value = value.wrapping_add(signed(least)).wrapping_add(difference as i64);
                values.push(value);
            }
            bytes = bytes.get(each / 8 * usize::from(bits)..).unwrap_or_default();
        }
    }
    Ok((values, bytes))
}

/// Texts or images behind all their lengths (`DELTA_LENGTH_BYTE_ARRAY`).
pub(super) fn lengths_first(bytes: &[u8], count: usize) -> Result<Vec<Range<usize>>, Problem> {
    let (lengths, rest) = differences(bytes, count)?;
    let mut place = bytes.len() - rest.len();
    let range = |length: i64| {
        let start = place;
        place = usize::try_from(length).ok().and_then(|length| start.checked_add(length))?;
        (place <= bytes.len()).then_some(start..place)
    };
    lengths.into_iter().map(range).collect::<Option<_>>().ok_or_else(|| SHORT.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Numbers of so many bits one behind another, written plainly.
    fn pack(values: &[u64], bits: usize) -> Vec<u8> {
        let mut bytes = vec![0; (values.len() * bits).div_ceil(8)];
        for place in 0..values.len() * bits {
            bytes[place / 8] |= ((values[place / bits] >> (place % bits) & 1) as u8) << (place % 8);
        }
        bytes
    }

    fn write(mut value: u64, bytes: &mut Vec<u8>) {
        while value > 127 {
            bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        bytes.push(value as u8);
    }

    proptest! {
        #[test]
        fn runs_and_groups_give_their_numbers(
            bits in 0_usize..=32,
            runs in prop::collection::vec((any::<bool>(), any::<u32>(), 1_usize..20), 1..8),
        ) {
            let mask = (1_u64 << bits) - 1;
            let (mut bytes, mut values) = (Vec::new(), Vec::new());
            for (packed, value, length) in runs {
                let value = u64::from(value) & mask;
                if packed {
                    let group: Vec<u64> = (0..8 * length as u64).map(|i| (value + i) & mask).collect();
                    write((length as u64) << 1 | 1, &mut bytes);
                    bytes.extend(pack(&group, bits));
                    values.extend(group);
                } else {
                    write((length as u64) << 1, &mut bytes);
                    bytes.extend(&value.to_le_bytes()[..bits.div_ceil(8)]);
                    values.extend(vec![value; length]);
                }
            }
            let values: Vec<u32> = values.into_iter().map(|value| value as u32).collect();
            for count in [0, 1, values.len() / 2, values.len()] {
                prop_assert_eq!(hybrid(&bytes, bits as u32, count).unwrap(), &values[..count]);
            }
            prop_assert!(hybrid(&bytes, bits as u32, values.len() + 1).is_err());
        }

        #[test]
        fn differences_give_their_numbers(values in prop::collection::vec(any::<i64>(), 0..100)) {
            // One block of 128 numbers in four parts, with the width that the largest difference needs.
            let steps: Vec<i64> = values.windows(2).map(|two| two[1].wrapping_sub(two[0])).collect();
            let least = steps.iter().copied().min().unwrap_or(0);
            let steps: Vec<u64> = steps.iter().map(|step| step.wrapping_sub(least) as u64).collect();
            let bits = 64 - steps.iter().copied().max().unwrap_or(0).leading_zeros() as usize;
            let zigzag = |value: i64| (value as u64) << 1 ^ (value >> 63) as u64;
            let mut bytes = Vec::new();
            for value in [128, 4, values.len() as u64, zigzag(values.first().copied().unwrap_or(0))] {
                write(value, &mut bytes);
            }
            if values.len() > 1 {
                write(zigzag(least), &mut bytes);
                bytes.extend([bits as u8; 4]);
                let mut padded = steps;
                padded.resize(padded.len().next_multiple_of(32), 0);
                bytes.extend(pack(&padded, bits));
            }
            bytes.push(77);
            let (found, rest) = differences(&bytes, values.len()).unwrap();
            prop_assert_eq!((found, rest), (values.clone(), &[77][..]));
            prop_assert!(differences(&bytes, values.len() + 1).is_err());
        }

        #[test]
        fn no_bytes_are_read_past_their_end(bytes in prop::collection::vec(any::<u8>(), 0..60), count in 0_usize..300) {
            let inside = |ranges: Vec<Range<usize>>| ranges.iter().all(|range| range.end <= bytes.len());
            prop_assert!(plain_bytes(&bytes, count).map(inside).unwrap_or(true));
            prop_assert!(lengths_first(&bytes, count).map(inside).unwrap_or(true));
            let _ = (places(&bytes, count), differences(&bytes, count));
        }
    }

    #[test]
    fn plain_values() {
        assert_eq!(plain_bytes(&[1, 0, 0, 0, 9, 0, 0, 0, 0], 2), Ok(vec![4..5, 9..9]));
        assert!(plain_bytes(&[2, 0, 0, 0, 9], 1).is_err());
        assert_eq!(
            plain_integers(&[1, 0, 0, 0, 255, 255, 255, 255], 2, |b| i32::from_le_bytes(b).into()),
            Ok(vec![1, -1])
        );
        assert!(plain_integers(&[1, 0, 0], 1, |b| i32::from_le_bytes(b).into()).is_err());
    }
}
