//! Machines of a cluster are the same pools.
