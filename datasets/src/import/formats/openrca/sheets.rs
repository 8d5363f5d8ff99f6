//! The files of each system: their columns and units.

use crate::import::engine::names::series;
use crate::import::engine::sheet::{
    Logs, Long, Row, Rows, Series, Sheet, Spans, Until, When, Wide, plain, unset,
};
use crate::import::engine::time::Unit;

pub(super) static BANK_APP: Sheet =
    wide("app metric rows", &["timestamp", "tc"], Unit::Seconds, "tc");
pub(super) static MARKET_SERVICE: Sheet = wide(
    "service metric rows",
    &["service", "timestamp"],
    Unit::Seconds,
    "service",
);
pub(super) static TELECOM_APP: Sheet = Sheet {
    time: When::Column("startTime", Unit::Milliseconds),
    ..wide(
        "app metric rows",
        &["serviceName", "startTime"],
        Unit::Milliseconds,
        "serviceName",
    )
};

const fn wide(
    name: &'static str,
    columns: &'static [&'static str],
    unit: Unit,
    of: &'static str,
) -> Sheet {
    Sheet {
        name,
        columns,
        unique: false,
        time: When::Column("timestamp", unit),
        rows: Rows::Wide(Wide {
            of: Some(of),
            series: |column, service| series(column, &[("service", service)]),
        }),
        partial: None,
    }
}

pub(super) static KPIS: Sheet = Sheet {
    name: "metric rows",
    columns: &["timestamp", "cmdb_id", "kpi_name", "value"],
    unique: false,
    time: When::Column("timestamp", Unit::Seconds),
    rows: Rows::Long(Long {
        of: "cmdb_id",
        metric: "kpi_name",
        value: "value",
        series: of_cmdb,
        labels: &[],
        several: None,
    }),
    partial: None,
};

pub(super) static TELECOM_KPIS: Sheet = Sheet {
    name: "metric rows",
    columns: &["itemid", "name", "bomc_id", "timestamp", "value", "cmdb_id"],
    unique: false,
    time: When::Column("timestamp", Unit::Milliseconds),
    rows: Rows::Long(Long {
        of: "cmdb_id",
        metric: "name",
        value: "value",
        series: of_cmdb,
        // A component has several items of one name.
        labels: &["itemid", "bomc_id"],
        several: None,
    }),
    partial: None,
};

pub(super) static BANK_TRACES: Sheet = Sheet {
    name: "span rows",
    columns: &[
        "timestamp",
        "cmdb_id",
        "parent_id",
        "span_id",
        "trace_id",
        "duration",
    ],
    unique: true,
    time: When::Column("timestamp", Unit::Milliseconds),
    rows: Rows::Spans(Spans {
        trace: "trace_id",
        span: "span_id",
        parent: "parent_id",
        root: &["None"],
        of: "cmdb_id",
        service: str::to_owned,
        of_is_pod: false,
        operation: None,
        until: Until::Duration("duration", Unit::Milliseconds),
        status: unset,
        attributes: &[],
    }),
    partial: None,
};

pub(super) static MARKET_TRACES: Sheet = Sheet {
    name: "span rows",
    columns: &[
        "timestamp",
        "cmdb_id",
        "span_id",
        "trace_id",
        "duration",
        "type",
        "status_code",
        "operation_name",
        "parent_span",
    ],
    unique: true,
    time: When::Column("timestamp", Unit::Milliseconds),
    rows: Rows::Spans(Spans {
        trace: "trace_id",
        span: "span_id",
        parent: "parent_span",
        root: &["None"],
        of: "cmdb_id",
        service: str::to_owned,
        of_is_pod: true,
        operation: Some("operation_name"),
        // As the other systems have it; nothing in the documentation says otherwise.
        until: Until::Duration("duration", Unit::Milliseconds),
        status: unset,
        attributes: &["type", "status_code"],
    }),
    partial: None,
};

pub(super) static TELECOM_TRACES: Sheet = Sheet {
    name: "span rows",
    columns: &[
        "callType",
        "startTime",
        "elapsedTime",
        "success",
        "traceId",
        "id",
        "pid",
        "cmdb_id",
        "dsName",
        "serviceName",
    ],
    unique: true,
    time: When::Column("startTime", Unit::Milliseconds),
    rows: Rows::Spans(Spans {
        trace: "traceId",
        span: "id",
        parent: "pid",
        root: &["None"],
        of: "cmdb_id",
        service: str::to_owned,
        of_is_pod: false,
        operation: Some("serviceName"),
        until: Until::Duration("elapsedTime", Unit::Milliseconds),
        status: success,
        attributes: &["callType", "dsName", "success"],
    }),
    partial: None,
};

pub(super) static LOGS: Sheet = Sheet {
    name: "log rows",
    columns: &["log_id", "timestamp", "cmdb_id", "log_name", "value"],
    unique: true,
    time: When::Column("timestamp", Unit::Seconds),
    rows: Rows::Logs(Logs {
        namespace: None,
        pod: "cmdb_id",
        container: Some("log_name"),
        node: None,
        service: str::to_owned,
        message: "value",
        line: plain,
        trace: None,
    }),
    partial: None,
};

fn of_cmdb(metric: &str, cmdb_id: &str) -> Series {
    series(metric, &[("cmdb_id", cmdb_id)])
}

fn success(row: &Row<'_>) -> &'static str {
    match row.get("success").map(str::to_lowercase).as_deref() {
        Ok("true") => "unset",
        _ => "error",
    }
}
