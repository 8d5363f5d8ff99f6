//! A folder of pods' logs, as `kubectl logs --timestamps` prints them or the kubelet keeps them.
//!
//! Layouts: `NAMESPACE/POD/CONTAINER.log` (and `CONTAINER-previous.log`), each line with a time in RFC 3339 before it; the kubelet's
//! `NAMESPACE_POD_UID/CONTAINER/N.log`, lines as the CRI has them: time, stream, `F` (or `P` for a part of a line), text
//! (<https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md>).
//!
//! A folder is one recording; nothing in it says what is true.

use camino::Utf8Path;

use super::Format;
use crate::files;
use crate::import::engine::defects::{Notes, Rule};
use crate::import::engine::incident::{Found, Part};
use crate::import::engine::names::service_of_pod;
use crate::import::engine::sheet::{Line, Logs, Row, Rows, Sheet, When};
use crate::import::engine::source::LINE;
use crate::import::engine::time::rfc3339;
use crate::import::{ImportError, LeftOut};

pub(super) const FORMAT: Format = Format {
    name: "pod-logs",
    about: "logs of pods with times: a folder with NAMESPACE/POD/CONTAINER.log, or a node's /var/log/pods",
    proven: false,
    find,
};

const PART_OF_A_LINE: Rule = Rule::noted(
    "part_of_a_line",
    "the container runtime split a long line: its parts are lines of their own",
);

const NAMESPACE: &str = "namespace";
const POD: &str = "pod";
const CONTAINER: &str = "container";

static PRINTED: Sheet = sheet("log lines", printed);
static KEPT: Sheet = sheet("log lines of the runtime", kept);

const fn sheet(name: &'static str, line: fn(&str, i64, &mut Notes) -> Line) -> Sheet {
    Sheet {
        name,
        columns: &[LINE, NAMESPACE, POD, CONTAINER],
        // An application may say the same twice.
        unique: false,
        time: When::Found(&[LINE], time),
        rows: Rows::Logs(Logs {
            namespace: Some(NAMESPACE),
            pod: POD,
            container: Some(CONTAINER),
            node: None,
            service: service_of_pod,
            message: LINE,
            line,
            trace: None,
        }),
        partial: Some("only what the folder has: logs may have been rotated away"),
    }
}

fn time(row: &Row<'_>, _: &mut Notes) -> Result<i64, String> {
    let line = row.get(LINE)?;
    let stamp = line.split(' ').next().unwrap_or_default();
    rfc3339(stamp).ok_or_else(|| "the line does not begin with a time".to_owned())
}

fn printed(line: &str, _: i64, _: &mut Notes) -> Line {
    let message = line.split_once(' ').map_or("", |(_, message)| message);
    Line {
        message: message.to_owned(),
        stream: None,
    }
}

fn kept(line: &str, _: i64, notes: &mut Notes) -> Line {
    let mut words = line.splitn(4, ' ').skip(1);
    let (stream, tag, message) = (words.next(), words.next(), words.next());
    if tag == Some("P") {
        notes.note(&PART_OF_A_LINE);
    }
    Line {
        message: message.unwrap_or_default().to_owned(),
        stream: stream.map(str::to_owned),
    }
}

fn find(root: &Utf8Path, _: &str) -> Result<Found, ImportError> {
    let mut parts = Vec::new();
    let mut unread = Vec::new();
    for first in files::list(root)? {
        for second in files::list(&root.join(&first))? {
            let folder = Utf8Path::new(&first).join(&second);
            for name in files::list(&root.join(&folder))? {
                let path = folder.join(&name);
                let stem = name.strip_suffix(".log");
                let mut pod = first.split('_');
                let kubelet = (pod.next(), pod.next(), pod.next(), pod.next());
                let (sheet, constants) = match (stem, kubelet) {
                    (None, _) => {
                        unread.push(LeftOut {
                            what: path.into_string(),
                            reason: "it is no *.log".to_owned(),
                        });
                        continue;
                    }
                    (Some(_), (Some(namespace), Some(pod), Some(_), None)) => {
                        (&KEPT, [namespace, pod, second.as_str()])
                    }
                    (Some(stem), _) => {
                        let container = stem.strip_suffix("-previous").unwrap_or(stem);
                        (&PRINTED, [first.as_str(), second.as_str(), container])
                    }
                };
                let names = [NAMESPACE, POD, CONTAINER];
                let constants = names.into_iter().zip(constants);
                parts.push(Part {
                    lines: Some(
                        constants
                            .map(|(name, value)| (name, value.to_owned()))
                            .collect(),
                    ),
                    ..Part::new(path, sheet)
                });
            }
        }
    }
    if parts.is_empty() {
        return Err(ImportError::NotASource {
            dir: root.to_owned(),
            what: "folder of pods' logs",
            missing: "NAMESPACE/POD/CONTAINER.log",
            hint: "name the folder above the namespaces, or a copy of /var/log/pods",
        });
    }
    Ok(Found::recording("pod-logs", "pod-logs", parts, unread))
}

#[cfg(test)]
mod tests {
    use crate::import::formats::testing::Source;
    use crate::rows::{LogInstance, LogLine};

    #[test]
    fn folders_of_both_layouts_are_read() {
        println!("unproven: logs of pods were tried on these files only");
        let taken = Source::of(&[
            (
                "shop/cart-5b67c48447-mv5hb/app.log",
                "2026-01-31T12:00:01.5Z up again\n2026-01-31T12:00:01.5Z up again\nno time\n2026-01-31T12:00:02Z \n",
            ),
            (
                "shop/cart-5b67c48447-mv5hb/app-previous.log",
                "2026-01-31T12:00:00.25Z \"going\" down, now\n",
            ),
            (
                "pay_pay-0_0d1c/main/0.log",
                "2026-01-31T12:00:00.1Z stderr P half \n2026-01-31T12:00:00.2Z stderr F a line\n",
            ),
            ("shop/cart-5b67c48447-mv5hb/notes.txt", "x"),
        ])
        .import("pod-logs");
        assert_eq!(taken.tally("log lines"), [5, 4, 1, 0]);
        assert_eq!(taken.tally("log lines of the runtime"), [2, 2, 0, 0]);
        let defects: Vec<_> = taken.defects().into_iter().collect();
        assert_eq!(defects, [("part_of_a_line", 1), ("unreadable_value", 1)]);
        let lines: Vec<LogLine> = taken.rows();
        let seen: Vec<_> = lines
            .iter()
            .map(|line| {
                let message = String::from_utf8_lossy(&line.message).into_owned();
                (
                    line.namespace.as_str(),
                    line.service.as_deref(),
                    line.seq,
                    message,
                )
            })
            .collect();
        let of = |namespace, service, seq, message: &str| {
            (namespace, Some(service), seq, message.to_owned())
        };
        assert_eq!(
            seen,
            [
                of("pay", "pay-0", 0, "half "),
                of("pay", "pay-0", 1, "a line"),
                of("shop", "cart", 0, "\"going\" down, now"),
                of("shop", "cart", 1, "up again"),
                of("shop", "cart", 2, "up again"),
                of("shop", "cart", 3, ""),
            ]
        );
        assert_eq!(lines[0].stream.as_deref(), Some("stderr"));
        let instances: Vec<LogInstance> = taken.rows();
        assert_eq!(instances.len(), 2);
        assert_eq!(taken.one().manifest.namespaces, ["pay", "shop"]);
    }
}
