//! `aiopslab serve`: recorded systems over their own protocols, their problems to agents, their tables to people.

mod agents;
mod kubernetes;
mod pgwire;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use futures::future::{BoxFuture, try_join_all};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::cli::Serve;
use crate::exit::Failure;
use crate::library::Library;
use crate::output::print;
use crate::serve::access::Access;
use crate::settings::{Secret, Settings};
use crate::signals::told_to_stop;

/// How long answers under way may take once the server has been told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// A protocol that is being served.
struct Listening {
    /// What standard output says of it.
    says: String,
    served: BoxFuture<'static, std::io::Result<()>>,
}

pub(super) async fn run(arguments: Serve, settings: &Settings) -> Result<(), Failure> {
    let (cluster, agents) = (&arguments.cluster, &arguments.agents);
    let database = &arguments.database;
    let has_agents = agents.http.is_some() || agents.mcp.is_some();
    if cluster.kubernetes.is_none() && database.pgwire.is_none() && !has_agents {
        return Err(Failure::user(
            "nothing to serve\nhint: --http 127.0.0.1:1818, --mcp stdio, --pgwire 127.0.0.1:5433, or --kubernetes 127.0.0.1:6443",
        ));
    }
    let library = Library::open_for(settings, &arguments.paths)?;
    let stop = CancellationToken::new();
    let mut listening = Vec::new();
    if let Some(address) = &cluster.kubernetes {
        let started = kubernetes::start(address, &arguments, &library, &stop);
        listening.push(started.await?);
    }
    if let Some(address) = &database.pgwire {
        let access = access(&arguments, settings)?;
        let started = pgwire::start(address, &arguments, &access, &library, settings, &stop);
        listening.push(started.await?);
    }
    let mut episodes = None;
    if has_agents {
        let access = access(&arguments, settings)?;
        let opened = agents::episodes(&arguments.paths, agents, &library, settings, &stop)?;
        listening.extend(agents::start(agents, settings, &access, &opened, &stop).await?);
        tokio::spawn(Arc::clone(&opened).watch_leases());
        episodes = Some(opened);
    }
    let told = stop.clone();
    tokio::spawn(async move {
        told_to_stop().await;
        told.cancel();
    });
    if arguments.until_eof {
        stop_at_eof(stop.clone());
    }
    let says: String = listening.iter().map(|one| one.says.as_str()).collect();
    match agents.mcp.as_deref() {
        // Standard output is the protocol's.
        Some(agents::STDIO) => eprint!("{says}"),
        _ => print(&says),
    }
    let served = try_join_all(listening.into_iter().map(|one| one.served));
    let overdue = async {
        stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    let served = tokio::select! {
        served = served => served.map(drop),
        () = overdue => Ok(()),
    };
    if let Some(episodes) = episodes {
        episodes.stop().await;
    }
    Ok(served?)
}

/// Who may ask, by the key in the file or the environment.
fn access(arguments: &Serve, settings: &Settings) -> Result<Access, Failure> {
    let key = match &arguments.api_key_file {
        Some(path) => Some(Secret::read(path, "--api-key-file")?),
        None => settings.api_key.value.clone(),
    };
    let key = key.as_ref().map(Secret::expose);
    if key == Some("") {
        return Err(Failure::user("the key in AIOPSLAB_API_KEY is empty"));
    }
    Ok(Access::new(key))
}

/// Listens at an address.
async fn listen(address: &str) -> Result<(TcpListener, SocketAddr), Failure> {
    let tcp = TcpListener::bind(address)
        .await
        .with_context(|| format!("can't listen on {address}"))?;
    let bound = tcp.local_addr()?;
    Ok((tcp, bound))
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

/// Stops when standard input ends. On a thread of its own: the runtime would wait for its reader.
fn stop_at_eof(stop: CancellationToken) {
    std::thread::spawn(move || {
        drop(std::io::copy(
            &mut std::io::stdin().lock(),
            &mut std::io::sink(),
        ));
        stop.cancel();
    });
}
