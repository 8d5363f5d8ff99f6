//! `serve --http` and `--mcp`: problems for agents that attach from outside.

use std::sync::Arc;
use std::time::Duration;

use aiopslab_problems::action::ActionSet;
use camino::Utf8PathBuf;
use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use super::Listening;
use crate::agents::AgentSpec;
use crate::cli::{Actions, LimitFlags, ServeAgents};
use crate::evaluation;
use crate::exit::Failure;
use crate::library::Library;
use crate::serve::access::Access;
use crate::serve::episodes::{Episodes, Questions, Terms, Wish};
use crate::serve::http::{HttpService, router};
use crate::serve::listener;
use crate::serve::mcp::{self, McpProblem};
use crate::settings::Settings;

/// Clients ask several agents at a time: nobody sits there who could answer.
const MANY: usize = 2;

/// The episodes of all protocols.
pub(super) fn episodes(
    paths: &[Utf8PathBuf],
    arguments: &ServeAgents,
    library: &Library,
    settings: &Settings,
    stop: &CancellationToken,
) -> Result<Arc<Episodes>, Failure> {
    let terms = Terms {
        limits: LimitFlags::default().over(settings)?,
        most_open: arguments.max_episodes,
        lease: lease(&arguments.lease)?,
        out: arguments.out.clone(),
    };
    if let Some(out) = &terms.out {
        // A folder that is taken is told of now, not with the first episode.
        evaluation::output_folder(Some(out), false)?;
    }
    let questions = Questions::open(library, paths)?;
    Ok(Arc::new(Episodes::new(questions, terms, stop.clone())))
}

/// What is served in place of an address: this process' standard input and output.
pub(super) const STDIO: &str = "stdio";

/// Every protocol that was asked for.
pub(super) async fn start(
    arguments: &ServeAgents,
    settings: &Settings,
    access: &Access,
    episodes: &Arc<Episodes>,
    stop: &CancellationToken,
) -> Result<Vec<Listening>, Failure> {
    let mut listening = Vec::new();
    if let Some(address) = &arguments.http {
        listening.push(http(address, arguments, settings, access, episodes, stop).await?);
    }
    if let Some(place) = &arguments.mcp {
        let problem = problem(arguments, episodes)?;
        listening.push(match place.as_str() {
            STDIO => Listening {
                says: String::new(),
                served: Box::pin(mcp::serve_stdio(problem, stop.clone())),
            },
            address => mcp(address, problem, access, stop).await?,
        });
    }
    Ok(listening)
}

/// The problem that agents get over MCP.
fn problem(arguments: &ServeAgents, episodes: &Arc<Episodes>) -> Result<Arc<McpProblem>, Failure> {
    let set = match arguments.actions {
        Actions::Upstream => ActionSet::Upstream,
        Actions::Extended => ActionSet::Extended,
    };
    let wish = Wish {
        problem: arguments.problem.clone().unwrap_or_default(),
        agent: "mcp".to_owned(),
        clock: None,
        max_steps: None,
        action_set: arguments.profile.action_set(set),
        upstream: false,
        repeat: 1,
        settings: None,
    };
    let problem = McpProblem::new(Arc::clone(episodes), wish, arguments.profile);
    problem.map(Arc::new).map_err(Failure::user)
}

/// A problem over MCP's Streamable HTTP.
async fn mcp(
    address: &str,
    problem: Arc<McpProblem>,
    access: &Access,
    stop: &CancellationToken,
) -> Result<Listening, Failure> {
    let (tcp, bound) = super::listen(address).await?;
    access.check_address(bound)?;
    let router = mcp::router(problem, access.clone(), stop);
    Ok(Listening {
        says: format!("mcp http://{}{}\n", super::reachable(bound), mcp::PATH),
        served: Box::pin(listener::serve(tcp, None, router, stop.clone())),
    })
}

/// AIOpsLab's service and the step API.
async fn http(
    address: &str,
    arguments: &ServeAgents,
    settings: &Settings,
    access: &Access,
    episodes: &Arc<Episodes>,
    stop: &CancellationToken,
) -> Result<Listening, Failure> {
    let mut agents = AgentSpec::BASELINES.to_vec();
    for spec in &arguments.agents {
        let spec = AgentSpec::named(spec, &settings.llm)?;
        spec.check(episodes.limits(), MANY)?;
        if !agents.contains(&spec) {
            agents.push(spec);
        }
    }
    let (tcp, bound) = super::listen(address).await?;
    access.check_address(bound)?;
    let service = HttpService {
        episodes: Arc::clone(episodes),
        agents,
        access: access.clone(),
    };
    Ok(Listening {
        says: format!("listening on http://{}\n", super::reachable(bound)),
        served: Box::pin(listener::serve(tcp, None, router(service), stop.clone())),
    })
}

/// A time such as `10m` or `1h 30m`.
fn lease(text: &str) -> Result<Duration, Failure> {
    let parsed: Result<SignedDuration, _> = text.parse();
    let lease = parsed.ok().and_then(|time| Duration::try_from(time).ok());
    lease.filter(|lease| !lease.is_zero()).ok_or_else(|| {
        Failure::user(format!(
            "the lease {text:?} is no time\nhint: 30s, 10m or 2h"
        ))
    })
}
