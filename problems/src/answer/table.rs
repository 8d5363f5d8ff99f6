//! A CSV as a table, the way `pandas.read_csv(path).to_string(index=False)` prints it.

use super::csv;

/// Digits after the point that pandas shows of a float (`display.precision`).
const PRECISION: usize = 6;

/// The texts that pandas reads as a missing value.
const MISSING: [&str; 19] = [
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
];

/// A text that is no table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// There is nothing in it.
    #[error("No columns to parse from file")]
    Empty,
    /// A row has more fields than the header.
    #[error(
        "Error tokenizing data. C error: Expected {expected} fields in line {line}, saw {found}"
    )]
    Ragged {
        /// Number of fields of the header.
        expected: usize,
        /// Line of the row.
        line: usize,
        /// Number of fields of the row.
        found: usize,
    },
}

/// Prints a CSV as a table without an index: columns aligned to the right, one blank between them.
pub fn table_text(text: &str) -> Result<String, TableError> {
    let mut records = csv::records(text).into_iter();
    let (_, header) = records.next().ok_or(TableError::Empty)?;
    let mut columns: Vec<Vec<Option<String>>> = vec![Vec::new(); header.len()];
    for (line, fields) in records {
        if fields.len() > header.len() {
            return Err(TableError::Ragged {
                expected: header.len(),
                line,
                found: fields.len(),
            });
        }
        let mut fields = fields.into_iter();
        for column in &mut columns {
            column.push(
                fields
                    .next()
                    .filter(|field| !MISSING.contains(&field.as_str())),
            );
        }
    }
    if columns.iter().all(Vec::is_empty) {
        return Ok(format!(
            "Empty DataFrame\nColumns: [{}]\nIndex: []",
            header.join(", ")
        ));
    }
    let cells: Vec<Vec<String>> = header
        .iter()
        .zip(columns)
        .map(|(name, column)| aligned(name, &column))
        .collect();
    let rows = cells.first().map_or(0, Vec::len);
    let lines: Vec<String> = (0..rows)
        .map(|row| {
            cells
                .iter()
                .filter_map(|column| column.get(row))
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    Ok(lines.join("\n"))
}

/// The cells of a column below its name, padded to one width.
fn aligned(name: &str, column: &[Option<String>]) -> Vec<String> {
    let (values, is_numeric) = formatted(column);
    // pandas leaves room for a sign above numbers, and its truth values are numbers.
    let mut cells = vec![if is_numeric {
        format!(" {name}")
    } else {
        name.to_owned()
    }];
    cells.extend(values);
    let width = cells
        .iter()
        .map(|cell| cell.chars().count())
        .max()
        .unwrap_or(0);
    cells
        .into_iter()
        .map(|cell| format!("{cell:>width$}"))
        .collect()
}

/// The values of a column as pandas shows them for the type that it gives the column, and whether that is numeric.
fn formatted(column: &[Option<String>]) -> (Vec<String>, bool) {
    let all = |fits: &dyn Fn(&str) -> bool| column.iter().flatten().all(|value| fits(value));
    let is_complete = column.iter().all(Option::is_some);
    if is_complete && all(&|value| value.trim().parse::<i64>().is_ok()) {
        return (
            column
                .iter()
                .flatten()
                .map(|value| integer(value))
                .collect(),
            true,
        );
    }
    if all(&|value| read_float(value).is_some()) {
        let read =
            |value: &Option<String>| value.as_deref().and_then(read_float).unwrap_or(f64::NAN);
        return (floats(&column.iter().map(read).collect::<Vec<f64>>()), true);
    }
    let is_boolean = all(&|value| truth_value(value).is_some());
    let show = |value: &Option<String>| match value.as_deref() {
        None => "NaN".to_owned(),
        Some(value) => match truth_value(value).filter(|_| is_boolean) {
            Some(truth) => truth.to_owned(),
            None => value
                .replace('\t', "\\t")
                .replace('\r', "\\r")
                .replace('\n', "\\n"),
        },
    };
    (column.iter().map(show).collect(), is_boolean && is_complete)
}

fn truth_value(text: &str) -> Option<&'static str> {
    match text {
        "True" | "TRUE" | "true" => Some("True"),
        "False" | "FALSE" | "false" => Some("False"),
        _ => None,
    }
}

fn integer(text: &str) -> String {
    text.trim()
        .parse::<i64>()
        .map_or_else(|_| text.to_owned(), |number| number.to_string())
}

/// Reads a float as pandas does; Rust's own `nan` is a missing value there and never arrives here.
fn read_float(text: &str) -> Option<f64> {
    let text = text.trim();
    // Rust reads `infinity` and `inf` like pandas, but also `nan` with signs.
    text.parse().ok().filter(|number: &f64| !number.is_nan())
}

/// Shows floats with as few decimals as all of them need, or in powers of ten where that gets too long or too small.
fn floats(values: &[f64]) -> Vec<String> {
    let show = |scientific: bool| -> Vec<String> {
        let shown: Vec<String> = values
            .iter()
            .map(|value| show_float(*value, scientific))
            .collect();
        trim_zeros(shown)
    };
    let fixed = show(false);
    let too_long = fixed.iter().any(|text| text.len() > PRECISION + 6);
    let has_large = values.iter().any(|value| value.abs() > 1e6);
    let has_small = values
        .iter()
        .any(|value| value.abs() > 0.0 && value.abs() < 1e-6);
    if has_small || (too_long && has_large) {
        show(true)
    } else {
        fixed
    }
}

fn show_float(value: f64, scientific: bool) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    if !scientific {
        return format!("{value:.PRECISION$}");
    }
    let text = format!("{value:.PRECISION$e}");
    match text.split_once('e') {
        Some((digits, exponent)) => {
            let (sign, exponent) = exponent
                .strip_prefix('-')
                .map_or(('+', exponent), |exponent| ('-', exponent));
            format!("{digits}e{sign}{exponent:0>2}")
        }
        None => text,
    }
}

/// Drops the zeros that all plain decimals end in, but for one after the point.
fn trim_zeros(mut shown: Vec<String>) -> Vec<String> {
    let plain = |text: &String| text.contains('.') && !text.contains('e');
    while shown.iter().any(plain)
        && shown
            .iter()
            .filter(|text| plain(text))
            .all(|text| text.ends_with('0'))
    {
        for text in shown.iter_mut().filter(|text| plain(text)) {
            text.pop();
        }
    }
    for text in shown.iter_mut().filter(|text| text.ends_with('.')) {
        text.push('0');
    }
    shown
}
