//! Maps for names and ids that every line asks for: the standard ones with a faster hash, seeded anew in each run, as
//! names in logs are anybody's. Their order is never to be seen.

pub(crate) use foldhash::fast::RandomState;

pub(crate) type HashMap<K, V> = std::collections::HashMap<K, V, RandomState>;
pub(crate) type HashSet<K> = std::collections::HashSet<K, RandomState>;
