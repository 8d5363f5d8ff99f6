//! The four endpoints of AIOpsLab's own service, in its shapes (`service.py` of AIOpsLab).

use aiopslab_problems::action::ActionSet;
use aiopslab_problems::episode::TraceItem;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Served;
use super::body::{self, Arrived};
use super::reply::Problem;
use crate::agents::{AgentSpec, Briefing};
use crate::serve::episodes::{Refusal, Simulated, Wish};

/// Steps of a simulation whose request does not say; AIOpsLab's.
const STEPS: u32 = 10;

/// Parameters that AIOpsLab has for its vLLM agent only. Its clients may send them whatever agent
/// they ask for; they change nothing there either.
const OF_VLLM: [&str; 5] = [
    "model",
    "repetition_penalty",
    "temperature",
    "top_p",
    "max_tokens",
];

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

/// A request to `/simulate`.
#[derive(Deserialize)]
pub(super) struct Simulate {
    problem_id: String,
    agent_name: Option<String>,
    max_steps: Option<u32>,
    /// What else it has; only [`OF_VLLM`] may be there.
    #[serde(flatten)]
    further: Map<String, Value>,
}

impl Simulate {
    /// Refuses what would be left out without a word.
    fn check(&self) -> Result<(), Refusal> {
        let mut names = self.further.keys();
        match names.find(|name| !OF_VLLM.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => Err(Refusal::Malformed(format!(
                "/simulate has no parameter {name:?}\nhint: it has problem_id, agent_name and max_steps; those of AIOpsLab's vLLM agent ({}) are taken and not read",
                OF_VLLM.join(", ")
            ))),
        }
    }

    /// The agent that is asked for. AIOpsLab's default is none that it has, so there is none here.
    fn agent<'a>(&self, agents: &'a [AgentSpec]) -> Result<&'a AgentSpec, Refusal> {
        let known: Vec<String> = agents.iter().map(ToString::to_string).collect();
        let Some(name) = &self.agent_name else {
            return Err(Refusal::Malformed(format!(
                "agent_name is missing, and AIOpsLab's default is a model's name, which no agent has\nhint: the agents are {}",
                known.join(", ")
            )));
        };
        let found = agents.iter().find(|agent| agent.to_string() == *name);
        found.ok_or_else(|| Refusal::UnknownAgent {
            name: name.clone(),
            known,
        })
    }
}

pub(super) async fn simulate(
    State(service): Served,
    headers: HeaderMap,
    body: Arrived,
) -> Result<Json<Value>, Problem> {
    let asked: Simulate = body::read(&headers, body)?;
    asked.check()?;
    let agent = asked.agent(&service.agents)?;
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
    let Simulated { briefing, result } = service.episodes.simulate(agent, &wish).await?;
    Ok(Json(json!({
        "agent": result.agent,
        "session_id": result.session_id,
        "problem_id": result.problem_id,
        "start_time": result.start_time,
        "end_time": result.end_time,
        "trace": trace(&briefing, result.trace),
        "results": result.results,
    })))
}

/// What was said, after what the agent was told; AIOpsLab leaves out the last word of the environment.
fn trace(briefing: &Briefing, said: Vec<TraceItem>) -> Vec<TraceItem> {
    let actions: Vec<&str> = briefing
        .actions
        .iter()
        .map(|action| action.help.as_str())
        .collect();
    let system = format!("{}\n\n{}", briefing.description, actions.join("\n\n"));
    let told = [("system", system), ("user", briefing.instructions.clone())];
    let told = told.map(|(role, content)| TraceItem {
        role: role.to_owned(),
        content,
    });
    let mut trace: Vec<TraceItem> = told.into_iter().chain(said).collect();
    if trace.last().is_some_and(|last| last.role == "env") {
        trace.pop();
    }
    trace
}
