//! Which flags each command knows.

/// How a flag's value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Switch,
    Integer,
    Duration,
}

/// A flag of kubectl.
#[derive(Debug, Clone, Copy)]
pub(in crate::kubectl) struct Flag {
    pub(super) long: &'static str,
    pub(super) short: Option<char>,
    pub(super) kind: Kind,
}

const fn flag(long: &'static str, kind: Kind) -> Flag {
    Flag {
        long,
        short: None,
        kind,
    }
}

const fn value(long: &'static str) -> Flag {
    flag(long, Kind::Text)
}

const fn switch(long: &'static str) -> Flag {
    flag(long, Kind::Switch)
}

const fn integer(long: &'static str) -> Flag {
    flag(long, Kind::Integer)
}

const fn duration(long: &'static str) -> Flag {
    flag(long, Kind::Duration)
}

const fn short(short: char, flag: Flag) -> Flag {
    Flag {
        short: Some(short),
        ..flag
    }
}

/// Flags of every command. Those that choose a cluster or a user change nothing in a recording.
pub(super) const GLOBAL: &[Flag] = &[
    short('n', value("namespace")),
    short('s', value("server")),
    short('v', value("v")),
    short('h', switch("help")),
    value("as"),
    value("as-group"),
    value("as-uid"),
    value("as-user-extra"),
    value("cache-dir"),
    value("certificate-authority"),
    value("client-certificate"),
    value("client-key"),
    value("cluster"),
    value("context"),
    value("kubeconfig"),
    value("kuberc"),
    value("log-flush-frequency"),
    value("password"),
    value("profile"),
    value("profile-output"),
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

const FILES: &[Flag] = &[
    short('f', value("filename")),
    short('k', value("kustomize")),
    short('R', switch("recursive")),
];

/// What every command that prints objects knows.
const PRINT: &[Flag] = &[
    short('o', value("output")),
    value("template"),
    switch("allow-missing-template-keys"),
    switch("show-managed-fields"),
];

const GET: &[Flag] = &[
    short('A', switch("all-namespaces")),
    short('l', value("selector")),
    short('L', value("label-columns")),
    short('w', switch("watch")),
    integer("chunk-size"),
    value("field-selector"),
    value("raw"),
    value("sort-by"),
    value("subresource"),
    switch("ignore-not-found"),
    switch("no-headers"),
    switch("output-watch-events"),
    switch("server-print"),
    switch("show-kind"),
    switch("show-labels"),
    switch("watch-only"),
];

const DESCRIBE: &[Flag] = &[
    short('A', switch("all-namespaces")),
    short('l', value("selector")),
    integer("chunk-size"),
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
    integer("limit-bytes"),
    integer("max-log-requests"),
    duration("pod-running-timeout"),
    duration("since"),
    value("since-time"),
    integer("tail"),
];

const EVENTS: &[Flag] = &[
    short('A', switch("all-namespaces")),
    short('w', switch("watch")),
    integer("chunk-size"),
    value("for"),
    value("types"),
    switch("no-headers"),
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
    value("api-group"),
    value("categories"),
    value("sort-by"),
    value("verbs"),
    switch("cached"),
    switch("client"),
    switch("flatten"),
    switch("merge"),
    switch("minify"),
    switch("namespaced"),
    switch("no-headers"),
    switch("raw"),
    short('A', switch("all-namespaces")),
    value("namespaces"),
    value("output-directory"),
    duration("pod-running-timeout"),
];

const ROLLOUT_STATUS: &[Flag] = &[
    short('l', value("selector")),
    short('w', switch("watch")),
    integer("revision"),
    duration("timeout"),
];

const ROLLOUT_HISTORY: &[Flag] = &[short('l', value("selector")), integer("revision")];

const WAIT: &[Flag] = &[
    short('A', switch("all-namespaces")),
    short('l', value("selector")),
    value("field-selector"),
    value("for"),
    duration("timeout"),
    switch("all"),
    switch("local"),
];

const CAN_I: &[Flag] = &[
    short('A', switch("all-namespaces")),
    short('q', switch("quiet")),
    value("subresource"),
    switch("list"),
    switch("no-headers"),
];

const EXPLAIN: &[Flag] = &[
    short('o', value("output")),
    value("api-version"),
    switch("recursive"),
];

const EXEC: &[Flag] = &[
    short('c', value("container")),
    short('f', value("filename")),
    short('i', switch("stdin")),
    short('q', switch("quiet")),
    short('t', switch("tty")),
    duration("pod-running-timeout"),
];

/// The flags of a command that is interpreted, besides those of every command; none for any other.
/// A group's command is its two words.
pub(super) fn flags_of(command: &str) -> Option<Vec<Flag>> {
    let parts: &[&[Flag]] = match command {
        "get" => &[GET, PRINT, FILES],
        "describe" => &[DESCRIBE, FILES],
        "logs" => &[LOGS],
        "events" => &[EVENTS, PRINT],
        "top" => &[TOP],
        "rollout status" => &[ROLLOUT_STATUS, FILES],
        "rollout history" => &[ROLLOUT_HISTORY, PRINT, FILES],
        "wait" => &[WAIT, PRINT, FILES],
        "auth can-i" => &[CAN_I],
        "auth whoami" => &[PRINT],
        "explain" => &[EXPLAIN],
        "exec" => &[EXEC],
        "version" | "api-resources" | "api-versions" | "cluster-info" | "config" => {
            &[CLIENT, PRINT]
        }
        "rollout" | "auth" => &[],
        _ => return None,
    };
    Some(parts.concat())
}
