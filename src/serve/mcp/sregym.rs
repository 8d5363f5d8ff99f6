//! SREGym's tools (`--profile sregym`): kubectl as a command, traces as queries over the recording.
//!
//! Names and arguments are those of SREGym's MCP servers (SREGym/SREGym, `mcp_server/`). Not offered is
//! what has no action of ours: PromQL, LogQL, and going back (nothing can be changed here).

use aiopslab_problems::action::Action;
use serde_json::Value;

use super::tools::{Foreign, Takes};

/// Traces that `get_traces` shows; SREGym's.
const TRACES: u32 = 20;

const SERVICE: Takes = Takes("service", "string", true, "The service's name.");

pub(super) const TOOLS: &[Foreign] = &[
    Foreign {
        name: "exec_kubectl_cmd_safely",
        about: "Runs a kubectl command on the cluster.",
        takes: &[Takes(
            "cmd",
            "string",
            true,
            "The command; it begins with kubectl.",
        )],
        is: |given| {
            let command = given.text("cmd")?.trim();
            match command.split_whitespace().next() {
                Some("kubectl") => Ok(Action::ExecShell {
                    command: command.to_owned(),
                    timeout: 30,
                }),
                _ => Err(
                    "only kubectl commands are run: the command has to begin with kubectl"
                        .to_owned(),
                ),
            }
        },
    },
    Foreign {
        name: "get_services",
        about: "Lists the services that traces were recorded of.",
        takes: &[],
        is: |_| query("SELECT DISTINCT service FROM traces ORDER BY service".to_owned()),
    },
    Foreign {
        name: "get_operations",
        about: "Lists the operations of a service, from its traces.",
        takes: &[SERVICE],
        is: |given| {
            let service = text(given.text("service")?);
            query(format!(
                "SELECT DISTINCT operation FROM traces WHERE service = {service} ORDER BY operation"
            ))
        },
    },
    Foreign {
        name: "get_traces",
        about: "Shows the latest traces that a service took part in, a row for each span; at most 20 traces.",
        takes: &[
            SERVICE,
            Takes(
                "last_n_minutes",
                "integer",
                true,
                "How many minutes to look back from now.",
            ),
        ],
        is: |given| {
            let since = since(
                given
                    .whole("last_n_minutes")?
                    .ok_or("the argument last_n_minutes is missing")?,
            );
            let service = text(given.text("service")?);
            query(format!(
                "SELECT trace_id, span_id, parent_span_id, start, duration_ms, service, operation, kind, status, message, attributes FROM traces \
                 WHERE trace_id IN (SELECT trace_id FROM traces WHERE service = {service} AND {since} GROUP BY trace_id ORDER BY max(start) DESC, trace_id LIMIT {TRACES}) \
                 ORDER BY trace_id, start, span_id"
            ))
        },
    },
    Foreign {
        name: "get_dependency_graph",
        about: "Shows which service called which, and how often.",
        takes: &[Takes(
            "last_n_minutes",
            "integer",
            false,
            "How many minutes to look back from now; 30 if left out.",
        )],
        is: |given| {
            let since = since(given.whole("last_n_minutes")?.unwrap_or(30));
            query(format!(
                "WITH recent AS (SELECT * FROM traces WHERE {since}) \
                 SELECT caller.service AS parent, called.service AS child, count(*) AS \"callCount\" FROM recent AS called \
                 JOIN recent AS caller ON called.trace_id = caller.trace_id AND called.parent_span_id = caller.span_id \
                 WHERE caller.service <> called.service GROUP BY caller.service, called.service ORDER BY parent, child"
            ))
        },
    },
    Foreign {
        name: "submit",
        about: "Submits the answer, which ends the task.",
        takes: &[Takes(
            "ans",
            "string",
            true,
            "The answer as it is asked for: Yes or No; a JSON array of services; a JSON object with system_level and fault_type.",
        )],
        is: |given| {
            let answer = given.text("ans")?;
            let solution = serde_json::from_str(answer).unwrap_or_else(|_| Value::from(answer));
            Ok(Action::Submit { solution })
        },
    },
];

fn query(query: String) -> Result<Action, String> {
    Ok(Action::QuerySql { query })
}

fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn since(minutes: i64) -> String {
    format!(
        "start >= now() - INTERVAL '{} minutes'",
        minutes.clamp(0, 100_000)
    )
}
