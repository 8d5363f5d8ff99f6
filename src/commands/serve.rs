//! `aiopslab serve`: a recorded system over its own protocols.

use std::net::SocketAddr;
use std::sync::Arc;

use aiopslab_datasets::Snapshot;
use aiopslab_replay::Clock;
use aiopslab_replay::kubernetes::KubernetesApi;
use aiopslab_replay::recording::Recording;
use anyhow::Context;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::cli::Serve;
use crate::exit::Failure;
use crate::library::Library;
use crate::output::print;
use crate::serve::kubernetes::kubeconfig::kubeconfig;
use crate::serve::kubernetes::writes::WriteLog;
use crate::serve::kubernetes::{KubernetesServer, router};
use crate::serve::{listener, tls};
use crate::settings::Settings;

pub(super) async fn run(arguments: Serve, settings: &Settings) -> Result<(), Failure> {
    let Some(address) = arguments.kubernetes else {
        return Err(Failure::user(
            "nothing to serve\nhint: --kubernetes 127.0.0.1:6443",
        ));
    };
    let library = Library::open(settings)?;
    let dir = library.find(&arguments.snapshot)?;
    let snapshot = Snapshot::open(&dir)?;
    let clock: Clock = arguments.clock.parse()?;
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
    let stop = CancellationToken::new();
    let prefix = snapshot.manifest().snapshot.to_string();
    let server = KubernetesServer {
        api: KubernetesApi::open(Arc::new(recording)).await?,
        prefix: prefix.clone(),
        writes: WriteLog::new(writes),
        stop: stop.clone(),
    };
    let tcp = TcpListener::bind(&address)
        .await
        .with_context(|| format!("can't listen on {address}"))?;
    let bound = tcp.local_addr()?;
    let secured = match arguments.tls {
        true => Some(tls::secure(bound).map_err(Failure::Ours)?),
        false => None,
    };
    let scheme = if secured.is_some() { "https" } else { "http" };
    let url = format!("{scheme}://{}/{prefix}", reachable(bound));
    if let Some(path) = &arguments.write_kubeconfig {
        let authority = secured.as_ref().map(|secured| secured.authority.as_str());
        std::fs::write(path, kubeconfig(&url, authority))
            .with_context(|| format!("the file {path} can't be written"))?;
    }
    tokio::spawn(stop_on_signal(stop.clone()));
    let moment = Timestamp::from_nanosecond(i128::from(now))?;
    print(&format!("kubernetes {url}\nnow {moment}\n"));
    let acceptor = secured.map(|secured| secured.acceptor);
    listener::serve(tcp, acceptor, router(server), stop).await?;
    Ok(())
}

/// Where clients on this machine reach an address.
fn reachable(bound: SocketAddr) -> SocketAddr {
    let mut address = bound;
    if bound.ip().is_unspecified() {
        let local = match bound {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        };
        address.set_ip(local);
    }
    address
}

async fn stop_on_signal(stop: CancellationToken) {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminated) = signal(SignalKind::terminate()) else {
            drop(interrupted.await);
            stop.cancel();
            return;
        };
        tokio::select! {
            _ = interrupted => {}
            _ = terminated.recv() => {}
        }
    }
    #[cfg(not(unix))]
    drop(interrupted.await);
    stop.cancel();
}
