//! Options of the text tools, in the way of GNU getopt.

/// What an option looks like.
pub(super) struct OptionSpec {
    /// Its letter.
    pub(super) short: char,
    /// Its long name, empty if none.
    pub(super) long: &'static str,
    /// Whether a value follows.
    pub(super) takes_value: bool,
}

/// Declares an option.
pub(super) const fn option(short: char, long: &'static str, takes_value: bool) -> OptionSpec {
    OptionSpec {
        short,
        long,
        takes_value,
    }
}

/// Options as given, in order, and the other arguments.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parsed {
    pub(super) options: Vec<(char, String)>,
    pub(super) operands: Vec<String>,
}

impl Parsed {
    pub(super) fn has(&self, letter: char) -> bool {
        self.options.iter().any(|(option, _)| *option == letter)
    }

    /// The last value given.
    pub(super) fn value(&self, letter: char) -> Option<&str> {
        self.options
            .iter()
            .rev()
            .find(|(option, _)| *option == letter)
            .map(|(_, v)| v.as_str())
    }
}

/// Why arguments could not be parsed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum OptionError {
    /// Not an option that is known here.
    Unknown(String),
    /// The value is missing.
    NoValue(String),
}

/// Parses arguments; `-NUM` becomes the option `n`, if there is one.
pub(super) fn parse(arguments: &[String], specs: &[OptionSpec]) -> Result<Parsed, OptionError> {
    let mut parsed = Parsed::default();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if argument == "--" {
            parsed.operands.extend(rest.by_ref().cloned());
        } else if let Some(long) = argument.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (long, None),
            };
            let spec = specs
                .iter()
                .find(|spec| !spec.long.is_empty() && spec.long == name)
                .ok_or_else(|| OptionError::Unknown(argument.clone()))?;
            let value = match (spec.takes_value, value) {
                (false, _) => String::new(),
                (true, Some(value)) => value,
                (true, None) => rest
                    .next()
                    .cloned()
                    .ok_or_else(|| OptionError::NoValue(argument.clone()))?,
            };
            parsed.options.push((spec.short, value));
        } else if argument.len() > 1 && argument.starts_with('-') {
            letters(argument, &mut rest, specs, &mut parsed)?;
        } else {
            parsed.operands.push(argument.clone());
        }
    }
    Ok(parsed)
}

fn letters<'a>(
    argument: &str,
    rest: &mut impl Iterator<Item = &'a String>,
    specs: &[OptionSpec],
    parsed: &mut Parsed,
) -> Result<(), OptionError> {
    let body = &argument[1..];
    if body.bytes().all(|byte| byte.is_ascii_digit()) && specs.iter().any(|s| s.short == 'n') {
        parsed.options.push(('n', body.to_owned()));
        return Ok(());
    }
    for (position, letter) in body.char_indices() {
        let spec = specs
            .iter()
            .find(|spec| spec.short == letter)
            .ok_or_else(|| OptionError::Unknown(format!("-{letter}")))?;
        if !spec.takes_value {
            parsed.options.push((letter, String::new()));
            continue;
        }
        let attached = &body[position + letter.len_utf8()..];
        let value = if attached.is_empty() {
            rest.next()
                .cloned()
                .ok_or_else(|| OptionError::NoValue(format!("-{letter}")))?
        } else {
            attached.to_owned()
        };
        parsed.options.push((letter, value));
        break;
    }
    Ok(())
}
