//! Times.

use super::super::date;
use super::evaluate::{Raise, failure, missing};
use super::value::Value;

const ISO: &str = "%Y-%m-%dT%H:%M:%SZ";

/// Functions on times, in UTC.
pub(super) fn run(name: &str, input: &Value, first: &Value) -> Result<Value, Raise> {
    match name {
        "todate" | "todateiso8601" => Ok(Value::text(text(seconds(input, "strftime/1")?, ISO)?)),
        "fromdate" | "fromdateiso8601" => Ok(Value::Number(parsed(input, ISO)? as f64)),
        "strftime" => {
            let Value::Text(format) = first else {
                return Err(failure("strftime/1 requires a string format"));
            };
            Ok(Value::text(text(seconds(input, "strftime/1")?, format)?))
        }
        "strptime" => {
            let (Value::Text(_), Value::Text(format)) = (input, first) else {
                return Err(missing("strptime of no strings"));
            };
            broken(parsed(input, format)? as f64)
        }
        "gmtime" => match input {
            Value::Number(seconds) => broken(*seconds),
            _ => Err(failure("gmtime() requires a number")),
        },
        _ => match input {
            Value::Array(_) => Ok(Value::Number(from_broken(input)?.floor())),
            _ => Err(failure("mktime requires array of 6 numbers")),
        },
    }
}

fn seconds(value: &Value, name: &str) -> Result<f64, Raise> {
    match value {
        Value::Number(seconds) => Ok(*seconds),
        Value::Array(_) => from_broken(value),
        _ => Err(failure(format!("{} requires parsed datetime inputs", name))),
    }
}

fn text(seconds: f64, format: &str) -> Result<String, Raise> {
    let nanoseconds = (seconds.floor() as i128).saturating_mul(1_000_000_000);
    date::formatted(nanoseconds, format, "jq").map_err(Raise::Stop)
}

fn parsed(value: &Value, format: &str) -> Result<i64, Raise> {
    let Value::Text(text) = value else {
        return Err(failure("strptime/1 requires string inputs and arguments"));
    };
    let refused = || {
        failure(format!(
            "date \"{text}\" does not match format \"{format}\""
        ))
    };
    let known = format.is_ascii();
    if !known || format.contains("%Z") || format.contains("%z") {
        return Err(missing("strptime of that format"));
    }
    let broken = jiff::fmt::strtime::parse(format, &**text).map_err(|_| refused())?;
    let moment = broken
        .to_datetime()
        .map_err(|_| missing("strptime of a part of a time"))?;
    let zoned = moment
        .to_zoned(jiff::tz::TimeZone::UTC)
        .map_err(|_| refused())?;
    Ok(zoned.timestamp().as_second())
}

fn broken(seconds: f64) -> Result<Value, Raise> {
    let whole = jiff::Timestamp::from_second(seconds.floor() as i64);
    let whole = whole.map_err(|_| missing("of such a time"))?;
    let moment = whole.to_zoned(jiff::tz::TimeZone::UTC);
    let fraction = seconds - seconds.floor();
    let numbers = [
        f64::from(moment.year()),
        f64::from(moment.month()) - 1.0,
        f64::from(moment.day()),
        f64::from(moment.hour()),
        f64::from(moment.minute()),
        f64::from(moment.second()) + fraction,
        f64::from(moment.weekday().to_sunday_zero_offset()),
        f64::from(moment.day_of_year()) - 1.0,
    ];
    Ok(Value::array(
        numbers.into_iter().map(Value::Number).collect(),
    ))
}

fn from_broken(value: &Value) -> Result<f64, Raise> {
    let Value::Array(parts) = value else {
        return Err(failure("mktime requires array of 6 numbers"));
    };
    let mut numbers = Vec::new();
    for part in parts.iter() {
        match part {
            Value::Number(number) => numbers.push(*number),
            _ => return Err(failure("mktime requires parsed datetime inputs")),
        }
    }
    let [year, month, day, hour, minute, second, ..] = numbers.as_slice() else {
        return Err(failure("mktime requires array of 6 numbers"));
    };
    let date = jiff::civil::Date::new(*year as i16, (*month as i8).saturating_add(1), *day as i8);
    let date = date.map_err(|_| missing("mktime of such a time"))?;
    let midnight = date.to_zoned(jiff::tz::TimeZone::UTC);
    let midnight = midnight.map_err(|_| missing("mktime of such a time"))?;
    let clock = hour * 3600.0 + minute * 60.0 + second;
    Ok(midnight.timestamp().as_second() as f64 + clock)
}
