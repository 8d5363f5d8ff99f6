//! SQL over the protocol of PostgreSQL: connections are accepted here, and spoken on by
//! `aiopslab_replay::sql::postgres`.
//!
//! Each connection has a thread, since a query computes for long stretches between two awaits.

use std::io;
use std::net::Shutdown;
use std::sync::Arc;

use aiopslab_replay::sql::postgres::PostgresServer;
use axum::serve::Listener;
use tokio::io::Interest;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Clients that are let in at a time.
pub const CLIENTS: usize = 32;

/// Connections that are open at a time: a client needs a second one to end a query, and who is one
/// too many is told so.
const CONNECTIONS: usize = 2 * CLIENTS;

/// Serves until `stop`, then lets queries under way end; dropping this ends them.
///
/// # Errors
/// When the address can no longer be listened on.
pub async fn serve(
    mut listener: TcpListener,
    server: PostgresServer,
    stop: CancellationToken,
) -> io::Result<()> {
    let server = Arc::new(server);
    let free = Arc::new(Semaphore::new(CONNECTIONS));
    let clients = TaskTracker::new();
    let given_up = CancellationToken::new();
    let _give_up = given_up.clone().drop_guard();
    let runtime = Handle::current();
    loop {
        let accepting = async {
            // Nobody closes it; without a permit there would only be more connections.
            let permit = Arc::clone(&free).acquire_owned().await.ok();
            // The listener waits out passing errors by itself.
            let (socket, peer) = Listener::accept(&mut listener).await;
            (socket, peer, permit)
        };
        let (socket, peer, permit) = tokio::select! {
            () = stop.cancelled() => break,
            accepted = accepting => accepted,
        };
        let (server, stop, given_up) = (Arc::clone(&server), stop.clone(), given_up.clone());
        let runtime = runtime.clone();
        clients.spawn_blocking(move || {
            let _permit = permit;
            let attended = runtime.block_on(async {
                tokio::select! {
                    attended = attend(&server, socket, &stop) => attended,
                    () = given_up.cancelled() => Ok(()),
                }
            });
            if let Err(error) = attended {
                tracing::debug!(%peer, %error, "a connection broke");
            }
        });
    }
    clients.close();
    clients.wait().await;
    Ok(())
}

/// Answers a client until it leaves or hangs up, or the server stops and it has been answered.
async fn attend(
    server: &PostgresServer,
    socket: TcpStream,
    stop: &CancellationToken,
) -> io::Result<()> {
    let socket = socket.into_std()?;
    let seen = TcpStream::from_std(socket.try_clone()?)?;
    let answered = server.answer(TcpStream::from_std(socket)?);
    let ended = async {
        tokio::select! {
            gone = hung_up(&seen) => return gone,
            () = stop.cancelled() => {}
        }
        // For whoever answers this looks as if the client had nothing more to ask.
        seen.into_std()?.shutdown(Shutdown::Read)?;
        std::future::pending().await
    };
    tokio::select! {
        answered = answered => answered,
        ended = ended => ended,
    }
}

/// Waits until the other side has closed the connection: who computes for it does not see it.
async fn hung_up(socket: &TcpStream) -> io::Result<()> {
    loop {
        let ready = socket.ready(Interest::READABLE).await?;
        if ready.is_read_closed() {
            return Ok(());
        }
        // More was said, which is read elsewhere: that is no news from here on.
        let nothing = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
        drop(socket.try_io(Interest::READABLE, nothing));
    }
}
