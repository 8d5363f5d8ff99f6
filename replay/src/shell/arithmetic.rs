//! `$((…))`: integers of 64 bits with C's operators.

use super::limits;

/// The variables that an expression reads and assigns.
pub(super) trait Names {
    /// The value of a variable or element; empty if it is unset.
    fn get(&self, name: &str, index: Option<i64>) -> Result<String, String>;
    /// Assigns a variable or element.
    fn set(&mut self, name: &str, index: Option<i64>, value: i64) -> Result<(), String>;
}

/// Evaluates an expression; an empty one is 0. The error is bash's text after the expression.
pub(super) fn evaluate(expression: &str, names: &mut dyn Names) -> Result<i64, String> {
    at_depth(expression, names, 0)
}

fn at_depth(expression: &str, names: &mut dyn Names, depth: usize) -> Result<i64, String> {
    let mut evaluation = Evaluation {
        text: expression,
        position: 0,
        names,
        depth,
        skipping: 0,
    };
    evaluation.blanks();
    if evaluation.rest().is_empty() {
        return Ok(0);
    }
    let value = evaluation.expression(0)?;
    if !evaluation.rest().is_empty() {
        return Err(evaluation.error("syntax error in expression"));
    }
    Ok(value)
}

struct Evaluation<'a, 'n> {
    text: &'a str,
    position: usize,
    names: &'n mut dyn Names,
    depth: usize,
    /// Above 0 in a branch that is not taken: nothing is assigned.
    skipping: usize,
}

/// Binary operators with their precedence; longer ones before those that they start with.
const OPERATORS: [(&str, u8); 21] = [
    ("**", 14),
    ("<<", 11),
    (">>", 11),
    ("<=", 10),
    (">=", 10),
    ("==", 9),
    ("!=", 9),
    ("&&", 5),
    ("||", 4),
    ("+", 12),
    ("-", 12),
    ("*", 13),
    ("/", 13),
    ("%", 13),
    ("<", 10),
    (">", 10),
    ("&", 8),
    ("^", 7),
    ("|", 6),
    ("?", 3),
    (",", 1),
];

const ASSIGNMENTS: [&str; 11] = [
    "<<=", ">>=", "*=", "/=", "%=", "+=", "-=", "&=", "^=", "|=", "=",
];

impl<'a> Evaluation<'a, '_> {
    fn rest(&self) -> &'a str {
        self.text.get(self.position..).unwrap_or_default()
    }

    fn blanks(&mut self) {
        let rest = self.rest();
        let after = rest.trim_start_matches([' ', '\t', '\n', '\r', '"']);
        self.position += rest.len() - after.len();
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.position += token.len();
            self.blanks();
        }
        found
    }

    fn error(&self, message: &str) -> String {
        self.error_at(self.position, message)
    }

    fn error_at(&self, position: usize, message: &str) -> String {
        let token = self.text.get(position..).unwrap_or_default();
        format!("{message} (error token is \"{token}\")")
    }

    fn expression(&mut self, least: u8) -> Result<i64, String> {
        if self.depth >= limits::NESTING {
            return Err(self.error("expression recursion level exceeded"));
        }
        self.depth += 1;
        let value = self.binary(least);
        self.depth -= 1;
        value
    }

    fn binary(&mut self, least: u8) -> Result<i64, String> {
        let mut left = self.unary()?;
        loop {
            let rest = self.rest();
            let Some((operator, precedence)) = OPERATORS
                .into_iter()
                .find(|(operator, _)| rest.starts_with(operator))
            else {
                return Ok(left);
            };
            if precedence < least.max(1) {
                return Ok(left);
            }
            let at = self.position;
            self.take(operator);
            left = match operator {
                "?" => self.choice(left != 0)?,
                "&&" => {
                    let right = self.branch(left != 0, precedence + 1)?;
                    i64::from(left != 0 && right != 0)
                }
                "||" => {
                    let right = self.branch(left == 0, precedence + 1)?;
                    i64::from(left != 0 || right != 0)
                }
                "**" => {
                    let right = self.expression(precedence)?;
                    self.apply(operator, left, right, at)?
                }
                _ => {
                    let operand = self.position;
                    let right = self.expression(precedence + 1)?;
                    self.apply(operator, left, right, operand)?
                }
            };
        }
    }

    /// Evaluates an operand that counts only if the branch is taken.
    fn branch(&mut self, taken: bool, least: u8) -> Result<i64, String> {
        if !taken {
            self.skipping += 1;
        }
        let value = self.expression(least);
        if !taken {
            self.skipping -= 1;
        }
        value
    }

    fn choice(&mut self, condition: bool) -> Result<i64, String> {
        let yes = self.branch(condition, 2)?;
        if !self.take(":") {
            return Err(self.error("`:' expected for conditional expression"));
        }
        let no = self.branch(!condition, 2)?;
        Ok(if condition { yes } else { no })
    }

    fn apply(&self, operator: &str, left: i64, right: i64, operand: usize) -> Result<i64, String> {
        let shift = u32::try_from(right & 63).unwrap_or(0);
        Ok(match operator {
            "+" => left.wrapping_add(right),
            "-" => left.wrapping_sub(right),
            "*" => left.wrapping_mul(right),
            "/" | "%" if right == 0 => {
                if self.skipping > 0 {
                    return Ok(0);
                }
                return Err(self.error_at(operand, "division by 0"));
            }
            "/" => left.wrapping_div(right),
            "%" => left.wrapping_rem(right),
            "<<" => left.wrapping_shl(shift),
            ">>" => left.wrapping_shr(shift),
            "<=" => i64::from(left <= right),
            ">=" => i64::from(left >= right),
            "<" => i64::from(left < right),
            ">" => i64::from(left > right),
            "==" => i64::from(left == right),
            "!=" => i64::from(left != right),
            "&" => left & right,
            "^" => left ^ right,
            "|" => left | right,
            "**" if right < 0 => {
                if self.skipping > 0 {
                    return Ok(0);
                }
                return Err(self.error("exponent less than 0"));
            }
            "**" => power(left, right),
            _ => right,
        })
    }

    fn unary(&mut self) -> Result<i64, String> {
        self.blanks();
        if self.depth >= limits::NESTING {
            return Err(self.error("expression recursion level exceeded"));
        }
        for (token, step) in [("++", 1), ("--", -1)] {
            let rest = self.rest();
            if let Some(after) = rest.strip_prefix(token)
                && after.trim_start().starts_with(is_name_start)
            {
                self.take(token);
                let (name, index) = self.target()?;
                let value = self.value_of(&name, index)?.wrapping_add(step);
                self.assign(&name, index, value)?;
                return Ok(value);
            }
        }
        let Some(first) = self.rest().chars().next() else {
            let position = self.text.trim_end().len().saturating_sub(1);
            return Err(self.error_at(position, "syntax error: operand expected"));
        };
        match first {
            '!' | '~' | '+' | '-' => {
                self.position += 1;
                self.depth += 1;
                let operand = self.unary();
                self.depth -= 1;
                let operand = operand?;
                Ok(match first {
                    '!' => i64::from(operand == 0),
                    '~' => !operand,
                    '-' => operand.wrapping_neg(),
                    _ => operand,
                })
            }
            '(' => {
                self.take("(");
                let value = self.expression(0)?;
                if !self.take(")") {
                    return Err(self.error("missing `)'"));
                }
                Ok(value)
            }
            '0'..='9' => self.number(),
            first if is_name_start(first) => self.variable(),
            _ => Err(self.error("syntax error: operand expected")),
        }
    }

    fn number(&mut self) -> Result<i64, String> {
        let start = self.position;
        let rest = self.rest();
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '#' || c == '@' || c == '_'))
            .unwrap_or(rest.len());
        let token = rest.get(..end).unwrap_or_default();
        self.position += end;
        self.blanks();
        let (radix, digits) = match token.split_once('#') {
            Some((radix, digits)) => match radix.parse() {
                Ok(radix @ 2..=64) => (radix, digits),
                _ => return Err(self.error_at(start, "invalid arithmetic base")),
            },
            None => match token.strip_prefix("0x").or(token.strip_prefix("0X")) {
                Some(digits) => (16, digits),
                None if token.len() > 1 && token.starts_with('0') => (8, token),
                None => (10, token),
            },
        };
        let mut value = 0i64;
        for digit in digits.chars() {
            match digit_value(digit, radix) {
                Some(digit) if digit < radix => {
                    value = value.wrapping_mul(radix).wrapping_add(digit);
                }
                _ => {
                    let message = "value too great for base";
                    return Err(format!("{message} (error token is \"{token}\")"));
                }
            }
        }
        Ok(value)
    }

    /// A name with its index.
    fn target(&mut self) -> Result<(String, Option<i64>), String> {
        let rest = self.rest();
        let end = rest
            .find(|c: char| !(is_name_start(c) || c.is_ascii_digit()))
            .unwrap_or(rest.len());
        let name = rest.get(..end).unwrap_or_default().to_owned();
        self.position += end;
        self.blanks();
        if !self.take("[") {
            return Ok((name, None));
        }
        let index = self.expression(0)?;
        if !self.take("]") {
            return Err(self.error("bad array subscript"));
        }
        Ok((name, Some(index)))
    }

    fn variable(&mut self) -> Result<i64, String> {
        let (name, index) = self.target()?;
        let rest = self.rest();
        for (token, step) in [("++", 1), ("--", -1)] {
            if rest.starts_with(token) {
                self.take(token);
                let value = self.value_of(&name, index)?;
                self.assign(&name, index, value.wrapping_add(step))?;
                return Ok(value);
            }
        }
        let assignment = ASSIGNMENTS
            .into_iter()
            .find(|token| rest.starts_with(token) && !rest.starts_with("=="));
        let Some(assignment) = assignment else {
            return self.value_of(&name, index);
        };
        self.take(assignment);
        let operand = self.position;
        let right = self.expression(2)?;
        let value = match assignment.strip_suffix('=') {
            None | Some("") => right,
            Some(operator) => {
                let left = self.value_of(&name, index)?;
                self.apply(operator, left, right, operand)?
            }
        };
        self.assign(&name, index, value)?;
        Ok(value)
    }

    /// The value of a variable, which may be an expression itself.
    fn value_of(&mut self, name: &str, index: Option<i64>) -> Result<i64, String> {
        if self.skipping > 0 {
            return Ok(0);
        }
        let text = self.names.get(name, index)?;
        if let Ok(number) = text.parse::<i64>()
            && !text.trim_start_matches('-').starts_with('0')
        {
            return Ok(number);
        }
        if self.depth >= limits::NESTING || text.len() > limits::INPUT_BYTES {
            return Err(self.error("expression recursion level exceeded"));
        }
        at_depth(&text, self.names, self.depth + 1)
    }

    fn assign(&mut self, name: &str, index: Option<i64>, value: i64) -> Result<(), String> {
        if self.skipping > 0 {
            return Ok(());
        }
        self.names.set(name, index, value)
    }
}

fn is_name_start(character: char) -> bool {
    character.is_ascii_alphabetic() || character == '_'
}

fn digit_value(digit: char, radix: i64) -> Option<i64> {
    let value = match digit {
        '0'..='9' => u32::from(digit) - u32::from('0'),
        'a'..='z' => u32::from(digit) - u32::from('a') + 10,
        'A'..='Z' if radix <= 36 => u32::from(digit) - u32::from('A') + 10,
        'A'..='Z' => u32::from(digit) - u32::from('A') + 36,
        '@' => 62,
        '_' => 63,
        _ => return None,
    };
    Some(i64::from(value))
}

fn power(base: i64, exponent: i64) -> i64 {
    let (mut base, mut exponent, mut value) = (base, exponent, 1i64);
    while exponent > 0 {
        if exponent & 1 == 1 {
            value = value.wrapping_mul(base);
        }
        base = base.wrapping_mul(base);
        exponent >>= 1;
    }
    value
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    struct Map(BTreeMap<String, String>);

    impl Names for Map {
        fn get(&self, name: &str, _: Option<i64>) -> Result<String, String> {
            Ok(self.0.get(name).cloned().unwrap_or_default())
        }

        fn set(&mut self, name: &str, _: Option<i64>, value: i64) -> Result<(), String> {
            self.0.insert(name.to_owned(), value.to_string());
            Ok(())
        }
    }

    fn evaluated(expression: &str) -> Result<i64, String> {
        let names = [("x", "7"), ("e", "x+1"), ("l", "l"), ("z", "010")];
        let mut map = Map(names
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into());
        evaluate(expression, &mut map)
    }

    #[test]
    fn operators_are_those_of_c() {
        for (expression, expected) in [
            ("", 0),
            ("1+2*3", 7),
            ("(1+2)*3", 9),
            ("2**3**2", 512),
            ("-2**2", 4),
            ("-7/2", -3),
            ("-7%3", -1),
            ("1<<4|3&~1", 18),
            ("x>5?x<6?1:2:3", 2),
            ("0x1f+010+2#101", 44),
            ("e*2", 16),
            ("z", 8),
            ("a=5,a*2", 10),
            ("a+=3,a", 3),
            ("x++ + ++x", 16),
            ("0 && (x=9), x", 7),
            ("1 || 1/0", 1),
            ("!x", 0),
            ("9223372036854775807+1", i64::MIN),
            ("x==7 && x!=8", 1),
            ("\"3\" + 1", 4),
        ] {
            assert_eq!(evaluated(expression), Ok(expected), "{expression}");
        }
    }

    #[test]
    fn mistakes_are_bashs() {
        for (expression, expected) in [
            ("1/0", "division by 0 (error token is \"0\")"),
            (
                "1+",
                "syntax error: operand expected (error token is \"+\")",
            ),
            ("08", "value too great for base (error token is \"08\")"),
            ("1 2", "syntax error in expression (error token is \"2\")"),
        ] {
            assert_eq!(evaluated(expression), Err(expected.to_owned()));
        }
        assert!(
            evaluated("l")
                .unwrap_err()
                .contains("recursion level exceeded")
        );
        assert!(evaluated(&"(".repeat(5_000)).is_err());
        assert!(evaluated(&"- ".repeat(5_000)).is_err());
        assert!(evaluated(&"1?".repeat(5_000)).is_err());
    }
}
