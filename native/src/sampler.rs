//! Reads the counts of live objects while somebody looks.
