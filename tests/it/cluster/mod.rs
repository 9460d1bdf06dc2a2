//! A cluster as an input, through the real kubectl (Debian package `kubernetes-client`), at a server that replays what a real API
//! server answered.

pub mod api;
pub mod external;
mod slow;
