//! The group without a broker around it.

mod formats;
mod model;
mod reconcile;
mod subscription;
