//! `kubectl get --raw PATH`: the server's own bytes, where the recording has them.

use crate::golang::quote::quote;
use crate::kubectl::arguments::Arguments;
use crate::kubectl::cluster::Cluster;
use crate::kubectl::failure::Failure;
use crate::shell::CommandOutput;

/// Runs the command.
pub(super) async fn get(
    cluster: &Cluster<'_>,
    arguments: &Arguments,
    path: &str,
) -> Result<CommandOutput, Failure> {
    let error = |text: String| Err(Failure::invalid(format!("error: {text}")));
    if !arguments.operands.is_empty() {
        return error("arguments may not be passed when --raw is specified".to_owned());
    }
    let filtered = ["watch", "watch-only"]
        .iter()
        .any(|flag| arguments.is_set(flag))
        || arguments.value("selector").is_some_and(|s| !s.is_empty());
    if filtered {
        return error(
            "--raw may not be specified with other flags that filter the server request or alter \
             the output"
                .to_owned(),
        );
    }
    if arguments.value("output").is_some_and(|o| !o.is_empty()) {
        return error("--raw and --output are mutually exclusive".to_owned());
    }
    if !path.starts_with('/') && !path.contains("://") {
        return error(format!(
            "--raw must be a valid URL path: parse {}: invalid URI for request",
            quote(path)
        ));
    }
    if path.trim_end_matches('/') == "/version" {
        let version = cluster.view.server_version().await?;
        if !version.is_null() {
            // The one answer that the server indents.
            let text = serde_json::to_string_pretty(&version).unwrap_or_default();
            return Ok(CommandOutput::answered(text));
        }
    }
    Err(Failure::not_captured(format!(
        "kubectl get --raw {path}: the server's own answer is not available in this recording"
    )))
}
