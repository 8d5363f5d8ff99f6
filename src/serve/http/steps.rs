//! The step API: an episode is opened, acted in step by step, and asked for its result.

use aiopslab_problems::action::{self, Action, ActionSet};
use aiopslab_problems::episode::{EndReason, EpisodeEnd, Limits, Usage};
use aiopslab_problems::prompt::{self, Briefing, NEXT_STEP};
use aiopslab_replay::clock::ClockError;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Served;
use super::body::{self, Arrived};
use super::reply::Problem;
use crate::agents;
use crate::evaluation::Question;
use crate::serve::episodes::{Answer, Episode, Refusal, Standing, Wish};

/// The longest name of an agent, in characters.
const LONGEST_NAME: usize = 200;

pub(super) async fn problems(State(service): Served) -> Json<Value> {
    let listed = service.episodes.questions().listed();
    let problems: Vec<Value> = listed.map(described).collect();
    Json(json!({"problems": problems}))
}

#[derive(Deserialize)]
pub(super) struct WithActions {
    #[serde(default)]
    actions: ActionSet,
}

pub(super) async fn problem(
    State(service): Served,
    Path(id): Path<String>,
    with: Result<Query<WithActions>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(with) = with.map_err(|error| malformed(error.body_text()))?;
    let question = service.episodes.questions().find(&id, None)?;
    let briefing = Briefing::new(question.problem.task, &question.application, with.actions);
    let mut answer = described(&question);
    answer["briefing"] = json!(briefing);
    Ok(Json(answer))
}

fn described(question: &Question) -> Value {
    json!({
        "id": question.problem.id,
        "task": question.problem.task,
        "application": question.application.name,
        "snapshot": question.recorded.name,
    })
}

/// A request for an episode.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Open {
    problem: String,
    agent: Option<String>,
    clock: Option<String>,
    max_steps: Option<u32>,
    #[serde(default)]
    actions: ActionSet,
    #[serde(default)]
    upstream: bool,
    repeat: Option<u32>,
}

impl Open {
    fn wish(self) -> Result<Wish, Refusal> {
        let agent = self.agent.unwrap_or_else(|| "http".to_owned());
        if agent.trim().is_empty() || agent.chars().count() > LONGEST_NAME {
            return Err(malformed("an agent's name has from 1 to 200 characters"));
        }
        if agent.starts_with("baseline:") {
            return Err(malformed(
                "this is the name of a baseline\nhint: the record has to tell it from your agent",
            ));
        }
        if self.upstream && self.actions == ActionSet::Extended {
            return Err(malformed(
                "AIOpsLab has no extended actions\nhint: leave out `upstream` or `actions`",
            ));
        }
        let clock = self.clock.map(|clock| clock.parse());
        let clock = clock.transpose();
        Ok(Wish {
            problem: self.problem,
            agent,
            clock: clock.map_err(|unknown: ClockError| malformed(unknown))?,
            max_steps: self.max_steps,
            action_set: self.actions,
            upstream: self.upstream,
            repeat: match self.repeat {
                Some(0) => return Err(malformed("repetitions are counted from 1")),
                repeat => repeat.unwrap_or(1),
            },
            settings: None,
        })
    }
}

pub(super) async fn open(
    State(service): Served,
    headers: HeaderMap,
    body: Arrived,
) -> Result<Response, Problem> {
    let wish = body::read::<Open>(&headers, body)?.wish()?;
    let key = match headers.get("idempotency-key").map(|key| key.to_str()) {
        Some(Ok(key)) => Some(key.to_owned()),
        Some(Err(_)) => return Err(malformed("an idempotency key is plain text").into()),
        None => None,
    };
    let episode = service.episodes.open(wish, key).await?;
    let briefing = episode.briefing();
    let answer = json!({
        "episode": episode.id,
        "task": briefing.task,
        "briefing": briefing,
        "observation": NEXT_STEP,
        "step": 1,
        "limits": told_limits(episode.limits()),
        "lease_seconds": service.episodes.lease().as_secs(),
    });
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

/// The limits that there are.
fn told_limits(limits: Limits) -> Value {
    let mut told = json!({"steps": limits.max_steps});
    let further = [
        ("seconds", limits.max_seconds.map(Value::from)),
        ("tokens", limits.max_tokens.map(Value::from)),
        ("cost_usd", limits.max_cost_usd.map(Value::from)),
    ];
    for (name, limit) in further {
        if let Some(limit) = limit {
            told[name] = limit;
        }
    }
    told
}

/// A step: what the agent wrote, or the action that its client read out of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    step: u32,
    response: Option<String>,
    action: Option<Map<String, Value>>,
    usage: Option<Usage>,
}

pub(super) async fn step(
    State(service): Served,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Arrived,
) -> Result<Json<Value>, Problem> {
    let episode = service.episodes.find(&id)?;
    let asked: Step = body::read(&headers, body)?;
    let text = match (asked.response, asked.action) {
        (Some(response), None) => response,
        (None, Some(action)) => called(action, episode.action_set())?,
        _ => return Err(malformed("a step has either a `response` or an `action`").into()),
    };
    let response = agents::Response {
        text,
        thoughts: Vec::new(),
        usage: asked.usage,
    };
    let answer = episode.step(Some(asked.step), response).await?;
    Ok(told(&answer))
}

/// An action in the transcript's form, as the call that it is.
fn called(mut action: Map<String, Value>, set: ActionSet) -> Result<String, Refusal> {
    let Some(Value::String(name)) = action.remove("action") else {
        return Err(malformed(
            "an action has its name in `action`\nhint: {\"action\": \"get_logs\", \"namespace\": …, \"service\": …}",
        ));
    };
    if name == "submit" {
        let solution = action.remove("solution").unwrap_or_default();
        return Ok(action::render(&Action::Submit { solution }));
    }
    Ok(action::render_tool_call(&name, &Value::Object(action), set))
}

/// A submission.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Submit {
    step: u32,
    solution: Value,
}

pub(super) async fn submit(
    State(service): Served,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Arrived,
) -> Result<Json<Value>, Problem> {
    let episode = service.episodes.find(&id)?;
    let Submit { step, solution } = body::read(&headers, body)?;
    let response = action::render(&Action::Submit { solution });
    let answer = episode.step(Some(step), response.into()).await?;
    Ok(told(&answer))
}

/// An answer as an agent is told it: asked for the next step, as long as there is one.
fn told(answer: &Answer) -> Json<Value> {
    Json(json!({
        "step": answer.step,
        "observation": match answer.ended {
            None => prompt::observation(&answer.observation),
            Some(_) => answer.observation.clone(),
        },
        "ended": answer.ended,
        "steps_left": answer.steps_left,
    }))
}

pub(super) async fn standing(
    State(service): Served,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let episode = service.episodes.find(&id)?;
    let standing = episode.standing().await;
    Ok(stands(&episode, &standing))
}

pub(super) async fn result(
    State(service): Served,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    Ok(Json(json!(service.episodes.result(&id).await?)))
}

/// How a client may end an episode.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct End {
    reason: Option<Reason>,
    error: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reason {
    Interrupted,
    AgentFailed,
}

pub(super) async fn end(
    State(service): Served,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Arrived,
) -> Result<Json<Value>, Problem> {
    let episode = service.episodes.find(&id)?;
    let end: End = body::read_if_any(&headers, body)?;
    let reason = match end.reason {
        Some(Reason::AgentFailed) => EndReason::AgentFailed,
        Some(Reason::Interrupted) | None => EndReason::Interrupted,
    };
    let end = EpisodeEnd::without_submission(reason, end.error);
    let standing = episode.end(end).await?;
    Ok(stands(&episode, &standing))
}

fn stands(episode: &Episode, standing: &Standing) -> Json<Value> {
    Json(json!({
        "episode": episode.id,
        "problem": episode.problem(),
        "agent": episode.agent(),
        "step": standing.step,
        "ended": standing.ended,
        "lease_seconds": standing.lease.as_secs(),
    }))
}

fn malformed(what: impl ToString) -> Refusal {
    Refusal::Malformed(what.to_string())
}
