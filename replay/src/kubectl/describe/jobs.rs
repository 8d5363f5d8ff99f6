//! Jobs and CronJobs.

use serde_json::Value;

use super::described::Described;
use super::page::Page;
use super::storage::truth;
use super::workloads::{selector, template};
use super::{metadata, pod};
use crate::kubectl::duration::human_duration;
use crate::kubectl::selector::LabelSelector;
use crate::kubectl::{object, timestamp};

/// The page of a Job.
pub(super) fn job(described: &Described<'_>) -> Page {
    let recorded = described.recorded;
    let value = &recorded.object;
    let number = |pointer: &str| object::number(value, pointer);
    let mut page = Page::default();
    metadata::name(&mut page, recorded);
    page.field(0, "Selector", selector(value));
    metadata::labels_and_annotations(&mut page, value);
    metadata::controlled_by(&mut page, value);
    let optional = |page: &mut Page, label: &str, pointer: &str, unit: &str| {
        if let Some(field) = object::field(value, pointer) {
            page.field(0, label, format!("{}{unit}", object::plain(field)));
        }
    };
    optional(&mut page, "Parallelism", "/spec/parallelism", "");
    if object::field(value, "/spec/completions").is_none() {
        page.field(0, "Completions", "<unset>");
    }
    optional(&mut page, "Completions", "/spec/completions", "");
    optional(&mut page, "Completion Mode", "/spec/completionMode", "");
    optional(&mut page, "Suspend", "/spec/suspend", "");
    optional(&mut page, "Backoff Limit", "/spec/backoffLimit", "");
    optional(
        &mut page,
        "TTL Seconds After Finished",
        "/spec/ttlSecondsAfterFinished",
        "",
    );
    let started = timestamp::nanoseconds(value, "/status/startTime");
    let completed = timestamp::nanoseconds(value, "/status/completionTime");
    if started.is_some() {
        page.field(
            0,
            "Start Time",
            timestamp::rfc1123(value, "/status/startTime"),
        );
    }
    if completed.is_some() {
        page.field(
            0,
            "Completed At",
            timestamp::rfc1123(value, "/status/completionTime"),
        );
    }
    if let (Some(started), Some(completed)) = (started, completed) {
        page.field(0, "Duration", human_duration(completed - started));
    }
    optional(
        &mut page,
        "Active Deadline Seconds",
        "/spec/activeDeadlineSeconds",
        "s",
    );
    let ready = match object::field(value, "/status/ready") {
        Some(ready) => format!(" ({ready} Ready)"),
        None => String::new(),
    };
    page.field(
        0,
        "Pods Statuses",
        format!(
            "{} Active{ready} / {} Succeeded / {} Failed",
            number("/status/active"),
            number("/status/succeeded"),
            number("/status/failed")
        ),
    );
    if object::text(value, "/spec/completionMode") == "Indexed" {
        let indexes = match object::text(value, "/status/completedIndexes") {
            "" => "<none>",
            indexes => indexes,
        };
        page.field(0, "Completed Indexes", indexes);
    }
    template(&mut page, value);
    described.finished(page)
}

/// The page of a CronJob.
pub(super) fn cron_job(described: &Described<'_>) -> Page {
    let recorded = described.recorded;
    let value = &recorded.object;
    let mut page = Page::default();
    metadata::name(&mut page, recorded);
    metadata::labels_and_annotations(&mut page, value);
    let unset = |pointer: &str, unit: &str| match object::field(value, pointer) {
        Some(field) => format!("{}{unit}", object::plain(field)),
        None => "<unset>".to_owned(),
    };
    page.field(0, "Schedule", object::text(value, "/spec/schedule"));
    page.field(
        0,
        "Concurrency Policy",
        object::text(value, "/spec/concurrencyPolicy"),
    );
    let suspended = object::field(value, "/spec/suspend").and_then(Value::as_bool);
    page.field(0, "Suspend", truth(suspended));
    page.field(
        0,
        "Successful Job History Limit",
        unset("/spec/successfulJobsHistoryLimit", ""),
    );
    page.field(
        0,
        "Failed Job History Limit",
        unset("/spec/failedJobsHistoryLimit", ""),
    );
    page.field(
        0,
        "Starting Deadline Seconds",
        unset("/spec/startingDeadlineSeconds", "s"),
    );
    job_template(&mut page, value);
    let last = "/status/lastScheduleTime";
    page.field(
        0,
        "Last Schedule Time",
        match object::field(value, last) {
            Some(_) => timestamp::rfc1123(value, last),
            None => "<unset>".to_owned(),
        },
    );
    let active: Vec<&str> = object::list(value, "/status/active")
        .iter()
        .map(|job| object::text(job, "/name"))
        .collect();
    page.field(
        0,
        "Active Jobs",
        if active.is_empty() {
            "<none>".to_owned()
        } else {
            active.join(", ")
        },
    );
    described.finished(page)
}

fn job_template(page: &mut Page, value: &Value) {
    let spec = value
        .pointer("/spec/jobTemplate/spec")
        .unwrap_or(&Value::Null);
    let unset = |pointer: &str| match object::field(spec, pointer) {
        Some(field) => object::plain(field),
        None => "<unset>".to_owned(),
    };
    let selector = object::field(spec, "/selector").map(|s| LabelSelector::of(s).to_string());
    page.field(0, "Selector", selector.as_deref().unwrap_or("<unset>"));
    page.field(0, "Parallelism", unset("/parallelism"));
    page.field(0, "Completions", unset("/completions"));
    if let Some(seconds) = object::field(spec, "/activeDeadlineSeconds") {
        page.field(0, "Active Deadline Seconds", format!("{seconds}s"));
    }
    pod::template(page, spec.pointer("/template").unwrap_or(&Value::Null));
}
