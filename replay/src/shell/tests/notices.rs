//! What is not in the recording ends the action, whatever is around it.

use aiopslab_problems::environment::Verdict;

use super::{check, run};

/// Commands of which nothing can be known, each in another way.
const UNKNOWN: [(&str, &str); 6] = [
    ("curl x", "curl: this command"),
    ("kubectl exec cart-1 -n shop -- ls", "cart-1"),
    ("cat /etc/hosts", "/etc/hosts: this file"),
    ("/opt/tool x", "/opt/tool: this command"),
    ("ls /var/log", "/var/log"),
    ("python3 -c 'print(1)'", "python3: this command"),
];

/// What could hide a failure; `CMD` is the command.
const AROUND: [&str; 44] = [
    "CMD",
    "CMD 2>/dev/null",
    "CMD 2>/dev/null || echo none",
    "CMD > /dev/null 2>&1",
    "CMD &>/dev/null; echo after",
    "CMD || true",
    "! CMD",
    "if ! CMD; then echo none; fi",
    "if CMD; then :; else echo none; fi",
    "if true; then CMD; fi",
    "while CMD; do echo loop; done; echo none",
    "until CMD; do break; done; echo none",
    "x=$(CMD) || echo none",
    "x=$(CMD 2>/dev/null); echo \"none:$x\"",
    "x=`CMD`; echo none",
    "echo \"none $(CMD)\"",
    "echo ${x:-$(CMD)}",
    "echo $(( $(CMD) + 1 ))",
    "a=($(CMD)); echo none",
    "[ -z \"$(CMD)\" ] && echo none",
    "[[ -z $(CMD) ]] && echo none",
    "case $(CMD) in '') echo none;; esac",
    "CMD | head -1",
    "CMD | grep -c x || echo none",
    "CMD 2>&1 | cat > /dev/null; echo none",
    "echo a | CMD | cat",
    "for i in 1 2; do CMD; done; echo none",
    "for i in $(CMD); do :; done; echo none",
    "echo x | while read l; do CMD; done; echo none",
    "CMD | while read l; do echo $l; done; echo none",
    "(CMD) 2>/dev/null; echo none",
    "( ( CMD ) || echo none )",
    "{ CMD; } 2>/dev/null || echo none",
    "f() { CMD; }; f 2>/dev/null || echo none",
    "f() { CMD; return 0; }; if f; then :; fi; echo none",
    "eval 'CMD' 2>/dev/null || echo none",
    "bash -c 'CMD; true' 2>/dev/null || echo none",
    "echo x | xargs -I{} CMD 2>/dev/null; echo none",
    "timeout 5 CMD 2>/dev/null || echo none",
    "command CMD 2>/dev/null || echo none",
    "cat < <(CMD); echo none",
    "cat <<E\n$(CMD)\nE\necho none",
    "cat <<< \"$(CMD)\"; echo none",
    "exec 2>/dev/null; set +e; CMD; echo none",
];

#[test]
fn nothing_hides_what_is_not_captured() {
    for (command, what) in UNKNOWN {
        for around in AROUND {
            // Quotes within quotes would change the command.
            if command.contains('\'') && around.contains("'CMD") {
                continue;
            }
            let line = around.replace("CMD", command);
            let outcome = run(&line);
            assert_eq!(outcome.verdict, Verdict::NotCaptured, "{line}");
            assert_eq!(outcome.exit_code, 126, "{line}");
            let text = outcome.text();
            assert!(!text.contains("none"), "{line}: {text}");
            assert!(!text.contains("after"), "{line}: {text}");
            let notice = text.lines().last().unwrap_or_default();
            assert!(
                notice.starts_with("notice: ") && notice.contains(what),
                "{line}: {text}"
            );
        }
    }
}

#[test]
fn what_was_printed_before_stays() {
    check(
        "echo a; curl x; echo b",
        "a\nnotice: curl: this command is not available in this recording\n",
        126,
        Verdict::NotCaptured,
    );
    check(
        "(echo a; curl x) | cat",
        "notice: curl: this command is not available in this recording\n",
        126,
        Verdict::NotCaptured,
    );
}

#[test]
fn what_can_not_be_known_is_not_made_up() {
    for line in [
        "echo $HOSTNAME",
        "echo ${USER:-nobody}",
        "echo $RANDOM",
        "echo $$",
        "printenv KUBECONFIG",
        "which python3 || echo none",
        "command -v helm || echo none",
        "type nc",
        "[ -f /etc/passwd ] || echo none",
        "[[ -e /root/.kube/config ]] || echo none",
        "echo a > /root/x; cat /root/.kube/config || echo none",
        "mkdir -p ~/.kube; cat /root/.kube/config || echo none",
        "echo a > /root/x; ls /root && echo none",
        "echo a > /root/x; ls && echo none",
        "echo a > /root/x; grep -r a /root && echo none",
        "echo a > /root/x; rg a /root && echo none",
        "cd /tmp; ls /nope || echo none",
        "cd /tmp; cat /nope || echo none",
        "mkdir -p /etc/new; cat /etc/hosts || echo none",
        "mkdir /etc/new && echo none",
        "test -d /opt/app || echo none",
        "cd /opt/app || echo none",
        "echo /var/log/*",
        "echo *",
        "find / -name x",
        "find /root -name config || echo none",
        "cat ~/.kube/config || echo none",
        "echo x > /etc/hosts || echo none",
        "mkdir /opt/x || echo none",
        "rm /etc/hosts || echo none",
        "rm -rf / || echo none",
        ". /etc/profile || echo none",
        "bash /opt/run.sh || echo none",
        "./run.sh",
        "ulimit -a",
        "trap 'echo x' EXIT",
        "shopt -s nullglob",
        "watch kubectl get pods",
        "hostname",
        "declare -A m=([a]=1 [b]=2); echo ${!m[@]}",
    ] {
        let outcome = run(line);
        assert_eq!(
            outcome.verdict,
            Verdict::NotCaptured,
            "{line}: {}",
            outcome.text()
        );
        assert!(!outcome.text().contains("none"), "{line}");
    }
}

#[test]
fn unsupported_syntax_runs_nothing() {
    for line in [
        "echo a; sleep 5 & echo b",
        "echo a; coproc cat",
        "echo a; select x in a; do :; done",
        "echo a; time true",
        "echo a > >(cat)",
        "echo a; echo ${x~}",
    ] {
        let outcome = run(line);
        assert_eq!(outcome.verdict, Verdict::NotCaptured, "{line}");
        assert!(outcome.stdout.is_empty(), "{line}: {}", outcome.stdout);
    }
}
