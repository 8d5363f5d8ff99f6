//! `serve --kubernetes`: the API server of one recorded cluster.

use std::sync::Arc;

use aiopslab_datasets::Snapshot;
use aiopslab_replay::Clock;
use aiopslab_replay::kubernetes::KubernetesApi;
use aiopslab_replay::recording::Recording;
use anyhow::Context;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::Listening;
use crate::cli::Serve;
use crate::exit::Failure;
use crate::library::Library;
use crate::serve::kubernetes::kubeconfig::kubeconfig;
use crate::serve::kubernetes::writes::WriteLog;
use crate::serve::kubernetes::{KubernetesServer, router};
use crate::serve::{listener, tls};

pub(super) async fn start(
    address: &str,
    arguments: &Serve,
    library: &Library,
    stop: &CancellationToken,
) -> Result<Listening, Failure> {
    let [path] = &arguments.paths[..] else {
        return Err(Failure::user(
            "--kubernetes serves one recorded cluster\nhint: name exactly one snapshot",
        ));
    };
    let snapshot = Snapshot::open(&library.find(path.as_str())?)?;
    let clock: Clock = arguments.clock.parse()?;
    let arguments = &arguments.cluster;
    let now = clock.resolve(&snapshot)?;
    let recording = Recording::open(&snapshot, now)?;
    let writes = match &arguments.record_writes {
        Some(path) => Some(
            std::fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(path)
                .with_context(|| format!("the file {path} can't be written"))?,
        ),
        None => None,
    };
    let prefix = snapshot.manifest().snapshot.to_string();
    let server = KubernetesServer {
        api: KubernetesApi::open(Arc::new(recording)).await?,
        prefix: prefix.clone(),
        writes: WriteLog::new(writes),
        stop: stop.clone(),
    };
    let (tcp, bound) = super::listen(address).await?;
    let secured = match arguments.tls {
        true => Some(tls::secure(bound).map_err(Failure::Ours)?),
        false => None,
    };
    let scheme = if secured.is_some() { "https" } else { "http" };
    let url = format!("{scheme}://{}/{prefix}", super::reachable(bound));
    if let Some(path) = &arguments.write_kubeconfig {
        let authority = secured.as_ref().map(|secured| secured.authority.as_str());
        std::fs::write(path, kubeconfig(&url, authority))
            .with_context(|| format!("the file {path} can't be written"))?;
    }
    let moment = Timestamp::from_nanosecond(i128::from(now))?;
    let acceptor = secured.map(|secured| secured.acceptor);
    Ok(Listening {
        says: format!("kubernetes {url}\nnow {moment}\n"),
        served: Box::pin(listener::serve(tcp, acceptor, router(server), stop.clone())),
    })
}
