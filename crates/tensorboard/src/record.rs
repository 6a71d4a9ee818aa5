//! Records, of which an event file is a sequence: length, its checksum, data, their checksum.

use std::io::{self, Write};

/// Castagnoli's polynomial with its bits reversed, since every byte is divided lowest bit first.
const POLYNOMIAL: u32 = 0x82f6_3b78;

/// Remainders of every byte.
const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut remainder = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            let divides = remainder & 1 == 1;
            remainder >>= 1;
            if divides {
                remainder ^= POLYNOMIAL;
            }
            bit += 1;
        }
        table[byte] = remainder;
        byte += 1;
    }
    table
};

/// CRC-32C as in RFC 3720, appendix B.4.
fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |remainder, &byte| TABLE[usize::from(remainder as u8 ^ byte)] ^ (remainder >> 8))
}

/// The checksum as records hold it: a checksum over data that contain their own checksum would tell nothing.
fn masked_crc32c(bytes: &[u8]) -> u32 {
    crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// Writes one record.
pub(crate) fn write(to: &mut impl Write, data: &[u8]) -> io::Result<()> {
    let length = (data.len() as u64).to_le_bytes();
    to.write_all(&length)?;
    to.write_all(&masked_crc32c(&length).to_le_bytes())?;
    to.write_all(data)?;
    to.write_all(&masked_crc32c(data).to_le_bytes())
}

/// The data of every record of a file.
///
/// # Panics
/// If a record is cut, or a checksum is wrong.
#[cfg(test)]
pub(crate) fn read(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    fn checked<'a>(bytes: &mut &'a [u8], length: usize) -> &'a [u8] {
        let data = bytes.split_off(..length).expect("the record is whole");
        let checksum = bytes.split_off(..4).expect("the checksum is whole");
        assert_eq!(checksum, masked_crc32c(data).to_le_bytes());
        data
    }
    let mut records = Vec::new();
    while !bytes.is_empty() {
        let length = u64::from_le_bytes(checked(&mut bytes, 8).try_into().unwrap());
        records.push(checked(&mut bytes, length as usize).to_vec());
    }
    records
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_checksums_are_those_of_rfc_3720() {
        let command = [
            [0x01, 0xc0, 0x00, 0x00],
            [0x00, 0x00, 0x00, 0x00],
            [0x00, 0x00, 0x00, 0x00],
            [0x00, 0x00, 0x00, 0x00],
            [0x14, 0x00, 0x00, 0x00],
            [0x00, 0x00, 0x04, 0x00],
            [0x00, 0x00, 0x00, 0x14],
            [0x00, 0x00, 0x00, 0x18],
            [0x28, 0x00, 0x00, 0x00],
            [0x00, 0x00, 0x00, 0x00],
            [0x02, 0x00, 0x00, 0x00],
            [0x00, 0x00, 0x00, 0x00],
        ];
        let rising: Vec<u8> = (0..32).collect();
        let falling: Vec<u8> = (0..32).rev().collect();
        // The bytes as the RFC prints them, lowest first.
        for (bytes, checksum) in [
            (&[0; 32][..], [0xaa, 0x36, 0x91, 0x8a]),
            (&[0xff; 32], [0x43, 0xab, 0xa8, 0x62]),
            (&rising, [0x4e, 0x79, 0xdd, 0x46]),
            (&falling, [0x5c, 0xdb, 0x3f, 0x11]),
            (command.as_flattened(), [0x56, 0x3a, 0x96, 0xd9]),
        ] {
            assert_eq!(crc32c(bytes).to_le_bytes(), checksum);
        }
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(b""), 0);
    }

    #[test]
    fn a_record_is_length_checksum_data_checksum() {
        let mut bytes = Vec::new();
        write(&mut bytes, b"data").unwrap();
        assert_eq!(bytes.len(), 8 + 4 + 4 + 4);
        assert_eq!(bytes[..8], [4, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(&bytes[12..16], b"data");
    }

    proptest! {
        #[test]
        fn records_are_read_as_they_were_written(records in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..8)) {
            let mut bytes = Vec::new();
            for record in &records {
                write(&mut bytes, record).unwrap();
            }
            prop_assert_eq!(read(&bytes), records);
        }

        #[test]
        fn a_flipped_bit_changes_the_checksum(bytes in prop::collection::vec(any::<u8>(), 1..100), bit in any::<prop::sample::Index>()) {
            let mut flipped = bytes.clone();
            let bit = bit.index(bytes.len() * 8);
            flipped[bit / 8] ^= 1 << (bit % 8);
            prop_assert_ne!(masked_crc32c(&bytes), masked_crc32c(&flipped));
        }
    }
}
