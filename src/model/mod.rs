//! What all other rooms speak of: facts of lines, startups, phases, instants, errors. It knows no other room.

pub mod duration;
pub mod error;
pub mod fields;
pub(crate) mod hash;
pub(crate) mod names;
pub mod nearest;
pub mod object;
pub mod object_text;
pub mod object_yaml;
pub mod phase;
pub mod pod_status;
pub mod precision;
pub mod quantile;
pub mod record;
pub mod startup;
pub mod text;
pub mod time;
pub mod waited_for;
pub mod workload;
pub mod zone;
