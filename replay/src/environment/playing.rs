//! The clock `play`: what passes while an agent acts and waits, on the test's recording (a pod is
//! deleted at 105 s, the next one is there from 106 s, it ends at 200 s).

use super::*;
use crate::testing::{START, TestSnapshot, at};

const NOTICE: &str = "notice: what changes after this moment is not available in this recording\n";

/// What a command prints that begins at 95 s, its verdict, and the second at which it is done.
async fn at_95(command: &str) -> (String, Verdict, i64) {
    let test = TestSnapshot::new();
    let mut environment = test.environment(Clock::Play { from: Some(at(95)) }, false);
    let action = Action::ExecShell {
        command: command.to_owned(),
        timeout: 30,
    };
    let observation = environment.act(&action).await.unwrap();
    let now = environment.recording.now();
    let nanoseconds = Environment::now(&environment).unwrap().as_nanosecond();
    assert_eq!(nanoseconds, i128::from(now));
    let seconds = (now - START) / 1_000_000_000;
    (observation.text, observation.verdict, seconds)
}

async fn check(command: &str, text: &str, verdict: Verdict, seconds: i64) {
    let expected = (text.to_owned(), verdict, seconds);
    assert_eq!(at_95(command).await, expected, "{command}");
}

#[tokio::test]
async fn actions_take_time_and_the_recording_ends() {
    let test = TestSnapshot::new();
    let mut environment = test.environment(Clock::Play { from: Some(at(95)) }, false);
    let mut seen = Vec::new();
    for _ in 0..13 {
        let action = Action::GetLogs {
            namespace: "shop".to_owned(),
            service: "geo".to_owned(),
        };
        environment.act(&action).await.unwrap();
        seen.push((environment.recording.now() - START) / 1_000_000_000);
    }
    let expected = [
        95, 105, 115, 125, 135, 145, 155, 165, 175, 185, 195, 200, 200,
    ];
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn sleeping_lets_time_pass() {
    use Verdict::{Answered, Partial};
    let seconds = |after: i64| format!("{}\n", START / 1_000_000_000 + after);
    let text = format!("{}{}", seconds(95), seconds(101));
    check("date +%s; sleep 5.5 0.5s; date +%s", &text, Answered, 101).await;
    check(
        "(sleep 5) | sleep 1m; echo $EPOCHSECONDS",
        &seconds(160),
        Answered,
        160,
    )
    .await;
    check(
        "sleep 1h; date +%s",
        &format!("{}{NOTICE}", seconds(200)),
        Partial,
        200,
    )
    .await;
    check("timeout 3 sleep 60; echo $?", "124\n", Answered, 98).await;
    check(
        "timeout 60 sh -c 'sleep 2; timeout 3 sleep 9; echo $?'; echo $?",
        "124\n0\n",
        Answered,
        100,
    )
    .await;
    check(
        "timeout 4 sh -c 'sleep 9; echo never'; echo $?",
        "124\n",
        Answered,
        99,
    )
    .await;
}

#[tokio::test]
async fn conditions_are_met_when_the_recording_says_so() {
    use Verdict::{Answered, Partial};
    let wait = |rest: &str| format!("kubectl -n shop wait {rest}; echo $?");
    check(
        &wait("--for=delete pod/geo-1"),
        "pod/geo-1 condition met\n0\n",
        Answered,
        105,
    )
    .await;
    check(
        &wait("--for=create pod/geo-2"),
        "pod/geo-2 condition met\n0\n",
        Answered,
        106,
    )
    .await;
    let never = "--for=jsonpath='{.status.phase}'=Failed pod/geo-1";
    let text = "1\nerror: timed out waiting for the condition on pods/geo-1\n";
    check(&wait(&format!("{never} --timeout=3s")), text, Answered, 98).await;
    let text = format!("1\n{NOTICE}");
    check(&wait(&format!("{never} --timeout=1h")), &text, Partial, 200).await;
    let text = "124\n";
    check(
        &format!("timeout 4 kubectl -n shop wait {never}; echo $?"),
        text,
        Answered,
        99,
    )
    .await;
    let text = "1\nerror: timed out waiting for the condition\n";
    check(
        &wait("--for=create pod/geo-3 --timeout=2s"),
        text,
        Answered,
        97,
    )
    .await;
}

#[tokio::test]
async fn watches_print_what_changes() {
    use Verdict::Answered;
    let rows = "NAME\ngeo-1\ngeo-1\ngeo-2\n";
    let text = format!("{rows}notice: stopped after 30 s, the timeout of this action\n");
    check(
        "kubectl -n shop get pods -w; echo never",
        &text,
        Answered,
        125,
    )
    .await;
    let text = format!("{rows}124\n");
    check(
        "timeout 11 kubectl -n shop get pods -w; echo $?",
        &text,
        Answered,
        106,
    )
    .await;
    check(
        "timeout 11 kubectl -n shop get pods -w | tail -n 1",
        "geo-2\n",
        Answered,
        106,
    )
    .await;
    let text = "pod/geo-1\npod/geo-2\n124\n";
    let only = "timeout 11 kubectl -n shop get pods --watch-only -o name; echo $?";
    check(only, text, Answered, 106).await;
    let other = "timeout 11 kubectl -n shop get pod geo-1 -w; echo $?";
    check(other, "NAME\ngeo-1\ngeo-1\n124\n", Answered, 106).await;
    let none = "timeout 11 kubectl -n shop get pods -l app=none -w; echo $?";
    check(none, "124\n", Answered, 106).await;
}

#[tokio::test]
async fn where_time_stands_still_nothing_passes() {
    let test = TestSnapshot::new();
    let mut environment = test.environment(Clock::At(at(95)), false);
    let command = "date +%s; sleep 5; timeout 3 sleep 9; date +%s".to_owned();
    let action = Action::ExecShell {
        command,
        timeout: 30,
    };
    let (now, twice) = (
        START / 1_000_000_000 + 95,
        environment.act(&action).await.unwrap(),
    );
    assert_eq!(twice.text, format!("{now}\n{now}\n"));
    environment.act(&action).await.unwrap();
    assert_eq!(environment.recording.now(), at(95));
    assert_eq!(Environment::now(&environment), None);
}

#[test]
fn where_it_begins() {
    let test = TestSnapshot::new();
    let play = Clock::Play { from: None };
    let error = play.course(&test.snapshot).unwrap_err().to_string();
    assert!(error.contains("no fault window"), "{error}");
    let error = play.resolve(&test.snapshot).unwrap_err().to_string();
    assert!(error.contains("moves with what an agent does"), "{error}");
    let late = Clock::Play {
        from: Some(at(201)),
    };
    assert!(late.course(&test.snapshot).is_err());
}
