//! Shortening of logs that repeat themselves.

use std::sync::LazyLock;

use regex::Regex;

/// Dates with time, times of day, and ages as Kubernetes prints them.
static TIME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"\d{4}[-/](?:\d{2}|[A-Z][a-z]{2})[-/]\d{2}[T ]\d{2}:\d{2}:\d{2}(?:[.,]\d+)?(?:Z|[+-]\d{2}:?\d{2})?",
        r"|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}",
        r"|\b\d{2}:\d{2}:\d{2}(?:[.,]\d+)?\b",
        r"|\b(?:\d+[dhms])+\b",
    ))
    .ok()
});

/// Drops blocks of up to `longest` lines that the next block repeats but for its times; the last one stays.
///
/// Lines without any time are kept. `longest` 0 keeps everything.
#[must_use]
pub fn greedy_compress_lines(text: &str, longest: usize) -> String {
    let Some(time) = TIME.as_ref().filter(|_| longest > 0) else {
        return text.to_owned();
    };
    let mut lines: Vec<(&str, Option<String>)> = text
        .split('\n')
        .map(|line| {
            (
                line,
                time.is_match(line)
                    .then(|| time.replace_all(line, "\u{0}").into_owned()),
            )
        })
        .collect();
    for size in 1..=longest.min(lines.len() / 2) {
        let mut kept = Vec::with_capacity(lines.len());
        let mut at = 0;
        while at < lines.len() {
            let (block, next) = (
                lines.get(at..at + size),
                lines.get(at + size..at + 2 * size),
            );
            let repeated = block.zip(next).is_some_and(|(block, next)| {
                block
                    .iter()
                    .zip(next)
                    .all(|(one, other)| one.1.is_some() && one.1 == other.1)
            });
            if repeated {
                at += size;
            } else {
                kept.push(lines[at].clone());
                at += 1;
            }
        }
        lines = kept;
    }
    lines
        .into_iter()
        .map(|(line, _)| line)
        .collect::<Vec<_>>()
        .join("\n")
}
