//! How well a duration is known.

use crate::model::names::named_enum;

named_enum! {
    /// How well a span's ends are known.
    #[derive(Default, bitcode::Encode, bitcode::Decode)]
    Precision PRECISIONS {
        /// Log lines show both ends.
        Exact = "exact",
        /// An end follows from other lines by a rule.
        Inferred = "inferred",
        /// An end lies between two known instants.
        #[default]
        Bounded = "bounded",
    }
}
