//! A judge of kept episodes: asked once for each question, and never unless somebody asks for it.

use std::fs;

use serde_json::{Value, json};

use super::answers::{refuses, said, says};
use super::{PROBLEM, PROBLEMS, place};
use crate::program::Place;
use crate::server::{Seen, Server};

const JUDGE: [&str; 3] = ["results", "--judge", "llm:scripted"];

/// Episodes of the doctor on three problems, twice each, which go the same way both times.
fn evaluated(server: &Server, further: &str) -> Place {
    let place = place(server, further);
    let mut arguments = vec!["eval", "--agent", "baseline:doctor", "--repeat", "2"];
    arguments.extend(["--out", "results"]);
    arguments.extend(PROBLEMS);
    place.ok(&arguments);
    place
}

fn score(place: &Place, further: &[&str]) -> Value {
    let mut arguments = vec!["score", "--json"];
    arguments.extend(further);
    serde_json::from_str(&place.ok(&arguments)).unwrap()
}

fn is_about(seen: &Seen, words: &str) -> bool {
    said(seen)[0].contains(words)
}

/// Changes what the agent saw in its first step.
fn saw_something_else(place: &Place) {
    let path = format!("results/baseline-doctor/{PROBLEM}-r1/transcript.jsonl");
    let path = place.path(&path);
    let text = fs::read_to_string(&path).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut step: Value = serde_json::from_str(&lines[1]).unwrap();
    assert_eq!(step["record"], "step");
    step["observation"] = "nothing at all".into();
    lines[1] = step.to_string();
    fs::write(&path, lines.join("\n") + "\n").unwrap();
}

#[test]
fn each_question_is_asked_once_and_verdicts_stay_beside_the_score() {
    let server = Server::start(|seen, number| match number {
        0 => refuses(429, "rate_limit_exceeded", "slow down"),
        1 => refuses(503, "", "later"),
        _ if is_about(seen, "Find out whether anything is wrong") => {
            says("It saw <b>the ports</b>.\n[[8]]")
        }
        _ if is_about(seen, "in which of its services") => says("I can't tell: [[8]] or [[9]]"),
        _ => says("Well reasoned.\n\nRating: [[9]]\n"),
    });
    let further =
        "[llm.parameters]\ntemperature = 0\n[llm.prices.scripted]\ninput = 1\noutput = 10";
    let place = evaluated(&server, further);
    let before = fs::read_to_string(place.path("results/summary.json")).unwrap();
    let unjudged = score(&place, &["results"]);
    assert_eq!(unjudged.get("judged"), None);
    assert!(!place.ok(&["report", "results"]).contains("judge"));
    assert_eq!(server.seen().len(), 0, "nobody is asked unasked");

    let first = score(&place, &JUDGE);
    assert_eq!(server.seen().len(), 5, "two refusals, three questions");
    let judged = &first["judged"];
    assert_eq!(
        (&judged["asked"], &judged["kept"], &judged["failed"]),
        (&json!(3), &json!(0), &json!([]))
    );
    assert_eq!(judged["judge"]["scripted"], true);
    let ratings = &judged["agents"]["baseline:doctor"];
    assert_eq!(
        (&ratings["judged"], &ratings["unparsable"]),
        (&json!(6), &json!(2))
    );
    assert_eq!(ratings["mean"], 8.5);
    assert_eq!(
        judged["agents"].as_object().unwrap().len(),
        1,
        "no baseline"
    );
    // Three answers of 1000 tokens in and 100 out, which are nobody's but the judge's.
    assert_eq!(judged["usage"]["input_tokens"], 3000);
    assert!((judged["usage"]["cost_usd"].as_f64().unwrap() - 0.006).abs() < 1e-9);
    let unreadable = judged["episodes"].as_array().unwrap().iter();
    let unreadable = unreadable.filter(|one| one["unparsable"] == "several_ratings");
    assert_eq!(unreadable.count(), 2);
    assert_eq!(first["agents"], unjudged["agents"]);
    assert_eq!(first["agents"][0].get("usage"), None);
    assert_eq!(
        fs::read_to_string(place.path("results/summary.json")).unwrap(),
        before
    );

    let seen = server.seen();
    let asked = said(&seen[4])[0];
    for part in [
        "kubectl",
        "[step 1] the assistant:",
        "Something is wrong with the service.",
        "What is broken: ",
    ] {
        assert!(asked.contains(part), "{part}: {asked}");
    }
    assert_eq!(
        (
            seen[4].body["messages"].as_array().unwrap().len(),
            &seen[4].body["temperature"]
        ),
        (1, &json!(0))
    );

    let second = score(&place, &JUDGE);
    assert_eq!(server.seen().len(), 5, "a second run asks nothing");
    assert_eq!(
        (&second["judged"]["asked"], &second["judged"]["kept"]),
        (&json!(0), &json!(3))
    );
    for same in ["judge", "agents", "usage", "episodes"] {
        assert_eq!(first["judged"][same], second["judged"][same]);
    }
    shown_in_reports(&place);

    saw_something_else(&place);
    let told = place.ok(&["report", "results"]);
    let judged = told.lines().find(|line| line.contains("episodes judged"));
    assert!(
        judged.unwrap().contains(" 5 "),
        "its verdict was on another episode: {told}"
    );
    let third = score(&place, &JUDGE);
    assert_eq!(
        server.seen().len(),
        6,
        "a changed transcript is asked about again"
    );
    assert_eq!(third["judged"]["asked"], 1);

    // Another temperature is another judge.
    let settings = fs::read_to_string(place.path("aiopslab.toml")).unwrap();
    let settings = settings.replace("temperature = 0", "temperature = 1");
    fs::write(place.path("aiopslab.toml"), settings).unwrap();
    assert_eq!(score(&place, &JUDGE)["judged"]["asked"], 4);
    assert_eq!(server.seen().len(), 10);
}

fn shown_in_reports(place: &Place) {
    let judge = "llm:scripted (scripted, no model)";
    let mut arguments = vec!["score"];
    arguments.extend(JUDGE);
    for told in [place.ok(&arguments), place.ok(&["report", "results"])] {
        for part in [
            &format!("judged by {judge}"),
            "mean rating, 1 to 10",
            "8.5",
            "no model has judged",
            "judging took 3000 tokens in, 300 out, 0.0060 US dollars; no part of the agents' cost",
        ] {
            assert!(told.contains(part), "{part}: {told}");
        }
    }
    let markdown = place.ok(&["report", "results", "--markdown"]);
    assert!(
        markdown.contains(&format!("## Judged by {judge}")),
        "{markdown}"
    );
    place.ok(&["report", "results", "--html", "page.html"]);
    let page = fs::read_to_string(place.path("page.html")).unwrap();
    assert!(page.contains(&format!("{judge}: 8 of 10")), "{judge}");
    assert!(page.contains(&format!("{judge}: several ratings")));
    assert!(
        page.contains("It saw &lt;b&gt;the ports&lt;&#x2f;b&gt;") && !page.contains("<b>the ports")
    );
}

#[test]
fn what_the_judge_does_not_answer_is_told_and_asked_again() {
    let server = Server::start(|_, number| match number {
        0 => says("[[7]]"),
        1 | 2 => refuses(401, "invalid_api_key", "wrong key"),
        _ => says("[[7]]"),
    });
    let place = evaluated(&server, "context_tokens = 2600");
    let mut arguments = vec!["score"];
    arguments.extend(JUDGE);
    place.refused(
        &arguments,
        &[
            "2 episodes could not be judged",
            "wrong key",
            "not judged: baseline-doctor",
            "AIOPSLAB_LLM_API_KEY",
            "the same command",
        ],
    );
    let again = score(&place, &JUDGE);
    assert_eq!(
        (&again["judged"]["asked"], &again["judged"]["kept"]),
        (&json!(2), &json!(1))
    );
    let seen = server.seen();
    assert_eq!(seen.len(), 5);
    for one in &seen {
        let asked = said(one)[0];
        assert!(asked.len() <= 2600 * 4, "{}", asked.len());
        assert!(asked.contains("bytes were left out here"));
    }
    let left_out = &again["judged"]["episodes"][0]["left_out"];
    assert!(left_out.as_u64().unwrap() > 1000, "{left_out}");
}

#[test]
fn a_script_is_no_judge_and_says_so() {
    let server = Server::start(|_, _| says("[[10]]"));
    let place = evaluated(&server, "");
    // Without `script:` the shipped script answers, which is no rating.
    fs::write(place.path("aiopslab.toml"), "").unwrap();
    let judged = &score(&place, &JUDGE)["judged"];
    assert_eq!(judged["judge"]["endpoint"], "the shipped script");
    assert_eq!(judged["judge"]["scripted"], true);
    let ratings = &judged["agents"]["baseline:doctor"];
    assert_eq!(
        (&ratings["judged"], &ratings["unparsable"]),
        (&json!(6), &json!(6))
    );
    assert_eq!(
        (&ratings["mean"], judged.get("usage")),
        (&Value::Null, None)
    );
    assert_eq!(server.seen().len(), 0);
    for name in ["gpt-4o", "llm:", "baseline:doctor"] {
        place.refused(
            &["score", "results", "--judge", name],
            &["is no judge", "hint:"],
        );
    }
}
