//! Each algorithm on tables small enough to know the answer.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::logs::{Line, Logs};
use super::metrics::{Kind, Series};
use super::traces::Span;
use super::{Ranked, Window, logs, metrics, traces};

const STEP: i64 = 15_000;

/// Ten steps of baseline, then five of fault.
fn window() -> Window {
    Window {
        baseline: 0..10 * STEP,
        fault: 10 * STEP..15 * STEP,
    }
}

fn names(ranking: &[Ranked]) -> Vec<&str> {
    assert!(
        ranking.iter().all(|one| one.score.is_finite()),
        "{ranking:?}"
    );
    ranking.iter().map(|one| &*one.component).collect()
}

fn series(component: &str, kind: Kind, values: impl IntoIterator<Item = f64>) -> Series {
    Series {
        component: component.to_owned(),
        metric: "load".to_owned(),
        kind,
        samples: (0..).map(|step| step * STEP).zip(values).collect(),
    }
}

/// A level with a little noise, and another one from the tenth step on.
fn level(component: &str, before: f64, after: f64) -> Series {
    let noise = [0.1, -0.2, 0.0, 0.2, -0.1].into_iter().cycle();
    let levels = std::iter::repeat_n(before, 10).chain([after; 5]);
    series(
        component,
        Kind::Gauge,
        levels.zip(noise).map(|(level, noise)| level + noise),
    )
}

#[test]
fn the_metric_that_left_its_range_the_farthest_ranks_first() {
    let table = [
        level("a", 10.0, 10.0),
        level("b", 10.0, 90.0),
        level("c", 10.0, 12.0),
    ];
    let ranking = metrics::rank(&table, &window());
    assert_eq!(names(&ranking), ["b", "c", "a"]);
    assert!(ranking[0].score > 10.0 * metrics::ANOMALOUS);
    assert!(ranking[2].score < metrics::ANOMALOUS);
    let found = metrics::window(&table).unwrap();
    assert_eq!(found.fault, 9 * STEP + 1..14 * STEP + 1);
}

#[test]
fn where_nothing_changes_there_is_no_incident() {
    let table = [level("a", 10.0, 10.0), level("b", 3.0, 3.0)];
    assert_eq!(metrics::window(&table), None);
    let constant = [series("a", Kind::Gauge, [7.0; 15])];
    assert_eq!(metrics::window(&constant), None);
    assert_eq!(metrics::rank(&constant, &window()), []);
}

#[test]
fn a_counter_that_begins_again_has_no_negative_rate() {
    let steady = (0..15).map(|step| f64::from(step) * 30.0);
    let restarted = (0..15).map(|step| f64::from(if step < 12 { step } else { step - 12 }) * 30.0);
    let table = [
        series("steady", Kind::Counter, steady),
        series("restarted", Kind::Counter, restarted),
    ];
    let ranking = metrics::rank(&table, &window());
    // In the step of the reset nothing came: as far away as the level itself, a twentieth of which is the unit.
    assert_eq!(names(&ranking), ["restarted"]);
    assert!((ranking[0].score - 20.0).abs() < 1e-9, "{ranking:?}");
}

#[test]
fn a_series_that_ends_while_others_go_on_fell_to_zero() {
    let mut gone = level("gone", 10.0, 10.0);
    gone.samples.truncate(10);
    let mut late = level("late", 10.0, 10.0);
    late.samples.drain(..10);
    let ranking = metrics::rank(&[level("a", 10.0, 10.0), gone, late], &window());
    assert_eq!(names(&ranking), ["gone", "a"]);
}

#[test]
fn values_that_are_no_numbers_are_not_there() {
    let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    let table = [
        series("a", Kind::Gauge, odd.into_iter().cycle().take(15)),
        series("b", Kind::Counter, odd.into_iter().cycle().take(15)),
        series("one", Kind::Gauge, [5.0]),
        series("none", Kind::Gauge, []),
        level("c", 10.0, 20.0),
    ];
    assert_eq!(names(&metrics::rank(&table, &window())), ["c"]);
    assert_eq!(metrics::rank(&[], &window()), []);
    assert_eq!(metrics::window(&table[2..3]), None);
    assert_eq!(metrics::window(&[]), None);
}

/// A request from `front` over `back` to its own store, every second; from the 50th on `back` fails
/// its statement, or does not answer at all.
fn requests(back_answers: bool) -> Vec<Span> {
    let mut spans = Vec::new();
    for second in 0..75 {
        let broken = second >= 50;
        let mut add = |id: &str, parent: Option<&str>, component: &str, operation: &str, failed| {
            spans.push(Span {
                trace: second.to_string(),
                id: id.to_owned(),
                parent: parent.map(str::to_owned),
                component: component.to_owned(),
                operation: operation.to_owned(),
                start: second * 1000,
                duration: 10.0,
                failed,
            });
        };
        add("1", None, "front", "GET /", broken);
        add("2", Some("1"), "front", "call back", broken);
        if !broken || back_answers {
            add("3", Some("2"), "back", "GET /x", broken);
            add("4", Some("3"), "back", "select", broken);
        }
    }
    spans
}

fn seconds(baseline: std::ops::Range<i64>, fault: std::ops::Range<i64>) -> Window {
    let ms = |range: std::ops::Range<i64>| range.start * 1000..range.end * 1000;
    Window {
        baseline: ms(baseline),
        fault: ms(fault),
    }
}

#[test]
fn requests_are_blamed_on_where_they_fail_or_are_not_answered() {
    for back_answers in [true, false] {
        let table = requests(back_answers);
        let ranking = traces::rank(&table, &seconds(0..50, 50..75));
        assert_eq!(names(&ranking), ["back"], "{back_answers}");
        assert!((ranking[0].score - 1.0).abs() < 1e-9);
        let found = traces::window(&table).unwrap();
        assert!((45_000..=51_000).contains(&found.fault.start), "{found:?}");
    }
}

#[test]
fn slow_requests_are_blamed_on_where_the_time_goes() {
    let mut table = requests(true);
    for span in &mut table {
        span.failed = false;
        if span.start >= 50_000 && span.operation != "select" {
            span.duration = 400.0;
        }
    }
    let ranking = traces::rank(&table, &seconds(0..50, 50..75));
    assert_eq!(names(&ranking), ["back"]);
    assert!(traces::window(&table).is_some());
}

#[test]
fn odd_traces_harm_nobody() {
    assert_eq!(traces::rank(&[], &window()), []);
    assert_eq!(traces::window(&[]), None);
    let healthy = &requests(true)[..200];
    assert_eq!(traces::window(healthy), None);
    assert_eq!(traces::rank(&healthy[..1], &window()), []);
    let mut table = requests(true);
    for span in &mut table {
        // Its own parent, and a length that is none.
        if span.id == "3" {
            span.id = "2".to_owned();
        }
        span.duration = f64::NAN;
    }
    let ranking = traces::rank(&table, &seconds(0..50, 50..75));
    assert_eq!(names(&ranking), ["back"]);
}

fn line(second: i64, component: &str, text: &str) -> Line {
    Line {
        at: second * 1000,
        component: component.to_owned(),
        text: text.to_owned(),
    }
}

/// A request a second; from the 50th on `front` fails because `middle` does because of `rate`, which is silent.
fn written() -> Logs {
    let mut lines = Vec::new();
    for second in 0..75 {
        let id = second * 7919;
        lines.push(line(second, "rate", &format!("checkpoint {id} complete")));
        if second < 50 {
            lines.push(line(
                second,
                "front",
                &format!("{{\"path\":\"/rate\",\"ms\":{id}}}"),
            ));
            lines.push(line(second, "middle", &format!("GET /x took {id} ms")));
        } else {
            let text = format!("request {id} failed: 503 from http://middle:8080: refused");
            lines.push(line(second, "front", &text));
            lines.push(line(second, "middle", "call of \"rate\" failed, retrying"));
        }
    }
    let components = ["front", "middle", "rate"].map(str::to_owned);
    Logs {
        components: BTreeSet::from(components),
        lines,
    }
}

#[test]
fn novel_lines_are_blamed_on_whom_they_mean() {
    let logs = written();
    let ranking = logs::rank(&logs, &seconds(0..50, 50..75));
    assert_eq!(names(&ranking), ["rate"]);
    assert!((ranking[0].score - 2.0 / 3.0).abs() < 1e-9);
    let found = logs::window(&logs).unwrap();
    assert!((45_000..=51_000).contains(&found.fault.start), "{found:?}");
}

#[test]
fn known_lines_rare_lines_and_no_lines_are_not_novel() {
    let mut logs = written();
    logs.lines.retain(|line| line.at < 50_000);
    assert_eq!(logs::window(&logs), None);
    assert_eq!(logs::rank(&logs, &seconds(0..25, 25..50)), []);
    logs.lines.push(line(30, "front", "something else"));
    assert_eq!(logs::rank(&logs, &seconds(0..25, 25..50)), []);
    logs.lines.truncate(1);
    assert_eq!(logs::window(&logs), None);
    assert_eq!(logs::rank(&Logs::default(), &window()), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn the_order_of_the_rows_decides_nothing(
        (metrics, traces, logs, values) in (
            Just((0..15).map(|one| level(["a", "b", "c"][one % 3], one as f64, (one * one) as f64)).collect::<Vec<_>>()).prop_shuffle(),
            Just(requests(false)).prop_shuffle(),
            Just(written().lines).prop_shuffle(),
            prop::collection::vec(any::<f64>(), 15),
        ),
    ) {
        let mut metrics = metrics;
        let ordered = |mut table: Vec<Series>| {
            table.sort_by(|one, other| format!("{one:?}").cmp(&format!("{other:?}")));
            table
        };
        // Whatever the values are, too.
        metrics.push(series("d", Kind::Counter, values));
        let sorted = ordered(metrics.clone());
        prop_assert_eq!(metrics::rank(&metrics, &window()), metrics::rank(&sorted, &window()));
        prop_assert_eq!(metrics::window(&metrics), metrics::window(&sorted));
        let known = seconds(0..50, 50..75);
        let sorted = requests(false);
        prop_assert_eq!(traces::rank(&traces, &known), traces::rank(&sorted, &known));
        prop_assert_eq!(traces::window(&traces), traces::window(&sorted));
        let (sorted, mut shuffled) = (written(), written());
        shuffled.lines = logs;
        prop_assert_eq!(logs::rank(&shuffled, &known), logs::rank(&sorted, &known));
        prop_assert_eq!(logs::window(&shuffled), logs::window(&sorted));
    }
}
