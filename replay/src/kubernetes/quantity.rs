//! Resource quantities (`250m`, `64Mi`): exact sums in the canonical form.

/// A quantity in billionths, with the family of its suffix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Quantity {
    nano: i128,
    binary: bool,
}

const NANO: i128 = 1_000_000_000;
const BINARY: [&str; 6] = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const DECIMAL: [(&str, i32); 9] = [
    ("E", 18),
    ("P", 15),
    ("T", 12),
    ("G", 9),
    ("M", 6),
    ("k", 3),
    ("", 0),
    ("m", -3),
    ("u", -6),
];

impl Quantity {
    /// Reads a quantity; none if the text is not one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = text.find(|c: char| !c.is_ascii_digit() && !"+-.".contains(c));
        let (number, suffix) = text.split_at(digits.unwrap_or(text.len()));
        if !number.bytes().any(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let (negative, number) = match number.strip_prefix('-') {
            Some(number) => (true, number),
            None => (false, number.strip_prefix('+').unwrap_or(number)),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if fraction.contains('.') || number.contains(['+', '-']) {
            return None;
        }
        let fraction = &fraction[..fraction.len().min(9)];
        let mut nano = if whole.is_empty() {
            0
        } else {
            whole.parse::<i128>().ok()?
        };
        nano = nano.checked_mul(NANO)?;
        if !fraction.is_empty() {
            let scale = 10i128.pow(9 - u32::try_from(fraction.len()).ok()?);
            nano += fraction.parse::<i128>().ok()? * scale;
        }
        if negative {
            nano = -nano;
        }
        if let Some(power) = BINARY.iter().position(|known| *known == suffix) {
            let scale = 1i128 << (10 * (power + 1));
            return Some(Self {
                nano: nano.checked_mul(scale)?,
                binary: true,
            });
        }
        let exponent = match DECIMAL.iter().find(|(known, _)| *known == suffix) {
            Some((_, exponent)) => *exponent,
            None if suffix == "n" => -9,
            None => suffix
                .strip_prefix(['e', 'E'])?
                .parse::<i32>()
                .ok()
                .filter(|e| e.abs() < 19)?,
        };
        let scale = 10i128.pow(exponent.unsigned_abs());
        let nano = if exponent < 0 {
            nano / scale
        } else {
            nano.checked_mul(scale)?
        };
        Some(Self {
            nano,
            binary: false,
        })
    }

    /// The sum; zero takes the other's suffix family.
    pub(crate) fn plus(self, other: Self) -> Self {
        let binary = if self.nano == 0 {
            other.binary
        } else {
            self.binary
        };
        Self {
            nano: self.nano + other.nano,
            binary,
        }
    }

    /// The larger of two.
    pub(crate) fn max(self, other: Self) -> Self {
        if other.nano > self.nano { other } else { self }
    }

    /// Whether it is nothing.
    pub(crate) fn is_zero(self) -> bool {
        self.nano == 0
    }

    /// In thousandths, rounded up.
    pub(crate) fn milli(self) -> i128 {
        self.nano.div_euclid(1_000_000) + i128::from(self.nano.rem_euclid(1_000_000) > 0)
    }

    /// In units, rounded up.
    pub(crate) fn value(self) -> i128 {
        self.nano.div_euclid(NANO) + i128::from(self.nano.rem_euclid(NANO) > 0)
    }

    /// As a floating-point number, for arithmetic.
    pub(crate) fn number(self) -> f64 {
        self.nano as f64 / NANO as f64
    }

    /// Order by amount.
    pub(crate) fn compare(self, other: Self) -> std::cmp::Ordering {
        self.nano.cmp(&other.nano)
    }
}

impl std::fmt::Display for Quantity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.nano == 0 {
            return f.write_str("0");
        }
        if self.binary && self.nano % NANO == 0 {
            let value = self.nano / NANO;
            for (power, suffix) in BINARY.iter().enumerate().rev() {
                let scale = 1i128 << (10 * (power + 1));
                if value % scale == 0 {
                    return write!(f, "{}{suffix}", value / scale);
                }
            }
            return write!(f, "{value}");
        }
        for (suffix, exponent) in DECIMAL {
            let scale = 10i128.pow(u32::try_from(exponent + 9).unwrap_or(0));
            if self.nano % scale == 0 {
                return write!(f, "{}{suffix}", self.nano / scale);
            }
        }
        write!(f, "{}n", self.nano)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_canonical() {
        for (text, canonical) in [
            ("250m", "250m"),
            ("1000m", "1"),
            ("0.5", "500m"),
            ("1.5Gi", "1536Mi"),
            ("1024Ki", "1Mi"),
            ("2e3", "2k"),
            ("0", "0"),
            ("12345678n", "12345678n"),
            ("24581696Ki", "24581696Ki"),
        ] {
            assert_eq!(Quantity::parse(text).unwrap().to_string(), canonical);
        }
        let sum = ["64Mi", "100Mi"]
            .iter()
            .fold(Quantity::default(), |sum, text| {
                sum.plus(Quantity::parse(text).unwrap())
            });
        assert_eq!(sum.to_string(), "164Mi");
        assert_eq!(Quantity::parse("12345678n").unwrap().milli(), 13);
        for text in ["", "x", "1x", "1.2.3", "-"] {
            assert_eq!(Quantity::parse(text), None, "{text}");
        }
    }
}
