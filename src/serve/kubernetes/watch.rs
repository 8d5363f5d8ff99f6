//! Answers that stay open: watches and logs that are followed. Time stands still in a recording,
//! so that after what there is they hold their peace until their time is up.

use std::convert::Infallible;
use std::time::Duration;

use aiopslab_replay::kubernetes::Watch;
use axum::body::{Body, Bytes};
use axum::response::Response;
use futures::{Stream, StreamExt, stream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::reply;

/// How long a watch is held that does not say.
const UNSAID: Duration = Duration::from_secs(1_800);
/// No watch is held longer.
const LONGEST: Duration = Duration::from_secs(86_400);
/// How often a bookmark tells that nothing has changed.
const BOOKMARK: Duration = Duration::from_secs(60);

/// How a watch is held open.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Held {
    /// `timeoutSeconds`.
    pub(super) seconds: Option<u64>,
    /// `allowWatchBookmarks`.
    pub(super) bookmarks: bool,
}

/// The events, then bookmarks until the time is up.
pub(super) fn respond(watch: Watch, held: Held, stop: CancellationToken) -> Response {
    let events: String = watch.events.iter().map(reply::line).collect();
    let time = held.seconds.map_or(UNSAID, Duration::from_secs);
    let silence = silence(time.min(LONGEST), stop);
    let bookmark = Bytes::from(reply::line(&watch.bookmark));
    let ticks = silence.filter_map(move |()| {
        let bookmark = held.bookmarks.then(|| bookmark.clone());
        async move { bookmark }
    });
    reply::typed("application/json", open(Bytes::from(events), ticks))
}

/// A log that its reader waits for more of: there is no more, and no end either.
pub(super) fn follow(log: Vec<u8>, stop: CancellationToken) -> Response {
    let silence = silence(LONGEST, stop).filter_map(async |()| None);
    reply::typed("text/plain", open(Bytes::from(log), silence))
}

fn open(first: Bytes, then: impl Stream<Item = Bytes> + Send + 'static) -> Body {
    let first = stream::iter((!first.is_empty()).then_some(first));
    Body::from_stream(first.chain(then).map(Ok::<_, Infallible>))
}

/// Says from time to time that nothing happens, until the time is up or the server stops.
fn silence(time: Duration, stop: CancellationToken) -> impl Stream<Item = ()> + Send {
    let end = Instant::now() + time;
    stream::unfold(stop, move |stop| async move {
        let next = (Instant::now() + BOOKMARK).min(end);
        tokio::select! {
            () = stop.cancelled() => return None,
            () = tokio::time::sleep_until(next) => {}
        }
        (Instant::now() < end).then_some(((), stop))
    })
}
