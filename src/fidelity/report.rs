//! What a person reads of a fidelity measurement, and what decides whether it is good enough.

use aiopslab_datasets::probes::Tool;

use super::{EXPLAINED_AT_MOST_ONE_IN, Fidelity, Judged, Judgement, rules};

/// Lines of one difference that are shown.
const LINES: usize = 40;

/// How many probes of a tool came to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    /// All of them.
    asked: usize,
    /// The same answer.
    equal: usize,
    /// The same but for what rules explain.
    explained: usize,
    /// Of these the ones that lack only what is withheld on purpose.
    withheld: usize,
    /// Another answer.
    different: usize,
    /// The replay says that it can't know.
    not_captured: usize,
    /// Another answer while objects changed.
    moving: usize,
    /// Nothing answers them yet.
    no_engine: usize,
}

impl Counts {
    fn of<'a>(results: impl IntoIterator<Item = &'a Judged>) -> Self {
        let mut counts = Self::default();
        for result in results {
            counts.asked += 1;
            if let Judgement::Explained { rules } = &result.judgement
                && rules.iter().all(|rule| *rule == rules::HELPER)
            {
                counts.withheld += 1;
            }
            *match &result.judgement {
                Judgement::Equal => &mut counts.equal,
                Judgement::Explained { .. } => &mut counts.explained,
                Judgement::Different { .. } => &mut counts.different,
                Judgement::NotCaptured { .. } => &mut counts.not_captured,
                Judgement::Moving { .. } => &mut counts.moving,
                Judgement::NoEngine => &mut counts.no_engine,
            } += 1;
        }
        counts
    }

    /// Whether nothing differs without an explanation, and little with one.
    ///
    /// What is withheld on purpose does not count: whatever names all pods shows it, however many ask.
    fn passes(self) -> bool {
        let ratio_of = self.asked - self.no_engine;
        let explained = self.explained - self.withheld;
        self.different == 0 && explained * EXPLAINED_AT_MOST_ONE_IN <= ratio_of
    }
}

/// The counts of a tool over several snapshots.
fn of_tool(all: &[Fidelity], tool: Tool) -> Counts {
    let results = all.iter().flat_map(|one| &one.results);
    Counts::of(results.filter(|result| result.tool == tool))
}

/// Whether every tool passes.
#[must_use]
pub fn passes(all: &[Fidelity]) -> bool {
    Tool::ALL.iter().all(|tool| of_tool(all, *tool).passes())
}

/// The report on several snapshots, with so many differences of each.
#[must_use]
pub fn render(all: &[Fidelity], show: usize) -> String {
    let mut out = String::new();
    for one in all {
        table(
            &mut out,
            &format!(
                "{}: the live system's answers, and the replay's",
                one.snapshot
            ),
            std::slice::from_ref(one),
        );
        details(&mut out, one, show);
    }
    if all.len() > 1 {
        table(&mut out, &format!("all {} snapshots", all.len()), all);
    }
    explanations(&mut out, all);
    out
}

fn table(out: &mut String, title: &str, all: &[Fidelity]) {
    out.push_str(title);
    out.push_str("\n\n");
    let columns = [
        "asked",
        "equal",
        "explained",
        "different",
        "not captured",
        "moving",
        "no engine yet",
    ];
    let mut row = |name: &str, cells: [String; 7]| {
        let mut line = format!("{name:<11}");
        for (cell, column) in cells.iter().zip(columns) {
            line.push_str(&format!("  {cell:>width$}", width = column.len()));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    };
    row("tool", columns.map(str::to_owned));
    let cells = |counts: Counts| {
        [
            counts.asked,
            counts.equal,
            counts.explained,
            counts.different,
            counts.not_captured,
            counts.moving,
            counts.no_engine,
        ]
        .map(|count| count.to_string())
    };
    for tool in Tool::ALL {
        row(tool.name(), cells(of_tool(all, tool)));
    }
    row(
        "all",
        cells(Counts::of(all.iter().flat_map(|one| &one.results))),
    );
    out.push('\n');
}

fn details(out: &mut String, one: &Fidelity, show: usize) {
    let mut hidden = 0;
    let mut shown = 0;
    for result in &one.results {
        let (what, difference) = match &result.judgement {
            Judgement::Different { difference } => ("different", difference),
            Judgement::Moving { difference } => ("moving", difference),
            _ => continue,
        };
        if shown == show {
            hidden += 1;
            continue;
        }
        shown += 1;
        out.push_str(&format!(
            "{what}: {}  (at {})\n",
            result.question, result.asked
        ));
        for line in difference.lines().take(LINES) {
            out.push_str(&format!("    {line}\n"));
        }
        let more = difference.lines().count().saturating_sub(LINES);
        if more > 0 {
            out.push_str(&format!("    … {more} more lines\n"));
        }
        out.push('\n');
    }
    if hidden > 0 {
        out.push_str(&format!(
            "{hidden} more differences; --show N shows N of them\n\n"
        ));
    }
    for result in &one.results {
        if let Judgement::NotCaptured { notice } = &result.judgement {
            let notice = notice.lines().last().unwrap_or_default();
            out.push_str(&format!(
                "not captured: {}\n    {notice}\n",
                result.question
            ));
        }
    }
}

fn explanations(out: &mut String, all: &[Fidelity]) {
    for rule in rules::RULES {
        let needed: usize = all
            .iter()
            .map(|one| {
                one.rules_needed()
                    .get(rule.name)
                    .copied()
                    .unwrap_or_default()
            })
            .sum();
        if needed == 0 {
            out.push_str(&format!(
                "explained by {}: nothing; without a snapshot that needs it the rule can go\n",
                rule.name
            ));
        } else {
            out.push_str(&format!(
                "explained by {}: {needed}\n    {}\n",
                rule.name, rule.reason
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(tool: Tool, judgement: Judgement) -> Judged {
        Judged {
            tool,
            kind: "get table".to_owned(),
            question: "kubectl get pods".to_owned(),
            asked: jiff::Timestamp::UNIX_EPOCH,
            judgement,
        }
    }

    fn fidelity(results: Vec<Judged>) -> Vec<Fidelity> {
        vec![Fidelity {
            snapshot: "geo-1".to_owned(),
            results,
        }]
    }

    #[test]
    fn one_difference_fails_and_so_do_many_explanations() {
        let check = |judgements: Vec<Judgement>, expected: bool| {
            let results = judgements
                .into_iter()
                .map(|one| judged(Tool::Kubectl, one))
                .collect();
            assert_eq!(passes(&fidelity(results)), expected);
        };
        let explained = || Judgement::Explained { rules: vec!["x"] };
        let mut many = vec![Judgement::Equal; 19];
        check(many.clone(), true);
        many.push(explained());
        check(many.clone(), true);
        let withheld = vec![rules::HELPER];
        many.push(Judgement::Explained { rules: withheld });
        check(many.clone(), true);
        many.push(explained());
        check(many, false);
        check(
            vec![Judgement::Different {
                difference: String::new(),
            }],
            false,
        );
        check(
            vec![
                Judgement::NoEngine,
                Judgement::NotCaptured {
                    notice: String::new(),
                },
            ],
            true,
        );
    }

    #[test]
    fn the_report_counts_by_tool_and_shows_differences() {
        let difference = "--- live\n+++ replay\n-a\n+b\n".to_owned();
        let results = vec![
            judged(Tool::Kubectl, Judgement::Equal),
            judged(
                Tool::Kubectl,
                Judgement::Different {
                    difference: difference.clone(),
                },
            ),
            judged(Tool::Logs, Judgement::Moving { difference }),
            judged(Tool::Prometheus, Judgement::NoEngine),
        ];
        let report = render(&fidelity(results), 1);
        let expected = "\
tool         asked  equal  explained  different  not captured  moving  no engine yet
kubectl          2      1          0          1             0       0              0
logs             1      0          0          0             0       1              0
jaeger           0      0          0          0             0       0              0
prometheus       1      0          0          0             0       0              1
all              4      1          0          1             0       1              1

different: kubectl get pods  (at 1970-01-01T00:00:00Z)
    --- live
    +++ replay
    -a
    +b

1 more differences; --show N shows N of them
";
        assert!(report.contains(expected), "{report}");
    }
}
