//! Asking HTTP servers that the host's configuration allows:
//! `Request::get("https://example.com/users/7").send()?.error_for_status()?`.
//!
//! The host adds credentials, so that a plugin never sees them. A response of any status is
//! returned; that there is none is an [`Error`], which `?` makes a batch's failure.

use std::fmt::{self, Display};
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::clock;
use crate::failure::Failure;
use crate::host;
use crate::messages::first;

/// An HTTP request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// As `GET` or `POST`.
    pub method: String,
    /// An absolute URL, `http` or `https`, percent-encoded.
    pub url: String,
    /// The headers to send; the host adds its own, which cannot be given here.
    pub headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub body: Vec<u8>,
    /// How long to wait; the host may allow less.
    pub timeout: Duration,
}

impl Request {
    /// A request of any method, without a body.
    pub fn new(method: &str, url: impl Into<String>) -> Self {
        Request {
            method: method.to_owned(),
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
            timeout: Duration::from_secs(10),
        }
    }

    /// A GET request.
    pub fn get(url: impl Into<String>) -> Self {
        Request::new("GET", url)
    }

    /// A POST request; what its body is says the header `content-type`.
    pub fn post(url: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Request { body: body.into(), ..Request::new("POST", url) }
    }

    /// The same, with one more header.
    pub fn header(mut self, name: &str, value: impl Display) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    /// The same, with another limit of time than ten seconds.
    pub fn timeout(self, timeout: Duration) -> Self {
        Request { timeout, ..self }
    }

    /// Sends it, and waits for the response.
    pub fn send(self) -> Result<Response, Error> {
        host::http_send(self)
    }
}

/// What a server answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, as it came: a `content-encoding` is not undone.
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        first(&self.headers, name)
    }

    /// How long the server asks to wait, by its header `retry-after`.
    pub fn retry_after(&self) -> Option<Duration> {
        self.header("retry-after").and_then(wait)
    }

    /// The body as UTF-8; what is none is replaced.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// The body, read as JSON; a permanent failure if it is not that.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body)
            .map_err(|error| Failure::Permanent(format!("the server's answer: {error}")))
    }

    /// The response if its status is a success; else what that is for a batch: retryable for 408,
    /// 429 and 5xx, not before the response's `retry-after`; else permanent.
    pub fn error_for_status(self) -> Result<Self, Failure> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        let text: String = self.text().chars().take(300).collect();
        let reason = format!("the server answered {}: {}", self.status, text.trim());
        let reason = reason.trim_end_matches([':', ' ']).to_owned();
        if self.status == 408 || self.status == 429 || self.status >= 500 {
            let after = self.retry_after();
            return Err(Failure::Retryable { reason, after });
        }
        Err(Failure::Permanent(reason))
    }
}

/// Why there is no response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The host's configuration does not allow this request; the text says what would.
    Refused(String),
    /// No answer in time.
    TimedOut,
    /// No connection, a broken one, or too large a response.
    Failed(String),
}

impl Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Refused(reason) | Error::Failed(reason) => out.write_str(reason),
            Error::TimedOut => out.write_str("no answer in time"),
        }
    }
}

impl std::error::Error for Error {}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(reason) => Failure::Permanent(reason),
            other => Failure::retryable(other),
        }
    }
}

/// How long a `retry-after` says to wait: seconds, or until a date.
fn wait(retry_after: &str) -> Option<Duration> {
    let text = retry_after.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().map(Duration::from_secs);
    }
    let moment = Duration::from_secs(unix_seconds(text)?);
    Some(moment.saturating_sub(clock::since_1970()))
}

/// The moment that an HTTP date names: `Sun, 06 Nov 1994 08:49:37 GMT`.
fn unix_seconds(date: &str) -> Option<u64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_, rest) = date.split_once(", ")?;
    let [day, month, year, time, "GMT"] = rest.split(' ').collect::<Vec<_>>()[..] else {
        return None;
    };
    let [hours, minutes, seconds] = time.split(':').collect::<Vec<_>>()[..] else {
        return None;
    };
    let number = |text: &str| text.parse::<u64>().ok();
    let month = MONTHS.iter().position(|name| *name == month)? as u64;
    let (year, day) = (number(year)?, number(day)?);
    if !(1970..10_000).contains(&year) || !(1..=31).contains(&day) {
        return None;
    }
    // Days since 1970, with years that begin in March: then the leap day is their last.
    let (year, month) = if month < 2 { (year - 1, month + 10) } else { (year, month - 2) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 306 + 5) / 10 + day - 1;
    let clock = number(hours)? * 3600 + number(minutes)? * 60 + number(seconds)?;
    Some((days - 719_468) * 86_400 + clock)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Dates of HTTP are understood, and what is none is not.
    #[test]
    fn dates_are_seconds_since_1970() {
        assert_eq!(Some(784_111_777), unix_seconds("Sun, 06 Nov 1994 08:49:37 GMT"));
        assert_eq!(Some(0), unix_seconds("Thu, 01 Jan 1970 00:00:00 GMT"));
        assert_eq!(Some(951_782_400), unix_seconds("Tue, 29 Feb 2000 00:00:00 GMT"));
        assert_eq!(None, unix_seconds("tomorrow"));
    }

    /// A server that is busy is tried again when it says; one that refuses is not.
    #[test]
    fn statuses_are_failures_of_batches() {
        let busy = Response {
            status: 503,
            headers: vec![("retry-after".into(), "7".into())],
            body: b"busy\n".to_vec(),
        };
        let refusing = Response { status: 400, ..Response::default() };

        let wanted = Failure::retryable("the server answered 503: busy");
        assert_eq!(Err(wanted.after(Duration::from_secs(7))), busy.error_for_status());
        let wanted = Failure::permanent("the server answered 400");
        assert_eq!(Err(wanted), refusing.error_for_status());
        assert!(Response { status: 204, ..Response::default() }.error_for_status().is_ok());
    }
}
