//! An incident per half hour with failures: its days' files, and what is true of it.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use super::failures::{Failure, failures};
use super::sheets::{
    BANK_APP, BANK_TRACES, KPIS, LOGS, MARKET_SERVICE, MARKET_TRACES, TELECOM_APP, TELECOM_KPIS,
    TELECOM_TRACES,
};
use super::{SECOND, ZONE};
use crate::files;
use crate::import::engine::defects::Rule;
use crate::import::engine::incident::{Found, ImportedTruth, Incident, Part};
use crate::import::engine::time::moment;
use crate::import::{ImportError, LeftOut};

const HALF_HOUR: i64 = 1_800 * SECOND;

const LOCAL_DAYS: Rule = Rule::repaired(
    "local_day_folders",
    "the folders are days of UTC+8: files are looked for under the local date",
);
const LABEL_CLOCKS: Rule = Rule::repaired(
    "label_clocks_differ",
    "timestamp and datetime (UTC+8) of a failure are different moments: timestamp is taken",
);

pub(super) fn find_in(
    root: &Utf8Path,
    system: &str,
    record: &Utf8Path,
    found: &mut Found,
) -> Result<(), ImportError> {
    let mut slots: BTreeMap<i64, Vec<Failure>> = BTreeMap::new();
    for failure in failures(record, found)? {
        let slot = failure.time.div_euclid(HALF_HOUR) * HALF_HOUR;
        slots.entry(slot).or_default().push(failure);
    }
    for (slot, failures) in slots {
        let from = slot - HALF_HOUR;
        let to = slot + HALF_HOUR;
        let mut incident = incident(system, slot, failures);
        // The half hour before may lie in the day before.
        let mut days = vec![day(from), day(slot)];
        days.dedup();
        for day in &days {
            let folder = Utf8PathBuf::from(format!("{system}/telemetry/{day}"));
            add_files(root, system, &folder, (from, to), &mut incident)?;
        }
        if incident.parts.is_empty() {
            found.left_out.push(LeftOut {
                what: format!("{system}: the failures of {}", moment(slot)),
                reason: format!(
                    "there are no files in {system}/telemetry/{}",
                    days.join(" or ")
                ),
            });
            continue;
        }
        let place = format!("{system}/telemetry/{}", days.join(", "));
        incident.defects.push((&LOCAL_DAYS, place));
        found.incidents.push(incident);
    }
    Ok(())
}

/// `2021_03_04` of UTC+8.
fn day(time: i64) -> String {
    let local = time + i64::from(ZONE) * 3_600 * SECOND;
    moment(local).strftime("%Y_%m_%d").to_string()
}

fn incident(system: &str, slot: i64, failures: Vec<Failure>) -> Incident {
    let words = system.to_lowercase().replace('/', "-");
    let name = format!(
        "openrca-{words}-{}",
        moment(slot).strftime("%Y-%m-%dT%H%MZ")
    );
    let mut components: Vec<String> = Vec::new();
    for failure in &failures {
        if !components.contains(&failure.component) {
            components.push(failure.component.clone());
        }
    }
    let list = |of: fn(&Failure) -> &str| failures.iter().map(of).collect::<Vec<_>>().join(", ");
    let reasons = list(|failure| &failure.reason);
    let first = failures.iter().map(|failure| failure.time).min();
    let off = failures.iter().filter(|failure| failure.is_off);
    let defects = off.map(|failure| {
        let place = format!("{system}/record.csv: {}", moment(failure.time));
        (&LABEL_CLOCKS, place)
    });
    Incident {
        truth: Some(ImportedTruth {
            name: name.clone(),
            application: format!("openrca-{words}"),
            anomaly: true,
            faulty: vec![components],
            injected: first.map(moment),
            ended: None,
            kind: reasons.clone(),
            summary: format!("{reasons} in {} (OpenRCA)", list(|one| &one.component)),
        }),
        application: format!("openrca-{words}"),
        namespace: words,
        defects: defects.collect(),
        parts: Vec::new(),
        unread: Vec::new(),
        name,
    }
}

fn add_files(
    root: &Utf8Path,
    system: &str,
    folder: &Utf8Path,
    window: (i64, i64),
    incident: &mut Incident,
) -> Result<(), ImportError> {
    for kind in ["metric", "trace", "log"] {
        for name in files::list(&root.join(folder).join(kind))? {
            let path = folder.join(kind).join(&name);
            let sheet = match (system, kind, name.as_str()) {
                ("Bank", "metric", "metric_app.csv") => Some(&BANK_APP),
                ("Telecom", "metric", "metric_app.csv") => Some(&TELECOM_APP),
                ("Telecom", "metric", _) => Some(&TELECOM_KPIS),
                (_, "metric", "metric_service.csv") => Some(&MARKET_SERVICE),
                (_, "metric", _) => Some(&KPIS),
                ("Bank", "trace", _) => Some(&BANK_TRACES),
                ("Telecom", "trace", _) => Some(&TELECOM_TRACES),
                (_, "trace", _) => Some(&MARKET_TRACES),
                (_, "log", _) => Some(&LOGS),
                _ => None,
            };
            match sheet.filter(|_| name.ends_with(".csv")) {
                Some(sheet) => incident.parts.push(Part {
                    window: Some(window),
                    ..Part::new(path, sheet)
                }),
                None => incident.unread.push(LeftOut {
                    what: path.into_string(),
                    reason: "no file of the documented layout".to_owned(),
                }),
            }
        }
    }
    Ok(())
}
