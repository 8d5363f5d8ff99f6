//! The command line of kubectl: which flags a verb knows and how they are written.

use std::collections::BTreeMap;

use super::failure::Failure;

/// A flag of kubectl.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flag {
    long: &'static str,
    short: Option<char>,
    takes_value: bool,
}

const fn value(long: &'static str) -> Flag {
    Flag {
        long,
        short: None,
        takes_value: true,
    }
}

const fn switch(long: &'static str) -> Flag {
    Flag {
        long,
        short: None,
        takes_value: false,
    }
}

const fn short(short: char, flag: Flag) -> Flag {
    Flag {
        short: Some(short),
        ..flag
    }
}

/// Flags of every verb. Those that choose a cluster or a user change nothing in a recording.
const GLOBAL: &[Flag] = &[
    short('n', value("namespace")),
    short('s', value("server")),
    short('v', value("v")),
    short('h', switch("help")),
    value("as"),
    value("as-group"),
    value("as-uid"),
    value("cache-dir"),
    value("certificate-authority"),
    value("client-certificate"),
    value("client-key"),
    value("cluster"),
    value("context"),
    value("kubeconfig"),
    value("password"),
    value("request-timeout"),
    value("tls-server-name"),
    value("token"),
    value("user"),
    value("username"),
    value("vmodule"),
    switch("disable-compression"),
    switch("insecure-skip-tls-verify"),
    switch("match-server-version"),
    switch("warnings-as-errors"),
];

const GET: &[Flag] = &[
    short('A', switch("all-namespaces")),
    short('o', value("output")),
    short('l', value("selector")),
    short('L', value("label-columns")),
    short('w', switch("watch")),
    short('f', value("filename")),
    short('k', value("kustomize")),
    short('R', switch("recursive")),
    value("chunk-size"),
    value("field-selector"),
    value("raw"),
    value("sort-by"),
    value("subresource"),
    value("template"),
    switch("allow-missing-template-keys"),
    switch("ignore-not-found"),
    switch("no-headers"),
    switch("output-watch-events"),
    switch("server-print"),
    switch("show-kind"),
    switch("show-labels"),
    switch("show-managed-fields"),
    switch("watch-only"),
];

const DESCRIBE: &[Flag] = &[
    short('A', switch("all-namespaces")),
    short('l', value("selector")),
    short('f', value("filename")),
    short('k', value("kustomize")),
    short('R', switch("recursive")),
    value("chunk-size"),
    switch("show-events"),
];

const LOGS: &[Flag] = &[
    short('c', value("container")),
    short('f', switch("follow")),
    short('l', value("selector")),
    short('p', switch("previous")),
    switch("all-containers"),
    switch("all-pods"),
    switch("ignore-errors"),
    switch("insecure-skip-tls-verify-backend"),
    switch("prefix"),
    switch("timestamps"),
    value("limit-bytes"),
    value("max-log-requests"),
    value("pod-running-timeout"),
    value("since"),
    value("since-time"),
    value("tail"),
];

const EVENTS: &[Flag] = &[
    short('A', switch("all-namespaces")),
    short('o', value("output")),
    short('w', switch("watch")),
    value("chunk-size"),
    value("for"),
    value("template"),
    value("types"),
    switch("no-headers"),
    switch("show-managed-fields"),
];

const TOP: &[Flag] = &[
    short('A', switch("all-namespaces")),
    short('l', value("selector")),
    value("field-selector"),
    value("sort-by"),
    switch("containers"),
    switch("no-headers"),
    switch("show-capacity"),
    switch("show-swap"),
    switch("sum"),
    switch("use-protocol-buffers"),
];

const CLIENT: &[Flag] = &[
    short('o', value("output")),
    value("api-group"),
    value("categories"),
    value("sort-by"),
    value("verbs"),
    switch("cached"),
    switch("client"),
    switch("flatten"),
    switch("minify"),
    switch("namespaced"),
    switch("no-headers"),
    switch("raw"),
];

/// The flags of a verb that is interpreted; none for any other word.
pub(super) fn flags_of(verb: &str) -> Option<&'static [Flag]> {
    Some(match verb {
        "get" => GET,
        "describe" => DESCRIBE,
        "logs" | "log" => LOGS,
        "events" => EVENTS,
        "top" => TOP,
        "version" | "api-resources" | "api-versions" | "cluster-info" | "config" => CLIENT,
        _ => return None,
    })
}

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
    match word.strip_prefix("--") {
        Some(long) => GLOBAL
            .iter()
            .any(|flag| flag.long == long && flag.takes_value),
        None => {
            word.len() == 2
                && GLOBAL.iter().any(|flag| {
                    flag.takes_value && flag.short.is_some_and(|letter| word.ends_with(letter))
                })
        }
    }
}

/// Flags with their values, and the words that are no flags.
#[derive(Debug, Default)]
pub(super) struct Arguments {
    flags: BTreeMap<&'static str, Vec<String>>,
    /// The words after the verb that are no flags.
    pub(super) operands: Vec<String>,
}

impl Arguments {
    /// Parses everything but the verb itself.
    pub(super) fn parse(
        verb: &str,
        flags: &[Flag],
        verb_position: usize,
        words: &[String],
    ) -> Result<Self, Failure> {
        let mut parsed = Self::default();
        let mut rest = words
            .iter()
            .enumerate()
            .filter(|(position, _)| *position != verb_position)
            .map(|(_, word)| word);
        let all = || flags.iter().chain(GLOBAL);
        let usage = |text: String| {
            Failure::invalid(format!(
                "error: {text}\nSee 'kubectl {verb} --help' for usage."
            ))
        };
        while let Some(word) = rest.next() {
            if word == "--" {
                parsed.operands.extend(rest.by_ref().cloned());
            } else if let Some(long) = word.strip_prefix("--") {
                let (name, given) = match long.split_once('=') {
                    Some((name, given)) => (name, Some(given.to_owned())),
                    None => (long, None),
                };
                let flag = all()
                    .find(|flag| flag.long == name)
                    .ok_or_else(|| usage(format!("unknown flag: --{name}")))?;
                let given = match (given, flag.takes_value) {
                    (Some(given), _) => given,
                    (None, false) => "true".to_owned(),
                    (None, true) => rest
                        .next()
                        .cloned()
                        .ok_or_else(|| usage(format!("flag needs an argument: --{name}")))?,
                };
                parsed.flags.entry(flag.long).or_default().push(given);
            } else if word.len() > 1 && word.starts_with('-') {
                let letters = &word[1..];
                for (at, letter) in letters.char_indices() {
                    let flag = all()
                        .find(|flag| flag.short == Some(letter))
                        .ok_or_else(|| {
                            usage(format!("unknown shorthand flag: {letter:?} in -{letters}"))
                        })?;
                    let attached = &letters[at + letter.len_utf8()..];
                    let values = parsed.flags.entry(flag.long).or_default();
                    if let Some(given) = attached.strip_prefix('=') {
                        values.push(given.to_owned());
                        break;
                    }
                    if !flag.takes_value {
                        values.push("true".to_owned());
                        continue;
                    }
                    values.push(if attached.is_empty() {
                        rest.next().cloned().ok_or_else(|| {
                            usage(format!("flag needs an argument: {letter:?} in -{letters}"))
                        })?
                    } else {
                        attached.to_owned()
                    });
                    break;
                }
            } else {
                parsed.operands.push(word.clone());
            }
        }
        Ok(parsed)
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
            .is_some_and(|value| !matches!(value, "false" | "0" | "f" | "F" | "False"))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, Failure> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let (position, name) = verb(&words).unwrap();
        Arguments::parse(name, flags_of(name).unwrap(), position, &words)
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
        assert_eq!(text("get pods --nope"), "error: unknown flag: --nope");
        assert_eq!(
            text("get pods -z"),
            "error: unknown shorthand flag: 'z' in -z"
        );
        assert_eq!(
            text("get pods -n"),
            "error: flag needs an argument: 'n' in -n"
        );
    }
}
