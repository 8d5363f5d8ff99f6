//! Values: numbers, strings, and strings that came in and look like numbers.

use std::cmp::Ordering;
use std::rc::Rc;

use super::super::format::{Conversion, float_length};

/// A value.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Unset,
    Number(f64),
    Text(Rc<str>),
    /// From input; it is a number when compared.
    Numeric(Rc<str>, f64),
}

impl Value {
    pub(super) fn text(text: impl AsRef<str>) -> Self {
        Self::Text(Rc::from(text.as_ref()))
    }

    /// What came in: a number if it looks like one.
    pub(super) fn input(text: &str) -> Self {
        let trimmed = text.trim_matches([' ', '\t', '\n', '\r', '\u{b}', '\u{c}']);
        let starts = trimmed.trim_start_matches(['+', '-']);
        let digit = starts.starts_with(|c: char| c.is_ascii_digit() || c == '.');
        if digit && float_length(trimmed) == trimmed.len() {
            return Self::Numeric(Rc::from(text), trimmed.parse().unwrap_or(0.0));
        }
        Self::text(text)
    }

    pub(super) fn truth(value: bool) -> Self {
        Self::Number(if value { 1.0 } else { 0.0 })
    }

    pub(super) fn number(&self) -> f64 {
        match self {
            Self::Unset => 0.0,
            Self::Number(number) | Self::Numeric(_, number) => *number,
            Self::Text(text) => leading_number(text),
        }
    }

    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Unset => false,
            Self::Number(number) | Self::Numeric(_, number) => *number != 0.0,
            Self::Text(text) => !text.is_empty(),
        }
    }

    /// As text; numbers that are not whole in a format.
    pub(super) fn string(&self, format: &str) -> Rc<str> {
        match self {
            Self::Unset => Rc::from(""),
            Self::Number(number) => Rc::from(number_text(*number, format)),
            Self::Text(text) | Self::Numeric(text, _) => text.clone(),
        }
    }

    pub(super) fn compare(&self, other: &Self, format: &str) -> Option<Ordering> {
        match (self, other) {
            (Self::Text(_), _) | (_, Self::Text(_)) => Some(
                self.string(format)
                    .as_bytes()
                    .cmp(other.string(format).as_bytes()),
            ),
            _ => self.number().partial_cmp(&other.number()),
        }
    }
}

fn leading_number(text: &str) -> f64 {
    let text = text.trim_start();
    let starts = text.trim_start_matches(['+', '-']);
    if !starts.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return 0.0;
    }
    let digits = text.get(..float_length(text)).unwrap_or_default();
    digits.parse().unwrap_or(0.0)
}

/// A number as text.
pub(super) fn number_text(number: f64, format: &str) -> String {
    if number.is_nan() {
        return if number.is_sign_negative() {
            "-nan"
        } else {
            "+nan"
        }
        .to_owned();
    }
    if number.is_infinite() {
        return if number < 0.0 { "-inf" } else { "+inf" }.to_owned();
    }
    if number == number.trunc() {
        return format!("{:.0}", number + 0.0);
    }
    let parsed = super::super::format::parse(format);
    let mut conversion = parsed.conversion;
    let size = |size| match size {
        Some(super::super::format::Size::Number(number)) => Some(number),
        _ => None,
    };
    conversion.width = size(parsed.width);
    conversion.precision = size(parsed.precision);
    match conversion.letter {
        Some('d' | 'i') => conversion.signed(number as i128),
        Some('e' | 'f' | 'g' | 'E' | 'F' | 'G') => conversion.float(number),
        _ => Conversion {
            letter: Some('g'),
            ..Conversion::default()
        }
        .float(number),
    }
}
