//! Work on many threads whose results come back in order, with a bounded number under way.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Jobs that wait or whose results wait, per worker.
const UNDER_WAY: usize = 2;

/// Hands a job to the workers; false: nobody wants more.
pub(super) type Submit<'a, J> = &'a mut dyn FnMut(J) -> bool;

/// Runs `work` on everything that `produce` submits, on all processors, and gives the results to
/// `consume` in the order in which the jobs were submitted.
///
/// What is held at a time is a few jobs per processor, however many there are. The first error ends
/// everything.
pub(super) fn in_order<J: Send, R: Send, E: Send>(
    produce: impl FnOnce(Submit<'_, J>) -> Result<(), E> + Send,
    work: impl Fn(J) -> R + Sync,
    mut consume: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E> {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let (jobs, waiting) = sync_channel::<(J, SyncSender<R>)>(workers * UNDER_WAY);
    let (promise, promised) = sync_channel::<Receiver<R>>(workers * UNDER_WAY);
    let waiting = Mutex::new(waiting);
    let next = || {
        let waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.recv().ok()
    };
    thread::scope(|scope| {
        let producer = scope.spawn(move || {
            produce(&mut |job| {
                let (answer, result) = sync_channel(1);
                promise.send(result).is_ok() && jobs.send((job, answer)).is_ok()
            })
        });
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((job, answer)) = next() {
                    // Nobody waits for it after an error.
                    let _ = answer.send(work(job));
                }
            });
        }
        let consumed = promised
            .iter()
            .filter_map(|result| result.recv().ok())
            .try_for_each(&mut consume);
        // A producer that goes on finds nobody.
        drop(promised);
        let produced = producer
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        consumed.and(produced)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_and_an_error_ends_it() {
        let numbers = |submit: Submit<'_, u64>| {
            for number in 0..1000 {
                if !submit(number) {
                    break;
                }
            }
            Ok(())
        };
        let slow = |number: u64| {
            if number.is_multiple_of(7) {
                thread::sleep(std::time::Duration::from_micros(300));
            }
            number * 2
        };
        let mut seen = Vec::new();
        let all: Result<(), String> = in_order(numbers, slow, |result| {
            seen.push(result);
            Ok(())
        });
        assert_eq!(all, Ok(()));
        assert_eq!(seen, (0..1000).map(|number| number * 2).collect::<Vec<_>>());
        let stopped = in_order(numbers, slow, |result| match result {
            20 => Err("enough".to_owned()),
            _ => Ok(()),
        });
        assert_eq!(stopped, Err("enough".to_owned()));
        let failed = in_order(
            |submit: Submit<'_, u64>| {
                submit(1);
                Err("broken".to_owned())
            },
            slow,
            |_| Ok(()),
        );
        assert_eq!(failed, Err("broken".to_owned()));
    }
}
