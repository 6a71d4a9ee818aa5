//! Thrift's compact protocol, in which Parquet writes its footer and the headers of its pages: structures as values that know
//! their fields by number. Nothing that the bytes announce is believed before it is there.

use super::Problem;

/// How deep structures may lie within each other. Parquet's own go to seven.
const MAX_DEPTH: usize = 24;
/// The most values of one structure, which take 32 bytes each.
const MAX_VALUES: usize = 8 << 20;

/// A value. Fields and elements of kinds that Parquet's structures do not have are errors.
#[derive(Debug, PartialEq)]
pub(super) enum Value<'a> {
    Bool(bool),
    Integer(i64),
    Double,
    Bytes(&'a [u8]),
    List(Vec<Value<'a>>),
    Structure(Vec<(i16, Value<'a>)>),
}

impl<'a> Value<'a> {
    /// The structure at the beginning of some bytes, and how many of them it takes.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<(Value<'a>, usize), Problem> {
        let mut reader = Reader { rest: bytes, values: 0 };
        let value =
            reader.value(STRUCTURE, 0).ok_or("is damaged: its description of itself cannot be read")?;
        Ok((value, bytes.len() - reader.rest.len()))
    }

    /// The field of a structure with this number.
    pub(super) fn field(&self, number: i16) -> Option<&Value<'a>> {
        match self {
            Value::Structure(fields) => {
                fields.iter().find(|(known, _)| *known == number).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    pub(super) fn integer(&self, number: i16) -> Option<i64> {
        match self.field(number)? {
            Value::Integer(value) => Some(*value),
            _ => None,
        }
    }

    /// A whole number that counts or measures something.
    pub(super) fn count(&self, number: i16) -> Option<usize> {
        usize::try_from(self.integer(number)?).ok()
    }

    pub(super) fn text(&self, number: i16) -> Option<&'a str> {
        match self.field(number)? {
            Value::Bytes(bytes) => str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    pub(super) fn list(&self, number: i16) -> Option<&[Value<'a>]> {
        match self.field(number)? {
            Value::List(values) => Some(values),
            _ => None,
        }
    }
}

const STRUCTURE: u8 = 12;

struct Reader<'a> {
    rest: &'a [u8],
    /// Values that were read so far.
    values: usize,
}

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(bytes)
    }

    fn unsigned(&mut self) -> Option<u64> {
        let (value, rest) = unsigned(self.rest)?;
        self.rest = rest;
        Some(value)
    }

    /// A value of a kind, or the value of a field, for which a truth is a kind of its own.
    fn value(&mut self, kind: u8, depth: usize) -> Option<Value<'a>> {
        self.values += 1;
        if depth > MAX_DEPTH || self.values > MAX_VALUES {
            return None;
        }
        Some(match kind {
            1 | 2 => Value::Bool(kind == 1),
            3 => Value::Integer(i64::from(self.byte()? as i8)),
            4..=6 => Value::Integer(signed(self.unsigned()?)),
            7 => {
                self.bytes(8)?;
                Value::Double
            }
            8 => {
                let count = usize::try_from(self.unsigned()?).ok()?;
                Value::Bytes(self.bytes(count)?)
            }
            9 | 10 => self.elements(depth)?,
            STRUCTURE => {
                let (mut fields, mut number) = (Vec::new(), 0_i16);
                loop {
                    let header = self.byte()?;
                    if header == 0 {
                        break Value::Structure(fields);
                    }
                    number = match header >> 4 {
                        0 => i16::try_from(signed(self.unsigned()?)).ok()?,
                        step => number.checked_add(i16::from(step))?,
                    };
                    fields.push((number, self.value(header & 15, depth + 1)?));
                }
            }
            _ => return None,
        })
    }

    fn elements(&mut self, depth: usize) -> Option<Value<'a>> {
        let header = self.byte()?;
        let count = match header >> 4 {
            15 => usize::try_from(self.unsigned()?).ok()?,
            count => count.into(),
        };
        // An element takes a byte at least.
        if count > self.rest.len() {
            return None;
        }
        let mut element = || match header & 15 {
            1 | 2 => {
                self.values += 1;
                (self.values <= MAX_VALUES).then_some(Value::Bool(self.byte()? == 1))
            }
            kind => self.value(kind, depth + 1),
        };
        let mut elements = Vec::new();
        for _ in 0..count {
            elements.push(element()?);
        }
        Some(Value::List(elements))
    }
}

/// A number of seven bits in each byte, the lowest first, and what follows it.
pub(super) fn unsigned(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (place, &byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte < 0x80 {
            return Some((value, &bytes[place + 1..]));
        }
    }
    None
}

/// The number whose sign is the lowest bit.
pub(super) fn signed(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structures_are_read_and_what_is_announced_and_missing_is_not_believed() {
        // Field 1 is -3, field 2 true, field 4 the list [a structure with field 20 = "hi", an empty one].
        let bytes = [0x15, 5, 0x11, 0x29, 0x2c, 0x08, 40, 2, b'h', b'i', 0, 0, 0, 99];
        let (value, length) = Value::parse(&bytes).unwrap();
        assert_eq!(length, bytes.len() - 1);
        assert_eq!((value.integer(1), value.count(1)), (Some(-3), None));
        assert_eq!(value.field(2), Some(&Value::Bool(true)));
        assert_eq!(value.list(4).unwrap()[0].text(20), Some("hi"));
        assert_eq!(value.list(4).unwrap().len(), 2);
        for end in 0..length {
            assert!(Value::parse(&bytes[..end]).is_err(), "{end} bytes");
        }
        // A list of two thousand million elements, a text of as many bytes, and structures in structures without end.
        for hostile in [&[0x19, 0xf5, 0xff, 0xff, 0xff, 0xff, 7, 0][..], &[0x18, 0xff, 0xff, 0xff, 0xff, 7]] {
            assert!(Value::parse(hostile).is_err());
        }
        assert!(Value::parse(&[0x1c; 1 << 20]).is_err());
    }

    #[test]
    fn numbers_of_any_length() {
        assert_eq!(unsigned(&[0xac, 2, 7]), Some((300, &[7][..])));
        assert_eq!(unsigned(&[0xff; 9]), None);
        assert_eq!(unsigned(&[0x80; 11]), None);
        assert_eq!([0, 1, 2, 3, u64::MAX].map(signed), [0, -1, 1, -2, i64::MIN]);
    }
}
