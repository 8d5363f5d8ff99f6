//! Work on many threads whose results come back in order, with a bounded number under way.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

/// Most sources that are read at a time: reading is little beside the work.
const SOURCES: usize = 4;
/// Jobs of all sources that wait or whose results wait, per worker.
const UNDER_WAY: usize = 4;

/// Hands a job to the workers; false: nobody wants more.
pub(super) type Submit<'a, J> = &'a mut dyn FnMut(J) -> bool;

/// The results of a source, in order, and the error that ended it.
type Results<R, E> = Receiver<Result<Receiver<R>, E>>;

/// Runs `work` on everything that `produce` submits of each source, on all processors, and gives the
/// results to `consume`: source by source, and in the order in which the jobs of each were submitted.
///
/// Sources are read ahead, but what is held at a time is a few jobs per processor, however many
/// sources and jobs there are. The first error, in the order of the results, ends everything.
pub(super) fn in_order<S: Send, J: Send, R: Send, E: Send>(
    sources: impl Iterator<Item = S> + Send,
    produce: impl Fn(S, Submit<'_, J>) -> Result<(), E> + Sync,
    work: impl Fn(J) -> R + Sync,
    mut consume: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E> {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let producers = workers.min(SOURCES);
    let of_one = UNDER_WAY * workers / producers;
    let (jobs, waiting) = sync_channel::<(J, SyncSender<R>)>(workers);
    let (begun, in_turn) = sync_channel::<Results<R, E>>(producers);
    let (sources, waiting) = (Mutex::new(sources), Mutex::new(waiting));
    let (sources, produce) = (&sources, &produce);
    let produce_all = move |begun: SyncSender<Results<R, E>>, jobs: SyncSender<(J, _)>| {
        loop {
            // Under one lock: results come in the order of their sources.
            let mut rest = lock(sources);
            let Some(source) = rest.next() else { break };
            let (promise, promised) = sync_channel(of_one);
            if begun.send(promised).is_err() {
                break;
            }
            drop(rest);
            let produced = produce(source, &mut |job| {
                let (answer, result) = sync_channel(1);
                promise.send(Ok(result)).is_ok() && jobs.send((job, answer)).is_ok()
            });
            // After an error of another nobody wants this one.
            let _ = produced.or_else(|cause| promise.send(Err(cause)));
        }
    };
    thread::scope(|scope| {
        for _ in 0..producers {
            let (begun, jobs) = (begun.clone(), jobs.clone());
            scope.spawn(move || produce_all(begun, jobs));
        }
        // Those of the producers remain: what they wait for ends with them.
        drop((begun, jobs));
        for _ in 0..workers {
            scope.spawn(|| {
                let next = || lock(&waiting).recv().ok();
                while let Some((job, answer)) = next() {
                    // Nobody waits for it after an error.
                    let _ = answer.send(work(job));
                }
            });
        }
        // Whoever goes on after an error finds nobody: the receivers are dropped here.
        in_turn.into_iter().flatten().try_for_each(|result| {
            let result = result?.recv().ok();
            result.map_or(Ok(()), &mut consume)
        })
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    /// The numbers of a source: 100 each, and the first waits so that others are ahead.
    fn numbers(source: u64, submit: Submit<'_, u64>) -> Result<(), String> {
        if source == 0 {
            thread::sleep(Duration::from_millis(5));
        }
        for number in source * 100..(source + 1) * 100 {
            if !submit(number) {
                break;
            }
        }
        Ok(())
    }

    fn slow(number: u64) -> u64 {
        if number.is_multiple_of(7) {
            thread::sleep(Duration::from_micros(300));
        }
        number * 2
    }

    #[test]
    fn results_come_in_order() {
        let mut seen = Vec::new();
        let all = in_order(0..10, numbers, slow, |result| {
            seen.push(result);
            Ok(())
        });
        assert_eq!(all, Ok(()));
        assert_eq!(seen, (0..1000).map(|number| number * 2).collect::<Vec<_>>());
    }

    #[test]
    fn an_error_ends_it_in_its_turn() {
        let stopped = in_order(0..10, numbers, slow, |result| match result {
            20 => Err("enough".to_owned()),
            _ => Ok(()),
        });
        assert_eq!(stopped, Err("enough".to_owned()));
        let mut seen = 0;
        let failed = in_order(
            0..10,
            |source, submit: Submit<'_, u64>| match source {
                3 => Err("broken".to_owned()),
                _ => numbers(source, submit),
            },
            slow,
            |_| {
                seen += 1;
                Ok(())
            },
        );
        assert_eq!((failed, seen), (Err("broken".to_owned()), 300));
    }

    #[test]
    fn sources_are_read_ahead_but_not_all_of_them() {
        let begun = AtomicU64::new(0);
        let most = AtomicU64::new(0);
        let none: Result<(), ()> = in_order(
            0..1_000_u64,
            |source, submit| {
                begun.fetch_max(source, Ordering::Relaxed);
                submit(source);
                Ok(())
            },
            |source| source,
            |source| {
                thread::sleep(Duration::from_micros(100));
                let ahead = begun.load(Ordering::Relaxed).saturating_sub(source);
                most.fetch_max(ahead, Ordering::Relaxed);
                Ok(())
            },
        );
        assert_eq!(none, Ok(()));
        let most = most.into_inner();
        assert!((1..=2 * SOURCES as u64 + 1).contains(&most), "{most}");
    }
}
