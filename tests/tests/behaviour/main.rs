//! What the library promises, by behaviour. What concerns the whole process (signals, allocation,
//! refused calls) has binaries of its own.

mod embedding;
mod event_loop;
mod fairness;
mod messages;
mod phases;
mod recorder;
mod selector;
mod sources;
mod timers;
mod virtual_time;
