//! OpenRCA 1.0 (telemetry CC-BY-NC-4.0): failures of the systems Bank, Market and Telecom.
//!
//! Layout, from <https://github.com/microsoft/OpenRCA> (its README, `rca/baseline/rca_agent/prompt/basic_prompt_*.py`, issue 14):
//! `SYSTEM/record.csv` with the failures, `SYSTEM/telemetry/YYYY_MM_DD/{metric,trace,log}/*.csv`, where the folders are days of
//! UTC+8. Units differ by system: spans of Bank start in ms, take ms; those of Telecom too, under other names.
//!
//! Questions of OpenRCA are about half an hour, which may hold several failures: an incident is a half
//! hour with a failure, with the half hour before it.

mod failures;
mod incidents;
mod sheets;
#[cfg(test)]
mod tests;

use camino::Utf8Path;

use super::Format;
use crate::import::ImportError;
use crate::import::engine::incident::Found;

use incidents::find_in;

const SECOND: i64 = 1_000_000_000;
/// Hours that the clocks of folders and labels are before UTC.
const ZONE: i8 = 8;

pub(super) const FORMAT: Format = Format {
    name: "openrca",
    about: "OpenRCA 1.0: the folder with Bank, Market or Telecom in it",
    proven: false,
    find,
};

fn find(root: &Utf8Path, _: &str) -> Result<Found, ImportError> {
    let mut found = Found::default();
    let mut is_openrca = false;
    for system in ["Bank", "Telecom", "Market/cloudbed-1", "Market/cloudbed-2"] {
        let record = root.join(system).join("record.csv");
        if record.exists() {
            is_openrca = true;
            find_in(root, system, &record, &mut found)?;
        }
    }
    match is_openrca {
        true => Ok(found),
        false => Err(ImportError::NotASource {
            dir: root.to_owned(),
            what: "folder of OpenRCA",
            missing: "Bank/record.csv, or that of another system",
            hint: "name the folder with Bank, Market and Telecom in it",
        }),
    }
}
