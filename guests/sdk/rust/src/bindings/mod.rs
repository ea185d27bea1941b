//! The contract's worlds, bound by wit-bindgen. What all worlds import is bound once.
#![allow(missing_docs, unreachable_pub, unsafe_code, clippy::all)]

#[rustfmt::skip]
pub mod clocks;
#[rustfmt::skip]
pub mod exporter;
#[rustfmt::skip]
pub mod processor;
#[rustfmt::skip]
pub mod receiver;
