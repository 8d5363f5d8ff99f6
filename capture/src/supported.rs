//! What of a catalog can be captured by this version: asked before anything starts.

use aiopslab_problems::family::{Application, Platform, Source};
use aiopslab_problems::fault::Step;
use aiopslab_problems::resolve::ResolvedFamily;

use crate::error::CaptureError;
use crate::fault;

/// Refuses what can't be captured, with every reason.
pub(crate) fn check(
    family: &ResolvedFamily,
    application: &Application,
    with_wrong_repairs: bool,
) -> Result<(), CaptureError> {
    let name = &application.name;
    if application.platform != Platform::Kubernetes {
        return Err(CaptureError::NotOnKubernetes {
            application: name.clone(),
        });
    }
    let mut missing = Vec::new();
    match &application.source {
        Some(Source::Git(source)) if source.compose.is_some() => {
            missing.push(format!("deploying {name} by Docker Compose"));
        }
        Some(Source::BuiltIn(_) | Source::Git(_) | Source::Helm(_)) => {}
        None => missing.push(format!("deploying {name}, which names no source")),
    }
    let steps = |key: &str, steps: &[Step]| -> Vec<String> {
        let steps = steps.iter().enumerate();
        steps
            .filter(|(_, step)| !fault::is_implemented(step))
            .map(|(index, step)| format!("step {key}[{index}], {}", step.kind()))
            .collect()
    };
    missing.extend(steps("inject", &family.inject));
    if with_wrong_repairs {
        for (index, repair) in family.wrong_repairs.iter().enumerate() {
            missing.extend(steps(
                &format!("wrong_repairs[{index}].steps"),
                &repair.steps,
            ));
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(CaptureError::NotImplemented(missing))
}

#[cfg(test)]
mod tests {
    use aiopslab_problems::catalog::Catalog;

    use super::*;

    fn refusal(family: &str) -> Option<String> {
        let catalog = Catalog::embedded().unwrap();
        let family = catalog.family(family).unwrap().resolve(1).unwrap();
        let application = catalog.application(&family.application).unwrap();
        check(&family, application, true)
            .err()
            .map(|error| error.to_string())
    }

    #[test]
    fn what_can_not_be_captured_is_named() {
        assert_eq!(refusal("scale_pod_zero_testbed"), None);
        assert_eq!(
            refusal("flower_node_stop").unwrap(),
            "application flower does not run on Kubernetes, and can't be captured"
        );
        assert_eq!(refusal("noop_detection_social_network"), None);
        let catalog = Catalog::embedded().unwrap();
        let resolved = |family: &str| catalog.family(family).unwrap().resolve(1).unwrap();
        let mut family = resolved("scale_pod_zero_testbed");
        family.inject = resolved("flower_node_stop").inject;
        let application = catalog.application(&family.application).unwrap();
        let text = check(&family, application, true).unwrap_err().to_string();
        assert!(text.ends_with("\nstep inject[0], docker"), "{text}");
    }

    #[test]
    fn every_step_of_what_was_captured_is_implemented() {
        use aiopslab_problems::family::Exercised;
        let catalog = Catalog::embedded().unwrap();
        for family in catalog.families() {
            if family.exercised == Exercised::Lab {
                assert_eq!(refusal(&family.family), None, "{}", family.family);
            }
        }
    }
}
