//! Functions of moments: *now* and the windows of each snapshot.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, StringArray, TimestampNanosecondArray};
use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{ScalarValue, exec_datafusion_err, exec_err};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Expr, lit};
use jiff::Timestamp;

use super::{Function, Kind, moments, nanosecond_type, texts};
use crate::clock::nanoseconds;
use crate::kubernetes::duration::{human_duration, parse_duration};
use crate::sql::recordings::{Recording, Recordings, WindowName};
use crate::tables::moment;

/// What means *now* in the engine: over snapshots with several, each of these is an error.
pub(super) const NOW: [&str; 5] = [
    "now",
    "current_timestamp",
    "current_date",
    "current_time",
    "today",
];

pub(super) fn functions(recordings: &Arc<Recordings>) -> Vec<Function> {
    let mut functions = vec![
        age(recordings),
        clock(recordings),
        since(recordings),
        in_window("in_baseline", WindowName::Baseline, recordings),
        in_window("in_fault", WindowName::Fault, recordings),
    ];
    if recordings.now().is_none() {
        functions.extend(NOW.map(|name| {
            Function::new(name, &[&[]], nanosecond_type(), move |_| {
                exec_err!("{name} is not one moment over these snapshots: write clock(snapshot)")
            })
        }));
    }
    functions
}

fn age(recordings: &Arc<Recordings>) -> Function {
    let recordings = Arc::clone(recordings);
    Function::new(
        "age",
        &[&[Kind::Time], &[Kind::Time, Kind::Time]],
        DataType::Utf8,
        move |given| {
            let times = moments(given, 0)?;
            let nows = match given.len() {
                1 => vec![Some(recordings.now().ok_or_else(several_nows)?); times.len()],
                _ => moments(given, 1)?,
            };
            let pairs = times.into_iter().zip(nows);
            let ages: StringArray = pairs
                .map(|(time, now)| Some(human_duration(now?.saturating_sub(time?))))
                .collect();
            Ok(Arc::new(ages) as ArrayRef)
        },
    )
}

fn clock(recordings: &Arc<Recordings>) -> Function {
    let now = recordings.now();
    let recordings = Arc::clone(recordings);
    Function::new("clock", &[&[Kind::Text]], nanosecond_type(), move |given| {
        let names = texts(given, 0)?.iter();
        let nows = names.map(|name| name.map(|name| known(&recordings, name)).transpose());
        let nows = nows.map(|found| Ok(found?.map(|recording| recording.now)));
        array_of_moments(nows.collect::<Result<_>>()?)
    })
    // So that conditions on it reach the files' statistics.
    .simplified(move |_, _| Ok(now.map(moment)))
}

fn since(recordings: &Arc<Recordings>) -> Function {
    let (all, one) = (Arc::clone(recordings), Arc::clone(recordings));
    Function::new(
        "since",
        &[&[Kind::Text, Kind::Text]],
        nanosecond_type(),
        move |given| {
            let names = texts(given, 0)?.iter();
            let pairs = names.zip(texts(given, 1)?.iter());
            let results = pairs.map(|pair| match pair {
                (Some(name), Some(text)) => begin(known(&all, name)?, text).map(Some),
                _ => Ok(None),
            });
            array_of_moments(results.collect::<Result<_>>()?)
        },
    )
    .simplified(move |given, _| {
        let (Some(only), Some(Expr::Literal(ScalarValue::Utf8(Some(text)), _))) =
            (one.only(), given.get(1))
        else {
            return Ok(None);
        };
        // What is wrong with the text is said when the statement runs.
        Ok(begin(only, text).ok().map(moment))
    })
}

/// The moment that a text means in a recording.
fn begin(recording: &Recording, text: &str) -> Result<i64> {
    let window =
        |name: WindowName| {
            recording.window(name).map(|window| window.from).ok_or_else(|| {
            exec_datafusion_err!(
                "it is not known when the {} of {} was: give a time or a length, such as 5m",
                name.name(),
                recording.name
            )
        })
        };
    match text.trim() {
        "" => Ok(recording.from),
        "baseline" => window(WindowName::Baseline),
        // It works from its injection on; its window begins when it is proven to.
        "fault" => match recording.injected {
            Some(injected) => Ok(injected),
            None => window(WindowName::Fault),
        },
        text => match (text.parse::<Timestamp>(), parse_duration(text)) {
            (Ok(time), _) => Ok(nanoseconds(time)),
            (_, Some(length)) => Ok(recording.now.saturating_sub(length)),
            _ => exec_err!(
                "{text:?} is no moment: give a time such as 2026-01-31T12:00:00Z, a length before now such as 5m, fault, baseline, or ''"
            ),
        },
    }
}

fn in_window(name: &'static str, window: WindowName, recordings: &Arc<Recordings>) -> Function {
    let (all, one) = (Arc::clone(recordings), Arc::clone(recordings));
    Function::new(
        name,
        &[&[Kind::Time], &[Kind::Text, Kind::Time]],
        DataType::Boolean,
        move |given| {
            if !all.know_windows() {
                return Err(no_windows());
            }
            let times = moments(given, given.len() - 1)?.into_iter();
            let held = |recording: &Recording, time: Option<i64>| {
                Some(recording.window(window)?.contains(time?))
            };
            let results: Vec<Option<bool>> = if given.len() == 1 {
                let only = all.only().ok_or_else(|| {
                    exec_datafusion_err!("over several snapshots write {name}(snapshot, time)")
                })?;
                times.map(|time| held(only, time)).collect()
            } else {
                let names = texts(given, 0)?.iter();
                let results = names.zip(times).map(|(name, time)| match name {
                    Some(name) => Ok(held(known(&all, name)?, time)),
                    None => Ok(None),
                });
                results.collect::<Result<_>>()?
            };
            Ok(Arc::new(BooleanArray::from(results)) as ArrayRef)
        },
    )
    .simplified(move |given, info| {
        let only = one.only().and_then(|only| only.window(window));
        let (Some(window), Some(time)) = (only, given.last()) else {
            return Ok(None);
        };
        let DataType::Timestamp(unit, zone) = info.get_data_type(time)? else {
            return Ok(None);
        };
        let bound = |moment: i64| lit(in_unit(moment, unit, zone.clone()));
        let time = || time.clone();
        Ok(Some(
            time()
                .gt_eq(bound(window.from))
                .and(time().lt(bound(window.to))),
        ))
    })
}

/// A moment in a column's unit, rounded up: what comes before it still does.
fn in_unit(moment: i64, unit: TimeUnit, zone: Option<Arc<str>>) -> ScalarValue {
    let rounded =
        |factor: i64| Some(moment.div_euclid(factor) + i64::from(moment.rem_euclid(factor) != 0));
    match unit {
        TimeUnit::Second => ScalarValue::TimestampSecond(rounded(1_000_000_000), zone),
        TimeUnit::Millisecond => ScalarValue::TimestampMillisecond(rounded(1_000_000), zone),
        TimeUnit::Microsecond => ScalarValue::TimestampMicrosecond(rounded(1_000), zone),
        TimeUnit::Nanosecond => ScalarValue::TimestampNanosecond(Some(moment), zone),
    }
}

fn array_of_moments(moments: Vec<Option<i64>>) -> Result<ArrayRef> {
    Ok(Arc::new(
        TimestampNanosecondArray::from(moments).with_timezone("UTC"),
    ))
}

fn known<'a>(recordings: &'a Recordings, name: &str) -> Result<&'a Recording> {
    recordings
        .named(name)
        .ok_or_else(|| exec_datafusion_err!("{name:?} is none of the snapshots"))
}

fn several_nows() -> DataFusionError {
    exec_datafusion_err!(
        "now is not one moment over these snapshots: write age(time, clock(snapshot))"
    )
}

/// Why windows can't be asked for.
pub(crate) fn no_windows() -> DataFusionError {
    exec_datafusion_err!(
        "it is not known when the baseline and the fault were: that is kept in withheld/, and no such windows are here"
    )
}
