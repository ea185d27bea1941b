//! Does to payloads what it is asked to, for tests that compare with what protobuf makes of it.
//!
//! A request is a line of JSON, `{"signal": 0, "op": "…", "size": …}` with the op's arguments, and
//! so many bytes. The answer is the same: `{"count": …, "error": …, "sizes": […]}`, and the bytes.

use std::io::{self, BufRead, Read, Write};

use otelwasm_sdk::{Batch, Failure, Item, On, Signal, Value};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(default)]
struct Request {
    signal: usize,
    op: String,
    size: usize,
    on: String,
    key: String,
    new: String,
    keys: Vec<String>,
    value: Value<'static>,
}

impl Default for Request {
    fn default() -> Self {
        let (op, key, new) = Default::default();
        let (signal, size, keys, value) = Default::default();
        Request { signal, op, size, on: "everywhere".into(), key, new, keys, value }
    }
}

type Answer = Result<(usize, Vec<Vec<u8>>), Failure>;

fn main() -> io::Result<()> {
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let mut line = String::new();
    while input.read_line(&mut line)? > 0 {
        let request: Request = serde_json::from_str(&line)?;
        line.clear();
        let mut payload = vec![0; request.size];
        input.read_exact(&mut payload)?;
        let (count, error, payloads) = match answer(&request, payload) {
            Ok((count, payloads)) => (count, None, payloads),
            Err(failure) => (0, Some(failure.reason().to_owned()), Vec::new()),
        };
        let sizes: Vec<usize> = payloads.iter().map(Vec::len).collect();
        let answer = serde_json::json!({ "count": count, "error": error, "sizes": sizes });
        writeln!(output, "{answer}")?;
        for payload in payloads {
            output.write_all(&payload)?;
        }
        output.flush()?;
    }
    Ok(())
}

fn answer(request: &Request, payload: Vec<u8>) -> Answer {
    let mut batch = Batch::new(Signal::ALL[request.signal], payload);
    let (key, value) = (&*request.key, &request.value);
    let on = match &*request.on {
        "items" => On::Items,
        "resources" => On::Resources,
        "scopes" => On::Scopes,
        "events" => On::Events,
        "links" => On::Links,
        "metrics" => On::Metrics,
        "exemplars" => On::Exemplars,
        _ => On::Everywhere,
    };
    let count = match &*request.op {
        "upsert" => batch.on(on).set_attribute(key, value)?,
        "insert" => batch.on(on).insert_attribute(key, value)?,
        "update" => batch.on(on).update_attribute(key, value)?,
        "delete" => batch.on(on).delete_attributes(&request.keys)?,
        "rename" => batch.on(on).rename_attribute(key, &request.new)?,
        "hash" => batch.on(on).hash_attributes(&request.keys, &request.new)?,
        "map" => batch.on(on).map_attributes(|k, _| (k == key).then(|| value.clone()))?,
        "text" => batch.on(on).map_attributes(|_, value| Some(value.to_string().into()))?,
        "drop" => batch.retain(|item| item.attribute(key).is_none())?,
        "split" => {
            let parts = batch.split(|item| item.attribute(key).map(|value| value.to_string()))?;
            let parts = parts.into_iter().map(|(_, part)| part.into_bytes()).collect();
            return Ok((0, parts));
        }
        "view" => view_each(&mut batch, &request.on, &mut |view| view.set(key, value))?,
        "view-remove" => view_each(&mut batch, &request.on, &mut |view| view.unset(key))?,
        "inside" => inside_each(&mut batch, key, value)?,
        "read" => read_all(&mut batch)?,
        op => panic!("{op} is no operation"),
    };
    Ok((count, vec![batch.into_bytes()]))
}

/// What the views of all levels have.
trait Attributed {
    fn set(&mut self, key: &str, value: &Value<'_>);
    fn unset(&mut self, key: &str);
}

macro_rules! attributed {
    ($($name:ident)*) => {$(
        impl Attributed for otelwasm_sdk::views::$name<'_> {
            fn set(&mut self, key: &str, value: &Value<'_>) {
                self.set_attribute(key, value);
                assert!(self.attributes().any(|(k, v)| k == key && v == *value || v != v));
            }

            fn unset(&mut self, key: &str) {
                self.remove_attribute(key);
                assert!(self.attribute(key).is_none());
            }
        }
    )*};
}

attributed! { ResourceMut ScopeMut MetricMut Span LogRecord DataPoint Event Link Exemplar }

fn view_each(
    batch: &mut Batch,
    on: &str,
    change: &mut dyn FnMut(&mut dyn Attributed),
) -> Result<usize, Failure> {
    macro_rules! all {
        ($views:expr) => {
            $views?.map(|mut view| change(&mut view)).count()
        };
    }
    Ok(match (on, batch.signal()) {
        ("resources", _) => all!(batch.resources()),
        ("scopes", _) => all!(batch.scopes()),
        ("events", _) => all!(batch.events()),
        ("links", _) => all!(batch.links()),
        ("metrics", _) => all!(batch.metrics()),
        ("exemplars", _) => all!(batch.exemplars()),
        (_, Signal::Traces) => all!(batch.spans()),
        (_, Signal::Metrics) => all!(batch.data_points()),
        _ => all!(batch.log_records()),
    })
}

/// Changes what is in spans, and in data points, by way of those.
fn inside_each(batch: &mut Batch, key: &str, value: &Value<'_>) -> Result<usize, Failure> {
    let mut count = 0;
    for mut span in batch.spans()? {
        span.set_attribute(key, value);
        count += span.events().map(|mut event| event.set_attribute(key, value)).count();
        count += span.links().map(|mut link| link.set_attribute(key, value)).count();
    }
    for mut metric in batch.metrics()? {
        metric.set_attribute(key, value);
        for mut point in metric.data_points() {
            point.set_attribute(key, value);
            count += point.exemplars().map(|mut one| one.set_attribute(key, value)).count();
        }
    }
    for mut record in batch.log_records()? {
        record.set_attribute(key, value);
    }
    Ok(count)
}

/// Reads what there is to read, which must not fail whatever the payload is.
fn read_all(batch: &mut Batch) -> Result<usize, Failure> {
    let mut count = 0;
    for item in batch.items()? {
        count += item.resource().attributes().count() + item.scope().attributes().count();
        count += item.name().len() + item.scope().name().len();
        match item {
            Item::Span(mut span) => {
                count += span.attributes().count() + span.trace_id().len();
                count += span.duration().as_secs() as usize & 1;
                count += span.status_message().len() + usize::from(span.is_error());
                count += span.events().map(|event| event.name().len()).sum::<usize>();
            }
            Item::DataPoint(point) => {
                count += usize::from(point.value().is_some()) + point.attributes().count();
            }
            Item::LogRecord(record) => count += record.body().to_string().len(),
            _ => {}
        }
    }
    Ok(count)
}
