//! OpenRCA's CSV files: predictions, questions (`query.csv`), and its archive, which is both.

use std::collections::BTreeMap;

use ::csv::{ReaderBuilder, StringRecord};

use super::super::Unreadable;
use super::archive::Archive;
use super::{Criteria, MOST_FAILURES};

/// A prediction, as an agent wrote it.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// Where it begins in its file.
    pub line: u64,
    /// Its number (`row_id`), if it has one.
    pub row: Option<f64>,
    /// What was written.
    pub text: String,
    /// The score that it came with (`score`).
    pub archived: Option<f64>,
}

/// A question, as it is scored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Its task, 1 to 7: what is asked for.
    pub task: u8,
    /// What is right.
    pub criteria: Criteria,
}

/// The rows of a file, in the order of `row_id` where there is such a column.
pub(super) struct Table {
    columns: BTreeMap<String, usize>,
    rows: Vec<StringRecord>,
}

impl Table {
    fn read(text: &str) -> Result<Self, Unreadable> {
        let mut reader = ReaderBuilder::new().from_reader(text.as_bytes());
        let wrong = |error: ::csv::Error| {
            let line = error.position().map_or(1, ::csv::Position::line);
            Unreadable::new(line, format!("it is no CSV: {error}"))
        };
        let header = reader.headers().map_err(wrong)?.clone();
        let names = header
            .iter()
            .map(|name| name.trim_start_matches('\u{feff}'));
        let columns = names.map(str::to_owned).zip(0..).collect();
        let mut table = Self {
            columns,
            rows: Vec::new(),
        };
        for row in reader.into_records() {
            table.rows.push(row.map_err(wrong)?);
        }
        table.sort()?;
        Ok(table)
    }

    fn sort(&mut self) -> Result<(), Unreadable> {
        if !self.columns.contains_key("row_id") {
            return Ok(());
        }
        let mut numbered = Vec::new();
        for row in std::mem::take(&mut self.rows) {
            let number = self.number(&row, "row_id")?.ok_or_else(|| {
                Unreadable::new(
                    line(&row),
                    "its row_id is empty, others have one".to_owned(),
                )
            })?;
            numbered.push((number, row));
        }
        numbered.sort_by(|left, right| left.0.total_cmp(&right.0));
        self.rows = numbered.into_iter().map(|(_, row)| row).collect();
        Ok(())
    }

    pub(super) fn has(&self, column: &str) -> bool {
        self.columns.contains_key(column)
    }

    pub(super) fn rows(&self) -> &[StringRecord] {
        &self.rows
    }

    /// A field.
    pub(super) fn field<'a>(
        &self,
        row: &'a StringRecord,
        column: &str,
    ) -> Result<&'a str, Unreadable> {
        let place = self.columns.get(column).ok_or_else(|| {
            let names: Vec<&str> = self.columns.keys().map(String::as_str).collect();
            let what = format!(
                "there is no column {column:?}; the columns are {}",
                names.join(", ")
            );
            Unreadable::new(1, what)
        })?;
        Ok(row.get(*place).unwrap_or_default())
    }

    fn number(&self, row: &StringRecord, column: &str) -> Result<Option<f64>, Unreadable> {
        match self.field(row, column)?.trim() {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| {
                Unreadable::new(line(row), format!("its {column} is {text:?}, no number"))
            }),
        }
    }
}

/// Where a row begins.
pub(super) fn line(row: &StringRecord) -> u64 {
    row.position().map_or(1, ::csv::Position::line)
}

/// Reads predictions: the column `prediction`, and `row_id` and `score` where they are there.
///
/// # Errors
/// When it is no CSV file with such columns.
pub fn predictions(text: &str) -> Result<Vec<Prediction>, Unreadable> {
    let table = Table::read(text)?;
    let optional = |row: &StringRecord, column: &str| match table.has(column) {
        true => table.number(row, column),
        false => Ok(None),
    };
    let predictions = table.rows().iter().map(|row| {
        Ok(Prediction {
            line: line(row),
            row: optional(row, "row_id")?,
            text: table.field(row, "prediction")?.to_owned(),
            archived: optional(row, "score")?,
        })
    });
    predictions.collect()
}

/// Reads questions: the columns `task_index` and `scoring_points` of a `query.csv`, or an archive, whose columns
/// `groundtruth`, `passed` and `failed` say the same.
///
/// # Errors
/// When it is neither, or a question's criteria can't be made out.
pub fn questions(text: &str) -> Result<Vec<Question>, Unreadable> {
    let table = Table::read(text)?;
    let archive = match table.has("scoring_points") {
        true => None,
        false => Some(Archive::new(&table)?),
    };
    let questions = table.rows().iter().map(|row| {
        let task = task(&table, row)?;
        let criteria = match &archive {
            Some(archive) => archive.criteria(&table, row, task)?,
            None => Criteria::read(table.field(row, "scoring_points")?),
        };
        match criteria.failures() {
            0 => Err(Unreadable::new(line(row), "it has no scoring points")),
            1..=MOST_FAILURES => Ok(Question { task, criteria }),
            many => Err(Unreadable::new(
                line(row),
                format!("it is of {many} failures; at most {MOST_FAILURES} can be scored"),
            )),
        }
    });
    questions.collect()
}

fn task(table: &Table, row: &StringRecord) -> Result<u8, Unreadable> {
    let text = table.field(row, "task_index")?;
    let number = text.strip_prefix("task_").and_then(|one| one.parse().ok());
    number.filter(|task| (1..=7).contains(task)).ok_or_else(|| {
        let what = format!("its task_index is {text:?}, not task_1 to task_7");
        Unreadable::new(line(row), what)
    })
}
