mod append;
mod flush;
mod idempotence;
mod read;
mod recover;
mod retain;
mod roll;
mod times;
