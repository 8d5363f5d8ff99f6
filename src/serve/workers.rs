//! Computing apart from the threads that answer clients.
//!
//! A replay computes for long stretches between two awaits. On the runtime's own threads a few
//! episodes would keep everybody else's requests waiting; here as many run as there are cores, on
//! threads of their own, and the operating system shares the cores out.

use std::sync::Arc;

use aiopslab_problems::action::Action;
use aiopslab_problems::environment::{Environment, EnvironmentError, Observation};
use async_trait::async_trait;
use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinError;

/// The threads that compute.
#[derive(Debug, Clone)]
pub struct Workers {
    free: Arc<Semaphore>,
}

impl Workers {
    /// As many as there are cores.
    #[must_use]
    pub fn for_every_core() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            free: Arc::new(Semaphore::new(cores)),
        }
    }

    /// Runs something to its end, as soon as a worker is free.
    ///
    /// # Errors
    /// When it panics.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, JoinError> {
        // Nobody closes it; without a permit the work would only be less orderly.
        let permit = Arc::clone(&self.free).acquire_owned().await.ok();
        let runtime = Handle::current();
        let worker = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            runtime.block_on(work)
        });
        worker.await
    }
}

/// An environment whose actions are carried out by workers. One that panics has failed, and nothing
/// else has.
pub struct Apart<E> {
    workers: Workers,
    environment: Arc<Mutex<E>>,
    now: Option<Timestamp>,
    is_live: bool,
}

impl<E: Environment + 'static> Apart<E> {
    /// Takes an environment over.
    pub fn new(environment: E, workers: Workers) -> Self {
        Self {
            workers,
            now: environment.now(),
            is_live: environment.is_live(),
            environment: Arc::new(Mutex::new(environment)),
        }
    }
}

#[async_trait]
impl<E: Environment + 'static> Environment for Apart<E> {
    async fn act(&mut self, action: &Action) -> Result<Observation, EnvironmentError> {
        let name = action.name();
        let (environment, action) = (Arc::clone(&self.environment), action.clone());
        let acted = self.workers.run(async move {
            let mut environment = environment.lock().await;
            let answer = environment.act(&action).await;
            (answer, environment.now(), environment.is_live())
        });
        let (answer, now, is_live) = acted.await.map_err(|panicked| EnvironmentError {
            action: name,
            source: Box::new(panicked),
        })?;
        self.now = now;
        self.is_live = is_live;
        answer
    }

    fn now(&self) -> Option<Timestamp> {
        self.now
    }

    fn is_live(&self) -> bool {
        self.is_live
    }
}
