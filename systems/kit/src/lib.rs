//! What every client and every fake shares.
//!
//! *Clients*: the [`transport`] (which says whether a request certainly never left), the [`guard`] that keeps
//! requests back once the lease has ended, the [`governor`]s and the [`pace`] that keep the remote caps, exact [`wire`] amounts, [`seams`] for randomness and kept secrets, and
//! [`expiry`] of credentials, and [`system`], all that the rest of the program knows about a vendor. *Fakes*: the chassis in [`fake`], on
//! which each system's sandbox is built.
//!
//! Only this crate sends HTTP.

pub mod base_url;
pub mod echo;
pub mod expiry;
pub mod fake;
pub mod governor;
pub mod guard;
pub mod guide;
pub mod pace;
pub mod reach;
pub mod refusals;
pub mod seams;
pub mod system;
pub mod transport;
pub mod webhooks;
pub mod wire;

pub use seams::{Entropy, Kept, KeptError, Kit, Portion, Share, Wish};
pub use system::{ConnectError, Credential, System, Understood};
pub use transport::{Meter, Transport};
