//! Asking a model: paced, tried again where that helps, recorded or out of a record.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use serde_json::Value;
use tokio::time::sleep;

use super::answer::Answer;
use super::endpoint::{Endpoint, Failed, seconds, shown};
use super::recording::{Asked, Recorder, Recording};
use super::script::Script;
use crate::settings::LlmSettings;

/// Longer than this no attempt is put off, unless the endpoint says so.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// A model that can be asked, by all episodes at once.
#[derive(Debug)]
pub(super) struct Client {
    model: String,
    source: Source,
    recorder: Option<Recorder>,
    pace: Pace,
    attempts: u32,
    retry_wait: Duration,
    patience: Duration,
}

/// Who answers.
#[derive(Debug)]
enum Source {
    Endpoint(Endpoint),
    Script(Script),
    Record(Recording),
}

/// Begins requests at even distances.
#[derive(Debug)]
struct Pace {
    distance: Duration,
    next: Mutex<Instant>,
}

impl Client {
    pub(super) fn new(
        model: &str,
        origin: &Origin,
        settings: &LlmSettings,
    ) -> Result<Self, String> {
        let source = match (&settings.replay.value, origin) {
            (Some(path), _) => Source::Record(Recording::read(path)?),
            (None, Origin::Script(file)) => Source::Script(Script::read(file.as_deref())?),
            (None, Origin::Endpoint(base)) => {
                Source::Endpoint(Endpoint::new(base, model, settings)?)
            }
        };
        let recorder = match (&settings.record.value, &source) {
            (None, _) | (_, Source::Record(_)) => None,
            (Some(path), _) => Some(Recorder::open(path)?),
        };
        let per_minute = settings.requests_per_minute.value;
        if per_minute.is_some_and(|many| many.is_nan() || many <= 0.0) {
            return Err("llm.requests_per_minute has to be above 0".to_owned());
        }
        Ok(Self {
            model: model.to_owned(),
            source,
            recorder,
            pace: Pace {
                distance: per_minute.map_or(Duration::ZERO, |many| seconds(60.0 / many)),
                next: Mutex::new(Instant::now()),
            },
            attempts: settings.attempts.value.max(1),
            retry_wait: seconds(settings.retry_wait.value),
            patience: seconds(settings.patience.value),
        })
    }

    /// Answers a request of the episode that `asked` belongs to.
    pub(super) async fn ask(&self, asked: &mut Asked, request: &Value) -> Result<Answer, Failed> {
        let lasting = |what: String| Failed {
            what,
            is_passing: false,
            wait: None,
            is_too_long: false,
        };
        let answer = match &self.source {
            Source::Record(recording) => {
                return recording.answer(&asked.key(request)).map_err(lasting);
            }
            Source::Script(script) => script
                .answer(request)
                .ok_or_else(|| lasting("the script has no answer that fits".to_owned()))?,
            Source::Endpoint(endpoint) => self.ask_endpoint(endpoint, request).await?,
        };
        if let Some(recorder) = &self.recorder {
            recorder
                .keep(asked.key(request), &self.model, &answer)
                .map_err(lasting)?;
        }
        Ok(answer)
    }

    async fn ask_endpoint(&self, endpoint: &Endpoint, request: &Value) -> Result<Answer, Failed> {
        let begun = Instant::now();
        let mut attempt = 1;
        loop {
            self.pace.wait().await;
            let failed = match endpoint.ask(request).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            let backoff = || jittered(doubled(self.retry_wait, attempt));
            let wait = failed.wait.unwrap_or_else(backoff);
            let is_over = attempt >= self.attempts || begun.elapsed() + wait > self.patience;
            if !failed.is_passing || is_over {
                let what = match attempt {
                    1 => failed.what,
                    tries => format!("{} (the last of {tries} attempts)", failed.what),
                };
                return Err(Failed { what, ..failed });
            }
            tracing::debug!(attempt, ?wait, "{}", failed.what);
            sleep(wait).await;
            attempt += 1;
        }
    }
}

/// How long to wait after so many attempts: doubles with each, up to [`LONGEST_WAIT`].
fn doubled(first: Duration, attempts: u32) -> Duration {
    let doublings = attempts.saturating_sub(1);
    let times = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
    first.saturating_mul(times).min(LONGEST_WAIT)
}

/// Half of it at least; chance keeps parallel episodes from coming back all at once.
fn jittered(wait: Duration) -> Duration {
    wait.mul_f64(rand::random_range(0.5..=1.0))
}

impl Pace {
    /// Waits for its turn.
    async fn wait(&self) {
        let turn = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let turn = (*next).max(Instant::now());
            *next = turn + self.distance;
            turn
        };
        tokio::time::sleep_until(turn.into()).await;
    }
}

/// The model that is none.
pub(super) const SCRIPTED: &str = "scripted";

/// Where a model's answers come from.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Origin {
    /// An address.
    Endpoint(String),
    /// Fixed answers: a file's, or those that are shipped.
    Script(Option<Utf8PathBuf>),
}

impl Origin {
    /// `llm:scripted` asks no model, wherever models are asked: the shipped script, or what `script:` names.
    pub(super) fn of(model: &str, settings: &LlmSettings) -> Result<Self, String> {
        let base = settings.base_url.value.as_str();
        match (model == SCRIPTED, base.strip_prefix("script:")) {
            (false, None) => Ok(Self::Endpoint(base.to_owned())),
            (false, Some(_)) => Err(format!(
                "llm.base_url is a script, and {model} a model\nhint: the agent of a script is called llm:scripted"
            )),
            (true, None) => Ok(Self::Script(None)),
            (true, Some(server)) if server.starts_with("http") => {
                Ok(Self::Endpoint(server.to_owned()))
            }
            (true, Some(file)) => Ok(Self::Script(Some(file.into()))),
        }
    }
}

impl fmt::Display for Origin {
    /// As the record has it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Endpoint(base) => formatter.write_str(&shown(base)),
            Self::Script(None) => formatter.write_str("the shipped script"),
            Self::Script(Some(file)) => write!(formatter, "script:{file}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn requests_of_all_episodes_begin_at_even_distances() {
        let pace = Pace {
            distance: Duration::from_millis(5),
            next: Mutex::new(Instant::now()),
        };
        let begun = Instant::now();
        tokio::join!(pace.wait(), pace.wait(), pace.wait(), pace.wait());
        assert!(begun.elapsed() >= Duration::from_millis(15));
    }

    #[test]
    fn the_wait_doubles_up_to_a_minute() {
        let first = Duration::from_millis(1_500);
        let waits = [1, 2, 3, 4, 6].map(|attempts| doubled(first, attempts).as_millis());
        assert_eq!(waits, [1_500, 3_000, 6_000, 12_000, 48_000]);
        for attempts in [7, 32, 33, 34, u32::MAX] {
            assert_eq!(doubled(first, attempts), LONGEST_WAIT, "{attempts}");
        }
        // Who sets more than that as the first wait gets no more either, and who sets none waits for nothing.
        assert_eq!(doubled(Duration::MAX, 1), LONGEST_WAIT);
        assert_eq!(doubled(Duration::ZERO, 9), Duration::ZERO);
    }

    #[test]
    fn chance_takes_at_most_half_of_a_wait() {
        let wait = Duration::from_secs(8);
        let waits: Vec<Duration> = (0..1_000).map(|_| jittered(wait)).collect();
        assert!(waits.iter().all(|one| (wait / 2..=wait).contains(one)));
        let (shortest, longest) = (waits.iter().min(), waits.iter().max());
        // Of a thousand evenly spread ones some lie in the first and some in the last quarter.
        assert!(shortest.is_some_and(|one| *one < Duration::from_secs(5)));
        assert!(longest.is_some_and(|one| *one > Duration::from_secs(7)));
        assert_eq!(jittered(Duration::ZERO), Duration::ZERO);
    }
}
