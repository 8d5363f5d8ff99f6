//! What a language model is asked that judges the reasoning of an episode, and how its answer is read.
//!
//! The question is whether the submission was reached from evidence in the transcript; whether it is right is scored
//! by the rest of [`score`](super), and never by a judge. AIOpsLab's judge (`evaluators/qualitative.py`) likewise rates
//! a conversation from 1 to 10 in double brackets, but is told neither the task nor the truth; SREGym asks a checklist.
//!
//! All of it is pure: who asks, and where verdicts are kept, is the program's affair.

mod fitted;
mod ruling;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

pub use self::ruling::{Ruling, Unparsable};
use crate::catalog::Problem;
use crate::episode::EpisodeStep;
use crate::prompt::Briefing;
use crate::task::Task;

/// Version of the prompt and of how answers to it are read. 1: the first.
pub const PROMPT_VERSION: u32 = 1;
const PROMPT: &str = include_str!("judge/prompt-v1.md");

/// Who judges: all that decides how a question is answered, but for the question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judge {
    /// The model's name.
    pub model: String,
    /// Whether there is no model behind it, but a script.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub scripted: bool,
    /// Where it is asked, without what might be secret in it.
    pub endpoint: String,
    /// Azure's `api-version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub azure_api_version: Option<String>,
    /// Temperature and whatever else its requests hold.
    pub parameters: Map<String, Value>,
    /// [`PROMPT_VERSION`] then.
    pub prompt_version: u32,
    /// SHA-256 of the prompt's template then.
    pub prompt_sha256: String,
}

/// An episode as a judge is asked about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// The problem's id.
    pub problem: String,
    /// What the agent was told.
    pub task: String,
    /// What is true.
    pub truth: String,
    /// What was submitted.
    pub submission: String,
    steps: Vec<EpisodeStep>,
}

/// A question as it is put to a judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The whole prompt.
    pub prompt: String,
    /// Bytes of the transcript that are left out in it.
    pub left_out: usize,
}

impl Judge {
    /// A judge that is asked with this version's prompt.
    #[must_use]
    pub fn new(model: &str, endpoint: String, parameters: Map<String, Value>) -> Self {
        Self {
            model: model.to_owned(),
            scripted: false,
            endpoint,
            azure_api_version: None,
            parameters,
            prompt_version: PROMPT_VERSION,
            prompt_sha256: sha256(PROMPT),
        }
    }

    /// Its name in tables; it says so where there is no model.
    #[must_use]
    pub fn name(&self) -> String {
        let no_model = if self.scripted {
            " (scripted, no model)"
        } else {
            ""
        };
        format!("llm:{}{no_model}", self.model)
    }

    /// SHA-256 over all that a verdict depends on: the judge with endpoint, sampling and prompt, the problem, and
    /// the question with task, truth, submission and transcript as they are shown.
    #[must_use]
    pub fn key(&self, problem: &str, question: &Question) -> String {
        sha256(&json!({"judge": self, "problem": problem, "question": question.prompt}).to_string())
    }
}

impl Case {
    /// Puts together what a judge is asked. `broken` says what is broken where something is: the family's summary.
    #[must_use]
    pub fn new(
        problem: &Problem,
        broken: Option<&str>,
        briefing: &Briefing,
        (steps, solution): (&[EpisodeStep], &Value),
    ) -> Self {
        Self {
            problem: problem.id.to_string(),
            task: format!("{}\n\n{}", briefing.description, briefing.instructions),
            truth: truth(problem, broken),
            submission: match solution {
                Value::Null => "(nothing but that it is done)".to_owned(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            },
            steps: steps.to_vec(),
        }
    }

    /// The question in at most so many bytes; none: they are too few even without the transcript.
    ///
    /// Each text of the transcript, the agent's and the environment's alike, loses its middle down to one length, the
    /// greatest with which everything fits. Task, truth and submission are always whole.
    #[must_use]
    pub fn question(&self, bytes: usize) -> Option<Question> {
        let mark = self.mark();
        let prompt = |transcript: &str| {
            let known = [
                ("mark", mark.as_str()),
                ("task", &self.task),
                ("truth", &self.truth),
                ("submission", &self.submission),
                ("transcript", transcript),
            ];
            fill(PROMPT, &known)
        };
        let room = bytes.checked_sub(prompt("").len())?;
        let transcript = fitted::transcript(&self.steps, room)?;
        Some(Question {
            prompt: prompt(&transcript.text),
            left_out: transcript.left_out,
        })
    }

    /// What nobody who wrote in the episode can have known, so that no text in it can end its section.
    fn mark(&self) -> String {
        let all = json!([self.task, self.truth, self.submission, self.steps]);
        sha256(&all.to_string()).chars().take(12).collect()
    }
}

/// SHA-256 of what was done and submitted in an episode, by which a verdict on it is found again.
#[must_use]
pub fn episode_sha256(steps: &[EpisodeStep], solution: &Value) -> String {
    sha256(&json!([steps, solution]).to_string())
}

fn truth(problem: &Problem, broken: Option<&str>) -> String {
    let truth = &problem.truth;
    if !truth.anomaly {
        return "Nothing is wrong with the service.".to_owned();
    }
    let mut lines = vec!["Something is wrong with the service.".to_owned()];
    lines.extend(broken.map(|broken| format!("What is broken: {broken}.")));
    let right = |task| truth.right_answer(task).unwrap_or_default();
    if !truth.faulty_components.is_empty() {
        lines.push(format!("At fault: {}.", right(Task::Localization)));
    }
    if !(truth.system_level.is_empty() && truth.fault_type.is_empty()) {
        lines.push(format!(
            "System level; fault type: {}.",
            right(Task::Analysis)
        ));
    }
    lines.join("\n")
}

/// Puts texts into the gaps `{{ NAME }}` of a template, and none into what was put in.
fn fill(template: &str, known: &[(&str, &str)]) -> String {
    let mut parts = template.split("{{ ");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once(" }}").unwrap_or((part, ""));
        let text = known.iter().find(|(known, _)| *known == name);
        filled.push_str(text.map_or("", |(_, text)| text));
        filled.push_str(rest);
    }
    filled
}

fn sha256(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::ActionSet;
    use crate::catalog::Catalog;
    use crate::environment::Verdict;

    pub(super) fn step(number: u32, response: &str, observation: &str) -> EpisodeStep {
        EpisodeStep {
            step: number,
            thoughts: Vec::new(),
            response: response.to_owned(),
            action: None,
            observation: observation.to_owned(),
            verdict: Verdict::Answered,
            now: None,
            live: false,
        }
    }

    fn case(id: &str, steps: &[EpisodeStep], solution: &Value) -> Case {
        let catalog = Catalog::embedded().unwrap();
        let problem = catalog.problem(id).unwrap();
        let family = catalog.family(&problem.family).unwrap();
        let application = catalog.application(&family.application).unwrap();
        let briefing = Briefing::new(problem.task, application, ActionSet::Upstream);
        let broken = problem.truth.anomaly.then_some(family.summary.as_str());
        Case::new(problem, broken, &briefing, (steps, solution))
    }

    fn judge() -> Judge {
        Judge::new("m", "http://e/v1".to_owned(), Map::new())
    }

    #[test]
    fn another_text_of_the_prompt_is_another_version() {
        let shipped = (PROMPT_VERSION, sha256(PROMPT));
        let known = (
            1,
            "7b2ea3419e105dd82dc5fda41f80957c581b0c3720ed25e5412549f4be728a2f".to_owned(),
        );
        assert_eq!(shipped, known, "a new text is a new file and a new version");
    }

    #[test]
    fn the_prompt_has_no_gap_left_and_what_is_put_in_fills_none() {
        let steps = [
            step(1, "{{ truth }} {{ nonsense }}", "pods are gone"),
            step(2, "submit", "1"),
        ];
        let id = "scale_pod_zero_testbed-localization-1";
        let case = case(id, &steps, &json!(["{{ task }}"]));
        let question = case.question(1 << 20).unwrap();
        assert_eq!(question.left_out, 0);
        for part in [
            "{{ truth }} {{ nonsense }}",
            r#"["{{ task }}"]"#,
            "pods are gone",
            "What is broken: a Deployment has been scaled to zero.",
            "At fault: recommendation.",
            "System level; fault type: Virtualization; Operation Error.",
            "Hotel Testbed",
        ] {
            assert!(
                question.prompt.contains(part),
                "{part}: {}",
                question.prompt
            );
        }
        let gaps = question.prompt.matches("{{ ").count();
        assert_eq!(gaps, 3, "{}", question.prompt);
        assert_eq!(question.prompt.matches(&case.mark()).count(), 6);
    }

    #[test]
    fn a_control_tells_nothing_of_the_fault_that_comes_later() {
        let case = case(
            "scale_pod_zero_testbed-detection-control-1",
            &[],
            &json!("No"),
        );
        assert_eq!(case.truth, "Nothing is wrong with the service.");
    }

    #[test]
    fn what_is_too_long_loses_of_the_transcript_only() {
        let long = "x".repeat(50_000);
        let steps = [step(1, "I look", &long), step(2, "submit", "1")];
        let solution = json!("y".repeat(3_000));
        let case = case("scale_pod_zero_testbed-detection-1", &steps, &solution);
        let question = case.question(20_000).unwrap();
        assert!(question.prompt.len() <= 20_000 && question.prompt.len() > 19_000);
        assert!(question.left_out > 30_000);
        assert!(question.prompt.contains(&case.submission) && question.prompt.contains(&case.task));
        assert!(question.prompt.contains("I look"));
        assert_eq!(case.question(3_000), None);
    }

    #[test]
    fn the_key_is_another_for_everything_that_matters() {
        let of =
            |judge: &Judge, case: &Case| judge.key(&case.problem, &case.question(9_000).unwrap());
        let id = "scale_pod_zero_testbed-detection-1";
        let steps = [step(1, "I look", "pods")];
        let same = case(id, &steps, &json!("Yes"));
        let key = of(&judge(), &same);
        assert_eq!(key.len(), 64);
        assert_eq!(key, of(&judge(), &same.clone()));

        let mut judges = vec![judge(); 6];
        judges[0].model.push('n');
        judges[1].endpoint.push('n');
        judges[2]
            .parameters
            .insert("temperature".to_owned(), 0.into());
        judges[3].prompt_version += 1;
        judges[4].prompt_sha256.push('0');
        judges[5].scripted = true;
        let of_judges = judges.iter().map(|judge| of(judge, &same));
        let mut cases = [
            case(id, &[step(1, "I look", "pod")], &json!("Yes")),
            case(id, &steps, &json!("No")),
            same.clone(),
            same.clone(),
            same.clone(),
        ];
        cases[2].truth.push('.');
        cases[3].task.push('.');
        cases[4].problem.push('0');
        let keys: std::collections::BTreeSet<String> = of_judges
            .chain(cases.iter().map(|case| of(&judge(), case)))
            .chain([key])
            .collect();
        assert_eq!(keys.len(), 12);
    }
}
