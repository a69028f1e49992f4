//! The broker on real sockets, spoken to through `wire` by a small client of the tests' own.

#[cfg(test)]
mod all {
    mod durability;
    mod fetch;
    mod hostile;
    mod lifecycle;
    mod metadata;
    mod offsets;
    mod old_fetch;
    mod old_formats;
    mod old_groups;
    mod produce;
    mod support;
    mod topics;
    mod versions;
}
