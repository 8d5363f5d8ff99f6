//! One line with a sample.

/// What a line says.
#[derive(Debug, PartialEq)]
pub(super) struct Sample {
    pub(super) name: String,
    /// Sorted by name.
    pub(super) labels: Vec<(String, String)>,
    pub(super) value: f64,
    /// As it stands there; none: the line has none.
    pub(super) time: Option<String>,
    pub(super) has_exemplar: bool,
}

/// `NAME{LABEL="VALUE",…} VALUE [TIME] [# EXEMPLAR]`; a name of other letters stands in quotes within the braces.
pub(super) fn sample(line: &str) -> Result<Sample, String> {
    let end = line.find(['{', ' ', '\t']).ok_or("it has no value")?;
    let (name, rest) = line.split_at(end);
    let mut name = name.to_owned();
    let mut labels = Vec::new();
    let rest = match rest.trim_start().strip_prefix('{') {
        Some(inside) => braces(inside, &mut name, &mut labels)?,
        None => rest,
    };
    if name.is_empty() {
        return Err("it has no name".to_owned());
    }
    labels.sort();
    if labels
        .windows(2)
        .any(|two| two.first().map(|one| &one.0) == two.last().map(|one| &one.0))
    {
        return Err("it has a label twice".to_owned());
    }
    let (told, exemplar) = match rest.split_once('#') {
        Some((told, _)) => (told, true),
        None => (rest, false),
    };
    let mut words = told.split_whitespace();
    let value = words.next().ok_or("it has no value")?;
    let time = words.next().map(str::to_owned);
    if let Some(more) = words.next() {
        return Err(format!("{more:?} stands after the time"));
    }
    Ok(Sample {
        name,
        labels,
        value: number(value).ok_or_else(|| format!("{value:?} is no number"))?,
        time,
        has_exemplar: exemplar,
    })
}

/// What stands between the braces; hands back what follows them.
fn braces<'a>(
    mut rest: &'a str,
    name: &mut String,
    labels: &mut Vec<(String, String)>,
) -> Result<&'a str, String> {
    const OPEN: &str = "the braces are not closed";
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if let Some(after) = rest.strip_prefix('}') {
            return Ok(after);
        }
        let (label, after) = match rest.strip_prefix('"') {
            Some(inside) => quoted(inside).ok_or(OPEN)?,
            None => {
                let end = rest.find('=').ok_or(OPEN)?;
                let (label, after) = rest.split_at(end);
                (label.trim().to_owned(), after)
            }
        };
        match after.trim_start().strip_prefix('=') {
            Some(value) => {
                let value = value.trim_start().strip_prefix('"');
                let value =
                    value.ok_or_else(|| format!("the value of {label} is not in quotes"))?;
                let (value, after) = quoted(value).ok_or(OPEN)?;
                // An empty label is the same as none.
                if !value.is_empty() {
                    labels.push((label, value));
                }
                rest = after;
            }
            // A name without a value is that of the metric.
            None if name.is_empty() => {
                *name = label;
                rest = after;
            }
            None => return Err(format!("the label {label} has no value")),
        }
    }
}

/// A text up to its closing quote, and what follows that.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut is_escaped = false;
    let end = text.find(|letter: char| {
        let is_end = letter == '"' && !is_escaped;
        is_escaped = letter == '\\' && !is_escaped;
        is_end
    })?;
    let (inside, after) = text.split_at(end);
    Some((unescaped(inside), after.strip_prefix('"')?))
}

/// A text without its escapes; those that the format does not know stay.
pub(super) fn unescaped(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            plain.push(letter);
            continue;
        }
        match letters.next() {
            Some('n') => plain.push('\n'),
            // promtool quotes as Go does.
            Some('t') => plain.push('\t'),
            Some('r') => plain.push('\r'),
            Some(escaped @ ('\\' | '"')) => plain.push(escaped),
            Some(other) => plain.extend(['\\', other]),
            None => plain.push('\\'),
        }
    }
    plain
}

/// A name that may stand in quotes.
pub(super) fn unquoted(name: &str) -> String {
    let inside = name
        .strip_prefix('"')
        .and_then(|name| name.strip_suffix('"'));
    inside.map_or_else(|| name.to_owned(), unescaped)
}

fn number(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "+Inf" | "Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        // What else Rust reads as a number begins with a digit, a sign or a point.
        text if text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) => {
            text.parse().ok()
        }
        _ => None,
    }
}
