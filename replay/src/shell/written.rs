//! Which commands of a command line would change a cluster, as it is written: nothing is run.
//!
//! A command counts once for each time that it is written, in a loop or a branch too. It is seen behind `sudo`, `xargs`
//! and the like, in substitutions and in what `bash -c` and `eval` are given. It is not seen where its name or verb is
//! the value of a variable, where it is piped into a shell, and from the first line on that the parser does not
//! understand. What a command does inside a container (`kubectl exec`) is not judged.
//!
//! A change is what kubectl's writing verbs do ([`crate::kubectl`] owns them), or Helm's. Destructive is what takes away
//! what runs or is stored: `delete`, `drain`, `scale --replicas=0`, `replace --force`, `apply --prune`, a taint of
//! `NoExecute`; of Helm `uninstall` by any of its names. A `--dry-run` and a request for help change nothing.

use aiopslab_problems::episode::Writes;

use super::ast::{AndOr, AssignedValue, Command, Compound, List, Part, Simple, Word};
use super::limits::NESTING;
use super::parse;
use crate::kubectl::{self, Change};

/// Programs and built-ins that run the command that they are given.
const RUNNERS: [&str; 13] = [
    "command", "env", "exec", "find", "nice", "nohup", "setsid", "stdbuf", "sudo", "time",
    "timeout", "watch", "xargs",
];

/// Counts what a command line would change.
#[must_use]
pub fn writes(command_line: &str) -> Writes {
    let mut written = Written::default();
    written.script(command_line, 0);
    written.writes
}

#[derive(Default)]
struct Written {
    writes: Writes,
}

impl Written {
    fn script(&mut self, text: &str, depth: usize) {
        if depth > NESTING {
            return;
        }
        for line in &parse::parse(text, depth).lines {
            self.list(line, depth);
        }
    }

    fn list(&mut self, list: &List, depth: usize) {
        for AndOr { first, rest } in &list.items {
            let others = rest.iter().map(|(_, pipeline)| pipeline);
            for pipeline in std::iter::once(first).chain(others) {
                for command in &pipeline.commands {
                    self.command(command, depth);
                }
            }
        }
    }

    fn command(&mut self, command: &Command, depth: usize) {
        match command {
            Command::Simple(simple) => self.simple(simple, depth),
            Command::Compound(compound, _) => self.compound(compound, depth),
            Command::Function(_, body) => self.compound(&body.command, depth),
        }
    }

    fn compound(&mut self, compound: &Compound, depth: usize) {
        match compound {
            Compound::Group(list) | Compound::Subshell(list) => self.list(list, depth),
            Compound::If(branches, last) => {
                for (condition, body) in branches {
                    self.list(condition, depth);
                    self.list(body, depth);
                }
                last.iter().for_each(|list| self.list(list, depth));
            }
            Compound::While {
                condition, body, ..
            } => {
                self.list(condition, depth);
                self.list(body, depth);
            }
            Compound::For { words, body, .. } => {
                words
                    .iter()
                    .flatten()
                    .for_each(|word| self.word(word, depth));
                self.list(body, depth);
            }
            Compound::ArithmeticFor { body, .. } => self.list(body, depth),
            Compound::Case(_, branches) => {
                branches
                    .iter()
                    .for_each(|branch| self.list(&branch.body, depth));
            }
            Compound::Arithmetic(_) | Compound::Test(_) => {}
        }
    }

    fn simple(&mut self, simple: &Simple, depth: usize) {
        for assignment in simple.assignments.iter().chain(&simple.declarations) {
            match &assignment.value {
                AssignedValue::Text(word) => self.word(word, depth),
                AssignedValue::Array(words) => {
                    words.iter().for_each(|(_, word)| self.word(word, depth));
                }
            }
        }
        simple.words.iter().for_each(|word| self.word(word, depth));
        let words: Vec<String> = simple.words.iter().map(text).collect();
        self.words(&words, depth);
    }

    /// Looks for a command among the words of one.
    fn words(&mut self, words: &[String], depth: usize) {
        let Some((first, rest)) = words.split_first() else {
            return;
        };
        match program(first) {
            "kubectl" => self.count(kubectl::change(rest)),
            "helm" => self.count(helm(rest)),
            "eval" => self.script(&rest.join(" "), depth + 1),
            "bash" | "sh" => {
                let option = rest
                    .iter()
                    .position(|word| word.starts_with('-') && word.ends_with('c'));
                if let Some(text) = option.and_then(|option| rest.get(option + 1)) {
                    self.script(text, depth + 1);
                }
            }
            runner if RUNNERS.contains(&runner) => {
                let is_command = |word: &String| {
                    let name = program(word);
                    ["kubectl", "helm", "bash", "sh"].contains(&name) || RUNNERS.contains(&name)
                };
                if let Some(next) = rest.iter().position(is_command) {
                    self.words(&rest[next..], depth);
                }
            }
            _ => {}
        }
    }

    fn count(&mut self, change: Option<Change>) {
        self.writes.writes_attempted += u32::from(change.is_some());
        self.writes.destructive_commands += u32::from(change == Some(Change::Destructive));
    }

    /// Looks into the substitutions of a word.
    fn word(&mut self, word: &Word, depth: usize) {
        self.parts(&word.parts, depth);
    }

    fn parts(&mut self, parts: &[Part], depth: usize) {
        for part in parts {
            match part {
                Part::Command(list) | Part::Process(list) => self.list(list, depth),
                Part::Double(parts) => self.parts(parts, depth),
                Part::Literal(_)
                | Part::Quoted(_)
                | Part::Tilde(_)
                | Part::Parameter(_)
                | Part::Arithmetic(_) => {}
            }
        }
    }
}

/// The text of a word where nothing in it is expanded, else as it was written.
fn text(word: &Word) -> String {
    fn plain(parts: &[Part]) -> Option<String> {
        parts
            .iter()
            .map(|part| match part {
                Part::Literal(text) | Part::Quoted(text) => Some(text.clone()),
                Part::Double(parts) => plain(parts),
                _ => None,
            })
            .collect()
    }
    plain(&word.parts).unwrap_or_else(|| word.source.clone())
}

/// The name of a program without its folder.
fn program(word: &str) -> &str {
    word.rsplit_once('/').map_or(word, |(_, name)| name)
}

fn helm(words: &[String]) -> Option<Change> {
    const WITH_VALUE: [&str; 4] = ["-n", "--namespace", "--kube-context", "--kubeconfig"];
    let mut verb = None;
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        if WITH_VALUE.contains(&word.as_str()) {
            rest.next();
        } else if !word.starts_with('-') {
            verb = Some(word.as_str());
            break;
        }
    }
    if kubectl::changes_nothing(words) {
        return None;
    }
    match verb? {
        "install" | "upgrade" | "rollback" => Some(Change::Write),
        "uninstall" | "delete" | "del" | "un" => Some(Change::Destructive),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::writes;

    fn check(command_line: &str, attempted: u32, destructive: u32) {
        let found = writes(command_line);
        assert_eq!(
            (found.writes_attempted, found.destructive_commands),
            (attempted, destructive),
            "{command_line}"
        );
    }

    #[test]
    fn verbs_tell_reading_from_writing_and_taking_away() {
        check("kubectl get pods -A", 0, 0);
        check("kubectl -n shop rollout status deployment/geo", 0, 0);
        check("kubectl diff -f a.yaml", 0, 0);
        check("kubectl -n shop rollout restart deployment/geo", 1, 0);
        check("kubectl patch service geo -p '{}'", 1, 0);
        check("kubectl -n shop delete pod geo-1", 1, 1);
        check("kubectl scale deployment/geo --replicas=2", 1, 0);
        check("kubectl scale deployment/geo --replicas 0", 1, 1);
        check("kubectl scale deployment/geo --replicas=0", 1, 1);
        check("kubectl replace --force -f a.yaml", 1, 1);
        check("kubectl apply -f a.yaml", 1, 0);
        check("kubectl apply --prune -l app=geo -f .", 1, 1);
        check("kubectl taint node a key=value:NoExecute", 1, 1);
        check("kubectl taint node a key:NoExecute-", 1, 0);
        check("kubectl delete pod geo-1 --dry-run=client", 0, 0);
        check("kubectl delete pod geo-1 --dry-run=none", 1, 1);
        check("kubectl delete --help", 0, 0);
        check("helm -n shop upgrade geo chart", 1, 0);
        check("helm uninstall geo", 1, 1);
        check("helm list", 0, 0);
    }

    #[test]
    fn commands_are_found_where_they_are_run() {
        check("echo kubectl delete pod a # kubectl delete pod b", 0, 0);
        check("sudo timeout 5 /usr/bin/kubectl delete pod a", 1, 1);
        check("kubectl get pods -o name | xargs -n1 kubectl delete", 1, 1);
        check("bash -c 'kubectl delete pod a; kubectl apply -f b'", 2, 1);
        check("eval \"kubectl delete pod a\"", 1, 1);
        check("x=$(kubectl delete pod a)", 1, 1);
        check("echo \"$(kubectl delete pod a)\"", 1, 1);
        check("for p in a b; do kubectl delete pod $p; done", 1, 1);
        check(
            "if true; then kubectl cordon n; else kubectl drain n; fi",
            2,
            1,
        );
        check("f() { kubectl delete pod a; }; f", 1, 1);
        check("kubectl exec geo -- kubectl delete pod a", 0, 0);
        check("verb=delete; kubectl $verb pod a", 0, 0);
    }

    #[test]
    fn no_text_is_too_deep_or_too_odd() {
        check("", 0, 0);
        check("kubectl", 0, 0);
        check("kubectl delete pod a\n((", 1, 1);
        check(&"$(".repeat(5000), 0, 0);
        check(&"eval ".repeat(3000), 0, 0);
        check(&"sudo ".repeat(3000), 0, 0);
    }
}
