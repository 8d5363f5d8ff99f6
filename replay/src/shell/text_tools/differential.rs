//! The text tools against the machine's own: hand-written invocations and generated ones.
//!
//! Standard output and exit code must be equal, and of an error the first line. What can't be equal
//! stands in `differential/differences.txt` with its reason.

mod generate;
mod invocation;
mod texts;

use std::collections::BTreeMap;
use std::fmt::Write;

use invocation::{Invocation, Outcome, Real};

/// Debian packages that the comparison needs: grep, sed, coreutils, util-linux and bash are there.
const PACKAGES: [&str; 4] = ["bsdextrautils", "gawk", "jq", "ripgrep"];

/// Programs that must be there, or the comparison fails.
const PROGRAMS: [&str; 7] = ["bash", "column", "gawk", "grep", "jq", "rg", "sed"];

/// Hand-written invocations: `INPUT: PROGRAM ARGUMENTS`, one a line.
const TABLES: [&str; 5] = [
    include_str!("differential/search.txt"),
    include_str!("differential/lines.txt"),
    include_str!("differential/sed.txt"),
    include_str!("differential/jq.txt"),
    include_str!("differential/awk.txt"),
];

/// Invocations that differ for a reason: the invocation, ` ## `, the reason.
const DIFFERENCES: &str = include_str!("differential/differences.txt");

/// Generated invocations of each program.
const GENERATED: usize = 150;

#[test]
fn the_tools_equal_the_machines() {
    let required = std::env::var("AIOPSLAB_INTEROP").is_ok_and(|value| value == "1");
    if !required {
        println!("skipped: AIOPSLAB_INTEROP=1 compares with the programs of this machine");
        return;
    }
    for program in PROGRAMS {
        let found = std::process::Command::new(program)
            .arg("--version")
            .output();
        assert!(
            found.is_ok(),
            "{program} is missing: apt-get install {}",
            PACKAGES.join(" ")
        );
    }
    let mut invocations: Vec<Invocation> = TABLES
        .iter()
        .flat_map(|table| table.lines())
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
        .map(Invocation::parse)
        .collect();
    let written = invocations.len();
    invocations.extend(generate::all(GENERATED));
    let differences: BTreeMap<&str, &str> = DIFFERENCES
        .lines()
        .filter_map(|line| line.split_once(" ## "))
        .collect();
    let report = compare(&invocations, written, &differences);
    println!("{}", report.summary);
    assert!(
        report.unexplained.is_empty(),
        "{} of {} invocations differ:\n{}",
        report.unexplained.len(),
        invocations.len(),
        report.unexplained.join("\n")
    );
}

struct Report {
    summary: String,
    unexplained: Vec<String>,
}

/// How the invocations of a program went.
#[derive(Default)]
struct Tally {
    equal: usize,
    refused: usize,
    explained: usize,
    different: usize,
}

fn compare(
    invocations: &[Invocation],
    written: usize,
    differences: &BTreeMap<&str, &str>,
) -> Report {
    let real = Real::new();
    let outcomes = real.run(invocations);
    let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
    let mut unexplained = Vec::new();
    for (position, (invocation, theirs)) in invocations.iter().zip(&outcomes).enumerate() {
        let tally = tallies.entry(invocation.program()).or_default();
        let ours = invocation.run();
        let explained = differences.contains_key(invocation.to_string().as_str());
        let difference = match &ours {
            Outcome::Refused(notice) => {
                tally.refused += 1;
                // What is written by hand is meant to be interpreted.
                (position < written && !explained).then(|| format!("  notice {notice}"))
            }
            ours => difference(invocation, ours, theirs),
        };
        match difference {
            None if matches!(ours, Outcome::Refused(_)) => {}
            None => tally.equal += 1,
            Some(_) if explained => tally.explained += 1,
            Some(text) => {
                tally.different += 1;
                unexplained.push(format!("{invocation}\n{text}"));
            }
        }
    }
    let mut summary = String::new();
    for (program, tally) in &tallies {
        let _ = writeln!(
            summary,
            "{program}: {} equal, {} refused, {} explained, {} different",
            tally.equal, tally.refused, tally.explained, tally.different
        );
    }
    let total: usize = tallies.values().map(|tally| tally.equal).sum();
    let _ = write!(
        summary,
        "{total} of {} invocations are equal",
        invocations.len()
    );
    Report {
        summary,
        unexplained,
    }
}

fn difference(invocation: &Invocation, ours: &Outcome, theirs: &Outcome) -> Option<String> {
    let (Outcome::Done(ours), Outcome::Done(theirs)) = (ours, theirs) else {
        return Some(format!("  ours {ours:?}\n  real {theirs:?}"));
    };
    let first = |text: &str| text.lines().next().unwrap_or_default().to_owned();
    // Real folders and arrays have no order.
    let sorted = |text: &str| -> Vec<String> {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        if invocation.is_unordered() {
            lines.sort();
        }
        lines
    };
    let failed = ours.exit_code != 0 || theirs.exit_code != 0;
    let same = (ours.stdout == theirs.stdout
        || invocation.is_unordered() && sorted(&ours.stdout) == sorted(&theirs.stdout))
        && ours.exit_code == theirs.exit_code
        && (!failed || first(&ours.stderr) == first(&theirs.stderr));
    (!same).then(|| format!("  ours {ours:?}\n  real {theirs:?}"))
}
