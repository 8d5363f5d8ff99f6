//! What agents ask kubectl about objects.

use aiopslab_datasets::probes::Tool;
use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;

use super::inventory::Inventory;
use super::template::fill;
use super::{Ask, Question};

/// Tables, as the server prints them.
const TABLES: &[&str] = &[
    "get pods -n <ns>",
    "get pods -n <ns> -o wide",
    "get pods -A",
    "get pods --all-namespaces -o wide",
    "get po <pod> -n <ns>",
    "get pod/<pod> -n <ns> -o wide",
    "get pods <pod> -n <ns> --no-headers",
    "get deployments -n <ns>",
    "get deploy -A -o wide",
    "get deployment <deployment> -n <ns> -o wide",
    "get services -n <ns>",
    "get svc -A",
    "get svc <service> -n <ns> -o wide",
    "get endpoints -n <ns>",
    "get ep <service> -n <ns>",
    "get endpointslices -n <ns>",
    "get replicasets -n <ns>",
    "get rs -n <ns> -o wide",
    "get statefulsets -A",
    "get sts -n <ns> -o wide",
    "get daemonsets -A",
    "get jobs -A",
    "get cronjobs -n <ns>",
    "get configmaps -n <ns>",
    "get secrets -n <ns>",
    "get serviceaccounts -n <ns>",
    "get pvc -n <ns>",
    "get pv",
    "get storageclass",
    "get nodes",
    "get nodes -o wide",
    "get namespaces",
    "get ns <ns>",
    "get events -n <ns>",
    "get events -A",
    "get all -n <ns>",
    "get pods,svc -n <ns>",
    "get deploy,rs,po -n <ns> -o wide",
    "get deploy/<deployment> svc/<service> -n <ns>",
    "get ingress -n <ns>",
    "get networkpolicies -A",
    "get hpa -n <ns>",
    "get pdb -A",
    "get roles -A",
    "get rolebindings -A -o wide",
    "get clusterrolebindings",
    "get crd",
    "get priorityclasses",
    "get controllerrevisions -A",
    "get resourcequota -n <ns>",
];

/// Tables with something added, chosen or sorted.
const SELECTIONS: &[&str] = &[
    "get pods -n <ns> --show-labels",
    "get pods -n <ns> -L <label-key>",
    "get pods -n <ns> -l <label>",
    "get pods -n <ns> -l '<label-key> in (<service-name>,nothing)'",
    "get pods -n <ns> --selector='!<label-key>'",
    "get pods -A -l <label-key>!=<service-name>",
    "get pods -A --field-selector status.phase=Running",
    "get pods -A --field-selector=status.phase!=Running",
    "get pods -n <ns> --field-selector metadata.name=<pod>",
    "get pods -A --field-selector spec.nodeName=<node>",
    "get pods -n <ns> --sort-by=.metadata.name",
    "get pods -n <ns> --sort-by=.metadata.creationTimestamp",
    "get pods -n <ns> --sort-by=.status.containerStatuses[0].restartCount",
    "get pods -n <ns> --sort-by='{.status.podIP}' -o wide",
    "get pods -n <ns> --no-headers",
    "get services -n <ns> --show-labels",
    "get svc -n <ns> --sort-by=.spec.clusterIP",
    "get deploy -n <ns> -l <label> --show-labels",
    "get events -n <ns> --sort-by=.lastTimestamp",
    "get events -n <ns> --sort-by=.metadata.creationTimestamp",
    "get events -n <ns> --field-selector type=Warning",
    "get events -n <ns> --field-selector involvedObject.name=<pod>",
    "get events -A --field-selector reason=Scheduled -o wide",
    "get nodes --show-labels",
    "get ns --show-labels --no-headers",
];

/// Other outputs.
const OUTPUTS: &[&str] = &[
    "get pod <pod> -n <ns> -o yaml",
    "get pod <pod> -n <ns> -o json",
    "get pods -n <ns> -l <label> -o yaml",
    "get pods -n <ns> -l <label> -o json",
    "get deployment <deployment> -n <ns> -o yaml",
    "get deployment <deployment> -n <ns> -o json",
    "get deploy -n <ns> -o yaml",
    "get svc <service> -n <ns> -o yaml",
    "get svc <service> -n <ns> -o json",
    "get endpoints <service> -n <ns> -o yaml",
    "get endpointslice <endpointslice> -n <ns> -o yaml",
    "get configmap <configmap> -n <ns> -o yaml",
    "get statefulset <statefulset> -n <ns> -o yaml",
    "get rs <replicaset> -n <ns> -o json",
    "get pvc <persistentvolumeclaim> -n <ns> -o yaml",
    "get pv <persistentvolume> -o yaml",
    "get node <node> -o yaml",
    "get ns <ns> -o yaml",
    "get sa <serviceaccount> -n <ns> -o yaml",
    "get storageclass <storageclass> -o json",
    "get events -n <ns> -o yaml",
    "get events -n <ns> --field-selector involvedObject.name=<pod> -o json",
    "get pods -n <ns> -o name",
    "get deploy,svc -n <ns> -o name",
    "get nodes -o name",
    "get pods -n <ns> -o jsonpath={.items[*].metadata.name}",
    "get pods -n <ns> -o jsonpath='{range .items[*]}{.metadata.name}{\"\\t\"}{.status.phase}{\"\\n\"}{end}'",
    "get pod <pod> -n <ns> -o jsonpath={.status.podIP}",
    "get pod <pod> -n <ns> -o jsonpath='{.spec.containers[*].image}'",
    "get svc <service> -n <ns> -o jsonpath={.spec.ports[0].targetPort}",
    "get svc <service> -n <ns> -o jsonpath={.spec.selector}",
    "get deploy <deployment> -n <ns> -o jsonpath='{.status.conditions[?(@.type==\"Available\")].status}'",
    "get nodes -o jsonpath='{.items[*].status.addresses[?(@.type==\"InternalIP\")].address}'",
    "get endpoints <service> -n <ns> -o jsonpath='{.subsets[*].addresses[*].ip}'",
    "get pods -n <ns> -o custom-columns=NAME:.metadata.name,NODE:.spec.nodeName,IP:.status.podIP",
    "get pods -n <ns> -o custom-columns=NAME:.metadata.name,RESTARTS:.status.containerStatuses[*].restartCount --no-headers",
    "get deploy -n <ns> -o custom-columns='NAME:metadata.name,WANTED:spec.replicas,READY:status.readyReplicas'",
    "get svc -n <ns> -o custom-columns=NAME:.metadata.name,PORTS:.spec.ports[*].port,SELECTOR:.spec.selector",
    "get pods -n <ns> -o go-template='{{range .items}}{{.metadata.name}}{{\"\\n\"}}{{end}}'",
];

/// Descriptions; a kind is described as often as it stands here.
const DESCRIPTIONS: &[&str] = &[
    "describe pod <pod> -n <ns>",
    "describe pod <pod> -n <ns>",
    "describe pod <pod> -n <ns>",
    "describe pod <pod> -n <ns>",
    "describe pods -n <ns> -l <label>",
    "describe deployment <deployment> -n <ns>",
    "describe deployment <deployment> -n <ns>",
    "describe deployment <deployment> -n <ns>",
    "describe service <service> -n <ns>",
    "describe svc <service> -n <ns>",
    "describe svc <service> -n <ns>",
    "describe svc/<service> -n <ns> --show-events=false",
    "describe endpoints <service> -n <ns>",
    "describe ep <service> -n <ns>",
    "describe endpointslice <endpointslice> -n <ns>",
    "describe replicaset <replicaset> -n <ns>",
    "describe rs <replicaset> -n <ns>",
    "describe statefulset <statefulset> -n <ns>",
    "describe daemonset <daemonset> -n <ns>",
    "describe job <job> -n <ns>",
    "describe job workload -n default",
    "describe cronjob <cronjob> -n <ns>",
    "describe configmap <configmap> -n <ns>",
    "describe secret <secret> -n <ns>",
    "describe sa <serviceaccount> -n <ns>",
    "describe pvc <persistentvolumeclaim> -n <ns>",
    "describe pv <persistentvolume>",
    "describe storageclass <storageclass>",
    "describe node <node>",
    "describe nodes",
    "describe ns <ns>",
    "describe ingress <ingress> -n <ns>",
    "describe networkpolicy <networkpolicy> -n <ns>",
    "describe deployment coredns -n kube-system",
    "describe pods -n kube-system",
    "describe clusterrole view",
    "describe rolebinding -n kube-system",
];

/// Other commands.
const OTHERS: &[&str] = &[
    "events -n <ns>",
    "events -A",
    "events -n <ns> --types=Warning",
    "events -n <ns> --for pod/<pod>",
    "events -n <ns> --for deployment/<deployment> --no-headers",
    "events -n <ns> -o json",
    "top nodes",
    "top node <node> --no-headers",
    "top pods -n <ns>",
    "top pods -A --sort-by=memory",
    "top pod <pod> -n <ns> --containers",
    "top pods -n <ns> -l <label>",
    "rollout status deployment/<deployment> -n <ns> --watch=false",
    "rollout status deployment/coredns -n kube-system",
    "rollout history deployment/<deployment> -n <ns>",
    "rollout history deployment <deployment> -n <ns> --revision=1",
    "rollout history statefulset/<statefulset> -n <ns>",
    "explain pod",
    "explain pods.spec.containers",
    "explain deployment.spec.strategy",
    "explain service.spec.ports.targetPort",
    "api-resources",
    "api-resources --namespaced=false -o name",
    "api-resources --api-group=apps -o wide",
    "api-versions",
    "version",
    "version -o json",
    "cluster-info",
    "auth can-i get pods -n <ns>",
    "auth whoami",
    "wait --for=condition=Available deployment/coredns -n kube-system --timeout=1s",
];

/// What is run inside containers.
const INSIDE: &[&str] = &[
    "exec <pod> -n <ns> -- hostname",
    "exec deployment/<deployment> -n <ns> -- cat /etc/resolv.conf",
    "exec <pod> -n <ns> -- getent hosts <service>",
    "exec <pod> -n <ns> -c <container> -- getent hosts <service>.<ns>",
    "exec <pod> -n <ns> -- getent hosts <service>.<ns>.svc",
    "exec deployment/<deployment> -n <ns> -- getent hosts <service>.<ns>.svc.cluster.local",
    "exec <pod> -n <ns> -- getent hosts nothing",
    "exec <pod> -n <ns> -- getent hosts nothing.<ns>",
    "exec <pod> -n <ns> -- getent hosts <service>.nothing.svc.cluster.local",
    "exec <pod> -n <ns> -- nslookup <service>",
    "exec <pod> -n <ns> -- nslookup nothing.<ns>.svc.cluster.local",
    "exec nothing -n <ns> -- env",
];

/// What agents get wrong.
const MISTAKES: &[&str] = &[
    "get pod nothing -n <ns>",
    "get pod <pod>",
    "get pods -n nothing",
    "get pods -n <ns> -l nothing=here",
    "get nothing -n <ns>",
    "get svc nothing <service> -n <ns>",
    "get deployment.apps/nothing -n <ns>",
    "get pods -n <ns> -l 'a b'",
    "get pods -n <ns> -o nothing",
    "get pods -n <ns> --field-selector nothing=here",
    "get pods -n <ns> --nothing",
    "get pods -n <ns> -o jsonpath='{.items['",
    "get pods -n <ns> --sort-by=.nothing.here",
    "get",
    "describe pod nothing -n <ns>",
    "describe nothing -n <ns>",
    "rollout status deployment/nothing -n <ns>",
    "top pod nothing -n <ns>",
    "explain nothing",
    "frobnicate pods",
];

/// Every kind of question, with its commands.
const KINDS: &[(&str, &[&str])] = &[
    ("get table", TABLES),
    ("get selection", SELECTIONS),
    ("get output", OUTPUTS),
    ("describe", DESCRIPTIONS),
    ("other", OTHERS),
    ("inside", INSIDE),
    ("mistake", MISTAKES),
];

/// The questions of a seed, without repetition.
pub(super) fn questions(inventory: &Inventory, seed: u64) -> Vec<Question> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut questions: Vec<Question> = Vec::new();
    for (kind, templates) in KINDS {
        for template in *templates {
            let Some(words) = fill(template, inventory, &mut random) else {
                continue;
            };
            let question = Question {
                tool: Tool::Kubectl,
                kind,
                ask: Ask::Kubectl(words),
            };
            if !questions.contains(&question) {
                questions.push(question);
            }
        }
    }
    questions
}

#[cfg(test)]
mod tests {
    use super::super::inventory::Pod;
    use super::*;

    fn inventory() -> Inventory {
        let pod = |name: &str| Pod {
            name: format!("{name}-1"),
            service: name.to_owned(),
            containers: vec![name.to_owned()],
            has_restarted: false,
        };
        let names = ["deployment", "service", "node", "namespace", "configmap"];
        Inventory {
            namespace: "shop".to_owned(),
            label_key: "app".to_owned(),
            pods: ["geo", "rate", "user"].map(pod).into(),
            names: names
                .map(|kind| (kind.to_owned(), vec![format!("{kind}-1")]))
                .into(),
        }
    }

    #[test]
    fn a_seed_makes_the_same_questions_and_no_kind_is_most_of_them() {
        let questions = |seed| super::questions(&inventory(), seed);
        assert_eq!(questions(1), questions(1));
        assert_ne!(questions(1), questions(2));
        let all = questions(1);
        assert!(all.len() >= 120, "{}", all.len());
        for (kind, _) in KINDS {
            let of_kind = all.iter().filter(|question| question.kind == *kind).count();
            assert!(
                of_kind * 100 <= all.len() * 40,
                "{kind}: {of_kind} of {}",
                all.len()
            );
        }
    }

    #[test]
    fn secret_values_are_not_asked_for() {
        for (_, templates) in KINDS {
            for template in *templates {
                let is_secret = template.contains("<secret>") || template.contains("secrets");
                assert!(!is_secret || !template.contains("-o "), "{template}");
            }
        }
    }
}
