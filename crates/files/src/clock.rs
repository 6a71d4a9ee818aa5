//! The one place where the time of day is read.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Now, in UTC, to the second, as RFC 3339 writes it: `2026-11-22T10:15:30Z`.
pub fn now() -> String {
    let now = OffsetDateTime::now_utc();
    let seconds = now.replace_nanosecond(0).unwrap_or(now);
    seconds.format(&Rfc3339).unwrap_or_else(|_| "an unknown time".to_owned())
}
