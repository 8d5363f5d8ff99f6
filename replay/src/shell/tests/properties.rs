//! Whatever an agent types is answered, the same each time. `AIOPSLAB_CASES` raises the number of
//! cases.

use proptest::prelude::*;

use super::run;
use crate::shell::arithmetic::{self, Names};
use crate::shell::parse;
use crate::shell::state::State;

/// What command lines are made of.
const TOKENS: [&str; 126] = [
    "kubectl",
    "get",
    "pods",
    "-n",
    "shop",
    "echo",
    "cat",
    "/data/pods.txt",
    "/tmp/x",
    "grep",
    "-c",
    "a",
    "b",
    "x",
    "1",
    "0",
    "-1",
    "|",
    "||",
    "&&",
    ";",
    "\n",
    "&",
    ">",
    ">>",
    "<",
    "<<<",
    "<<E\n",
    "E\n",
    "2>&1",
    "&>",
    "2>/dev/null",
    ">&",
    "<(",
    ">(",
    "(",
    ")",
    "{",
    "}",
    "((",
    "))",
    "[",
    "]",
    "[[",
    "]]",
    "!",
    "if",
    "then",
    "elif",
    "else",
    "fi",
    "for",
    "in",
    "while",
    "until",
    "do",
    "done",
    "case",
    "esac",
    ";;",
    ";&",
    "function",
    "f",
    "f()",
    "return",
    "break",
    "continue",
    "exit",
    "$(",
    "`",
    "$((",
    "${",
    "$x",
    "${x",
    ":-",
    ":=",
    ":?",
    ":+",
    "##",
    "%%",
    "//",
    "/",
    "${#x}",
    "$@",
    "$*",
    "$?",
    "$#",
    "$1",
    "${x[@]}",
    "x=",
    "x+=",
    "x=(",
    "a[0]=",
    "\"",
    "'",
    "\\",
    "$'",
    "$\"",
    "~",
    "*",
    "?",
    "{a,b}",
    "{1..3}",
    "=~",
    "==",
    "-eq",
    "-f",
    "set",
    "-e",
    "-u",
    "eval",
    "read",
    "shift",
    "local",
    "export",
    "unset",
    "declare",
    "-A",
    "printf",
    "%s",
    "%5d",
    "xargs",
    "find",
    "test",
    "timeout",
    "#",
];

/// Lines that agents typed, as `../shared/reference/wire-apis.md` and `aiopslab.md` tell of them.
const LINES: [&str; 16] = [
    "kubectl get pods -n shop -o wide | grep -v Running | head -5",
    "kubectl get events -n shop --sort-by='.lastTimestamp' | tail -20",
    "for p in $(kubectl get pods -n shop -o name); do echo \"== $p\"; kubectl logs -n shop $p --tail=20 2>&1 | grep -iE 'error|warn' || echo none; done",
    "kubectl get pods -n shop -o jsonpath='{range .items[*]}{.metadata.name}{\"\\n\"}{end}' | while read -r p; do echo \"$p\"; done",
    "kubectl get deploy,svc,endpoints -n shop; kubectl describe pod cart-1 -n shop | sed -n '/Events/,$p'",
    "if kubectl get pod nope -n shop >/dev/null 2>&1; then echo yes; else echo no; fi",
    "kubectl get pods -n shop --no-headers | awk '{print $1, $4}' | sort -k2 -rn | head",
    "kubectl logs -n shop -l app=cart --tail=50 | grep -i error | sort | uniq -c | sort -rn",
    "NS=shop; for d in cart web; do kubectl -n \"$NS\" rollout status deploy/$d --timeout=5s || true; done",
    "kubectl get pods -A | awk '$4 != \"Running\" {print $1\"/\"$2}' | xargs -r -n1 echo",
    "cat <<'EOF' | kubectl apply -f -\napiVersion: v1\nkind: Pod\nEOF",
    "x=$(kubectl get svc -n shop -o jsonpath='{.items[0].spec.clusterIP}'); [ -z \"$x\" ] && echo empty || echo \"ip ${x%%.*}\"",
    "sleep 5; kubectl get pods -n shop | tail -n +2 | wc -l",
    "for i in {1..3}; do kubectl top pods -n shop 2>/dev/null; sleep 1; done",
    "kubectl get cm -n shop -o yaml | grep -A5 'data:' | cut -d: -f2 | tr -d ' \"' | sort -u",
    "curl -s http://prometheus-server.observe.svc/api/v1/targets | jq -r '.data.activeTargets[].health' | sort | uniq -c",
];

fn cases() -> ProptestConfig {
    let cases = std::env::var("AIOPSLAB_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(256);
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn soup() -> impl Strategy<Value = String> {
    let token = proptest::sample::select(TOKENS.as_slice());
    let gap = proptest::sample::select([" ", " ", " ", "", "\n"].as_slice());
    proptest::collection::vec((token, gap), 0..24).prop_map(|parts| {
        parts
            .into_iter()
            .flat_map(|(token, gap)| [token, gap])
            .collect()
    })
}

/// A line of an agent's in which pieces were cut out, doubled or replaced.
fn mutated() -> impl Strategy<Value = String> {
    let line = proptest::sample::select(LINES.as_slice());
    let change = (
        any::<prop::sample::Index>(),
        0usize..12,
        0usize..4,
        proptest::sample::select(TOKENS.as_slice()),
    );
    (line, proptest::collection::vec(change, 0..6)).prop_map(|(line, changes)| {
        let mut characters: Vec<char> = line.chars().collect();
        for (index, length, kind, token) in changes {
            let start = index.index(characters.len() + 1);
            let end = (start + length).min(characters.len());
            let piece: Vec<char> = characters.drain(start..end).collect();
            let inserted: Vec<char> = match kind {
                0 => Vec::new(),
                1 => token.chars().collect(),
                2 => piece.iter().chain(&piece).copied().collect(),
                _ => piece.iter().copied().chain(token.chars()).collect(),
            };
            characters.splice(start..start, inserted);
        }
        characters.into_iter().collect()
    })
}

fn answers_twice(line: &str) {
    assert_eq!(run(line), run(line), "{line}");
}

struct Nothing;

impl Names for Nothing {
    fn get(&self, _: &str, _: Option<i64>) -> Result<String, String> {
        Ok("1+x".to_owned())
    }

    fn set(&mut self, _: &str, _: Option<i64>, _: i64) -> Result<(), String> {
        Ok(())
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn any_text_is_answered(line in "\\PC{0,60}") {
        answers_twice(&line);
    }

    #[test]
    fn any_symbols_are_answered(line in "[a-c \\n$(){}\\[\\]`'\"\\\\|&;<>*?!#~=:/%+,.0-9-]{0,40}") {
        answers_twice(&line);
    }

    #[test]
    fn any_tokens_are_answered(line in soup()) {
        answers_twice(&line);
    }

    #[test]
    fn changed_commands_are_answered(line in mutated()) {
        answers_twice(&line);
    }

    #[test]
    fn any_text_is_parsed(line in "\\PC{0,200}", tokens in soup()) {
        parse::parse(&line, 0);
        parse::parse(&tokens, 0);
        parse::parse(&format!("{tokens}{line}"), 0);
    }

    #[test]
    fn any_expression_is_evaluated(expression in "[a-c0-9 +*/%<>=!&|^~?:,()\\[\\]#\"-]{0,40}") {
        let _ = arithmetic::evaluate(&expression, &mut Nothing);
        let _ = arithmetic::evaluate(&expression, &mut State::new());
    }
}
