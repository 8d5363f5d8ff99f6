//! What may differ between the live system and its replay, and why.
//!
//! A rule takes out of both answers what it explains. It is needed only where the answers are equal
//! with it and not without it; a rule that no snapshot needs is to be removed.

use super::Answer;

/// Something that may differ.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    /// Its name in reports.
    pub(super) name: &'static str,
    /// Why this can't be equal.
    pub(super) reason: &'static str,
    /// Takes it out of an answer to a question.
    normalise: fn(question: &str, answer: &Answer) -> Answer,
}

/// Every rule.
pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "tracing system",
        reason: "Jaeger traces itself; the recorder leaves its own services out",
        normalise: without_tracing_system,
    },
    Rule {
        name: "who asks",
        reason: "whoever made the capture is not told; in a replay everybody is the same user",
        normalise: without_user,
    },
    Rule {
        name: HELPER,
        reason: "what carries an experiment out is withheld, but it was there when the live system was asked",
        normalise: without_helper,
    },
    Rule {
        name: "id of an exec",
        reason: "a container runtime gives every command a random id and tells it where the program is missing",
        normalise: without_exec_id,
    },
];

fn without_exec_id(question: &str, answer: &Answer) -> Answer {
    let mut answer = answer.clone();
    if question.starts_with("kubectl exec ") {
        let parts = answer.stderr.split('"');
        let is_other =
            |part: &&str| part.len() != 64 || !part.bytes().all(|c| c.is_ascii_hexdigit());
        answer.stderr = parts.filter(is_other).collect::<Vec<_>>().join("\"");
    }
    answer
}

/// Name of the rule for what is withheld on purpose.
pub(super) const HELPER: &str = "helper of the fault";
/// Start of the names of what carries an experiment out.
const HELPER_NAMES: &str = "node-upkeep";

/// Leaves out the rows of what carries an experiment out.
pub(super) fn without_helper(question: &str, answer: &Answer) -> Answer {
    let mut answer = answer.clone();
    // A node counts its pods, too.
    let is_count = |line: &str| {
        question.starts_with("kubectl describe node") && line.starts_with("Non-terminated Pods:")
    };
    let lines = answer.stdout.lines();
    let others = lines.filter(|line| !line.contains(HELPER_NAMES) && !is_count(line));
    answer.stdout = others.map(|line| format!("{line}\n")).collect();
    answer
}

fn without_user(question: &str, answer: &Answer) -> Answer {
    let mut answer = answer.clone();
    if question.starts_with("kubectl auth whoami") {
        answer.stdout.clear();
    }
    answer
}

/// Services of the tracing system itself.
const TRACING_SYSTEM: [&str; 4] = [
    "jaeger",
    "jaeger-all-in-one",
    "jaeger-collector",
    "jaeger-query",
];

fn without_tracing_system(question: &str, answer: &Answer) -> Answer {
    let mut answer = answer.clone();
    if question == "/api/services" {
        let lines = answer.stdout.lines();
        let others = lines.filter(|line| !TRACING_SYSTEM.contains(line));
        answer.stdout = others.map(|line| format!("{line}\n")).collect();
    }
    answer
}

/// The rules that make two answers equal; none if all of them together don't.
pub(super) fn explain(question: &str, live: &Answer, replay: &Answer) -> Option<Vec<&'static str>> {
    explain_with(RULES, question, live, replay)
        .or_else(|| is_same_order_aside(question, live, replay).then(|| vec![HELPER]))
}

/// Whether two lists of events differ in what the helper of a fault makes of them.
///
/// kubectl orders events that are equally old by an unstable sort: one more event anywhere and the others swap places.
fn is_same_order_aside(question: &str, live: &Answer, replay: &Answer) -> bool {
    let sorted = |answer: &Answer| {
        let mut answer = without_helper(question, answer);
        let mut lines: Vec<_> = answer.stdout.lines().collect();
        lines.sort_unstable();
        answer.stdout = lines.concat();
        answer
    };
    question.starts_with("kubectl events")
        && live.stdout.contains(HELPER_NAMES)
        && sorted(live) == sorted(replay)
}

fn explain_with(
    rules: &[Rule],
    question: &str,
    live: &Answer,
    replay: &Answer,
) -> Option<Vec<&'static str>> {
    // One that is enough alone is the explanation.
    for rule in rules {
        if (rule.normalise)(question, live) == (rule.normalise)(question, replay) {
            return Some(vec![rule.name]);
        }
    }
    let (mut live, mut replay) = (live.clone(), replay.clone());
    let mut needed = Vec::new();
    for rule in rules {
        let (live_after, replay_after) = (
            (rule.normalise)(question, &live),
            (rule.normalise)(question, &replay),
        );
        if live_after != live || replay_after != replay {
            needed.push(rule.name);
        }
        (live, replay) = (live_after, replay_after);
    }
    (live == replay).then_some(needed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without_digits(_: &str, answer: &Answer) -> Answer {
        let mut answer = answer.clone();
        answer.stdout.retain(|letter| !letter.is_ascii_digit());
        answer
    }

    fn without_stderr(_: &str, answer: &Answer) -> Answer {
        Answer {
            stderr: String::new(),
            ..answer.clone()
        }
    }

    #[test]
    fn only_jaegers_own_services_are_left_out() {
        let answer = |stdout: &str| Answer {
            stdout: stdout.to_owned(),
            stderr: String::new(),
            exit_code: 200,
        };
        let check = |question: &str, replay: &str, expected: Option<&[&str]>| {
            let live = answer("geo\njaeger-all-in-one\nrate\n");
            let found = explain(question, &live, &answer(replay));
            assert_eq!(found.as_deref(), expected);
        };
        check("/api/services", "geo\nrate\n", Some(&["tracing system"]));
        check("/api/services", "geo\n", None);
        check("/api/operations?service=geo", "geo\nrate\n", None);
    }

    #[test]
    fn the_helper_of_a_fault_is_left_out_and_nothing_else() {
        let answer = |stdout: &str| Answer {
            stdout: stdout.to_owned(),
            stderr: String::new(),
            exit_code: 0,
        };
        let check = |question: &str, live: &str, replay: &str, is_explained: bool| {
            let found = explain(question, &answer(live), &answer(replay));
            assert_eq!(found.is_some(), is_explained, "{question}");
        };
        let live = "a 1\nnode-upkeep-1 2\n";
        check("kubectl get pods -A", live, "a 1\n", true);
        check("kubectl get pods -A", live, "a 2\n", false);
        let count = |number: u32| format!("Non-terminated Pods: ({number} in total)\n");
        let events = "b\na\nnode-upkeep\n";
        check("kubectl events -A", events, "a\nb\n", true);
        check("kubectl events -A", "b\na\n", "a\nb\n", false);
        check("kubectl get events -A", events, "a\nb\n", false);
        check("kubectl describe node n", &count(2), &count(1), true);
        check("kubectl get pods", &count(2), &count(1), false);
    }

    #[test]
    fn only_what_is_needed_explains() {
        let rule = |name, normalise| Rule {
            name,
            reason: "",
            normalise,
        };
        let rules = [
            rule("digits", without_digits),
            rule("stderr", without_stderr),
        ];
        let answer = |stdout: &str, stderr: &str| Answer {
            stdout: stdout.to_owned(),
            stderr: stderr.to_owned(),
            exit_code: 0,
        };
        let check = |one: &Answer, other: &Answer, expected: Option<&[&str]>| {
            let found = explain_with(&rules, "", one, other);
            assert_eq!(found.as_deref(), expected);
        };
        let live = answer("a1", "warning");
        check(&live, &answer("a2", "warning"), Some(&["digits"]));
        check(&live, &answer("a1", ""), Some(&["stderr"]));
        check(&live, &answer("a2", ""), Some(&["digits", "stderr"]));
        check(&live, &answer("b1", ""), None);
    }
}
