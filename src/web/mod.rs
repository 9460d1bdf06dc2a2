//! Fetches over HTTP and HTTPS: what the user's address, credentials and patience allow, and nothing more.
//!
//! ```text
//! Access --Client::new--> Client --open--> Answer (a reader) --get--> Body
//! ```
//!
//! It knows addresses, credentials, redirects, retries and limits, and not what an answer means. It neither prints nor
//! reads the environment or the clock; proxies from the environment are `reqwest`'s doing. No secret is ever part of
//! what it shows: see [`Secret`], and `address::shown` for addresses.

mod access;
mod address;
mod answer;
mod cause;
mod client;
mod handshake;
mod keys;
mod pem;
mod request;
mod retry;
mod status;
mod trouble;

pub use access::{Access, Secret};
pub use address::shown;
pub use answer::{Answer, Body};
pub use client::Client;
pub use trouble::{HttpError, Kind};
