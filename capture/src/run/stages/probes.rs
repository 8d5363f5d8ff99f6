//! The live system asked what a replay will be asked.

use crate::error::CaptureError;
use crate::probe::{Kubectl, Prober, minor};
use crate::run::Capture;

impl Capture {
    /// Asks the live system what a replay will be asked, while the recorders go on.
    pub(super) async fn ask_probes(&mut self) -> Result<(), CaptureError> {
        let options = self.request.probes.clone();
        if !options.wanted {
            return Ok(());
        }
        self.enter("probes", "what the live system answers")?;
        let Some(recording) = &self.recording else {
            return Ok(());
        };
        let kubectl = Kubectl::find(options.kubectl.as_deref(), &self.request.cluster);
        match &kubectl {
            Ok(kubectl) => self.tell_of(kubectl).await,
            Err(reason) => {
                let text = format!("no kubectl: probes of kubectl are left out ({reason})");
                self.progress.note(&text);
            }
        }
        let prober = Prober {
            cluster: &self.cluster,
            application: &self.request.application,
            recording,
            kubectl: kubectl.ok(),
            progress: self.progress.clone(),
            cancel: self.cancel.clone(),
        };
        // A capture is good without probes too.
        let questions = match prober.questions(self.request.seed).await {
            Ok(questions) => questions,
            Err(error) => {
                self.progress.note(&format!("no probes: {error}"));
                return Ok(());
            }
        };
        let probes = prober.ask(&questions).await;
        let moving = probes.iter().filter(|probe| probe.moving).count();
        let text = format!(
            "{} answers to {} questions, {moving} of them while objects changed",
            probes.len(),
            questions.len()
        );
        self.progress.note(&text);
        self.probes = probes;
        self.check_cancelled()
    }

    /// Tells which kubectl asks: one of another version than the cluster's prints other text than a replay.
    async fn tell_of(&self, kubectl: &Kubectl) {
        let version = kubectl.version().await.unwrap_or_default();
        let text = format!("with {} {version}", kubectl.program());
        self.progress.note(text.trim_end());
        let server = self.cluster.version()["gitVersion"].as_str();
        let server = server.unwrap_or_default();
        if minor(&version) != minor(server) {
            let text = format!(
                "the cluster is {server}: answers will differ from a replay's; --kubectl FILE names another"
            );
            self.progress.note(&text);
        }
    }
}
