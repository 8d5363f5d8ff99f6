//! Whether an oracle can fail: what it asks for must be impossible while the fault is there.

use serde_json::Value;

use crate::condition::{Comparison, Condition, FieldTest, FigureTest, PodState, contains, figure};
use crate::path::{self, Part};

/// Whether conditions can't all hold while others do.
pub(super) fn excludes(given: &[Condition], wanted: &[Condition]) -> bool {
    wanted.iter().any(|condition| excluded(given, condition))
}

fn excluded(given: &[Condition], wanted: &Condition) -> bool {
    match wanted {
        Condition::All { all } => excludes(given, all),
        Condition::Any { any } => any.iter().all(|part| excluded(given, part)),
        Condition::Not { not } => given.iter().any(|fact| implies(fact, not)),
        single => given.iter().any(|fact| contradicts(fact, single)),
    }
}

/// Whether one condition can't hold while a fact does.
fn contradicts(fact: &Condition, wanted: &Condition) -> bool {
    match (fact, wanted) {
        (Condition::All { all }, _) => all.iter().any(|part| contradicts(part, wanted)),
        (Condition::Any { any }, _) => {
            !any.is_empty() && any.iter().all(|part| contradicts(part, wanted))
        }
        (Condition::Not { not }, _) => implies(wanted, not),
        (Condition::Field(fact), Condition::Field(wanted)) => fields_contradict(fact, wanted),
        (
            Condition::Endpoints {
                endpoints: left,
                is: fact,
            },
            Condition::Endpoints {
                endpoints: right,
                is: wanted,
            },
        ) => left == right && are_disjoint(*fact, *wanted),
        (Condition::Workload { workload: fact }, Condition::Workload { workload: wanted }) => {
            let ((left, fact), (right, wanted)) = (figure(*fact), figure(*wanted));
            left == right && figures_contradict(fact, wanted)
        }
        _ => false,
    }
}

/// Whether one condition holds whenever another does.
fn implies(fact: &Condition, wanted: &Condition) -> bool {
    match (fact, wanted) {
        (Condition::All { all }, _) => all.iter().any(|part| implies(part, wanted)),
        // Every pod is ready, so those of a service are. AIOpsLab's test of every pod says nothing of those that
        // it skips, but whatever fails it for a service's pods fails it for all.
        (
            Condition::Pods {
                pods: fact,
                service: None,
            },
            Condition::Pods { pods: wanted, .. },
        ) => fact == wanted || (*fact == PodState::Ready && *wanted == PodState::UpstreamReady),
        _ => fact == wanted,
    }
}

fn fields_contradict(fact: &FieldTest, wanted: &FieldTest) -> bool {
    if (&fact.field, &fact.json) != (&wanted.field, &wanted.json)
        || !overlap(&fact.path, &wanted.path)
    {
        return false;
    }
    if (fact.exists == Some(false)) != (wanted.exists == Some(false)) {
        return true;
    }
    let one_way = |left: &FieldTest, right: &FieldTest| {
        let Some(value) = &left.equals else {
            return false;
        };
        let differs = right
            .equals
            .as_ref()
            .is_some_and(|other| !path::same(value, other));
        let is_below = right
            .at_least
            .is_some_and(|bound| value.as_f64().is_some_and(|number| number < bound));
        let lacks = right
            .contains
            .as_ref()
            .is_some_and(|item| !matches!(value, Value::Null) && !contains(value, item));
        differs || is_below || lacks
    };
    one_way(fact, wanted) || one_way(wanted, fact)
}

/// Whether two paths name a value together: `a[*]` and `a[0]` do.
fn overlap(left: &str, right: &str) -> bool {
    let (Ok(left), Ok(right)) = (path::parse(left), path::parse(right)) else {
        return false;
    };
    left.len() == right.len()
        && left.iter().zip(&right).all(|pair| match pair {
            (Part::Every, Part::Index(_)) | (Part::Index(_), Part::Every) => true,
            (left, right) => left == right,
        })
}

fn are_disjoint(left: Comparison, right: Comparison) -> bool {
    match (left, right) {
        (Comparison::Equals(number), other) | (other, Comparison::Equals(number)) => {
            !other.holds(number)
        }
        (Comparison::AtLeast(least), Comparison::AtMost(most))
        | (Comparison::AtMost(most), Comparison::AtLeast(least)) => most < least,
        _ => false,
    }
}

fn figures_contradict(fact: FigureTest, wanted: FigureTest) -> bool {
    match (fact, wanted) {
        (FigureTest::Above(above), FigureTest::Below(below))
        | (FigureTest::Below(below), FigureTest::Above(above)) => below <= above,
        // Above also means that much above the baseline.
        (FigureTest::Above(above), FigureTest::BackToBaselineWithin(within))
        | (FigureTest::BackToBaselineWithin(within), FigureTest::Above(above)) => within < above,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conditions(toml: &str) -> Vec<Condition> {
        #[derive(serde::Deserialize)]
        struct Document {
            c: Vec<Condition>,
        }
        toml::from_str::<Document>(&format!("c = [{toml}]"))
            .unwrap()
            .c
    }

    #[test]
    fn what_a_fault_excludes() {
        let port = "{ field = 's/a', path = 'p', equals = 9999 }";
        let errors = "{ workload = { error_ratio = { above = 0.05 } } }";
        for (given, wanted, can_fail) in [
            (port, "{ field = 's/a', path = 'p', equals = 8080 }", true),
            (
                port,
                "{ field = 's/a', path = 'p', equals = 9999.0 }",
                false,
            ),
            (port, "{ field = 's/b', path = 'p', equals = 8080 }", false),
            (
                "{ field = 's/a', path = 'p[*].q', equals = 9999 }",
                "{ field = 's/a', path = 'p[0].q', equals = 8080 }",
                true,
            ),
            (
                port,
                "{ not = { field = 's/a', path = 'p', equals = 9999 } }",
                true,
            ),
            (port, "{ field = 's/a', path = 'p', exists = false }", true),
            (port, "{ pods = 'ready' }", false),
            (
                errors,
                "{ workload = { error_ratio = { back_to_baseline_within = 0.02 } } }",
                true,
            ),
            (
                errors,
                "{ workload = { error_ratio = { back_to_baseline_within = 0.05 } } }",
                false,
            ),
            (
                errors,
                "{ workload = { latency_p99 = { back_to_baseline_within = 0.02 } } }",
                false,
            ),
            (
                errors,
                "{ workload = { error_ratio = { below = 0.02 } } }",
                true,
            ),
            (
                "{ endpoints = 'a', equals = 0 }",
                "{ endpoints = 'a', at_least = 1 }",
                true,
            ),
            (
                "{ endpoints = 'a', equals = 0 }",
                "{ endpoints = 'b', at_least = 1 }",
                false,
            ),
            (
                "{ endpoints = 'a', at_most = 1 }",
                "{ endpoints = 'a', at_least = 1 }",
                false,
            ),
            (
                "{ field = 'd/a', path = 'c', equals = ['geo'] }",
                "{ field = 'd/a', path = 'c', contains = 'profile' }",
                true,
            ),
            (
                "{ field = 'd/a', path = 'c', contains = 'geo' }",
                "{ field = 'd/a', path = 'c', equals = ['profile'] }",
                true,
            ),
            (
                "{ field = 'd/a', path = 'c', equals = 0 }",
                "{ field = 'd/a', path = 'c', at_least = 1 }",
                true,
            ),
            (
                "{ not = { pods = 'ready', service = 'a' } }",
                "{ pods = 'ready' }",
                true,
            ),
            (
                "{ not = { pods = 'ready' } }",
                "{ pods = 'ready', service = 'a' }",
                false,
            ),
            // A pod that can't be scheduled passes AIOpsLab's test.
            (
                "{ not = { pods = 'ready' } }",
                "{ pods = 'upstream-ready' }",
                false,
            ),
            (
                "{ log = 'a', matches = 'x', since = 'now' }",
                "{ not = { log = 'a', matches = 'x', since = 'now' } }",
                true,
            ),
            (
                port,
                "{ any = [{ pods = 'ready' }, { field = 's/a', path = 'p', equals = 8080 }] }",
                false,
            ),
            (
                port,
                "{ all = [{ pods = 'ready' }, { field = 's/a', path = 'p', equals = 8080 }] }",
                true,
            ),
            ("", "{ pods = 'ready' }", false),
        ] {
            assert_eq!(
                excludes(&conditions(given), &conditions(wanted)),
                can_fail,
                "{given} / {wanted}"
            );
        }
    }
}
