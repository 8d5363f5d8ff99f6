//! `sql` and `query`: which snapshots, at which moment, what is asked of them.

use camino::Utf8PathBuf;
use clap::Args;

use super::Format;

/// `sql`.
#[derive(Debug, Args)]
#[command(after_help = "\
Without a statement there is a prompt (\\? lists its commands), or the statements come from standard input.
Several statements are separated by semicolons. Tables, views and functions: docs/sql.md

Examples:
  aiopslab sql -s scale_pod_zero_testbed-1
  aiopslab sql -s scale_pod_zero_testbed-1 'show tables'
  aiopslab sql -s captures/ 'select snapshot, count(*) from changes group by snapshot'
  aiopslab sql -s my-capture \"select name, count(*) from objects group by name\" --format csv
  aiopslab sql -s my-capture -f report.sql --format parquet >report.parquet")]
pub struct Sql {
    /// Which snapshots, at which moment.
    #[command(flatten)]
    pub at: At,
    /// The statement
    pub query: Option<String>,
    /// Read the statement from a file
    #[arg(short, long, conflicts_with = "query")]
    pub file: Option<Utf8PathBuf>,
    /// How rows are printed.
    #[command(flatten)]
    pub output: Output,
}

/// Which snapshots, at which moment.
#[derive(Debug, Clone, Args)]
pub struct At {
    /// A snapshot: a folder, a URL or the name of a sample; or a folder of snapshots, or a release. Several by giving it again
    #[arg(short, long = "snapshot", value_name = "SNAPSHOT", required = true)]
    pub snapshots: Vec<Utf8PathBuf>,
    /// Where the clock stands: end, before-fault, or a moment (RFC 3339)
    #[arg(long, default_value = "end")]
    pub clock: String,
}

/// How rows are printed, and what computing them may take.
#[derive(Debug, Clone, Args)]
pub struct Output {
    /// How rows are printed
    #[arg(long, value_enum, default_value = "table")]
    pub format: Format,
    /// What queries may hold in memory; what needs more is spilled to the temporary folder
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = bytes)]
    pub memory: usize,
}

/// `query`.
#[derive(Debug, Args)]
#[command(after_help = "\
Without a name the queries are listed; without a snapshot one is explained.

Examples:
  aiopslab query what-changed
  aiopslab query what-changed -s k8s_target_port_misconfig_testbed-1 since=5m
  aiopslab query service-errors -s captures/ --format csv")]
pub struct Query {
    /// The query
    pub name: Option<String>,
    /// Its parameters
    #[arg(value_name = "NAME=VALUE")]
    pub parameters: Vec<String>,
    /// A snapshot: a folder, a URL or the name of a sample; or a folder of snapshots, or a release. Several by giving it again
    #[arg(short, long = "snapshot", value_name = "SNAPSHOT")]
    pub snapshots: Vec<Utf8PathBuf>,
    /// Where the clock stands: end, before-fault, or a moment (RFC 3339)
    #[arg(long, default_value = "end")]
    pub clock: String,
    /// How rows are printed.
    #[command(flatten)]
    pub output: Output,
}

/// A number of bytes: `512MiB`, `2GB`, `1000000`.
pub(super) fn bytes(text: &str) -> Result<usize, String> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit());
    let (number, unit) = text.split_at(digits.unwrap_or(text.len()));
    let scale: usize = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return Err("a size is a number with B, kB, MB, GB, KiB, MiB or GiB".to_owned()),
    };
    let number: usize = number
        .parse()
        .map_err(|_| "a size begins with a whole number".to_owned())?;
    match number.checked_mul(scale) {
        Some(0) => Err("some memory is needed".to_owned()),
        Some(bytes) => Ok(bytes),
        None => Err("that is more than this machine can address".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (text, expected) in [("1GiB", 1 << 30), ("20 MB", 20_000_000), ("7", 7)] {
            assert_eq!(bytes(text), Ok(expected), "{text}");
        }
        for text in ["GiB", "1 TB", "0", "-1", "1.5GiB", "99999999999GiB"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }
}
