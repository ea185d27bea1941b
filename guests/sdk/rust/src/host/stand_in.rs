//! What stands for the host where a plugin is no component: in its tests, which see it as
//! `otelwasm_sdk::testing`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime};

use super::{Level, Pairs, owned};
use crate::failure::Failure;
use crate::http::{Error, Request, Response};
use crate::signal::Signal;

/// What a plugin wrote to the log, or to the host's metrics: a text or a name, and pairs.
pub type Written<T> = (T, String, Vec<(String, String)>);

/// What answers a plugin's requests.
pub type Answer = Box<dyn FnMut(&Request) -> Result<Response, Error>>;

#[derive(Default)]
struct StandIn {
    emitted: Vec<(Signal, Vec<u8>)>,
    refusal: Option<Failure>,
    logged: Vec<Written<Level>>,
    measured: Vec<Written<f64>>,
    state: BTreeMap<String, Vec<u8>>,
    answer: Option<Answer>,
}

thread_local! {
    // Tests run in threads of their own.
    static HOST: RefCell<StandIn> = RefCell::default();
}

/// Takes what was emitted so far.
pub fn emitted() -> Vec<(Signal, Vec<u8>)> {
    HOST.with_borrow_mut(|host| std::mem::take(&mut host.emitted))
}

/// Takes what was logged so far.
pub fn logged() -> Vec<Written<Level>> {
    HOST.with_borrow_mut(|host| std::mem::take(&mut host.logged))
}

/// Takes what was added to counters, and observed, so far.
pub fn measured() -> Vec<Written<f64>> {
    HOST.with_borrow_mut(|host| std::mem::take(&mut host.measured))
}

/// Has emits fail, as a full queue would; or no longer.
pub fn refuse_with(failure: Option<Failure>) {
    HOST.with_borrow_mut(|host| host.refusal = failure);
}

/// Has a function answer requests; without one, all are refused.
pub fn answer_with(answer: impl FnMut(&Request) -> Result<Response, Error> + 'static) {
    HOST.with_borrow_mut(|host| host.answer = Some(Box::new(answer)));
}

pub(crate) fn emit(signal: Signal, payload: &[u8]) -> Result<(), Failure> {
    HOST.with_borrow_mut(|host| {
        if let Some(failure) = &host.refusal {
            return Err(failure.clone());
        }
        host.emitted.push((signal, payload.to_vec()));
        Ok(())
    })
}

pub(crate) fn log(level: Level, message: &str, pairs: Pairs<'_>) {
    let written = (level, message.to_owned(), owned(pairs));
    HOST.with_borrow_mut(|host| host.logged.push(written));
}

pub(crate) fn add(name: &str, amount: f64, pairs: Pairs<'_>) {
    let written = (amount, name.to_owned(), owned(pairs));
    HOST.with_borrow_mut(|host| host.measured.push(written));
}

pub(crate) fn observe(name: &str, value: f64, pairs: Pairs<'_>) {
    add(name, value, pairs);
}

pub(crate) fn state_get(key: &str) -> Result<Option<Vec<u8>>, Failure> {
    Ok(HOST.with_borrow(|host| host.state.get(key).cloned()))
}

pub(crate) fn state_set(key: &str, value: &[u8]) -> Result<(), Failure> {
    HOST.with_borrow_mut(|host| host.state.insert(key.to_owned(), value.to_vec()));
    Ok(())
}

pub(crate) fn state_delete(key: &str) -> Result<(), Failure> {
    HOST.with_borrow_mut(|host| host.state.remove(key));
    Ok(())
}

pub(crate) fn http_send(request: Request) -> Result<Response, Error> {
    let answer = HOST.with_borrow_mut(|host| host.answer.take());
    let Some(mut answer) = answer else {
        return Err(Error::Refused(format!("{}: no answer_with() in this test", request.url)));
    };
    let answered = answer(&request);
    HOST.with_borrow_mut(|host| host.answer = Some(answer));
    answered
}

pub(crate) fn since_1970() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

pub(crate) fn monotonic() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed()
}
