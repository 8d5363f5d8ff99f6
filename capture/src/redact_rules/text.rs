//! Secrets within text: log lines, messages, arguments, documents in a value, what programs print.

use std::ops::Range;

use regex::bytes::Regex;

use super::names::END;

/// What one of the patterns below needs: lines without it, which most are, are looked at once.
const HINT: &str = r"(?i-u)passw|passphrase|pwd|secret|token|credential|key|signature|authorization|cookie|identified by|eyj|://|\bx-|bearer|AKIA|ASIA|gh[pousr]_|xox[abprs]-";

/// What `{NAME}` stands for: a part of secrets' names.
const NAME: &str = r"(?:passw(?:or)?d|passphrase|secret|token|credential|api[-_]?key|access[-_]?key|private[-_]?key|signature)";

/// Patterns; the group `secret` is what is replaced. `{END}` stands for the ends of secrets' names.
const PATTERNS: &[&str] = &[
    // Headers. Without a scheme only what is long is no ordinary word.
    r#"(?i-u)authorization\\?["']?[ \t]*[:=][ \t]*\\?["'\[]*(?:bearer|basic|digest|token|apikey|negotiate)[ \t]+(?<secret>[^\s"'\\,\]]+)"#,
    r#"(?i-u)authorization\\?["']?[ \t]*[:=][ \t]*\\?["'\[]*(?<secret>[^\s"'\\,\]]{16,})"#,
    r"(?i-u)\bbearer[ \t]+(?<secret>[a-z0-9._~+/-]{16,}=*)",
    r#"(?i-u)\b(?:set-)?cookie\\?["']?[ \t]*[:=][ \t]*\\?["'\[]*(?<secret>[^"'\\\r\n\]]{8,})"#,
    r#"(?i-u)\bx-[\w-]*(?:key|token|secret|auth)\\?["']?[ \t]*[:=][ \t]*\\?["'\[]*(?<secret>[^\s"'\\,\]]+)"#,
    // Well-known tokens.
    r"(?-u)(?<secret>eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+)",
    r"(?-u)\b(?<secret>(?:AKIA|ASIA)[A-Z0-9]{16}|gh[pousr]_[A-Za-z0-9]{36,}|xox[abprs]-[A-Za-z0-9-]{10,})",
    r"(?s-u)-----BEGIN [A-Z ]*PRIVATE KEY-----(?<secret>.+?)(?:-----END|\z)",
    // URLs.
    r"(?-u)://[^:/@\s]*:(?<secret>[^@/\s]+)@",
    // name=value.
    r#"(?i-u)\b[\w.-]*{NAME}[\w.-]*=\\?"(?<secret>[^"\\]+)"#,
    r"(?i-u)\b[\w.-]*{NAME}[\w.-]*='(?<secret>[^']+)",
    r#"(?i-u)\b[\w.-]*{NAME}[\w.-]*=(?<secret>[^\s&"',;\\=][^\s&"',;\\]*)"#,
    // Settings with spaces; what is calculated, as in SQL, is no value.
    r#"(?i-u)\b[\w.-]*{END}\s?=\s?\\?"(?<secret>[^"\\]+)"#,
    r#"(?i-u)\b[\w.-]*{END}\s?=\s?(?<secret>[^\s&"',;\\=$(][^\s&"',;\\(]*)(?:[\s&"',;\\]|$)"#,
    // A whole environment.
    r"(?m-u)^[A-Z][A-Z0-9_]*(?:PASSW(?:OR)?D|PASSPHRASE|SECRET|TOKEN|CREDENTIAL|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|_KEY)[A-Z0-9_]*=(?<secret>[^\r\n]+)",
    // JSON, and documents of one `name: value` per line.
    r#"(?i-u)["'][\w./-]*{END}\\?["']\s*:\s*\\?["'](?<secret>[^"'\\]+)"#,
    r#"(?mi-u)^[ \t>|-]*["']?[\w./-]*{END}["']?[ \t]*[:=][ \t]+["']?(?<secret>[^\s"'#{\[&*|><][^\r\n"']*)"#,
    // Attributes of spans.
    r#"(?i-u)"key"\s*:\s*"[\w./-]*{END}"\s*,\s*(?:"type"\s*:\s*"\w*"\s*,\s*)?"value"\s*:\s*"(?<secret>(?:[^"\\]|\\.)+)"#,
    // SQL and arguments.
    r"(?i-u)\b(?:password|identified by)\s+'(?<secret>[^']+)'",
    r#"(?mi-u)(?:^|\s)--?[a-z0-9._-]*{END}\s+["']?(?<secret>[^\s"'-][^\s"']{5,})"#,
];

/// Settings with a secret's name as clients print them: JSON and YAML, then descriptions.
const SETTINGS: &[&str] = &[
    r#"(?i-u)\bname\\?"?:\s*\\?"?[\w.-]*(?:passw(?:or)?d|passphrase|secret|token|credential|api[-_]?key|access[-_]?key|private[-_]?key|_key\b)[\w.-]*\\?"?,?\s*\\?"?value\\?"?:\s*\\?"?(?<secret>[^"\\\n]+)"#,
    r"(?m-u)^ {6}[A-Z0-9_]*(?:PASSW(?:OR)?D|PASSPHRASE|SECRET|TOKEN|CREDENTIAL|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|_KEY)[A-Z0-9_]*:\s+(?<secret>[^<\s].*)$",
];

/// Finds secrets in text.
pub(super) struct TextRules {
    hint: Regex,
    fixed: Vec<Regex>,
    settings: Vec<Regex>,
    custom: Vec<Regex>,
}

impl TextRules {
    pub(super) fn new(custom: &[String]) -> Result<Self, regex::Error> {
        let all = |patterns: &[&str]| -> Result<Vec<Regex>, regex::Error> {
            let patterns = patterns.iter();
            patterns
                .map(|pattern| Regex::new(&pattern.replace("{END}", END).replace("{NAME}", NAME)))
                .collect()
        };
        Ok(Self {
            hint: Regex::new(HINT)?,
            fixed: all(PATTERNS)?,
            settings: all(SETTINGS)?,
            custom: custom
                .iter()
                .map(|pattern| Regex::new(pattern))
                .collect::<Result<_, _>>()?,
        })
    }

    /// Where secrets stand in a text.
    pub(super) fn find(&self, text: &[u8]) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        if self.hint.is_match(text) {
            find_all(&self.fixed, text, &mut found);
        }
        find_all(&self.custom, text, &mut found);
        found
    }

    /// Where settings with a secret's name stand in what a client printed of objects.
    pub(super) fn find_settings(&self, text: &[u8]) -> Vec<Range<usize>> {
        let mut found = self.find(text);
        find_all(&self.settings, text, &mut found);
        found
    }
}

fn find_all(patterns: &[Regex], text: &[u8], found: &mut Vec<Range<usize>>) {
    for pattern in patterns {
        let captures = pattern.captures_iter(text);
        let secrets = captures.filter_map(|it| it.name("secret").or_else(|| it.get(0)));
        found.extend(secrets.map(|secret| secret.range()));
    }
}
