//! Scripts without `kubectl` print what the machine's bash prints, and end with its code.

use std::process::{Command, Stdio};

use super::run;

/// The scripts, with `---` between them.
const SCRIPTS: &str = include_str!("bash_lines.txt");

#[test]
fn scripts_do_what_bash_does() {
    if std::env::var("AIOPSLAB_INTEROP").as_deref() != Ok("1") {
        println!("skipped: needs bash; AIOPSLAB_INTEROP=1 asks for it");
        return;
    }
    let scripts: Vec<&str> = SCRIPTS
        .split("\n---\n")
        .map(|script| script.trim_end_matches('\n'))
        .collect();
    let mut different = Vec::new();
    for script in &scripts {
        let folder = tempfile::tempdir().unwrap();
        let bash = Command::new("bash")
            .args(["-c", script])
            .current_dir(folder.path())
            .env_clear()
            .env("PATH", std::env::var("PATH").unwrap_or_default())
            .env("HOME", "/root")
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null())
            .output()
            .expect("bash runs");
        let ours = run(script);
        let theirs = (String::from_utf8_lossy(&bash.stdout), bash.status.code());
        if (theirs.0.as_ref(), theirs.1) != (ours.stdout.as_str(), Some(ours.exit_code)) {
            different.push(format!(
                "{script}\n  bash: {theirs:?}\n  ours: {:?}\n{}",
                (&ours.stdout, ours.exit_code),
                ours.stderr
            ));
        }
    }
    println!(
        "{} scripts compared, {} differ",
        scripts.len(),
        different.len()
    );
    assert!(scripts.len() >= 150, "{} scripts", scripts.len());
    assert!(different.is_empty(), "{}", different.join("\n\n"));
}
