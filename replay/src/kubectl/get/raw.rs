//! `kubectl get --raw PATH`: the server's own bytes.

use aiopslab_problems::answer::refused_command;
use aiopslab_problems::environment::Verdict;

use crate::golang::quote::quote;
use crate::kubectl::arguments::Arguments;
use crate::kubectl::cluster::Cluster;
use crate::kubectl::failure::Failure;
use crate::kubernetes::{Accepted, Answer, Form, KubernetesApi, ReadRequest};
use crate::shell::{CommandOutput, END_OF_RECORDING};

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
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let request = ReadRequest {
        path: decoded(path),
        parameters: url::form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect(),
        prefix: String::new(),
        accepted: Ok(Accepted::Form(Form::Object)),
    };
    let api = KubernetesApi::lent(cluster.view).await?;
    let answer = api.get(&request).await;
    let mut output = CommandOutput::answered("");
    // The server warns of a kind that it did not find, too.
    if let Some(warning) = api.warning(&request.path).await? {
        output.stderr = format!("Warning: {warning}\n");
    }
    output.stdout = match answer {
        Ok(Answer::Document(document) | Answer::Discovery(document, _)) => format!("{document}\n"),
        Ok(Answer::Indented(document)) => format!("{document:#}"),
        Ok(Answer::Text(text)) => text.to_owned(),
        Ok(Answer::Log(log)) => String::from_utf8_lossy(&log).into_owned(),
        Ok(Answer::FollowedLog(_)) => {
            let text = refused_command("kubectl logs -f").unwrap_or_default();
            return Err(Failure::denied(text));
        }
        Ok(Answer::Watch(watch)) => {
            output.stderr.push_str(END_OF_RECORDING);
            output.verdict = Verdict::Partial;
            let events = watch.events.iter();
            events.map(|event| format!("{event}\n")).collect()
        }
        Err(status) => match Failure::from(status) {
            Failure::Message { text, verdict } => {
                output.stderr.push_str(&format!("{text}\n"));
                output.exit_code = 1;
                output.verdict = verdict;
                String::new()
            }
            stop => return Err(stop),
        },
    };
    Ok(output)
}

/// A path without its percent signs.
fn decoded(path: &str) -> String {
    // `+` is no blank in a path.
    let pair = format!("={}", path.replace('+', "%2B"));
    let mut pairs = url::form_urlencoded::parse(pair.as_bytes());
    pairs
        .next()
        .map_or(String::new(), |(_, path)| path.into_owned())
}
