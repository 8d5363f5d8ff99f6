//! A problem to agents that speak the Model Context Protocol (`docs/mcp.md`).
//!
//! One tool for each action; the task is told as the server's instructions, and again as a prompt and
//! a resource, since clients differ in what they show a model. [`McpServer`] is the protocol, in the
//! generation with sessions and in the one without; [`Toolbox`] are the tools, of our own names or of
//! another project's.

mod kubernetes;
mod sregym;
mod task;
mod tools;
mod transport;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use aiopslab_problems::episode::EndReason;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, GetPromptRequestParams,
    GetPromptResponse, Implementation, ListPromptsResult, ListResourcesResult, ListToolsResult,
    PaginatedRequestParams, ReadResourceRequestParams, ReadResourceResponse, ServerCapabilities,
    ServerConfig,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

pub use self::tools::{Profile, Toolbox};
pub use self::transport::{PATH, router, serve_stdio};
use super::episodes::{Answer, Episode, Episodes, Refusal, Wish, interrupted};

/// The header that names a session, where the protocol has sessions.
const SESSION: &str = "mcp-session-id";

/// What all sessions share: one problem, its tools, its episodes.
pub struct McpProblem {
    episodes: Arc<Episodes>,
    wish: Wish,
    tools: Toolbox,
    instructions: String,
    /// Episodes of clients without sessions, by the path that they ask at.
    by_path: Mutex<BTreeMap<String, Slot>>,
}

/// The episode of a session, begun by its first action.
type Slot = Arc<OnceCell<Arc<Episode>>>;

impl McpProblem {
    /// Serves the problem of a wish.
    ///
    /// # Errors
    /// When there is no such problem.
    pub fn new(episodes: Arc<Episodes>, wish: Wish, profile: Profile) -> Result<Self, Refusal> {
        let question = episodes.questions().find(&wish.problem, wish.clock)?;
        let task = question.problem.task;
        let instructions = task::instructions(task, &question.application);
        Ok(Self {
            tools: Toolbox::new(profile, task, wish.action_set),
            instructions,
            episodes,
            wish,
            by_path: Mutex::default(),
        })
    }
}

/// The server of one session, or of one request where the protocol has no sessions.
pub struct McpServer {
    problem: Arc<McpProblem>,
    own: Slot,
}

impl McpServer {
    /// Without an episode yet.
    #[must_use]
    pub fn new(problem: Arc<McpProblem>) -> Self {
        Self {
            problem,
            own: Slot::default(),
        }
    }

    /// The slot of the episode that a request belongs to: its session's, else its path's.
    fn slot(&self, context: &RequestContext<RoleServer>) -> Slot {
        let request = context.extensions.get::<axum::http::request::Parts>();
        match request {
            Some(request) if !request.headers.contains_key(SESSION) => {
                let path = request.uri.path().to_owned();
                let by_path = &self.problem.by_path;
                let mut by_path = by_path.lock().unwrap_or_else(PoisonError::into_inner);
                Arc::clone(by_path.entry(path).or_default())
            }
            _ => Arc::clone(&self.own),
        }
    }
}

/// A session that its client closed goes on for nobody.
impl Drop for McpServer {
    fn drop(&mut self) {
        let (Some(episode), Ok(runtime)) = (self.own.get(), tokio::runtime::Handle::try_current())
        else {
            return;
        };
        let episode = Arc::clone(episode);
        runtime.spawn(async move {
            drop(episode.end(interrupted()).await);
        });
    }
}

impl ServerHandler for McpServer {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_prompts()
            .enable_resources()
            .build();
        let mut info = ServerConfig::new(capabilities);
        info.server_info = Implementation::new("aiopslab", env!("CARGO_PKG_VERSION"));
        info.with_instructions(&self.problem.instructions)
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.problem.tools.list()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let arguments = Value::Object(request.arguments.unwrap_or_default());
        let Some(call) = self.problem.tools.call(&request.name, &arguments) else {
            let known = self.problem.tools.names().collect::<Vec<_>>().join(", ");
            let text = format!("there is no tool {}; the tools are {known}", request.name);
            return Err(ErrorData::invalid_params(text, None));
        };
        let call = match call {
            Ok(call) => call,
            Err(what) => return Ok(said(what, true)),
        };
        let (problem, slot) = (Arc::clone(&self.problem), self.slot(&context));
        let client = context.client_info();
        // To its end even if the client gives the request up: half a step would break the episode.
        let acted = tokio::spawn(async move { act(&problem, &slot, client, call).await }).await;
        Ok(match acted {
            Ok(Ok(answer)) => said(text_of(&answer), false),
            Ok(Err(refusal)) => said(refusal.to_string(), true),
            Err(panicked) => {
                tracing::error!(%panicked, "a tool failed");
                said("a defect of the server".to_owned(), true)
            }
        })
    }

    async fn list_prompts(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Ok(ListPromptsResult::with_all_items(vec![task::prompt()]))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        task::prompted(&request.name, &self.problem.instructions).map(Into::into)
    }

    async fn list_resources(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        Ok(ListResourcesResult::with_all_items(vec![task::resource()]))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        task::read(&request.uri, &self.problem.instructions).map(Into::into)
    }
}

/// Acts in the episode of a slot, which the first action begins.
async fn act(
    problem: &McpProblem,
    slot: &Slot,
    client: Option<Implementation>,
    call: String,
) -> Result<Answer, Refusal> {
    let begin = async || {
        let mut wish = problem.wish.clone();
        let told = json!({
            "protocol": "mcp",
            "client": client.as_ref().map(|client| &client.name),
            "instructions": problem.instructions,
            "tools": problem.tools.names().collect::<Vec<_>>(),
        });
        wish.settings = Some(told);
        if let Some(client) = &client {
            wish.agent = format!("mcp:{}", client.name.chars().take(100).collect::<String>());
        }
        problem.episodes.open(wish, None).await
    };
    let episode = slot.get_or_try_init(begin).await?;
    // Its lease begins anew; one that was forgotten has ended long ago.
    let episode = problem.episodes.find(&episode.id)?;
    episode.step(None, call.into()).await
}

/// What an agent reads of an answer. How it did is not told.
fn text_of(answer: &Answer) -> String {
    match answer.ended {
        None => answer.observation.clone(),
        Some(EndReason::Submitted) => "submitted".to_owned(),
        Some(reason) => {
            let over = Refusal::Over(reason);
            format!("{}\n\n{over}", answer.observation)
                .trim_start()
                .to_owned()
        }
    }
}

fn said(text: String, is_error: bool) -> CallToolResponse {
    let content = vec![ContentBlock::text(text)];
    match is_error {
        true => CallToolResult::error(content).into(),
        false => CallToolResult::success(content).into(),
    }
}
