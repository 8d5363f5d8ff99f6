//! `record.csv`: the failures of a system.

use std::io::BufReader;

use camino::Utf8Path;

use super::{SECOND, ZONE};
use crate::error::SnapshotError;
use crate::files;
use crate::import::engine::csv::Reader;
use crate::import::engine::defects::Notes;
use crate::import::engine::incident::Found;
use crate::import::engine::sheet::{Header, Row};
use crate::import::engine::time::{Unit, on_clock, since_epoch};
use crate::import::{ImportError, LeftOut};

/// A failure of record.csv.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) component: String,
    pub(super) reason: String,
    pub(super) time: i64,
    pub(super) is_off: bool,
}

/// `level,component,timestamp,datetime,reason`.
pub(super) fn failures(record: &Utf8Path, found: &mut Found) -> Result<Vec<Failure>, ImportError> {
    let mut reader = Reader::new(BufReader::new(files::open(record)?));
    let mut header: Option<Header> = None;
    let mut failures = Vec::new();
    loop {
        let next = reader.next();
        let Some(row) = next.map_err(|cause| SnapshotError::io("read", record, cause))? else {
            return Ok(failures);
        };
        let failure = match (&header, row.content) {
            (None, Ok(fields)) => {
                let names = fields.to_texts();
                header = Some(Header { names });
                continue;
            }
            (Some(header), Ok(fields)) => failure(&Row {
                header,
                fields: &fields,
            }),
            (_, Err(malformed)) => Err(malformed.reason.to_owned()),
        };
        match failure {
            Ok(failure) => failures.push(failure),
            Err(reason) => found.left_out.push(LeftOut {
                what: format!("{record}:{}", row.line),
                reason,
            }),
        }
    }
}

fn failure(row: &Row<'_>) -> Result<Failure, String> {
    let time = since_epoch(row.get("timestamp")?, Unit::Seconds, &mut Notes::default())?;
    let told = on_clock(row.get("datetime")?, ZONE);
    Ok(Failure {
        component: row.get("component")?.to_owned(),
        reason: row.get("reason")?.to_owned(),
        time,
        is_off: told.is_none_or(|told| (told - time).abs() > SECOND),
    })
}
