//! Ships file ranges as record batches: lanes, batches, producer, connections.
