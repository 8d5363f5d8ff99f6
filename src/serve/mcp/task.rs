//! What an agent is told over MCP: the task, as instructions, as a prompt and as a resource.

use aiopslab_problems::family::Application;
use aiopslab_problems::prompt;
use aiopslab_problems::task::Task;
use rmcp::ErrorData;
use rmcp::model::{
    GetPromptResult, Prompt, PromptMessage, ReadResourceResult, Resource, ResourceContents, Role,
};

/// The name of the prompt.
const PROMPT: &str = "task";

/// The name of the resource.
const RESOURCE: &str = "aiopslab://task";

/// The task, and how it is done with tools.
pub(super) fn instructions(task: Task, application: &Application) -> String {
    format!(
        "{}\n\nLook into the system with the tools of this server. \
         When you are sure, call `submit` with your answer; submitting ends the task.",
        prompt::description(task, application)
    )
}

pub(super) fn prompt() -> Prompt {
    Prompt::new(PROMPT, Some("What is asked, and how to answer."), None)
}

pub(super) fn prompted(name: &str, instructions: &str) -> Result<GetPromptResult, ErrorData> {
    if name != PROMPT {
        let text = format!("there is no prompt {name}; there is {PROMPT}");
        return Err(ErrorData::invalid_params(text, None));
    }
    let message = PromptMessage::new_text(Role::User, instructions);
    Ok(GetPromptResult::new(vec![message]))
}

pub(super) fn resource() -> Resource {
    Resource::new(RESOURCE, PROMPT)
        .with_description("What is asked, and how to answer.")
        .with_mime_type("text/plain")
}

pub(super) fn read(uri: &str, instructions: &str) -> Result<ReadResourceResult, ErrorData> {
    if uri != RESOURCE {
        let text = format!("there is no resource {uri}; there is {RESOURCE}");
        return Err(ErrorData::resource_not_found(text, None));
    }
    let contents = ResourceContents::text(instructions, RESOURCE);
    Ok(ReadResourceResult::new(vec![contents]))
}
