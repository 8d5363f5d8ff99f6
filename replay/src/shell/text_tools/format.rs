//! Conversions of C's `printf`, for `printf`, `seq` and `awk`.

/// A conversion such as `%-10s` or `%.2f`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Conversion {
    pub(super) left: bool,
    pub(super) plus: bool,
    pub(super) blank: bool,
    pub(super) alternate: bool,
    pub(super) zeros: bool,
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
    /// The letter; none if the format ends before it.
    pub(super) letter: Option<char>,
}

/// A width or precision in a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    Number(usize),
    /// `*`: an argument says it.
    Argument,
}

/// The widest field and highest precision that are printed.
pub(super) const SIZE: usize = 4096;

/// A parsed conversion with its sizes as written, and its length in the format.
pub(super) struct Parsed {
    pub(super) conversion: Conversion,
    pub(super) width: Option<Size>,
    pub(super) precision: Option<Size>,
    pub(super) length: usize,
}

/// Parses a conversion at the start of a text, from its percent sign on.
pub(super) fn parse(text: &str) -> Parsed {
    let mut conversion = Conversion::default();
    let mut at = 1;
    let peek = |at: usize| text.get(at..).and_then(|rest| rest.chars().next());
    while let Some(flag) = peek(at) {
        match flag {
            '-' => conversion.left = true,
            '+' => conversion.plus = true,
            ' ' => conversion.blank = true,
            '#' => conversion.alternate = true,
            '0' => conversion.zeros = true,
            '\'' => {}
            _ => break,
        }
        at += 1;
    }
    let size = |at: &mut usize| {
        if peek(*at) == Some('*') {
            *at += 1;
            return Some(Size::Argument);
        }
        let rest = text.get(*at..).unwrap_or_default();
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        *at += digits;
        let number = rest.get(..digits).unwrap_or_default();
        (digits > 0).then(|| Size::Number(number.parse().unwrap_or(usize::MAX)))
    };
    let width = size(&mut at);
    let mut precision = None;
    if peek(at) == Some('.') {
        at += 1;
        precision = Some(size(&mut at).unwrap_or(Size::Number(0)));
    }
    while peek(at).is_some_and(|c| "hljztL".contains(c)) {
        at += 1;
    }
    conversion.letter = peek(at);
    at += conversion.letter.map_or(0, char::len_utf8);
    Parsed {
        conversion,
        width,
        precision,
        length: at,
    }
}

impl Conversion {
    /// Fills to the width; `zeros` go between the sign or prefix and the digits.
    fn pad(&self, prefix: &str, body: &str, zeros: bool) -> String {
        self.pad_counted(prefix, body, zeros, body.chars().count())
    }

    fn pad_counted(&self, prefix: &str, body: &str, zeros: bool, length: usize) -> String {
        let missing = self
            .width
            .unwrap_or(0)
            .saturating_sub(prefix.len() + length);
        match () {
            () if self.left => format!("{prefix}{body}{}", " ".repeat(missing)),
            () if zeros => format!("{prefix}{}{body}", "0".repeat(missing)),
            () => format!("{}{prefix}{body}", " ".repeat(missing)),
        }
    }

    fn sign(&self, negative: bool) -> &'static str {
        match () {
            () if negative => "-",
            () if self.plus => "+",
            () if self.blank => " ",
            () => "",
        }
    }

    /// `%d` and `%i`.
    pub(super) fn signed(&self, number: i128) -> String {
        let digits = self.digits(number.unsigned_abs().to_string(), number == 0);
        let zeros = self.zeros && self.precision.is_none();
        self.pad(self.sign(number < 0), &digits, zeros)
    }

    /// `%u`, `%o`, `%x`, `%X`.
    pub(super) fn unsigned(&self, number: u128) -> String {
        let (mut digits, prefix) = match self.letter {
            Some('o') => (format!("{number:o}"), ""),
            Some('x') => (format!("{number:x}"), "0x"),
            Some('X') => (format!("{number:X}"), "0X"),
            _ => (number.to_string(), ""),
        };
        digits = self.digits(digits, number == 0);
        if self.alternate && self.letter == Some('o') && !digits.starts_with('0') {
            digits.insert(0, '0');
        }
        let prefix = if self.alternate && number != 0 {
            prefix
        } else {
            ""
        };
        self.pad(prefix, &digits, self.zeros && self.precision.is_none())
    }

    fn digits(&self, digits: String, is_zero: bool) -> String {
        match self.precision {
            Some(0) if is_zero => String::new(),
            Some(least) => format!("{}{digits}", "0".repeat(least.saturating_sub(digits.len()))),
            None => digits,
        }
    }

    /// `%s`, cut to the precision in characters.
    pub(super) fn text(&self, text: &str) -> String {
        let cut: String = match self.precision {
            Some(most) => text.chars().take(most).collect(),
            None => text.to_owned(),
        };
        self.pad("", &cut, false)
    }

    /// `%s` with width and precision in bytes; none if that cuts a character.
    pub(super) fn text_bytes(&self, text: &str) -> Option<String> {
        let cut = match self.precision {
            Some(most) => text.get(..most.min(text.len()))?,
            None => text,
        };
        Some(self.pad_counted("", cut, false, cut.len()))
    }

    /// `%f`, `%e`, `%g` and their capitals.
    pub(super) fn float(&self, number: f64) -> String {
        let letter = self.letter.unwrap_or('f');
        let sign = self.sign(number.is_sign_negative());
        let number = number.abs();
        let upper = letter.is_ascii_uppercase();
        if !number.is_finite() {
            let name = if number.is_nan() { "nan" } else { "inf" };
            let name = if upper {
                name.to_uppercase()
            } else {
                name.to_owned()
            };
            return self.pad(sign, &name, false);
        }
        let precision = self.precision.unwrap_or(6);
        let body = match letter.to_ascii_lowercase() {
            'f' => fixed(number, precision, self.alternate),
            'e' => exponential(number, precision, self.alternate),
            _ => general(number, precision, self.alternate),
        };
        let body = if upper { body.to_uppercase() } else { body };
        self.pad(sign, &body, self.zeros)
    }
}

fn fixed(number: f64, precision: usize, point: bool) -> String {
    let mut text = format!("{number:.precision$}");
    if point && precision == 0 {
        text.push('.');
    }
    text
}

fn exponential(number: f64, precision: usize, point: bool) -> String {
    let text = format!("{number:.precision$e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let point = if point && precision == 0 { "." } else { "" };
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    format!("{digits}{point}e{sign}{exponent:0>2}")
}

fn general(number: f64, precision: usize, keep_zeros: bool) -> String {
    let precision = precision.max(1);
    let scientific = format!("{number:.*e}", precision - 1);
    let exponent = scientific
        .split_once('e')
        .and_then(|(_, e)| e.parse::<i64>().ok())
        .unwrap_or(0);
    let short = |text: &str| match text.contains('.') && !keep_zeros {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    if exponent < -4 || exponent >= precision as i64 {
        let text = exponential(number, precision - 1, keep_zeros);
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "+00"));
        return format!("{}e{exponent}", short(digits));
    }
    let decimals = usize::try_from(precision as i64 - 1 - exponent).unwrap_or(0);
    short(&fixed(number, decimals, keep_zeros))
}

/// The length of the decimal number (or `inf`, `nan`) that a text starts with, as `strtod` reads it.
pub(super) fn float_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let sign = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let body = text.get(sign..).unwrap_or_default();
    for name in ["infinity", "inf", "nan"] {
        if body
            .get(..name.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(name))
        {
            return sign + name.len();
        }
    }
    let digits = |from: usize| {
        let rest = bytes.get(from..).unwrap_or_default();
        rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let whole = digits(sign);
    let mut end = sign + whole;
    let mut fraction = 0;
    if bytes.get(end) == Some(&b'.') {
        fraction = digits(end + 1);
        if whole + fraction > 0 {
            end += 1 + fraction;
        }
    }
    if whole + fraction == 0 {
        return 0;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let signed = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + signed);
        if exponent > 0 {
            end += 1 + signed + exponent;
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_formatted() {
        let check = |format: &str, number: f64, expected: &str| {
            let parsed = parse(format);
            let mut conversion = parsed.conversion;
            let size = |size| match size {
                Some(Size::Number(number)) => Some(number),
                _ => None,
            };
            conversion.width = size(parsed.width);
            conversion.precision = size(parsed.precision);
            assert_eq!(conversion.float(number), expected, "{format}");
        };
        check("%f", 1.5, "1.500000");
        check("%.2f", -1.005, "-1.00");
        check("%e", 12345.678, "1.234568e+04");
        check("%g", 0.0001, "0.0001");
        check("%g", 1e6, "1e+06");
        check("%g", 123456.7, "123457");
        check("%.3g", 2.71234, "2.71");
        check("%08.2f", 2.71234, "00002.71");
        check("%-8.1fx", 2.0, "2.0     ");
        check("%G", 1e-10, "1E-10");
        check("%f", f64::INFINITY, "inf");
    }

    #[test]
    fn numbers_end_where_strtod_ends() {
        let check =
            |text: &str, expected: usize| assert_eq!(float_length(text), expected, "{text}");
        check("12abc", 2);
        check("-1.5e3x", 6);
        check("1e", 1);
        check(".5", 2);
        check(".", 0);
        check("infx", 3);
    }
}
