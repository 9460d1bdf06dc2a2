//! Fetches over HTTP and HTTPS: what the user's address, credentials and limits allow, and nothing more.
//!
//! ```text
//! ClientOptions --Client::new--> Client --open--> HttpResponse (a reader) --get--> Body
//! ```
//!
//! It knows addresses, credentials, redirects, retries and limits, and not what a response means. It neither prints nor
//! reads the environment or the clock; proxies from the environment are `reqwest`'s doing. No secret is ever part of
//! what it shows: see [`Secret`], and [`redact_url`] for addresses.

mod address;
mod client;
mod credentials;
mod error;
mod error_mapping;
mod options;
mod pem;
mod request;
mod response;
mod retry;
mod status;
mod tls;

pub use address::redact_url;
pub use client::Client;
pub use error::{HttpError, HttpErrorKind};
pub use options::{ClientOptions, Secret};
pub use response::{Body, HttpResponse};
