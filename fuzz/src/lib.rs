//! What is fuzzed: everything that reads text which an agent writes, through the doors that the
//! agent has. Whatever the text is, there is an answer: no panic, and an end within counted limits.
//!
//! `fuzz/run` builds and runs the targets; [`cluster`] is what the shell answers from.

mod cluster;

use aiopslab_problems::action::{self, ActionSet, CallSyntax};
use aiopslab_replay::files::VirtualFiles;
use aiopslab_replay::shell;

/// What `jq` works on.
const DOCUMENT: &str = r#"{"kind":"List","items":[
 {"metadata":{"name":"geo-1","labels":{"app":"geo"}},"status":{"phase":"Running","n":1.5,"t":true}},
 {"metadata":{"name":"rate-1","labels":null},"status":{"phase":"Pending","n":-3,"t":[1,[2,"é"],{}]}}]}
"#;

/// An agent's response, in both syntaxes, and what is read written as a call again.
pub fn call(text: &str) {
    for syntax in [CallSyntax::Ours, CallSyntax::Upstream] {
        let _ = action::parse_among(text, syntax, ActionSet::Upstream);
    }
    if let Ok(action) = action::parse_among(text, CallSyntax::Ours, ActionSet::Extended) {
        let call = action::render(&action);
        let _ = action::parse_among(&call, CallSyntax::Ours, ActionSet::Extended);
    }
}

/// A command line of `exec_shell`.
pub fn shell(text: &str) {
    run(VirtualFiles::new(), text);
}

/// A program of jq, on a document like a list of pods.
pub fn jq(text: &str) {
    let mut files = VirtualFiles::new();
    files.write("/tmp/program", text);
    files.write("/tmp/document", DOCUMENT);
    run(files, "jq -f /tmp/program /tmp/document");
}

/// A template of `-o jsonpath`, on a list of pods; and an expression of `--sort-by`, which is more
/// lenient.
pub fn jsonpath(text: &str) {
    let quoted = text.replace('\'', r"'\''");
    let get = "kubectl get pods -n hotel-testbed";
    let line = format!("{get} -o jsonpath='{quoted}'; {get} --sort-by='{quoted}'");
    run(VirtualFiles::new(), &line);
}

fn run(mut files: VirtualFiles, line: &str) {
    let running = shell::run(&cluster::Cluster, &mut files, line, 30);
    let done = futures::executor::block_on(running);
    assert!(done.is_ok(), "a view in memory can always be read");
}

#[cfg(test)]
mod tests {
    type Target = fn(&str);

    /// The seeds are sound, and each target gets through them; without libFuzzer.
    #[test]
    fn targets_get_through_their_seeds() {
        let targets: [(&str, Target); 4] = [
            (include_str!("../seeds/call.txt"), super::call),
            (include_str!("../seeds/jq.txt"), super::jq),
            (include_str!("../seeds/jsonpath.txt"), super::jsonpath),
            (include_str!("../seeds/shell.txt"), super::shell),
        ];
        for (seeds, target) in targets {
            assert!(seeds.lines().count() > 10);
            seeds.lines().for_each(target);
        }
    }
}
