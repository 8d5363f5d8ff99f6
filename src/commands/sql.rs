//! `aiopslab sql` and `aiopslab query`: a snapshot in SQL, reading only.

use std::collections::BTreeMap;
use std::io::Write;

use aiopslab_datasets::Snapshot;
use aiopslab_replay::clock::Clock;
use aiopslab_replay::queries::{queries, query};
use aiopslab_replay::sql::{QueryAnswer, sql};
use arrow::array::RecordBatch;
use arrow::util::display::FormatOptions;
use arrow::util::pretty::pretty_format_batches_with_options;

use crate::cli::{Format, Query, Sql};
use crate::exit::Failure;
use crate::library::Library;
use crate::output::print;
use crate::settings::Settings;

pub(super) async fn statement(arguments: Sql, settings: &Settings) -> Result<(), Failure> {
    let text = match (arguments.query, &arguments.file) {
        (Some(text), _) => text,
        (None, Some(path)) => std::fs::read_to_string(path)
            .map_err(|error| Failure::user(format!("the file {path} can't be read: {error}")))?,
        (None, None) => {
            return Err(Failure::user(
                "there is no statement\nhint: aiopslab sql -s SNAPSHOT 'show tables'",
            ));
        }
    };
    answer(
        &arguments.at.snapshot,
        &arguments.at.clock,
        &text,
        arguments.format,
        settings,
    )
    .await
}

pub(super) async fn named(arguments: Query, settings: &Settings) -> Result<(), Failure> {
    let Some(name) = &arguments.name else {
        for query in queries() {
            print(&format!("{:<22} {}\n", query.name, query.title));
        }
        return Ok(());
    };
    let query = query(name)?;
    let Some(snapshot) = &arguments.snapshot else {
        return Err(Failure::user(format!(
            "on which snapshot?\nhint: aiopslab query {name} -s SNAPSHOT"
        )));
    };
    let mut values = BTreeMap::new();
    for pair in &arguments.parameters {
        let (name, value) = pair
            .split_once('=')
            .ok_or_else(|| Failure::user(format!("{pair:?} is no parameter\nhint: NAME=VALUE")))?;
        values.insert(name.to_owned(), value.to_owned());
    }
    answer(
        snapshot,
        &arguments.clock,
        &query.render(&values)?,
        arguments.format,
        settings,
    )
    .await
}

async fn answer(
    snapshot: &str,
    clock: &str,
    text: &str,
    format: Format,
    settings: &Settings,
) -> Result<(), Failure> {
    let library = Library::open(settings)?;
    let snapshot = Snapshot::open(&library.find(snapshot)?)?;
    let answer = sql(&snapshot, clock.parse::<Clock>()?, text).await?;
    show(&answer, format)
}

fn show(answer: &QueryAnswer, format: Format) -> Result<(), Failure> {
    match format {
        Format::Table => {
            let options = FormatOptions::new().with_display_error(true).with_null("-");
            // Without a row, an empty batch still shows the columns.
            let empty = [RecordBatch::new_empty(answer.schema.clone())];
            let batches = if answer.rows() == 0 {
                &empty[..]
            } else {
                &answer.batches[..]
            };
            print(&format!(
                "{}\n{} rows\n",
                pretty_format_batches_with_options(batches, &options)?,
                answer.rows()
            ));
        }
        Format::Csv => {
            let mut out = Vec::new();
            let mut writer = arrow::csv::WriterBuilder::new()
                .with_header(true)
                .build(&mut out);
            for batch in &answer.batches {
                writer.write(batch)?;
            }
            drop(writer);
            print(&String::from_utf8_lossy(&out));
        }
        Format::Json => {
            let mut out = Vec::new();
            let mut writer = arrow::json::LineDelimitedWriter::new(&mut out);
            for batch in &answer.batches {
                writer.write(batch)?;
            }
            writer.finish()?;
            print(&String::from_utf8_lossy(&out));
        }
        Format::Parquet => std::io::stdout().lock().write_all(&answer.to_parquet()?)?,
    }
    Ok(())
}
