//! What goes wrong around the program, made to happen: full disks, lost files, damaged and endless input, signals, closed pipes.
//! What it must then do: end with the code that `--help` names, say what happened and where, leave no half of a file behind, and
//! lose nothing in silence. Closed pipes, `/dev/full` behind standard output, a missing file among others and a broken-off
//! temporary folder are in `cli.rs`; records cut anywhere in `cli.rs` and `properties.rs`; servers in `web/`.

mod bombs;
mod damage;
mod disk;
mod folders;
mod hostile;
mod large;
mod pipes;
pub mod process;
mod secure;
mod silence;
mod while_read;
