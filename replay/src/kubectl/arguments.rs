//! The command line of kubectl: how flags are written, and what is left when they are taken out.

mod flags;

use std::collections::BTreeMap;

use super::duration::parse_duration;
use super::failure::Failure;
use crate::golang::quote::{quote, quote_char};
use flags::{Flag, GLOBAL, Kind, flags_of};

/// Position and text of the verb: the first word that is neither a flag nor a flag's value.
pub(super) fn verb(words: &[String]) -> Option<(usize, &str)> {
    let mut position = 0;
    while let Some(word) = words.get(position) {
        if !word.starts_with('-') {
            return Some((position, word));
        }
        position += if takes_next(word) { 2 } else { 1 };
    }
    None
}

/// Whether a global flag as written takes the next word as its value.
fn takes_next(word: &str) -> bool {
    if word.contains('=') {
        return false;
    }
    let known = |fits: &dyn Fn(&Flag) -> bool| {
        GLOBAL
            .iter()
            .any(|flag| flag.kind != Kind::Switch && fits(flag))
    };
    match word.strip_prefix("--") {
        Some(long) => known(&|flag| flag.long == long),
        None => {
            word.len() == 2
                && known(&|flag| flag.short.is_some_and(|letter| word.ends_with(letter)))
        }
    }
}

/// The command: the verb, or for a group of commands the verb and the word after it.
pub(super) fn command(verb: &str, position: usize, words: &[String]) -> String {
    if !["rollout", "auth"].contains(&verb) {
        return verb.to_owned();
    }
    let rest = words.get(position + 1..).unwrap_or_default();
    match self::verb(rest) {
        Some((_, sub)) if flags_of(&format!("{verb} {sub}")).is_some() => format!("{verb} {sub}"),
        _ => verb.to_owned(),
    }
}

/// Flags with their values, and the words that are no flags.
#[derive(Debug, Default)]
pub(super) struct Arguments {
    flags: BTreeMap<&'static str, Vec<String>>,
    /// The words after the command that are no flags.
    pub(super) operands: Vec<String>,
    /// How many operands stood before `--`.
    pub(super) before_dashes: Option<usize>,
}

/// Whether the flags of a command are known.
pub(super) fn is_interpreted(command: &str) -> bool {
    flags_of(command).is_some()
}

impl Arguments {
    /// Parses everything but the command itself.
    pub(super) fn parse(
        command: &str,
        verb_position: usize,
        words: &[String],
    ) -> Result<Self, Failure> {
        let mut known = flags_of(command).unwrap_or_default();
        known.extend(GLOBAL);
        let mut parsed = Self::default();
        let rest: Vec<String> = words
            .iter()
            .enumerate()
            .filter(|(position, _)| *position != verb_position)
            .map(|(_, word)| word.clone())
            .collect();
        parsed.read(&known, rest).map_err(|text| {
            Failure::invalid(format!(
                "error: {text}\nSee 'kubectl {command} --help' for usage."
            ))
        })?;
        if command.contains(' ') && !parsed.operands.is_empty() {
            parsed.operands.remove(0);
            parsed.before_dashes = parsed.before_dashes.map(|before| before.saturating_sub(1));
        }
        Ok(parsed)
    }

    fn read(&mut self, known: &[Flag], words: Vec<String>) -> Result<(), String> {
        let mut rest = words.into_iter();
        while let Some(word) = rest.next() {
            if word == "--" {
                self.before_dashes = Some(self.operands.len());
                self.operands.extend(rest.by_ref());
            } else if let Some(long) = word.strip_prefix("--") {
                let (name, given) = match long.split_once('=') {
                    Some((name, given)) => (name, Some(given.to_owned())),
                    None => (long, None),
                };
                let normal = name.replace('_', "-");
                let flag =
                    known
                        .iter()
                        .find(|flag| flag.long == normal)
                        .ok_or_else(|| match name {
                            "" => format!("bad flag syntax: {word}"),
                            name => format!("unknown flag: --{name}"),
                        })?;
                let given = match (given, flag.kind) {
                    (Some(given), _) => given,
                    (None, Kind::Switch) => "true".to_owned(),
                    (None, _) => rest
                        .next()
                        .ok_or_else(|| format!("flag needs an argument: --{name}"))?,
                };
                self.set(flag, given)?;
            } else if word.len() > 1 && word.starts_with('-') {
                self.read_letters(known, &word[1..], &mut rest)?;
            } else {
                self.operands.push(word);
            }
        }
        Ok(())
    }

    /// `-Aowide`, `-n=x`
    fn read_letters(
        &mut self,
        known: &[Flag],
        letters: &str,
        rest: &mut impl Iterator<Item = String>,
    ) -> Result<(), String> {
        for (at, letter) in letters.char_indices() {
            let shown = || format!("{} in -{}", quote_char(letter), &letters[at..]);
            let flag = known
                .iter()
                .find(|flag| flag.short == Some(letter))
                .ok_or_else(|| format!("unknown shorthand flag: {}", shown()))?;
            let attached = &letters[at + letter.len_utf8()..];
            if let Some(given) = attached.strip_prefix('=').filter(|given| !given.is_empty()) {
                return self.set(flag, given.to_owned());
            }
            if flag.kind == Kind::Switch {
                self.set(flag, "true".to_owned())?;
                continue;
            }
            let given = if attached.is_empty() {
                rest.next()
                    .ok_or_else(|| format!("flag needs an argument: {}", shown()))?
            } else {
                attached.to_owned()
            };
            return self.set(flag, given);
        }
        Ok(())
    }

    /// Keeps a value that is one for its flag.
    fn set(&mut self, flag: &Flag, given: String) -> Result<(), String> {
        const TRUTHS: [&str; 12] = [
            "1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False",
        ];
        let cause = match flag.kind {
            Kind::Text => None,
            Kind::Switch => (!TRUTHS.contains(&given.as_str())).then(|| {
                format!(
                    "strconv.ParseBool: parsing {}: invalid syntax",
                    quote(&given)
                )
            }),
            Kind::Integer => {
                let problem = match given.parse::<i64>() {
                    Ok(_) => None,
                    Err(error) => Some(match error.kind() {
                        std::num::IntErrorKind::PosOverflow
                        | std::num::IntErrorKind::NegOverflow => "value out of range",
                        _ => "invalid syntax",
                    }),
                };
                problem.map(|problem| {
                    format!("strconv.ParseInt: parsing {}: {problem}", quote(&given))
                })
            }
            Kind::Duration => parse_duration(&given)
                .is_none()
                .then(|| duration_problem(&given)),
        };
        if let Some(cause) = cause {
            let name = match flag.short {
                Some(letter) => format!("-{letter}, --{}", flag.long),
                None => format!("--{}", flag.long),
            };
            return Err(format!(
                "invalid argument {} for {} flag: {cause}",
                quote(&given),
                quote(&name)
            ));
        }
        self.flags.entry(flag.long).or_default().push(given);
        Ok(())
    }

    /// The last value of a flag.
    pub(super) fn value(&self, long: &str) -> Option<&str> {
        self.flags
            .get(long)
            .and_then(|values| values.last())
            .map(String::as_str)
    }

    /// All values of a flag, split at commas.
    pub(super) fn values(&self, long: &str) -> Vec<&str> {
        self.flags
            .get(long)
            .into_iter()
            .flatten()
            .flat_map(|value| value.split(','))
            .collect()
    }

    /// Whether a switch is on.
    pub(super) fn is_set(&self, long: &str) -> bool {
        self.value(long)
            .is_some_and(|value| matches!(value, "1" | "t" | "T" | "TRUE" | "true" | "True"))
    }

    /// Whether a switch that is on by itself was switched off.
    pub(super) fn is_off(&self, long: &str) -> bool {
        self.value(long).is_some() && !self.is_set(long)
    }

    /// A number; none if it was not given.
    pub(super) fn integer(&self, long: &str) -> Option<i64> {
        self.value(long)?.parse().ok()
    }

    /// Nanoseconds of a duration; none if it was not given.
    pub(super) fn duration(&self, long: &str) -> Option<i64> {
        parse_duration(self.value(long)?)
    }

    /// The namespace asked for, `default` if none.
    pub(super) fn namespace(&self) -> &str {
        self.value("namespace")
            .filter(|namespace| !namespace.is_empty())
            .unwrap_or("default")
    }

    /// The namespace to list: none for all of them.
    pub(super) fn listed_namespace(&self) -> Option<&str> {
        if self.is_set("all-namespaces") {
            None
        } else {
            Some(self.namespace())
        }
    }
}

/// What Go says of text that is no duration.
fn duration_problem(text: &str) -> String {
    let digits = |text: &str| {
        text.find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(text.len())
    };
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    while rest.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        rest = &rest[digits(rest)..];
        let unit = rest
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(rest.len());
        if unit == 0 {
            return format!("time: missing unit in duration {}", quote(text));
        }
        let known = ["ns", "us", "µs", "μs", "ms", "s", "m", "h"];
        if !known.contains(&&rest[..unit]) {
            return format!(
                "time: unknown unit {} in duration {}",
                quote(&rest[..unit]),
                quote(text)
            );
        }
        rest = &rest[unit..];
    }
    format!("time: invalid duration {}", quote(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, Failure> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let (position, name) = verb(&words).unwrap();
        Arguments::parse(&command(name, position, &words), position, &words)
    }

    #[test]
    fn flags_stand_anywhere() {
        for line in [
            "-n ns get pods a",
            "get -nns pods a",
            "get pods -n=ns a",
            "--namespace ns get pods a",
            "get pods a --namespace=ns",
        ] {
            let parsed = parse(line).unwrap();
            assert_eq!(
                (parsed.namespace(), parsed.operands.join(" ")),
                ("ns", "pods a".into())
            );
        }
        let parsed = parse("get pods -Aowide --show-labels=false -L a,b -L c").unwrap();
        assert!(parsed.is_set("all-namespaces") && !parsed.is_set("show-labels"));
        assert_eq!(parsed.value("output"), Some("wide"));
        assert_eq!(parsed.values("label-columns"), ["a", "b", "c"]);
    }

    #[test]
    fn mistakes_are_told_as_kubectl_does() {
        let text = |line: &str| match parse(line) {
            Err(Failure::Message { text, .. }) => text.lines().next().unwrap().to_owned(),
            _ => panic!("{line}"),
        };
        for (line, expected) in [
            ("get pods --nope", "unknown flag: --nope"),
            ("get pods -z", "unknown shorthand flag: 'z' in -z"),
            ("get pods -Az", "unknown shorthand flag: 'z' in -z"),
            ("get pods -n", "flag needs an argument: 'n' in -n"),
            ("get pods --output", "flag needs an argument: --output"),
            (
                "get pods --watch=maybe",
                "invalid argument \"maybe\" for \"-w, --watch\" flag: strconv.ParseBool: parsing \"maybe\": invalid syntax",
            ),
            (
                "logs x --tail=z",
                "invalid argument \"z\" for \"--tail\" flag: strconv.ParseInt: parsing \"z\": invalid syntax",
            ),
            (
                "logs x --since=5",
                "invalid argument \"5\" for \"--since\" flag: time: missing unit in duration \"5\"",
            ),
            (
                "logs x --since=5x",
                "invalid argument \"5x\" for \"--since\" flag: time: unknown unit \"x\" in duration \"5x\"",
            ),
            (
                "logs x --since=z",
                "invalid argument \"z\" for \"--since\" flag: time: invalid duration \"z\"",
            ),
        ] {
            assert_eq!(text(line), format!("error: {expected}"), "{line}");
        }
    }
}
