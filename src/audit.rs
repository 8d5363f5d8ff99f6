//! Does a snapshot give its fault away? Two questions of what an agent can see of it.
//!
//! [`leaks`] searches the visible part for every text that names the fault or whoever injected it.
//! [`shortcuts`] asks, over several snapshots, whether something that says nothing of the fault
//! (a length, an age, a number of rows) tells incidents from controls.
//! [`held_out`] is what else must not be there when a snapshot is published without its truth.

mod held_out;
mod patterns;
mod search;
mod shortcuts;

pub use held_out::{held_out, held_out_release};
pub use patterns::Patterns;
pub use search::{Leak, leaks};
pub use shortcuts::{Shortcut, Shortcuts, shortcuts};
