//! Durations as Kubernetes prints and reads them.

const SECOND: i64 = 1_000_000_000;

/// A duration in at most two units, shorter ones exact and longer ones coarse.
pub(crate) fn human_duration(nanoseconds: i64) -> String {
    let seconds = nanoseconds / SECOND;
    if seconds < -1 {
        return "<invalid>".to_owned();
    }
    if seconds < 0 {
        return "0s".to_owned();
    }
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    let two = |big: i64, unit: &str, small: i64, small_unit: &str| {
        if small == 0 {
            format!("{big}{unit}")
        } else {
            format!("{big}{unit}{small}{small_unit}")
        }
    };
    if seconds < 120 {
        format!("{seconds}s")
    } else if minutes < 10 {
        two(minutes, "m", seconds % 60, "s")
    } else if minutes < 180 {
        format!("{minutes}m")
    } else if hours < 8 {
        two(hours, "h", minutes % 60, "m")
    } else if hours < 48 {
        format!("{hours}h")
    } else if hours < 24 * 8 {
        two(hours / 24, "d", hours % 24, "h")
    } else if hours < 24 * 365 * 2 {
        format!("{}d", hours / 24)
    } else if hours < 24 * 365 * 8 {
        two(hours / 24 / 365, "y", hours / 24 % 365, "d")
    } else {
        format!("{}y", hours / 24 / 365)
    }
}

/// A duration in Go's syntax, exact: `15.016s`, `1m0s`, `300ms`.
pub(crate) fn go_duration(nanoseconds: i64) -> String {
    let (sign, rest) = (
        if nanoseconds < 0 { "-" } else { "" },
        nanoseconds.unsigned_abs(),
    );
    let trimmed = |whole: u64, fraction: u64, digits: usize, unit: &str| {
        let fraction = format!("{fraction:0digits$}");
        match fraction.trim_end_matches('0') {
            "" => format!("{whole}{unit}"),
            fraction => format!("{whole}.{fraction}{unit}"),
        }
    };
    let text = match rest {
        0 => "0s".to_owned(),
        1..1_000 => format!("{rest}ns"),
        1_000..1_000_000 => trimmed(rest / 1_000, rest % 1_000, 3, "µs"),
        1_000_000..1_000_000_000 => trimmed(rest / 1_000_000, rest % 1_000_000, 6, "ms"),
        _ => {
            let (seconds, fraction) = (rest / 1_000_000_000, rest % 1_000_000_000);
            let last = trimmed(seconds % 60, fraction, 9, "s");
            match (seconds / 3600, seconds / 60 % 60) {
                (0, 0) => last,
                (0, minutes) => format!("{minutes}m{last}"),
                (hours, minutes) => format!("{hours}h{minutes}m{last}"),
            }
        }
    };
    format!("{sign}{text}")
}

/// Nanoseconds of a duration in Go's syntax (`1h30m`, `1.5s`, `300ms`); none if it is not one.
pub(crate) fn parse_duration(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = 0f64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let (unit, scale) = [
            ("ns", 1.0),
            ("us", 1e3),
            ("µs", 1e3),
            ("ms", 1e6),
            ("s", 1e9),
            ("m", 6e10),
            ("h", 3.6e12),
        ]
        .into_iter()
        .find(|(unit, _)| {
            rest.strip_prefix(unit).is_some_and(|after| {
                after.is_empty() || after.starts_with(|c: char| c.is_ascii_digit())
            })
        })?;
        total += number * scale;
        rest = &rest[unit.len()..];
    }
    (total < i64::MAX as f64).then_some(if negative {
        -(total as i64)
    } else {
        total as i64
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_change_with_length() {
        for (seconds, text) in [
            (-2, "<invalid>"),
            (-1, "0s"),
            (119, "119s"),
            (120, "2m"),
            (125, "2m5s"),
            (600, "10m"),
            (3 * 3600 - 1, "179m"),
            (3 * 3600, "3h"),
            (3 * 3600 + 61, "3h1m"),
            (8 * 3600 + 61, "8h"),
            (48 * 3600, "2d"),
            (49 * 3600, "2d1h"),
            (8 * 86_400, "8d"),
            (730 * 86_400, "2y"),
            (731 * 86_400, "2y1d"),
            (8 * 365 * 86_400, "8y"),
        ] {
            assert_eq!(human_duration(seconds * SECOND), text);
        }
        assert_eq!(human_duration(-SECOND / 2), "0s");
    }

    #[test]
    fn go_durations_are_printed() {
        for (nanoseconds, text) in [
            (0, "0s"),
            (15_016_000_000, "15.016s"),
            (60 * SECOND, "1m0s"),
            (3_661 * SECOND, "1h1m1s"),
            (300_000_000, "300ms"),
            (-1_500, "-1.5µs"),
        ] {
            assert_eq!(go_duration(nanoseconds), text);
        }
    }

    #[test]
    fn go_durations_are_read() {
        assert_eq!(parse_duration("1h30m"), Some(5_400 * SECOND));
        assert_eq!(parse_duration("1.5s"), Some(1_500_000_000));
        assert_eq!(parse_duration("300ms"), Some(300_000_000));
        assert_eq!(parse_duration("-5m"), Some(-300 * SECOND));
        for text in ["", "5", "5x", "m", "1d"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }
}
