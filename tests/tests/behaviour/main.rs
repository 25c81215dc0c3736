//! What the library promises, by behaviour. What concerns the whole process (signals, allocation,
//! refused calls) has binaries of its own.

// Where a loop is no descriptor, it cannot be waited for.
#[cfg(unix)]
mod embedding;
mod event_loop;
mod fairness;
mod messages;
mod phases;
mod recorder;
mod replacing;
mod selector;
mod sources;
mod timers;
mod virtual_time;
mod wrapping;
