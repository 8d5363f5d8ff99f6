//! `serve --pgwire`: people's SQL over the protocol of PostgreSQL.

use aiopslab_replay::SqlLimits;
use aiopslab_replay::clock::Clock;
use aiopslab_replay::sql::postgres::{Admission, PostgresServer};
use tokio_util::sync::CancellationToken;

use super::Listening;
use crate::cli::Serve;
use crate::commands::sql::named_snapshots;
use crate::exit::Failure;
use crate::library::Library;
use crate::serve::access::Access;
use crate::serve::pgwire::{CLIENTS, serve};
use crate::settings::Settings;

pub(super) async fn start(
    address: &str,
    arguments: &Serve,
    access: &Access,
    library: &Library,
    settings: &Settings,
    stop: &CancellationToken,
) -> Result<Listening, Failure> {
    let (tcp, bound) = super::listen(address).await?;
    access.check_address(bound)?;
    let spill = tempfile::tempdir()?;
    let limits = SqlLimits {
        memory: arguments.database.memory,
        spill: Some(spill.path().to_owned()),
        jobs: settings.jobs.value,
    };
    let key = access.clone();
    let admission = Admission {
        clients: CLIENTS,
        password: match access.needs_key() {
            true => Some(Box::new(move |password| key.is_key(password))),
            false => None,
        },
    };
    let snapshots = named_snapshots(library, &arguments.paths)?;
    let clock = arguments.clock.parse::<Clock>()?;
    let server = PostgresServer::open(snapshots, clock, &limits, admission).await?;
    let stop = stop.clone();
    Ok(Listening {
        says: format!("pgwire postgresql://{}/\n", super::reachable(bound)),
        served: Box::pin(async move {
            // What is spilled is there as long as anybody is answered.
            let _spill = spill;
            serve(tcp, server, stop).await
        }),
    })
}
