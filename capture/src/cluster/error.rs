//! Why a cluster could not be used, with the way out.

use http::Method;

/// Why a cluster could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// No kubeconfig was found.
    #[error(
        "no kubeconfig found, searched {}\nhint: pass --kubeconfig FILE or set KUBECONFIG; `lab/up` makes a cluster and prints its file",
        searched.join(", ")
    )]
    NoKubeconfig {
        /// The places.
        searched: Vec<String>,
    },
    /// The kubeconfig can't be used.
    #[error(
        "failed to read kubeconfig {path}: {source}\nhint: `kubectl config view` shows files and contexts"
    )]
    Kubeconfig {
        /// Where it was found.
        path: String,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The context isn't in the kubeconfig.
    #[error("no context {context:?} in kubeconfig {path}\nhint: it has {}", known.join(", "))]
    NoContext {
        /// The context that was asked for.
        context: String,
        /// Where the kubeconfig was found.
        path: String,
        /// The contexts that there are.
        known: Vec<String>,
    },
    /// Nobody answered.
    #[error(
        "no answer from the API server at {url}: {reason}\nhint: is the cluster running (`lab/status` for the lab)? is the context the right one?"
    )]
    Unreachable {
        /// Address of the API server.
        url: String,
        /// What happened instead.
        reason: String,
    },
    /// The API server, or what it forwarded to, said no.
    #[error("{method} {path} was answered {status}: {message}")]
    Refused {
        /// HTTP method.
        method: Method,
        /// Path and query.
        path: String,
        /// HTTP status.
        status: u16,
        /// What it said.
        message: String,
    },
    /// A container has no such program.
    #[error("the container has no program {program:?}: {message}")]
    NoProgram {
        /// The command's first word.
        program: String,
        /// What the server said.
        message: String,
    },
    /// A request broke off.
    #[error("{method} {path} failed: {reason}")]
    Broken {
        /// HTTP method.
        method: Method,
        /// Path and query.
        path: String,
        /// What happened.
        reason: String,
    },
    /// An answer that makes no sense.
    #[error("the answer to {path} is not what was expected: {reason}")]
    Nonsense {
        /// Path and query.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No such kind of object.
    #[error("the cluster has no resource {name:?}\nhint: `kubectl api-resources` lists them")]
    NoResource {
        /// The name that was asked for.
        name: String,
    },
}

impl ClusterError {
    /// Returns the HTTP status if the server refused.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    pub(super) fn from_kube(method: Method, path: &str, error: &kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self::Refused {
                method,
                path: path.to_owned(),
                status: status.code,
                message: status.message.clone(),
            },
            other => Self::Broken {
                method,
                path: path.to_owned(),
                reason: chain(other),
            },
        }
    }
}

/// An error with its causes on one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        cause = inner.source();
    }
    text
}
