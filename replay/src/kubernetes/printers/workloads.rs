//! What makes pods: controllers and jobs.

use serde_json::{Value, json};

use super::super::duration::human_duration;
use super::super::{object, timestamp};
use super::{
    AGE, NAME, Printer, age, bare_selector, condition_is_true, containers, is_deleted, labels,
    name, number, selector, text, text_or, typed, wide,
};

pub(super) static DEPLOYMENTS: Printer = Printer {
    columns: &[
        NAME,
        text("Ready"),
        text("Up-to-date"),
        text("Available"),
        AGE,
        wide("Containers"),
        wide("Images"),
        wide("Selector"),
    ],
    print: |deployment, now| {
        let [names, images] = containers(deployment, "/spec/template/spec");
        vec![
            json!(name(deployment)),
            json!(ready(deployment)),
            json!(object::number(deployment, "/status/updatedReplicas")),
            json!(object::number(deployment, "/status/availableReplicas")),
            json!(age(deployment, now)),
            json!(names),
            json!(images),
            json!(bare_selector(deployment, "/spec/selector")),
        ]
    },
};

pub(super) static REPLICA_SETS: Printer = Printer {
    columns: REPLICA_COLUMNS,
    print: |set, now| replicas(set, now, selector(set, "/spec/selector")),
};

pub(super) static REPLICATION_CONTROLLERS: Printer = Printer {
    columns: REPLICA_COLUMNS,
    print: |controller, now| replicas(controller, now, labels(controller, "/spec/selector")),
};

const REPLICA_COLUMNS: &[super::Column] = &[
    NAME,
    number("Desired"),
    number("Current"),
    number("Ready"),
    AGE,
    wide("Containers"),
    wide("Images"),
    wide("Selector"),
];

fn replicas(set: &Value, now: i64, selector: String) -> Vec<Value> {
    let [names, images] = containers(set, "/spec/template/spec");
    vec![
        json!(name(set)),
        json!(object::number(set, "/spec/replicas")),
        json!(object::number(set, "/status/replicas")),
        json!(object::number(set, "/status/readyReplicas")),
        json!(age(set, now)),
        json!(names),
        json!(images),
        json!(selector),
    ]
}

pub(super) static STATEFUL_SETS: Printer = Printer {
    columns: &[NAME, text("Ready"), AGE, wide("Containers"), wide("Images")],
    print: |set, now| {
        let [names, images] = containers(set, "/spec/template/spec");
        vec![
            json!(name(set)),
            json!(ready(set)),
            json!(age(set, now)),
            json!(names),
            json!(images),
        ]
    },
};

pub(super) static DAEMON_SETS: Printer = Printer {
    columns: &[
        NAME,
        number("Desired"),
        number("Current"),
        number("Ready"),
        number("Up-to-date"),
        number("Available"),
        text("Node Selector"),
        AGE,
        wide("Containers"),
        wide("Images"),
        wide("Selector"),
    ],
    print: |set, now| {
        let [names, images] = containers(set, "/spec/template/spec");
        let count = |field: &str| json!(object::number(set, &format!("/status/{field}")));
        vec![
            json!(name(set)),
            count("desiredNumberScheduled"),
            count("currentNumberScheduled"),
            count("numberReady"),
            count("updatedNumberScheduled"),
            count("numberAvailable"),
            json!(labels(set, "/spec/template/spec/nodeSelector")),
            json!(age(set, now)),
            json!(names),
            json!(images),
            json!(selector(set, "/spec/selector")),
        ]
    },
};

pub(super) static CONTROLLER_REVISIONS: Printer = Printer {
    columns: &[NAME, text("Controller"), text("Revision"), AGE],
    print: |revision, now| {
        let owner = object::controller(revision).map_or("<none>".to_owned(), |owner| {
            let group = object::text(owner, "/apiVersion")
                .split_once('/')
                .map_or(String::new(), |(group, _)| format!(".{group}"));
            let kind = object::text(owner, "/kind");
            let kind = format!("{kind}{group}").to_lowercase();
            format!("{kind}/{}", object::text(owner, "/name"))
        });
        vec![
            json!(name(revision)),
            json!(owner),
            json!(object::number(revision, "/revision")),
            json!(age(revision, now)),
        ]
    },
};

pub(super) static JOBS: Printer = Printer {
    columns: &[
        NAME,
        text("Status"),
        text("Completions"),
        text("Duration"),
        AGE,
        wide("Containers"),
        wide("Images"),
        wide("Selector"),
    ],
    print: |job, now| {
        let [names, images] = containers(job, "/spec/template/spec");
        vec![
            json!(name(job)),
            json!(job_status(job)),
            json!(completions(job)),
            json!(job_duration(job, now)),
            json!(age(job, now)),
            json!(names),
            json!(images),
            json!(selector(job, "/spec/selector")),
        ]
    },
};

pub(super) static CRON_JOBS: Printer = Printer {
    columns: &[
        NAME,
        text("Schedule"),
        text("Timezone"),
        typed("Suspend", "boolean"),
        number("Active"),
        text("Last Schedule"),
        AGE,
        wide("Containers"),
        wide("Images"),
        wide("Selector"),
    ],
    print: |job, now| {
        let template = "/spec/jobTemplate/spec";
        let [names, images] = containers(job, &format!("{template}/template/spec"));
        let suspend = match object::field(job, "/spec/suspend") {
            None => "<unset>",
            Some(Value::Bool(true)) => "True",
            Some(_) => "False",
        };
        let last = object::field(job, "/status/lastScheduleTime").map_or_else(
            || "<none>".to_owned(),
            |_| timestamp::age(job, "/status/lastScheduleTime", now),
        );
        vec![
            json!(name(job)),
            json!(object::text(job, "/spec/schedule")),
            json!(text_or(job, "/spec/timeZone", "<none>")),
            json!(suspend),
            json!(object::list(job, "/status/active").len()),
            json!(last),
            json!(age(job, now)),
            json!(names),
            json!(images),
            json!(selector(job, &format!("{template}/selector"))),
        ]
    },
};

fn ready(workload: &Value) -> String {
    let desired = object::number(workload, "/spec/replicas");
    let ready = object::number(workload, "/status/readyReplicas");
    format!("{ready}/{desired}")
}

fn job_status(job: &Value) -> &'static str {
    if condition_is_true(job, "Complete") {
        "Complete"
    } else if condition_is_true(job, "Failed") {
        "Failed"
    } else if is_deleted(job) {
        "Terminating"
    } else if condition_is_true(job, "Suspended") {
        "Suspended"
    } else if condition_is_true(job, "FailureTarget") {
        "FailureTarget"
    } else if condition_is_true(job, "SuccessCriteriaMet") {
        "SuccessCriteriaMet"
    } else {
        "Running"
    }
}

fn completions(job: &Value) -> String {
    let succeeded = object::number(job, "/status/succeeded");
    let parallelism = object::number(job, "/spec/parallelism");
    match object::field(job, "/spec/completions") {
        Some(wanted) => format!("{succeeded}/{}", object::plain(wanted)),
        None if parallelism > 1 => format!("{succeeded}/1 of {parallelism}"),
        None => format!("{succeeded}/1"),
    }
}

/// From the start until the completion, or now: a failed job has none and seems to go on.
fn job_duration(job: &Value, now: i64) -> String {
    timestamp::nanoseconds(job, "/status/startTime").map_or(String::new(), |start| {
        let end = timestamp::nanoseconds(job, "/status/completionTime").unwrap_or(now);
        human_duration(end.saturating_sub(start))
    })
}
