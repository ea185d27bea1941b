//! The real host, through the imports of the plugin's world.

use std::time::Duration;

use super::{Level, Pairs, owned};
use crate::bindings::clocks::wasi::clocks::{monotonic_clock, wall_clock};
use crate::bindings::processor::otelwasm::plugin::{http as http_import, log as log_import};
use crate::bindings::processor::otelwasm::plugin::{meter, pipeline, state};
use crate::failure::Failure;
use crate::glue::failed;
use crate::http::{Error, Request, Response};
use crate::signal::Signal;

pub(crate) fn emit(signal: Signal, payload: &[u8]) -> Result<(), Failure> {
    pipeline::emit(signal.into(), payload).map_err(failed)
}

pub(crate) fn log(level: Level, message: &str, pairs: Pairs<'_>) {
    let level = match level {
        Level::Debug => log_import::Level::Debug,
        Level::Info => log_import::Level::Info,
        Level::Warn => log_import::Level::Warn,
        Level::Error => log_import::Level::Error,
    };
    log_import::write(level, message, &owned(pairs));
}

pub(crate) fn add(name: &str, amount: f64, pairs: Pairs<'_>) {
    meter::add(name, amount, &owned(pairs));
}

pub(crate) fn observe(name: &str, value: f64, pairs: Pairs<'_>) {
    meter::observe(name, value, &owned(pairs));
}

pub(crate) fn state_get(key: &str) -> Result<Option<Vec<u8>>, Failure> {
    state::get(key).map_err(failed)
}

pub(crate) fn state_set(key: &str, value: &[u8]) -> Result<(), Failure> {
    state::set(key, value).map_err(failed)
}

pub(crate) fn state_delete(key: &str) -> Result<(), Failure> {
    state::delete(key).map_err(failed)
}

pub(crate) fn http_send(request: Request) -> Result<Response, Error> {
    let timeout_ms = u32::try_from(request.timeout.as_millis()).unwrap_or(u32::MAX).max(1);
    let Request { method, url, headers, body, .. } = request;
    let request = http_import::Request { method, url, headers, body, timeout_ms };
    match http_import::send(&request) {
        Ok(http_import::Response { status, headers, body }) => {
            Ok(Response { status, headers, body })
        }
        Err(http_import::Error::Refused(reason)) => Err(Error::Refused(reason)),
        Err(http_import::Error::Timeout) => Err(Error::TimedOut),
        Err(http_import::Error::Failed(reason)) => Err(Error::Failed(reason)),
    }
}

pub(crate) fn since_1970() -> Duration {
    let now = wall_clock::now();
    Duration::new(now.seconds, now.nanoseconds)
}

pub(crate) fn monotonic() -> Duration {
    Duration::from_nanos(monotonic_clock::now())
}
