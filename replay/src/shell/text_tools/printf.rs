//! `printf`, as bash has it built in.

use super::format::{self, Conversion, SIZE, Size};
use super::{Context, Halt, PRINTED_BYTES, ToolResult, date, lacking, text};
use crate::shell::command::CommandOutput;
use crate::shell::escapes::{self, Place};
use crate::shell::quote;
use aiopslab_problems::environment::Verdict;

/// `printf`: the format is repeated until no argument is left.
pub(super) fn run(arguments: &[String], context: &Context<'_>) -> ToolResult {
    let usage = || Halt::failed("printf: usage: printf [-v var] format [arguments]", 2);
    let mut words = arguments;
    match words.first().map(String::as_str) {
        None => return Err(usage()),
        Some("--") => words = words.get(1..).unwrap_or_default(),
        Some("-v") => return Err(lacking("printf", "-v")),
        Some(option) if option.starts_with('-') && option.len() > 1 => {
            let option = option.chars().take(2).collect::<String>();
            let message = format!(
                "bash: line 1: printf: {option}: invalid option\nprintf: usage: printf [-v var] format [arguments]"
            );
            return Err(Halt::failed(message, 2));
        }
        Some(_) => {}
    }
    let Some((format, arguments)) = words.split_first() else {
        return Err(usage());
    };
    let mut printer = Printer {
        arguments: arguments.iter(),
        context,
        out: Vec::new(),
        stderr: String::new(),
        failed: false,
    };
    loop {
        let left = printer.arguments.len();
        if printer.format(format)? {
            break;
        }
        if printer.arguments.len() == 0 || printer.arguments.len() == left {
            break;
        }
        if printer.out.len() > PRINTED_BYTES {
            return Err(lacking("printf", "of so many arguments"));
        }
    }
    Ok(CommandOutput {
        stdout: text("printf", printer.out)?,
        stderr: printer.stderr,
        exit_code: i32::from(printer.failed),
        verdict: if printer.failed {
            Verdict::Invalid
        } else {
            Verdict::Answered
        },
        waited: None,
    })
}

struct Printer<'a> {
    arguments: std::slice::Iter<'a, String>,
    context: &'a Context<'a>,
    out: Vec<u8>,
    stderr: String,
    failed: bool,
}

impl Printer<'_> {
    /// Prints the format once; true if the output ends here.
    fn format(&mut self, format: &str) -> Result<bool, Halt> {
        let mut rest = format;
        while let Some(c) = rest.chars().next() {
            let length = match c {
                '\\' => match rest.chars().nth(1) {
                    Some(escaped) => escapes::push(rest, escaped, Place::Format, &mut self.out),
                    None => {
                        self.out.push(b'\\');
                        1
                    }
                },
                '%' if rest.starts_with("%%") => {
                    self.out.push(b'%');
                    2
                }
                '%' => match self.conversion(rest)? {
                    Some(length) => length,
                    None => return Ok(true),
                },
                c => {
                    self.out
                        .extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                    c.len_utf8()
                }
            };
            rest = rest.get(length..).unwrap_or_default();
        }
        Ok(false)
    }

    fn error(&mut self, message: &str) {
        self.stderr
            .push_str(&format!("bash: line 1: printf: {message}\n"));
        self.failed = true;
    }

    fn next(&mut self) -> Option<&str> {
        self.arguments.next().map(String::as_str)
    }

    /// Prints a conversion; gives its length in the format, none if the output ends here.
    fn conversion(&mut self, rest: &str) -> Result<Option<usize>, Halt> {
        let parsed = format::parse(rest);
        let mut conversion = parsed.conversion;
        let mut sizes = [None, None];
        for (slot, size) in sizes.iter_mut().zip([parsed.width, parsed.precision]) {
            *slot = match size {
                None => None,
                Some(Size::Number(number)) => Some(i64::try_from(number).unwrap_or(i64::MAX)),
                Some(Size::Argument) => Some(self.integer() as i64),
            };
        }
        let [width, precision] = sizes;
        conversion.left |= width.is_some_and(|width| width < 0);
        conversion.width = width.map(|width| width.unsigned_abs() as usize);
        conversion.precision = precision.and_then(|precision| usize::try_from(precision).ok());
        if conversion.width.max(conversion.precision) > Some(SIZE) {
            return Err(lacking("printf", &format!("of fields wider than {SIZE}")));
        }
        let Some(letter) = conversion.letter else {
            self.error(&format!("`{rest}': missing format character"));
            return Ok(None);
        };
        match letter {
            's' => {
                let text = self.next().unwrap_or_default().to_owned();
                self.text(&conversion, &text)?;
            }
            'b' => {
                let text = self.next().unwrap_or_default().to_owned();
                let (bytes, ended) = escapes::replace(&text, Place::Argument);
                let text = super::text("printf", bytes)?;
                self.text(&conversion, &text)?;
                if ended {
                    self.arguments = [].iter();
                    return Ok(None);
                }
            }
            'q' => {
                let quoted = quote::word(self.next().unwrap_or_default());
                self.text(&conversion, &quoted)?;
            }
            'c' => {
                let argument = self.next().unwrap_or_default();
                let first = argument.chars().next();
                if first.is_some_and(|c| !c.is_ascii()) {
                    return Err(lacking("printf", "%c of a character of several bytes"));
                }
                let first = first.unwrap_or('\0').to_string();
                conversion.precision = None;
                self.text(&conversion, &first)?;
            }
            'd' | 'i' => {
                let number = self.integer();
                self.out
                    .extend_from_slice(conversion.signed(number).as_bytes());
            }
            'u' | 'o' | 'x' | 'X' => {
                let number = self.integer();
                // Negative numbers wrap to 64 bits.
                let number = u128::from(number as u64);
                self.out
                    .extend_from_slice(conversion.unsigned(number).as_bytes());
            }
            'e' | 'f' | 'g' | 'E' | 'F' | 'G' => self.float(&conversion)?,
            '(' => return self.time(&conversion, rest),
            'a' | 'A' | 'n' | 'Q' => return Err(lacking("printf", &format!("%{letter}"))),
            letter => {
                self.error(&format!("`{letter}': invalid format character"));
                return Ok(None);
            }
        }
        Ok(Some(parsed.length))
    }

    fn text(&mut self, conversion: &Conversion, text: &str) -> Result<(), Halt> {
        let padded = conversion.text_bytes(text);
        let padded = padded.ok_or_else(|| lacking("printf", "of a part of a character"))?;
        self.out.extend_from_slice(padded.as_bytes());
        Ok(())
    }

    fn float(&mut self, conversion: &Conversion) -> Result<(), Halt> {
        let argument = self.next().unwrap_or_default().to_owned();
        let trimmed = argument.trim_start();
        let quoted = trimmed.strip_prefix(['\'', '"']);
        if let Some(code) = quoted {
            let code = code.chars().next().map_or(0, u32::from);
            let text = conversion.float(f64::from(code));
            self.out.extend_from_slice(text.as_bytes());
            return Ok(());
        }
        if trimmed.contains(['x', 'X', 'p', 'P']) {
            return Err(lacking("printf", "of hexadecimal floating-point numbers"));
        }
        let length = format::float_length(trimmed);
        let number = trimmed.get(..length).unwrap_or_default();
        let value = number.parse::<f64>().unwrap_or(0.0);
        let nan_or_infinite = number.contains(['n', 'N']);
        if length != trimmed.len() || (trimmed.is_empty() && !argument.is_empty()) {
            self.error(&format!("{argument}: invalid number"));
        }
        // bash computes with 64 bits of precision, so that digits beyond those of a double differ.
        let digits = number.bytes().filter(u8::is_ascii_digit).count();
        let shown = conversion.precision.unwrap_or(6);
        let whole = value.abs() >= 1e15 && conversion.letter != Some('g');
        if !nan_or_infinite && value != 0.0 && (digits > 15 || whole || shown > 12) {
            let exact = digits <= 15 && value.fract() == 0.0 && value.abs() < 1e15;
            if !exact {
                return Err(lacking("printf", "of more digits than a double has"));
            }
        }
        self.out
            .extend_from_slice(conversion.float(value).as_bytes());
        Ok(())
    }

    /// The next argument as an integer of 64 bits, as `strtoimax` reads it.
    fn integer(&mut self) -> i128 {
        let Some(argument) = self.next().map(str::to_owned) else {
            return 0;
        };
        let text = argument.trim_start();
        if let Some(quoted) = text.strip_prefix(['\'', '"']) {
            return i128::from(quoted.chars().next().map_or(0, u32::from));
        }
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let hexadecimal = digits.strip_prefix("0x").or(digits.strip_prefix("0X"));
        let hexadecimal =
            hexadecimal.filter(|rest| rest.starts_with(|c: char| c.is_ascii_hexdigit()));
        let (radix, digits) = match hexadecimal {
            Some(digits) => (16, digits),
            None if digits.starts_with('0') => (8, digits),
            None => (10, digits),
        };
        let length = digits.chars().take_while(|c| c.is_digit(radix)).count();
        let (number, rest) = digits.split_at(length);
        let value = number.chars().fold(0i128, |value, c| {
            let digit = i128::from(c.to_digit(radix).unwrap_or(0));
            (value * i128::from(radix) + digit).min(1 << 100)
        });
        let value = if negative { -value } else { value };
        if !rest.is_empty()
            || (text.is_empty() && !argument.is_empty())
            || (number.is_empty() && !text.is_empty())
        {
            let kind = match radix {
                8 if rest.starts_with(|c: char| c.is_ascii_digit()) => "octal ",
                16 if hexadecimal.is_none() => "hex ",
                _ => "",
            };
            self.error(&format!("{argument}: invalid {kind}number"));
        }
        let clamped = value.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
        if clamped != value {
            self.stderr.push_str(&format!(
                "bash: line 1: printf: warning: {argument}: Numerical result out of range\n"
            ));
        }
        clamped
    }

    /// `%(FORMAT)T`.
    fn time(&mut self, conversion: &Conversion, rest: &str) -> Result<Option<usize>, Halt> {
        let open = rest.find('(').unwrap_or(0);
        let Some(close) = rest.find(")T") else {
            return Err(lacking("printf", rest));
        };
        let format = rest.get(open + 1..close).unwrap_or_default();
        let format = if format.is_empty() { "%X" } else { format };
        let seconds = match self.arguments.as_slice().first().map(String::as_str) {
            None | Some("-1") => {
                self.next();
                None
            }
            Some("-2") => return Err(lacking("printf", "%()T of the start of the shell")),
            Some(_) => Some(self.integer()),
        };
        let nanoseconds = match seconds {
            None => i128::from(self.context.now).div_euclid(1_000_000_000) * 1_000_000_000,
            Some(seconds) => seconds.saturating_mul(1_000_000_000),
        };
        let text = date::formatted(nanoseconds, format, "printf")?;
        self.text(conversion, &text)?;
        Ok(Some(close + 2))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::tool;

    #[test]
    fn arguments_are_formatted() {
        let check = |words: &[&str], expected: &str| {
            let command: Vec<&str> = ["printf"].iter().chain(words).copied().collect();
            assert_eq!(tool(&command, "").stdout, expected, "{words:?}");
        };
        check(&["%s %d\\n", "a", "1", "b", "2"], "a 1\nb 2\n");
        check(&["%-5s|%5s|%05d", "ab", "cd", "42"], "ab   |   cd|00042");
        check(&["%x %X %o %#x", "255", "255", "8", "255"], "ff FF 10 0xff");
        check(&["%.2f %e", "3.14159", "12345.678"], "3.14 1.234568e+04");
        check(&["%b", "a\\tb\\0101"], "a\tbA");
        check(&["%q %q", "a b", ""], "a\\ b ''");
        check(&["%c%c", "abc", "d"], "ad");
        check(&["%d %d", "0x1f", "'a"], "31 97");
        check(&["%*d", "5", "3"], "    3");
        check(&["%%|%s"], "%|");
        check(&["%(%Y)T", "0"], "1970");
        let wrong = tool(&["printf", "%d", "12x"], "");
        assert_eq!(
            (
                wrong.stdout.as_str(),
                wrong.stderr.as_str(),
                wrong.exit_code
            ),
            ("12", "bash: line 1: printf: 12x: invalid number\n", 1)
        );
    }
}
