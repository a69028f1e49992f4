//! The broker on real sockets, spoken to through `wire` by a small client of the tests' own.

#[cfg(test)]
mod all {
    mod compression;
    mod configs;
    mod consumer_groups;
    mod describe;
    mod durability;
    mod expressions;
    mod fetch;
    mod fetch_sessions;
    mod group_admin;
    mod hostile;
    mod lifecycle;
    mod metadata;
    mod offsets;
    mod old_fetch;
    mod old_formats;
    mod old_groups;
    mod page;
    mod partitions;
    mod produce;
    mod records;
    mod replicas;
    mod support;
    mod topics;
    mod transactions;
    mod versions;
}
