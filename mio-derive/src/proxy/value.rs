//! Numbers with units.

/// The most of anything that is counted: a key's index has as many values.
pub(super) const COUNT_MAX: u32 = 1 << 24;
/// The longest buffer.
pub(super) const BYTES_MAX: u64 = 1 << 30;

/// `5s`, `250ms`, `10us`, `2m`, `1h`
pub(super) fn nanoseconds(text: &str) -> Option<u64> {
    const UNITS: &[(&str, u64)] = &[
        ("ns", 1),
        ("us", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ];
    with_unit(text, UNITS)
}

/// `64KiB`, `1MiB`, `4096B`
pub(super) fn bytes(text: &str) -> Option<u64> {
    with_unit(text, &[("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)])
}

fn with_unit(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let &(_, factor) = units.iter().find(|(name, _)| *name == unit.trim_start())?;
    number.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_its_unit_are_read() {
        assert_eq!(nanoseconds("5s"), Some(5_000_000_000));
        assert_eq!(nanoseconds("250 ms"), Some(250_000_000));
        assert_eq!(nanoseconds("0s"), Some(0));
        assert_eq!(nanoseconds("1h"), nanoseconds("60m"));
        assert_eq!(bytes("64KiB"), Some(65_536));
    }

    #[test]
    fn anything_else_is_not() {
        for text in ["", "5", "s", "5 sec", "-5s", "1.5s", "99999999999h"] {
            assert_eq!(nanoseconds(text), None, "{text}");
        }
        assert_eq!(bytes("64kb"), None);
    }
}
