//! Options of the text tools, in the way of GNU getopt.

use super::{Halt, lacking};

/// Whether an option has a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    Nothing,
    Value,
    /// Only attached to it.
    Perhaps,
    /// The real program has this option, this one has not: the action ends with a notice.
    Lacking,
}

/// What an option looks like.
#[derive(Debug, Clone, Copy)]
pub(super) struct OptionSpec {
    /// Its names, the first of which is the one that it is asked for by. A name of one letter is short.
    names: &'static str,
    takes: Takes,
}

/// Declares an option without a value.
pub(super) const fn flag(names: &'static str) -> OptionSpec {
    let takes = Takes::Nothing;
    OptionSpec { names, takes }
}

/// Declares an option with a value.
pub(super) const fn value(names: &'static str) -> OptionSpec {
    let takes = Takes::Value;
    OptionSpec { names, takes }
}

/// Declares an option that may have an attached value.
pub(super) const fn perhaps(names: &'static str) -> OptionSpec {
    let takes = Takes::Perhaps;
    OptionSpec { names, takes }
}

/// Declares options of the real program that are not interpreted; each name is one of its own.
pub(super) const fn lacks(names: &'static str) -> OptionSpec {
    let takes = Takes::Lacking;
    OptionSpec { names, takes }
}

/// A program's name, exit code of a usage error, and options.
pub(super) struct Program {
    pub(super) name: &'static str,
    pub(super) usage_code: i32,
    /// What it prints after the first line of a usage error.
    pub(super) hint: &'static str,
    pub(super) options: &'static [OptionSpec],
    /// Whether the first operand ends the options.
    pub(super) ordered: bool,
}

/// Options as given, in order, and the other arguments.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parsed {
    pub(super) options: Vec<(&'static str, String)>,
    pub(super) operands: Vec<String>,
}

impl Parsed {
    pub(super) fn has(&self, name: &str) -> bool {
        self.options.iter().any(|(option, _)| *option == name)
    }

    /// The last value given.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let mut options = self.options.iter().rev();
        let found = options.find(|(option, _)| *option == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Every value given, in order.
    pub(super) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.options
            .iter()
            .filter(move |(option, _)| *option == name)
            .map(|(_, value)| value.as_str())
    }

    /// Which of these options came last.
    pub(super) fn last_of(&self, names: &[&str]) -> Option<&'static str> {
        let options = self.options.iter().rev();
        let mut given = options.map(|(option, _)| *option);
        given.find(|option| names.contains(option))
    }
}

impl Program {
    /// A usage error, with the hint at the program's help.
    pub(super) fn usage(&self, message: &str) -> Halt {
        let message = quoted(message);
        let (name, hint) = (self.name, self.hint);
        let hint = match hint {
            "" => format!("Try '{name} --help' for more information."),
            hint => hint.to_owned(),
        };
        Halt::failed(format!("{name}: {message}\n{hint}"), self.usage_code)
    }

    /// An error of one line.
    pub(super) fn error(&self, message: &str) -> Halt {
        Halt::failed(
            format!("{}: {}", self.name, quoted(message)),
            self.usage_code,
        )
    }

    /// Parses arguments.
    pub(super) fn parse(&self, arguments: &[String]) -> Result<Parsed, Halt> {
        let mut parsed = Parsed::default();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            if argument == "--" {
                parsed.operands.extend(rest.by_ref().cloned());
            } else if let Some(long) = argument.strip_prefix("--") {
                self.long(long, &mut rest, &mut parsed)?;
            } else if argument.len() > 1 && argument.starts_with('-') {
                self.letters(argument, &mut rest, &mut parsed)?;
            } else {
                parsed.operands.push(argument.clone());
                if self.ordered {
                    parsed.operands.extend(rest.by_ref().cloned());
                }
            }
        }
        Ok(parsed)
    }

    fn long<'a>(
        &self,
        long: &str,
        rest: &mut impl Iterator<Item = &'a String>,
        parsed: &mut Parsed,
    ) -> Result<(), Halt> {
        let (name, value) = match long.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (long, None),
        };
        let (spec, name) = self.find_long(name)?;
        let value = match (spec.takes, value) {
            (Takes::Lacking, _) => return Err(lacking(self.name, &format!("--{name}"))),
            (Takes::Nothing, Some(_)) => {
                return Err(self.usage(&format!("option '--{name}' doesn't allow an argument")));
            }
            (Takes::Nothing, None) => String::new(),
            (Takes::Perhaps, value) => value.unwrap_or_default(),
            (Takes::Value, Some(value)) => value,
            (Takes::Value, None) => match rest.next() {
                Some(value) => value.clone(),
                None => {
                    return Err(self.usage(&format!("option '--{name}' requires an argument")));
                }
            },
        };
        parsed.options.push((spec.key(), value));
        Ok(())
    }

    /// The option of a long name or of an unambiguous beginning of one.
    fn find_long(&self, name: &str) -> Result<(&OptionSpec, &'static str), Halt> {
        if matches!(name, "help" | "version") {
            return Err(lacking(self.name, &format!("--{name}")));
        }
        let all = || {
            let names = |spec: &'static OptionSpec| spec.names.split(' ').map(move |n| (spec, n));
            self.options
                .iter()
                .flat_map(names)
                .filter(|(_, n)| n.len() > 1)
        };
        if let Some(found) = all().find(|(_, long)| *long == name) {
            return Ok(found);
        }
        let candidates: Vec<_> = all().filter(|(_, long)| long.starts_with(name)).collect();
        let Some(&(first, long)) = candidates.first().filter(|_| !name.is_empty()) else {
            return Err(self.usage(&format!("unrecognized option '--{name}'")));
        };
        let same = |(spec, _): &(&OptionSpec, &str)| {
            spec.takes != Takes::Lacking && spec.names == first.names
        };
        if candidates.len() > 1 && !candidates.iter().all(same) {
            let names: Vec<String> = candidates.iter().map(|(_, n)| format!("'--{n}'")).collect();
            let names = names.join(" ");
            let message = format!("option '--{name}' is ambiguous; possibilities: {names}");
            return Err(self.usage(&message));
        }
        Ok((first, long))
    }

    fn letters<'a>(
        &self,
        argument: &str,
        rest: &mut impl Iterator<Item = &'a String>,
        parsed: &mut Parsed,
    ) -> Result<(), Halt> {
        let mut body = argument.chars();
        body.next();
        while let Some(letter) = body.next() {
            let Some(spec) = self.options.iter().find(|spec| spec.is(letter)) else {
                return Err(self.usage(&format!("invalid option -- '{letter}'")));
            };
            let attached = body.as_str().to_owned();
            let value = match spec.takes {
                Takes::Lacking => return Err(lacking(self.name, &format!("-{letter}"))),
                Takes::Nothing => {
                    parsed.options.push((spec.key(), String::new()));
                    continue;
                }
                Takes::Value if attached.is_empty() => match rest.next() {
                    Some(value) => value.clone(),
                    None => {
                        return Err(
                            self.usage(&format!("option requires an argument -- '{letter}'"))
                        );
                    }
                },
                Takes::Value | Takes::Perhaps => attached,
            };
            parsed.options.push((spec.key(), value));
            break;
        }
        Ok(())
    }
}

/// A message whose quoted words are escaped as GNU's programs do.
fn quoted(message: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in message.chars() {
        match c {
            '‘' => inside = true,
            '’' => inside = false,
            _ => {}
        }
        match c {
            '\\' if inside => out.push_str("\\\\"),
            '\n' if inside => out.push_str("\\n"),
            '\t' if inside => out.push_str("\\t"),
            c if inside && c.is_ascii_control() => {
                out.push_str(&format!("\\{:03o}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out
}

impl OptionSpec {
    fn key(&self) -> &'static str {
        self.names.split(' ').next().unwrap_or_default()
    }

    fn is(&self, letter: char) -> bool {
        let mut buffer = [0; 4];
        let letter = &*letter.encode_utf8(&mut buffer);
        self.names.split(' ').any(|name| name == letter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::command::{CommandOutput, Stop};

    const SORT: Program = Program {
        name: "sort",
        usage_code: 2,
        hint: "",
        options: &[
            flag("r reverse"),
            value("k key"),
            perhaps("c check"),
            lacks("z zero-terminated"),
        ],
        ordered: false,
    };

    fn parse(words: &[&str]) -> String {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        match SORT.parse(&words) {
            Ok(parsed) => format!("{:?} {:?}", parsed.options, parsed.operands),
            Err(Halt::Output(CommandOutput { stderr, .. })) => {
                stderr.lines().next().unwrap_or_default().to_owned()
            }
            Err(Halt::Stop(Stop::NotCaptured(notice))) => format!("notice: {notice}"),
            Err(Halt::Stop(_)) => "stopped".to_owned(),
        }
    }

    #[test]
    fn options_are_read_as_getopt_does() {
        let check = |words: &[&str], expected: &str| assert_eq!(parse(words), expected);
        check(&["a", "-rk2", "b"], r#"[("r", ""), ("k", "2")] ["a", "b"]"#);
        check(&["--rev", "--key", "1"], r#"[("r", ""), ("k", "1")] []"#);
        check(&["--", "-r"], r#"[] ["-r"]"#);
        check(&["--check=quiet"], r#"[("c", "quiet")] []"#);
        check(&["-x"], "sort: invalid option -- 'x'");
        check(&["-k"], "sort: option requires an argument -- 'k'");
        check(&["--foo"], "sort: unrecognized option '--foo'");
        check(
            &["--reverse=1"],
            "sort: option '--reverse' doesn't allow an argument",
        );
        check(
            &["-z"],
            "notice: sort -z: this command is not available in this recording",
        );
    }
}
