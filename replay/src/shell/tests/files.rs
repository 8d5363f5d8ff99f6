//! The files of an episode.

use aiopslab_problems::environment::Verdict;

use super::{check, run_on};
use crate::files::VirtualFiles;

#[test]
fn files_are_written_and_read() {
    for (line, text) in [
        ("echo a > /tmp/x; echo b >> /tmp/x; cat /tmp/x", "a\nb\n"),
        ("cd /tmp && echo a > x && cat ./x /tmp/../tmp/x", "a\na\n"),
        ("echo a > ~/note && cat /root/note", "a\n"),
        ("echo a > rel; cat /rel", "a\n"),
        (
            "mkdir -p /tmp/a/b && cd /tmp/a/b && touch f && pwd && echo *",
            "/tmp/a/b\nf\n",
        ),
        ("cd /data; echo *; echo p*.txt", "pods.txt\npods.txt\n"),
        ("for f in /data/*; do echo \"$f\"; done", "/data/pods.txt\n"),
        (
            "cp /data/pods.txt /tmp; mv /tmp/pods.txt /tmp/p; sort /tmp/p",
            "a 2\nb 1\n",
        ),
        (
            "find /data -name '*.txt' -exec wc -l {} +",
            "2 /data/pods.txt\n",
        ),
        (
            "cat /data/pods.txt | tee /tmp/copy | head -1; cat /tmp/copy",
            "b 1\nb 1\na 2\n",
        ),
        (
            "while read -r a b; do echo $b; done < /data/pods.txt",
            "1\n2\n",
        ),
        (
            "{ echo a | tee /dev/stderr; } 2> /tmp/e; cat /tmp/e",
            "a\na\n",
        ),
        (
            "echo a | tee /dev/fd/2 > /dev/null 2> /tmp/e; cat /tmp/e",
            "a\n",
        ),
        ("echo a | tee /dev/null /dev/stdout", "a\na\n"),
        ("echo a > /root/x; ls -d /root ~/x", "/root\n/root/x\n"),
        (
            "cd /etc && pwd && [ -d /etc ] && mkdir -p /etc && echo there",
            "/etc\nthere\n",
        ),
        ("exec > /tmp/all; echo hidden; cat /tmp/all >&2", "hidden\n"),
        (
            "ls /data /tmp > /dev/null; [ -s /data/pods.txt ] && echo big",
            "big\n",
        ),
    ] {
        check(line, text, 0, Verdict::Answered);
    }
}

#[test]
fn what_is_known_to_be_absent_is_told() {
    check(
        "cat < /tmp/nope",
        "bash: line 1: /tmp/nope: No such file or directory\n",
        1,
        Verdict::Empty,
    );
    check(
        "cd /tmp/nope",
        "bash: line 1: cd: /tmp/nope: No such file or directory\n",
        1,
        Verdict::Empty,
    );
    check(
        "find /tmp/nope",
        "find: ‘/tmp/nope’: No such file or directory\n",
        1,
        Verdict::Empty,
    );
    check(
        "echo a > /tmp/x/y",
        "bash: line 1: /tmp/x/y: No such file or directory\n",
        1,
        Verdict::Answered,
    );
    check("[ -e /tmp/nope ]", "", 1, Verdict::Answered);
}

#[test]
fn files_outlive_the_action() {
    let mut files = VirtualFiles::new();
    run_on(&mut files, "(cd /tmp; echo 1 > a; rm -f b; curl x)");
    assert_eq!(files.read("/tmp/a"), Some("1\n"));
    run_on(&mut files, "rm -rf /tmp/*");
    assert_eq!(files.iter().count(), 0);
    run_on(&mut files, "cat <(echo x) > /tmp/y");
    let paths: Vec<&str> = files.iter().map(|(path, _)| path).collect();
    assert_eq!(paths, ["/tmp/y"]);
}
