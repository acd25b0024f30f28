//! Whole lives of a home, by chance: many processes, hours and years of virtual time, every kind of trouble at once.
//!
//! A seed determines everything, so a life that breaks a rule can be lived again and told. First things go wrong, then
//! they heal, and in the end everybody is signed in or has been told why not. `exhaustive/README.md` says what is
//! covered and how to run more of it.

mod checks;
mod effects;
mod life;
mod locks;
mod plan;
mod random;
mod requests;
mod store;
mod world;

pub use life::{Failure, live, live_with, stumble};
pub use plan::{Faults, Plan};
pub use world::Counts;
