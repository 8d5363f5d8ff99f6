//! The four endpoints of AIOpsLab's own service, in its shapes (`service.py` of AIOpsLab).

use aiopslab_problems::action::ActionSet;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Served;
use super::body::{self, Arrived};
use super::reply::Problem;
use crate::agents::{AgentSpec, Briefing};
use crate::serve::episodes::{Refusal, Wish};

/// Steps of a simulation whose request does not say; AIOpsLab's.
const STEPS: u32 = 10;

pub(super) async fn health() -> Json<Value> {
    Json(json!({"status": "healthy", "service": "AIOpsLab"}))
}

pub(super) async fn problems(State(service): Served) -> Json<Value> {
    let listed = service.episodes.questions().listed();
    Json(listed.map(|question| json!(question.problem.id)).collect())
}

pub(super) async fn agents(State(service): Served) -> Json<Value> {
    let names = service.agents.iter();
    Json(names.map(|agent| json!(agent.to_string())).collect())
}

/// A request to `/simulate`. AIOpsLab's has parameters of its vLLM agent besides, which no agent of
/// ours takes: they are not read.
#[derive(Deserialize)]
pub(super) struct Simulate {
    problem_id: String,
    agent_name: String,
    max_steps: Option<u32>,
}

pub(super) async fn simulate(
    State(service): Served,
    headers: HeaderMap,
    body: Arrived,
) -> Result<Json<Value>, Problem> {
    let asked: Simulate = body::read(&headers, body)?;
    let is_meant = |agent: &&AgentSpec| agent.to_string() == asked.agent_name;
    let Some(agent) = service.agents.iter().find(is_meant) else {
        return Err(Problem::from(Refusal::UnknownAgent {
            name: asked.agent_name,
            known: service.agents.iter().map(ToString::to_string).collect(),
        }));
    };
    let wish = Wish {
        problem: asked.problem_id,
        agent: agent.to_string(),
        clock: None,
        max_steps: Some(asked.max_steps.unwrap_or(STEPS)),
        action_set: ActionSet::Upstream,
        upstream: false,
        repeat: 1,
        settings: None,
    };
    let simulated = service.episodes.simulate(agent, &wish).await?;
    let mut answer = json!({});
    for key in ["agent", "session_id", "problem_id"] {
        answer[key] = simulated.result[key].clone();
    }
    answer["start_time"] = json!(seconds(simulated.started));
    answer["end_time"] = json!(seconds(simulated.ended));
    answer["trace"] = trace(&simulated.briefing, &simulated.result["trace"]);
    answer["results"] = simulated.result["results"].clone();
    Ok(Json(answer))
}

/// What was said, after what the agent was told; AIOpsLab leaves out the last word of the environment.
fn trace(briefing: &Briefing, said: &Value) -> Value {
    let actions: Vec<&str> = briefing
        .actions
        .iter()
        .map(|action| action.help.as_str())
        .collect();
    let system = format!("{}\n\n{}", briefing.description, actions.join("\n\n"));
    let mut trace = vec![
        json!({"role": "system", "content": system}),
        json!({"role": "user", "content": briefing.instructions}),
    ];
    trace.extend(said.as_array().into_iter().flatten().cloned());
    if trace.last().is_some_and(|last| last["role"] == "env") {
        trace.pop();
    }
    Value::Array(trace)
}

fn seconds(moment: Timestamp) -> f64 {
    moment.as_duration().as_secs_f64()
}
