//! Batches are changed in their bytes, and nowhere else.
#![cfg(feature = "otlp")]

use otelwasm_sdk::otlp::collector::logs::v1::ExportLogsServiceRequest;
use otelwasm_sdk::otlp::collector::trace::v1::ExportTraceServiceRequest;
use otelwasm_sdk::otlp::common::v1::InstrumentationScope;
use otelwasm_sdk::otlp::key_value;
use otelwasm_sdk::otlp::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use otelwasm_sdk::otlp::resource::v1::Resource;
use otelwasm_sdk::otlp::trace::v1::span::Event;
use otelwasm_sdk::otlp::trace::v1::{ResourceSpans, ScopeSpans, Span};
use otelwasm_sdk::{Batch, Failure, On, Signal, Value};

/// A batch of spans of those names, of one resource and scope.
fn spans(names: &[&str]) -> Batch {
    let span = |name: &&str| Span {
        name: name.to_string(),
        trace_id: vec![7; 16],
        attributes: vec![key_value("http.route", "/users"), key_value("retries", 3)],
        events: vec![Event { name: "began".into(), ..Event::default() }],
        ..Span::default()
    };
    let scope = InstrumentationScope { name: "http".into(), ..Default::default() };
    let resource =
        Resource { attributes: vec![key_value("service.name", "shop")], ..Default::default() };
    let scope_spans = ScopeSpans {
        scope: Some(scope),
        spans: names.iter().map(span).collect(),
        ..ScopeSpans::default()
    };
    Batch::from(&ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(resource),
            scope_spans: vec![scope_spans],
            ..ResourceSpans::default()
        }],
    })
}

fn decoded(batch: &mut Batch) -> ExportTraceServiceRequest {
    batch.decode().unwrap()
}

fn field(number: u8, content: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, content.len() as u8], content].concat()
}

/// Reading a batch leaves its bytes as they are; so does changing nothing.
#[test]
fn what_is_only_read_stays_as_it_came() {
    let mut batch = spans(&["a", "b"]);
    let before = batch.bytes().to_vec();
    for mut span in batch.spans().unwrap() {
        assert_eq!("/users", span.attribute("http.route").unwrap());
        assert_eq!(Some(3), span.attribute("retries").unwrap().as_i64());
        assert_eq!("shop", span.resource().attribute("service.name").unwrap());
        assert_eq!("http", span.scope().name());
        assert_eq!(None, span.attribute("http"));
        assert_eq!([7; 16], span.trace_id());
        assert_eq!(vec!["began"], span.events().map(|e| e.name().to_owned()).collect::<Vec<_>>());
        span.set_attribute("retries", 3);
        assert!(!span.remove_attribute("http"));
    }
    assert_eq!(0, batch.delete_attributes(&["http", "route"]).unwrap());
    assert_eq!(0, batch.rename_attribute("http", "route").unwrap());

    assert_eq!(before, batch.into_bytes());
}

/// What is changed in a loop is in the batch when the loop is over; so is what a span holds.
#[test]
fn spans_are_changed_in_a_loop() {
    let mut batch = spans(&["a", "b", "c"]);
    for mut span in batch.spans().unwrap() {
        if span.name() == "b" {
            span.remove();
            continue;
        }
        let name = format!("GET {}", span.name());
        span.set_name(&name);
        span.set_status(2, "no");
        span.set_end_time_unix_nano(5);
        for mut event in span.events() {
            event.set_attribute("of", &name);
        }
        assert!(span.is_error());
        assert_eq!(std::time::Duration::from_nanos(5), span.duration());
    }
    let request = decoded(&mut batch);
    let spans = &request.resource_spans[0].scope_spans[0].spans;

    assert_eq!(vec!["GET a", "GET c"], spans.iter().map(|span| &*span.name).collect::<Vec<_>>());
    assert_eq!(vec![key_value("of", "GET a")], spans[0].events[0].attributes);
    assert_eq!("no", spans[1].status.as_ref().unwrap().message);
}

/// Views can be kept, and changed in any order.
#[test]
fn views_can_be_collected() {
    let mut batch = spans(&["a", "b", "c"]);
    let mut views: Vec<_> = batch.spans().unwrap().collect();
    views.reverse();
    for (place, span) in views.iter_mut().enumerate() {
        span.set_attribute("place", place as i64);
    }
    drop(views);
    let places = batch.spans().unwrap().map(|span| span.attribute("place").unwrap().as_i64());

    assert_eq!(vec![Some(2), Some(1), Some(0)], places.collect::<Vec<_>>());
}

/// A resource or a scope that nobody sent is made when it gets an attribute, and only then.
#[test]
fn absent_resources_are_made() {
    let record = LogRecord { body: Some(Value::from("hello").into()), ..Default::default() };
    let scope_logs = ScopeLogs { log_records: vec![record.clone(), record], ..Default::default() };
    let group = ResourceLogs { scope_logs: vec![scope_logs], ..Default::default() };
    let mut batch = Batch::from(&ExportLogsServiceRequest { resource_logs: vec![group] });
    let before = batch.bytes().to_vec();
    assert_eq!(0, batch.on(On::Resources).update_attribute("service.name", "x").unwrap());
    assert_eq!(before, batch.bytes());

    for mut resource in batch.resources().unwrap() {
        resource.set_attribute("service.name", "shop");
        resource.set_attribute("host.name", "node");
    }
    assert_eq!(1, batch.on(On::Scopes).set_attribute("k", true).unwrap());
    for mut scope in batch.scopes().unwrap() {
        scope.set_name("lib");
    }
    for mut record in batch.log_records().unwrap() {
        assert_eq!("hello", record.body());
        assert_eq!("shop", record.resource().attribute("service.name").unwrap());
        assert_eq!("lib", record.scope().name());
        record.set_body(vec![Value::from(1), Value::Empty]);
        record.set_severity_number(9);
    }
    let request: ExportLogsServiceRequest = batch.decode().unwrap();
    let group = &request.resource_logs[0];
    let wanted = vec![key_value("service.name", "shop"), key_value("host.name", "node")];

    assert_eq!(wanted, group.resource.as_ref().unwrap().attributes);
    assert_eq!(9, group.scope_logs[0].log_records[1].severity_number);
}

/// Fields that OTLP does not have stay byte for byte, wherever they are.
#[test]
fn unknown_fields_survive() {
    let group_field = [0x7b, 0x08, 0x05, 0x7c];
    let pair = [field(1, b"k"), field(2, &field(1, b"v")), field(9, b"odd")].concat();
    let span = [&group_field[..], &field(9, &pair), &field(5, b"name")].concat();
    let scope = [field(14, b"?"), field(2, &span)].concat();
    let group = [field(2, &scope), vec![0x70, 0x96, 0x80, 0x00]].concat();
    let mut batch = Batch::new(Signal::Traces, field(1, &group));
    batch.set_attribute("k", "w").unwrap();

    let pair = [field(1, b"k"), field(2, &field(1, b"w")), field(9, b"odd")].concat();
    let span = [&group_field[..], &field(9, &pair), &field(5, b"name")].concat();
    let scope = [field(14, b"?"), field(2, &span)].concat();
    let group = [field(2, &scope), vec![0x70, 0x96, 0x80, 0x00]].concat();
    assert_eq!(field(1, &group), batch.into_bytes());
}

/// Of a key that is repeated, the first place stays, whether it is set or renamed.
#[test]
fn repeated_keys_are_one() {
    let pair = |key: &[u8], value| field(9, &[field(1, key), field(2, &field(1, value))].concat());
    let payload = |span: &[Vec<u8>]| field(1, &field(2, &field(2, &span.concat())));
    let twice = payload(&[pair(b"k", b"1"), pair(b"x", b"2"), pair(b"k", b"3")]);

    let mut batch = Batch::new(Signal::Traces, twice.clone());
    batch.set_attribute("k", "4").unwrap();
    assert_eq!(payload(&[pair(b"k", b"4"), pair(b"x", b"2")]), batch.into_bytes());

    let mut batch = Batch::new(Signal::Traces, twice);
    batch.rename_attribute("x", "k").unwrap();
    assert_eq!(payload(&[pair(b"k", b"2")]), batch.into_bytes());
}

/// Where a sender repeats what there is one of, it's read as one, as protobuf reads it.
#[test]
fn repeated_messages_are_joined() {
    let resource = |key| field(1, &field(1, &[field(1, key), field(2, &field(1, b"v"))].concat()));
    let group = [resource(b"a"), field(2, &field(2, b"")), resource(b"b")].concat();
    let mut batch = Batch::new(Signal::Traces, field(1, &group));
    for span in batch.spans().unwrap() {
        assert_eq!(2, span.resource().attributes().count());
    }
    assert_eq!(1, batch.on(On::Resources).set_attribute("b", 1).unwrap());
    let resource = decoded(&mut batch).resource_spans[0].resource.clone().unwrap();

    assert_eq!(vec![key_value("a", "v"), key_value("b", 1)], resource.attributes);
}

/// Bytes that are no request are a permanent failure that says where.
#[test]
fn malformed_payloads_are_refused() {
    let bytes = field(1, &field(2, &field(2, &field(5, b"\xff"))));
    let mut batch = Batch::new(Signal::Traces, bytes.clone());
    let wanted = "malformed traces payload: byte 6: Span.name is not UTF-8";
    assert_eq!(Some(Failure::permanent(wanted)), batch.spans().err());

    let mut batch = Batch::new(Signal::Traces, &bytes[..bytes.len() - 1]);
    let wanted = "malformed traces payload: byte 0: ExportTraceServiceRequest.resource_spans \
                  is longer than what it is in";
    assert_eq!(Err(Failure::permanent(wanted)), batch.set_attribute("k", 1));
}

/// A batch is split by what its items say; an emptied batch has no bytes left.
#[test]
fn batches_are_split_and_emptied() {
    let mut batch = spans(&["a", "b", "a"]);
    let mut parts = batch.split(|item| item.name().to_owned()).unwrap();
    let names: Vec<_> =
        parts.iter_mut().map(|(key, part)| (key.clone(), part.items().unwrap().len())).collect();
    assert_eq!(vec![("a".to_owned(), 2), ("b".to_owned(), 1)], names);

    assert_eq!(2, batch.retain(|item| item.name() == "b").unwrap());
    assert_eq!(1, batch.retain(|item| item.attribute("nothing").is_some()).unwrap());
    assert_eq!(b"", batch.bytes());
}
