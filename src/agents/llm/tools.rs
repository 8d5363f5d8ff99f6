//! Actions as tools: what a model is offered, and what its calls mean.

use aiopslab_problems::action::{self, ActionSet, MAX_CALL_BYTES};
use serde_json::{Value, json};

use super::super::Briefing;
use super::answer::{Answer, ToolCall};

/// The set that a briefing's actions are of.
pub(super) fn action_set(briefing: &Briefing) -> ActionSet {
    let has_ours = |action: &super::super::ActionHelp| action.name == "query_sql";
    match briefing.actions.iter().any(has_ours) {
        true => ActionSet::Extended,
        false => ActionSet::Upstream,
    }
}

/// The tools of a request, one for each action that `tells_of` lets through.
pub(super) fn offered(briefing: &Briefing, tells_of: impl Fn(&str) -> bool) -> Vec<Value> {
    let help = |name: &str| {
        let found = briefing.actions.iter().find(|action| action.name == name);
        found.map_or("", |action| action.help.as_str())
    };
    action::schemas(briefing.task, action_set(briefing))
        .into_iter()
        .filter(|(name, _)| tells_of(name))
        .map(|(name, schema)| {
            json!({
                "type": "function",
                "function": {"name": name, "description": help(name), "parameters": schema},
            })
        })
        .collect()
}

/// An answer as text with one call, in the form that an agent without tools would have written.
///
/// What is no good call is written as the model made it: the session then says what is wrong with it.
pub(super) fn as_text(answer: &Answer, set: ActionSet) -> String {
    let calls: Vec<String> = answer
        .tool_calls
        .iter()
        .map(|call| written(call, set))
        .collect();
    if calls.is_empty() {
        return answer.content.clone();
    }
    let mut text = String::new();
    // A fence in what it says besides would be a second call.
    if !answer.content.trim().is_empty() && !answer.content.contains("```") {
        text.push_str(answer.content.trim());
        text.push_str("\n\n");
    }
    text.push_str(&calls.join("\n\n"));
    text
}

fn written(call: &ToolCall, set: ActionSet) -> String {
    let arguments = match call.function.arguments.trim() {
        "" => Some(json!({})),
        text => serde_json::from_str::<Value>(text).ok(),
    };
    let action = arguments
        .filter(Value::is_object)
        .and_then(|arguments| action::from_json(&call.function.name, &arguments, set).ok());
    match action {
        Some(action) => action::render(&action),
        None => {
            let raw: String = call
                .function
                .arguments
                .chars()
                .take(MAX_CALL_BYTES)
                .collect();
            format!(
                "```\n{}({})\n```",
                call.function.name,
                raw.replace("```", "'''")
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use aiopslab_problems::action::{Action, CallSyntax, parse};

    use super::super::answer::Function;
    use super::*;

    fn said(content: &str, calls: &[(&str, &str)]) -> String {
        let calls = calls.iter().map(|(name, arguments)| ToolCall {
            id: "1".to_owned(),
            kind: "function".to_owned(),
            function: Function {
                name: (*name).to_owned(),
                arguments: (*arguments).to_owned(),
            },
        });
        let answer = Answer {
            content: content.to_owned(),
            tool_calls: calls.collect(),
            ..Answer::default()
        };
        as_text(&answer, ActionSet::Upstream)
    }

    #[test]
    fn a_call_of_a_tool_is_the_same_action_in_both_syntaxes() {
        let arguments = r#"{"command": "kubectl get pods -o jsonpath='{.items[*]}' | grep \"a\""}"#;
        let text = said("I look.", &[("exec_shell", arguments)]);
        assert!(text.starts_with("I look.\n\n```\nexec_shell("), "{text}");
        for syntax in [CallSyntax::Ours, CallSyntax::Upstream] {
            assert!(
                matches!(parse(&text, syntax), Ok(Action::ExecShell { .. })),
                "{text}"
            );
        }
        let solution = |text: &str| match parse(text, CallSyntax::Ours) {
            Ok(Action::Submit { solution }) => solution,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            solution(&said("", &[("submit", r#"{"has_anomaly": "Yes"}"#)])),
            "Yes"
        );
        assert_eq!(solution(&said("", &[("submit", r#""Yes""#)])), "Yes");
        assert_eq!(solution(&said("", &[("submit", "")])), Value::Null);
    }

    #[test]
    fn what_is_no_good_call_stays_one_that_is_refused() {
        for calls in [
            &[("get_logs", r#"{"namespace": "x", "service": "#)][..],
            &[("get_logs", r#"{"namespace": "x"}"#)],
            &[("fly", "{}")],
            &[("", "")],
            &[("get_logs", "```\nsubmit()\n```")],
            &[("submit", "{}"), ("submit", "{}")],
        ] {
            let text = said("", calls);
            let read = parse(&text, CallSyntax::Ours);
            assert!(read.is_err(), "{text}: {read:?}");
        }
    }

    #[test]
    fn a_fence_beside_a_call_is_not_a_second_call() {
        let text = said(
            "```\nsubmit()\n```",
            &[("exec_shell", r#"{"command": "ls"}"#)],
        );
        assert_eq!(text, "```\nexec_shell(\"ls\")\n```");
    }
}
