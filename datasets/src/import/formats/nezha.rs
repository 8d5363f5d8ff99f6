//! Nezha (FSE'23, MIT): faults injected into Online Boutique (2022-08-22, -23) and Train-Ticket (2023-01-29, -30), with metrics by
//! the day and traces and log lines by the minute.
//!
//! Layout, from <https://github.com/IntelligentDDS/Nezha> and its files: `rca_data/DAY/{log,trace,traceid}/HH_MM_*.csv` hold
//! the minute before `HH:MM`, `rca_data/DAY/metric/*.csv` the whole day, `rca_data/DAY/DAY-fault_list.json` the injections;
//! `construct_data/DAY` is a minute without a fault.
//!
//! An incident is an injection whose minute is there. It gets the minutes around it that no other
//! injection lies in, the day's minute without a fault, and the metrics from 15 minutes before on.

mod incidents;
mod sheets;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use camino::Utf8Path;

use super::Format;
use crate::files;
use crate::import::ImportError;
use crate::import::engine::incident::Found;

use incidents::{Day, Fault, find_in};

pub(super) const FORMAT: Format = Format {
    name: "nezha",
    about: "Nezha (FSE'23): the folder with rca_data in it",
    proven: true,
    find,
};

fn find(root: &Utf8Path, _: &str) -> Result<Found, ImportError> {
    let mut found = Found::default();
    let days = files::list(&root.join("rca_data"))?;
    let mut is_nezha = false;
    for day in days {
        let list = format!("rca_data/{day}/{day}-fault_list.json");
        let Ok(faults) = files::read_json(&root.join(&list)) else {
            continue;
        };
        is_nezha = true;
        let by_hour: BTreeMap<String, Vec<Fault>> = serde_json::from_value(faults)
            .map_err(|cause| ImportError::labels(root.join(&list), &cause))?;
        find_in(&Day::read(root, &day)?, by_hour, &list, &mut found)?;
    }
    match is_nezha {
        true => Ok(found),
        false => Err(ImportError::NotASource {
            dir: root.to_owned(),
            what: "folder of Nezha",
            missing: "rca_data/DAY/DAY-fault_list.json",
            hint: "name the folder of the repository, with rca_data in it",
        }),
    }
}
