//! What agents ask kubectl about logs.

use aiopslab_datasets::probes::Tool;
use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;

use super::inventory::Inventory;
use super::template::fill;
use super::{Ask, Question};

/// Commands on what is there, with the kind of question.
const COMMANDS: &[(&str, &str)] = &[
    ("tail", "logs <pod> -n <ns> --tail=20"),
    ("tail", "logs <pod> -n <ns> --tail 5"),
    ("tail", "logs <pod> -n <ns> -c <container> --tail=50"),
    ("tail", "logs pod/<pod> -n <ns> --tail=10 --timestamps"),
    ("tail", "logs <pod> -n <ns> --tail=0"),
    ("tail", "logs deployment/<deployment> -n <ns> --tail=15"),
    ("tail", "logs deploy/<deployment> -n <ns> --tail=5"),
    ("tail", "logs svc/<service> -n <ns> --tail=5"),
    ("tail", "logs statefulset/<statefulset> -n <ns> --tail=15"),
    ("tail", "logs job/workload -n default --tail=10"),
    ("tail", "logs -n kube-system deployment/coredns --tail=20"),
    ("since", "logs <pod> -n <ns> --since=30s"),
    ("since", "logs <pod> -n <ns> --since=10s --timestamps"),
    ("since", "logs <pod> -n <ns> --since=1m --tail=100"),
    ("since", "logs deployment/<deployment> -n <ns> --since=20s"),
    (
        "since",
        "logs <pod> -n <ns> --since-time=2000-01-01T00:00:00Z --tail=3",
    ),
    ("selector", "logs -n <ns> -l <label>"),
    ("selector", "logs -n <ns> -l <label> --tail=3"),
    ("selector", "logs -n <ns> -l <label> --tail=3 --prefix"),
    (
        "selector",
        "logs -n <ns> -l <label> --all-containers --tail=4",
    ),
    ("selector", "logs -n <ns> -l nothing=here"),
    (
        "option",
        "logs <pod> -n <ns> --all-containers=true --tail=10",
    ),
    ("option", "logs <pod> -n <ns> --prefix --tail=4"),
    ("option", "logs <pod> -n <ns> --limit-bytes=300"),
    ("option", "logs <pod> -n <ns> --previous"),
    ("option", "logs <pod> -n <ns> -p --tail=5"),
    ("mistake", "logs nothing -n <ns>"),
    ("mistake", "logs <pod>"),
    ("mistake", "logs <pod> -n <ns> -c nothing"),
    ("mistake", "logs -n <ns>"),
    ("mistake", "logs deployment/nothing -n <ns>"),
];

/// Commands on a pod whose containers were restarted.
const AFTER_RESTART: &[&str] = &[
    "logs <pod> -n <ns> --previous",
    "logs <pod> -n <ns> --previous --tail=5 --timestamps",
    "logs <pod> -n <ns> --tail=30",
];

/// How many restarted pods are asked for.
const RESTARTED: usize = 3;

/// The questions of a seed, without repetition.
pub(super) fn questions(inventory: &Inventory, seed: u64) -> Vec<Question> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut questions: Vec<Question> = Vec::new();
    let mut add = |kind: &'static str, words: Option<Vec<String>>| {
        let question = words.map(|words| Question {
            tool: Tool::Logs,
            kind,
            ask: Ask::Kubectl(words),
        });
        questions.extend(question);
    };
    for (kind, template) in COMMANDS {
        add(kind, fill(template, inventory, &mut random));
    }
    let restarted = inventory.pods.iter().filter(|pod| pod.has_restarted);
    for pod in restarted.take(RESTARTED) {
        let only = Inventory {
            pods: vec![pod.clone()],
            ..inventory.clone()
        };
        for template in AFTER_RESTART {
            add("previous", fill(template, &only, &mut random));
        }
    }
    let mut seen = Vec::new();
    questions.retain(|question| {
        let is_new = !seen.contains(&question.ask);
        seen.push(question.ask.clone());
        is_new
    });
    questions
}

#[cfg(test)]
mod tests {
    use super::super::inventory::Pod;
    use super::*;

    #[test]
    fn restarted_pods_are_asked_for_what_was_before() {
        let pod = |name: &str, has_restarted| Pod {
            name: name.to_owned(),
            service: name.to_owned(),
            containers: vec!["main".to_owned()],
            has_restarted,
        };
        let inventory = Inventory {
            namespace: "shop".to_owned(),
            label_key: "app".to_owned(),
            pods: vec![pod("calm", false), pod("restless", true)],
            names: [("deployment".to_owned(), vec!["calm".to_owned()])].into(),
        };
        let questions = questions(&inventory, 3);
        let previous: Vec<_> = questions
            .iter()
            .filter(|question| question.kind == "previous")
            .collect();
        assert!(previous.len() >= 2);
        for question in previous {
            let Ask::Kubectl(words) = &question.ask else {
                panic!()
            };
            assert_eq!(words.get(1).map(String::as_str), Some("restless"));
        }
    }
}
