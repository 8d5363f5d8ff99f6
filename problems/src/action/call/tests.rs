use proptest::prelude::*;
use serde_json::json;

use super::*;

fn fenced(call: &str) -> String {
    format!("```\n{call}\n```")
}

/// The command that a response runs, or the error.
fn command(response: &str, syntax: CallSyntax) -> Result<String, String> {
    match parse(response, syntax) {
        Ok(Action::ExecShell { command, .. }) => Ok(command),
        Ok(other) => Err(format!("{other:?}")),
        Err(error) => Err(error.to_string()),
    }
}

fn submitted(response: &str, syntax: CallSyntax) -> Value {
    match parse(response, syntax) {
        Ok(Action::Submit { solution }) => solution,
        other => panic!("{response}: {other:?}"),
    }
}

#[test]
fn both_read_what_aiopslab_reads() {
    for syntax in [CallSyntax::Ours, CallSyntax::Upstream] {
        for (call, wanted) in [
            (r#"exec_shell("ls")"#, "ls"),
            (r#"exec_shell(command="ls -l")"#, "ls -l"),
            (r#"exec_shell("""ls""")"#, "ls"),
            ("exec_shell('echo \"a\"; b')", "echo \"a\"; b"),
            (
                r#"exec_shell("kubectl get po -o jsonpath='{.x}'")"#,
                "kubectl get po -o jsonpath='{.x}'",
            ),
            (r#"exec_shell("printf 'a\n' (x)")"#, r"printf 'a\n' (x)"),
            ("exec_shell(\"cat <<E\nx\nE\n\")", "cat <<E\nx\nE\n"),
            (r#"exec_shell("echo "hi" there")"#, "echo \"hi\" there"),
        ] {
            assert_eq!(
                command(&fenced(call), syntax).as_deref(),
                Ok(wanted),
                "{syntax:?} {call}"
            );
        }
        assert!(
            command("Action:```\r\nexec_shell(\"ls\")\r\n```\r\n", syntax).is_ok(),
            "CRLF, text before the fence"
        );
        assert_eq!(
            submitted(&fenced("submit(\"Yes\") # comment (x)"), syntax),
            json!("Yes")
        );
        assert_eq!(
            submitted(&fenced("submit([\"a\", 'b'])"), syntax),
            json!(["a", "b"])
        );
        assert_eq!(
            submitted(&fenced("submit((\"a\", 'b'))"), syntax),
            json!(["a", "b"])
        );
        assert_eq!(
            submitted(&fenced("submit(\"a\", \"b\")"), syntax),
            json!(["a", "b"])
        );
        assert_eq!(submitted(&fenced("submit()"), syntax), Value::Null);
        assert_eq!(
            parse(&fenced("get_metrics(\"ns\", duration=10)"), syntax),
            Ok(Action::GetMetrics {
                namespace: "ns".to_owned(),
                duration: 10
            })
        );
        for refused in [
            "```\nsubmit(1)\n```\n```\nsubmit(2)\n```",
            "```\nsubmit\n```",
            "```\nsubmit(f\"x\")\n```",
            "```\nsubmit(1 + 1)\n```",
            "```\nsubmit({1, 2})\n```",
            "```\nexec_shell(ls)\n```",
            "I would like to look at the logs first.",
        ] {
            let error = parse(refused, syntax).unwrap_err().to_string();
            assert!(
                error.starts_with("Error parsing response: "),
                "{refused}: {error}"
            );
        }
        let unknown = parse(&fenced("reboot(\"now\")"), syntax)
            .unwrap_err()
            .to_string();
        assert_eq!(
            unknown,
            "Invalid action: reboot. The actions are exec_shell, get_logs, get_metrics, get_traces, read_metrics, read_traces, submit."
        );
    }
}

#[test]
fn upstream_has_its_quirks() {
    let upstream = |response: &str| command(response, CallSyntax::Upstream);
    for refused in [
        "```python\nexec_shell(\"ls\")\n```",
        "```\n  exec_shell(\"ls\")\n  ```",
        "```exec_shell(\"ls\")```",
        "exec_shell(\"ls\")",
        "```\nexec_shell(\"ls\", 60)\n```",
        "```\nget_metrics(\"ns\", -5)\n```",
        "```\nsubmit([(1, 2)])\n```",
    ] {
        assert!(parse(refused, CallSyntax::Upstream).is_err(), "{refused}");
    }
    assert_eq!(
        upstream(&fenced(r#"exec_shell("echo \"hi\"")"#)).as_deref(),
        Ok(r#"echo "hi\"#)
    );
    assert_eq!(
        upstream(&fenced(r#"exec_shell(command="grep command=foo x")"#)).as_deref(),
        Ok("grep foo x")
    );
    assert_eq!(
        submitted(&fenced("submit(has_anomaly=\"Yes\")"), CallSyntax::Upstream),
        json!([])
    );
    let first = parse(
        &fenced("get_logs(\"a\", \"b\")\nget_logs(\"c\", \"d\")"),
        CallSyntax::Upstream,
    )
    .unwrap();
    assert_eq!(
        first,
        Action::GetLogs {
            namespace: "a".to_owned(),
            service: "b".to_owned()
        }
    );
}

#[test]
fn ours_reads_more() {
    let ours = |response: &str| command(response, CallSyntax::Ours);
    for response in [
        "```python\nexec_shell(\"ls\")\n```",
        "Then:\n  ```bash\n  exec_shell(\"ls\")\n  ```\nDone.",
        "```exec_shell(\"ls\")```",
        "  exec_shell(\"ls\")\n",
        "```\nexec_shell(\"ls\", 60)\n```",
        "```\nexec_shell(command = 'ls', timeout=60) # lists (all)\n```",
    ] {
        assert_eq!(ours(response).as_deref(), Ok("ls"), "{response}");
    }
    assert_eq!(
        parse("exec_shell(\"ls\", timeout=60)", CallSyntax::Ours),
        Ok(Action::ExecShell {
            command: "ls".to_owned(),
            timeout: 60
        })
    );
    assert_eq!(
        ours(&fenced(r#"exec_shell("echo \"hi\"")"#)).as_deref(),
        Ok(r#"echo "hi""#)
    );
    assert_eq!(
        ours(&fenced(r#"exec_shell(command="grep command=foo x")"#)).as_deref(),
        Ok("grep command=foo x")
    );
    assert_eq!(
        submitted("submit(has_anomaly=\"Yes\")", CallSyntax::Ours),
        json!("Yes")
    );
    assert_eq!(
        submitted(
            "submit(system_level=\"a\", fault_type=\"b\")",
            CallSyntax::Ours
        ),
        json!({"system_level": "a", "fault_type": "b"})
    );
    assert!(parse("get_metrics(\"ns\", -5)", CallSyntax::Ours).is_ok());
    for refused in [
        "exec_shell(\"ls\")\nexec_shell(\"pwd\")",
        "submit(\"Yes\")\nsubmit(\"No\")",
        "submit(\"Yes\"",
        "```\nsubmit(1)",
    ] {
        assert!(parse(refused, CallSyntax::Ours).is_err(), "{refused}");
    }
    let error = parse("get_logs(\"ns\")", CallSyntax::Ours)
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "Error parsing response: get_logs: argument service is missing. It is called as get_logs(namespace: str, service: str)."
    );
}

#[test]
fn huge_input_is_an_error() {
    for syntax in [CallSyntax::Ours, CallSyntax::Upstream] {
        assert!(
            parse(
                &fenced(&format!("exec_shell(\"{}\")", "x".repeat(20_000))),
                syntax
            )
            .is_err()
        );
        assert!(parse(&fenced(&format!("submit({})", "[".repeat(16_000))), syntax).is_err());
    }
}

#[test]
fn every_action_is_described() {
    for task in crate::task::Task::ALL {
        let names = |set| -> Vec<&str> {
            super::super::table::actions(set)
                .map(|action| action.name)
                .collect()
        };
        assert_eq!(names(ActionSet::Extended), NAMES);
        let mut seven = NAMES.to_vec();
        seven.retain(|name| *name != "query_sql");
        assert_eq!(names(ActionSet::Upstream), seven);
        for set in [ActionSet::Upstream, ActionSet::Extended] {
            let docs = super::super::describe(task, set);
            let schemas = super::super::schemas(task, set);
            let of_docs: Vec<_> = docs.iter().map(|(name, _)| *name).collect();
            let of_schemas: Vec<_> = schemas.iter().map(|(name, _)| *name).collect();
            assert_eq!((&of_docs, &of_schemas), (&names(set), &names(set)));
        }
        let docs = super::super::describe(task, ActionSet::Extended);
        assert!(
            docs.iter()
                .all(|(name, doc)| doc.starts_with(&format!("{name}(")))
        );
    }
    let built = super::super::from_json(
        "get_logs",
        &json!({"namespace": "a", "service": "b"}),
        ActionSet::Upstream,
    );
    assert_eq!(
        built,
        Ok(Action::GetLogs {
            namespace: "a".to_owned(),
            service: "b".to_owned()
        })
    );
    assert!(
        super::super::from_json(
            "get_logs",
            &json!({"namespace": "a", "container": "b"}),
            ActionSet::Upstream
        )
        .is_err()
    );
    let built =
        super::super::from_json("submit", &json!({"has_anomaly": "No"}), ActionSet::Upstream);
    assert_eq!(
        built,
        Ok(Action::Submit {
            solution: json!("No")
        })
    );
}

#[test]
fn our_actions_exist_only_where_they_are_asked_for() {
    let call = fenced("query_sql(\"SELECT 'a' AS \\\"b\\\"\")");
    let read = parse_among(&call, CallSyntax::Ours, ActionSet::Extended).unwrap();
    let query = "SELECT 'a' AS \"b\"".to_owned();
    assert_eq!(read, Action::QuerySql { query });
    let triple = fenced("query_sql(query=\"\"\"SELECT 'a'\nFROM logs\"\"\")");
    assert!(parse_among(&triple, CallSyntax::Ours, ActionSet::Extended).is_ok());
    let refused = parse(&call, CallSyntax::Ours).unwrap_err().to_string();
    assert!(refused.starts_with("Invalid action: query_sql. The actions are exec_shell, "));
    assert!(!refused["Invalid action: query_sql".len()..].contains("query_sql"));
    let unknown = parse_among(&fenced("sql(1)"), CallSyntax::Ours, ActionSet::Extended);
    assert!(unknown.unwrap_err().to_string().contains("query_sql"));
}

fn action() -> impl Strategy<Value = Action> {
    let text = "[ -~é]{0,20}";
    let command = r#"[a-z(][a-z0-9 ()'"|=,.#\\-]{0,30}[a-z)'"]"#;
    prop_oneof![
        (text, text).prop_map(|(namespace, service)| Action::GetLogs { namespace, service }),
        (text, any::<i32>()).prop_map(|(namespace, duration)| Action::GetMetrics {
            namespace,
            duration: duration.into()
        }),
        (command, any::<i32>()).prop_map(|(command, timeout)| Action::ExecShell {
            command,
            timeout: timeout.into()
        }),
        text.prop_map(|file_path| Action::ReadTraces { file_path }),
        text.prop_map(|query| Action::QuerySql { query }),
        prop::collection::vec(text, 2..4).prop_map(|names| Action::Submit {
            solution: json!(names)
        }),
        (text, text).prop_map(|(level, kind)| Action::Submit {
            solution: json!({"system_level": level, "fault_type": kind})
        }),
    ]
}

proptest! {
    #[test]
    fn parsing_never_panics(response in "(.|\n|```|\\(|\\)|\"|'|exec_shell\\(|submit\\(|\\[|\\\\){0,60}") {
        for syntax in [CallSyntax::Ours, CallSyntax::Upstream] {
            let _ = parse(&response, syntax);
            let _ = parse(&fenced(&format!("submit({response})")), syntax);
            let _ = parse(&fenced(&format!("exec_shell({response})")), syntax);
        }
    }

    #[test]
    fn rendered_calls_are_read_back(action in action()) {
        // A text with a fence in it can't be put in a fence.
        prop_assume!(!render(&action).trim_matches('`').contains("```"));
        let read = parse_among(&render(&action), CallSyntax::Ours, ActionSet::Extended);
        prop_assert_eq!(read, Ok(action));
    }
}
