//! When something was finished.

use serde::Serialize;

/// A second in UTC. Later ones are greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Moment {
    /// Year.
    pub year: i32,
    /// Month, from 1.
    pub month: u8,
    /// Day of the month, from 1.
    pub day: u8,
    /// Hour, from 0.
    pub hour: u8,
    /// Minute, from 0.
    pub minute: u8,
    /// Second, from 0.
    pub second: u8,
}

impl Moment {
    /// Reads what RFC 3339 writes of a second in UTC; `None` where it is no date.
    pub(super) fn read(text: &str) -> Option<Moment> {
        let digits = |from: usize, to: usize| {
            let part = text.get(from..to)?;
            part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<u16>().ok())?
        };
        let small = |from: usize| digits(from, from + 2).and_then(|number| u8::try_from(number).ok());
        let signs: String = text.chars().filter(|sign| !sign.is_ascii_digit()).collect();
        if text.len() != "2026-11-22T10:15:30Z".len() || signs != "--T::Z" {
            return None;
        }
        let moment = Moment {
            year: digits(0, 4)?.into(),
            month: small(5)?,
            day: small(8)?,
            hour: small(11)?,
            minute: small(14)?,
            second: small(17)?,
        };
        moment.date().map(|_| moment)
    }

    /// The same for Typst; `None` where there is no such day or second.
    pub(crate) fn date(self) -> Option<typst::foundations::Datetime> {
        let Moment { year, month, day, hour, minute, second } = self;
        typst::foundations::Datetime::from_ymd_hms(year, month, day, hour, minute, second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_and_compared_and_what_is_none_is_refused() {
        let read = |text: &str| Moment::read(text).unwrap_or_else(|| panic!("{text}"));
        let early = read("2026-11-22T10:15:30Z");
        assert_eq!((early.year, early.month, early.second), (2026, 11, 30));
        let later =
            ["2026-11-22T10:15:31Z", "2026-11-22T11:00:00Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"];
        assert!(later.map(read).is_sorted() && later.into_iter().all(|text| read(text) > early));
        for text in [
            "",
            "yesterday",
            "2026-11-22",
            "2026-02-30T10:15:30Z",
            "2026-11-22T10:15:30+01:00",
            "２026-11-22T10:15:3Z",
        ] {
            assert_eq!(Moment::read(text), None, "{text}");
        }
    }
}
