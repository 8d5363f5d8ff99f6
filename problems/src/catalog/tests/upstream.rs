//! The catalog against the inventory of AIOpsLab's problems.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::family::{Exercised, Platform, Source};

/// A line of the inventory: id, task, application, state, what the evaluator expects.
fn inventory() -> Vec<[&'static str; 5]> {
    let lines = include_str!("../inventory.tsv").lines().skip(1);
    lines
        .map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            cells.try_into().unwrap()
        })
        .collect()
}

/// AIOpsLab's problems: all but those of our testbed and the controls.
fn upstream(catalog: &Catalog) -> Vec<(&Problem, &Family)> {
    catalog
        .problems()
        .iter()
        .filter(|problem| !problem.control)
        .map(|problem| (problem, catalog.family(&problem.family).unwrap()))
        .filter(|(_, family)| family.application != "hotel-testbed")
        .collect()
}

#[test]
fn every_problem_is_there_with_its_task_application_and_truth() {
    let catalog = Catalog::embedded().unwrap();
    let ours: BTreeMap<&str, _> = upstream(&catalog)
        .into_iter()
        .map(|(problem, family)| (problem.id.as_str(), (problem, family)))
        .collect();
    let theirs: BTreeSet<&str> = inventory().iter().map(|line| line[0]).collect();
    assert_eq!(theirs.len(), 104);
    assert_eq!(ours.keys().copied().collect::<BTreeSet<_>>(), theirs);
    for [id, task, application, state, expected] in inventory() {
        let (problem, family) = ours[id];
        assert_eq!(problem.task.name(), task, "{id}");
        assert_eq!(family.application, application, "{id}");
        assert_eq!(problem.disabled.is_some(), state == "disabled", "{id}");
        let truth = problem.upstream_truth.as_ref().unwrap_or(&problem.truth);
        let components: Vec<String> = truth
            .faulty_components
            .iter()
            .map(|set| set.join("+"))
            .collect();
        let found = match problem.task {
            Task::Detection if truth.anomaly => "Yes".to_owned(),
            Task::Detection => "No".to_owned(),
            Task::Localization if components.is_empty() => "-".to_owned(),
            Task::Localization => components.join(" | "),
            Task::Analysis => {
                let (levels, types) = (&truth.system_level, &truth.fault_type);
                assert_eq!(
                    (levels.len(), types.len()),
                    (1, 1),
                    "AIOpsLab knows one: {id}"
                );
                format!("{} / {}", levels[0], types[0])
            }
            Task::Mitigation => "-".to_owned(),
        };
        assert_eq!(found, expected, "{id}");
    }
}

#[test]
fn counts_are_the_registrys() {
    let catalog = Catalog::embedded().unwrap();
    let mut tasks = BTreeMap::new();
    let mut applications = BTreeMap::new();
    for (problem, family) in upstream(&catalog) {
        let column = usize::from(problem.disabled.is_some());
        tasks.entry(problem.task).or_insert([0, 0])[column] += 1;
        let application = family.application.as_str();
        applications.entry(application).or_insert([0, 0])[column] += 1;
    }
    let expected = [
        (Task::Detection, [34, 7]),
        (Task::Localization, [28, 8]),
        (Task::Analysis, [13, 0]),
        (Task::Mitigation, [14, 0]),
    ];
    assert_eq!(tasks, BTreeMap::from(expected));
    let expected = [
        ("social-network", [25, 0]),
        ("hotel-reservation", [38, 5]),
        ("astronomy-shop", [24, 0]),
        ("flower", [2, 0]),
        ("tidb-cluster", [0, 10]),
    ];
    assert_eq!(applications, BTreeMap::from(expected));
}

#[test]
fn what_was_exercised_is_said_honestly() {
    let catalog = Catalog::embedded().unwrap();
    for family in catalog.families() {
        let application = catalog.application(&family.application).unwrap();
        let is_ours = matches!(application.source, Some(Source::BuiltIn(_)));
        let can_run_on_the_lab = is_ours && application.platform == Platform::Kubernetes;
        // Of what can't run there, only these manifests can be had.
        let most = match application.name.as_str() {
            "hotel-reservation" => Exercised::DryRun,
            _ => Exercised::Never,
        };
        let is_possible = [Exercised::Never, most].contains(&family.exercised);
        assert!(can_run_on_the_lab || is_possible, "{}", family.family);
    }
    let docker: Vec<&str> = catalog
        .applications()
        .iter()
        .filter(|application| application.platform == Platform::Docker)
        .map(|application| application.name.as_str())
        .collect();
    assert_eq!(docker, ["flower"]);
    for name in ["train-ticket", "flight-ticket"] {
        assert!(catalog.application(name).is_some());
    }
}

#[test]
fn every_source_is_of_one_version() {
    let catalog = Catalog::embedded().unwrap();
    for application in catalog.applications() {
        let is_pinned = match &application.source {
            Some(Source::BuiltIn(_)) => true,
            Some(Source::Git(git)) => git.commit.is_some(),
            Some(Source::Helm(chart)) => chart.version.is_some(),
            None => false,
        };
        assert!(is_pinned, "{}", application.name);
    }
}

#[test]
fn corrected_oracles_can_fail_where_aiopslabs_can_not() {
    let catalog = Catalog::embedded().unwrap();
    let vacuous: Vec<&str> = catalog
        .families()
        .iter()
        .filter(|family| family.asked().any(|task| task == Task::Mitigation))
        .filter(|family| {
            let resolved = family.resolve(1).unwrap();
            !oracle::excludes(&resolved.manifested, resolved.upstream_mitigated())
        })
        .map(|family| family.family.as_str())
        .collect();
    assert_eq!(
        vacuous,
        [
            "assign_to_non_existent_node_social_net",
            "astronomy_shop_kafka_queue_problems",
            "auth_miss_mongodb",
            "misconfig_app_hotel_res",
            "redeploy_without_PV",
            "revoke_auth_mongodb",
            "user_unregistered_mongodb",
        ]
    );
}
