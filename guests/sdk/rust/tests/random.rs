//! Random requests and random damage: what prost makes of a payload, the SDK makes of its bytes.
#![cfg(feature = "otlp")]

use otelwasm_sdk::otlp::collector::trace::v1::ExportTraceServiceRequest as Request;
use otelwasm_sdk::otlp::common::v1::{InstrumentationScope, KeyValue};
use otelwasm_sdk::otlp::key_value;
use otelwasm_sdk::otlp::resource::v1::Resource;
use otelwasm_sdk::otlp::trace::v1::span::{Event, Link};
use otelwasm_sdk::otlp::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use otelwasm_sdk::{Batch, On, Signal, Value};

/// Numbers that are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn some<T>(&mut self, make: impl Fn(&mut Random) -> T) -> Vec<T> {
        (0..self.below(4)).map(|_| make(self)).collect()
    }

    fn text(&mut self) -> String {
        let texts = ["", "env", "http.route", "ü€😀", &"x".repeat(200)];
        texts[self.below(5) as usize].to_owned()
    }

    fn value(&mut self, depth: u64) -> Value<'static> {
        match self.below(if depth < 3 { 8 } else { 6 }) {
            0 => Value::Empty,
            1 => self.text().into(),
            2 => (self.below(2) == 0).into(),
            3 => (self.below(u64::MAX) as i64).into(),
            4 => 1.5.into(),
            5 => vec![0u8, 255].into(),
            6 => Value::List(self.some(|random| random.value(depth + 1))),
            _ => Value::Map(self.some(|random| (random.text().into(), random.value(depth + 1)))),
        }
    }

    fn attributes(&mut self) -> Vec<KeyValue> {
        self.some(|random| key_value(random.text(), random.value(0)))
    }

    fn request(&mut self) -> Request {
        let resource_spans = self.some(|random| ResourceSpans {
            resource: (random.below(3) > 0)
                .then(|| Resource { attributes: random.attributes(), ..Default::default() }),
            scope_spans: random.some(|random| ScopeSpans {
                scope: (random.below(3) > 0).then(|| InstrumentationScope {
                    attributes: random.attributes(),
                    ..Default::default()
                }),
                spans: random.some(Random::span),
                schema_url: random.text(),
            }),
            schema_url: random.text(),
        });
        Request { resource_spans }
    }

    fn span(&mut self) -> Span {
        Span {
            name: self.text(),
            attributes: self.attributes(),
            events: self
                .some(|random| Event { attributes: random.attributes(), ..Event::default() }),
            links: self.some(|random| Link { attributes: random.attributes(), ..Link::default() }),
            status: Some(Status { code: 2, message: self.text() }),
            flags: 7,
            ..Span::default()
        }
    }

    /// Some bytes changed, taken out, put in or cut off.
    fn damage(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..1 + self.below(3) {
            let place = self.below(bytes.len() as u64 + 1) as usize;
            match self.below(5) {
                0 if place < bytes.len() => bytes[place] = self.below(256) as u8,
                1 if place < bytes.len() => drop(bytes.remove(place)),
                2 => bytes.insert(place, self.below(256) as u8),
                3 if self.below(3) == 0 => bytes.truncate(place),
                _ => {
                    let end = (place + self.below(40) as usize).min(bytes.len());
                    bytes.extend_from_within(place..end);
                }
            }
        }
    }
}

fn set(attributes: &mut Vec<KeyValue>, key: &str, value: &Value<'_>) {
    let first = attributes.iter().position(|pair| pair.key == key);
    let mut place = 0;
    attributes.retain(|pair| {
        place += 1;
        pair.key != key || Some(place - 1) == first
    });
    match first {
        Some(first) => attributes[first].value = key_value(key, value).value,
        None => attributes.push(key_value(key, value)),
    }
}

/// Setting attributes everywhere, in spans by a loop, and dropping spans equal what prost gives.
#[test]
fn operations_and_views_equal_decoding_and_encoding() {
    let mut random = Random(42);
    for _ in 0..400 {
        let mut request = random.request();
        let mut batch = Batch::from(&request);
        let (key, value) = (random.text(), random.value(0));
        let (other, doomed) = (random.text(), random.text());
        batch.on(On::Everywhere).set_attribute(&key, &value).unwrap();
        for mut span in batch.spans().unwrap() {
            span.set_name(&other);
            span.links().for_each(|mut link| link.set_attribute(&other, &value));
            span.set_attribute("last", 1);
        }
        batch.retain(|item| item.attribute(&doomed).is_none()).unwrap();

        for group in &mut request.resource_spans {
            set(&mut group.resource.get_or_insert_default().attributes, &key, &value);
            for scope in &mut group.scope_spans {
                set(&mut scope.scope.get_or_insert_default().attributes, &key, &value);
                for span in &mut scope.spans {
                    set(&mut span.attributes, &key, &value);
                    span.events.iter_mut().for_each(|one| set(&mut one.attributes, &key, &value));
                    for link in &mut span.links {
                        set(&mut link.attributes, &key, &value);
                        set(&mut link.attributes, &other, &value);
                    }
                    span.name.clone_from(&other);
                    set(&mut span.attributes, "last", &1.into());
                }
                let before = scope.spans.len();
                scope.spans.retain(|span| span.attributes.iter().all(|pair| pair.key != doomed));
                if before > 0 && scope.spans.is_empty() {
                    scope.schema_url = "gone".into();
                }
            }
            let before = group.scope_spans.len();
            group.scope_spans.retain(|scope| scope.schema_url != "gone");
            if before > 0 && group.scope_spans.is_empty() {
                group.schema_url = "gone".into();
            }
        }
        request.resource_spans.retain(|group| group.schema_url != "gone");
        assert_eq!(request, batch.decode::<Request>().unwrap());
    }
}

/// Damaged payloads are refused or taken; nothing panics.
#[test]
fn damaged_payloads_never_panic() {
    let mut random = Random(7);
    let mut refused = 0;
    for _ in 0..4000 {
        let signal = Signal::STABLE[random.below(3) as usize];
        let mut bytes = Batch::from(&random.request()).into_bytes();
        random.damage(&mut bytes);
        let mut batch = Batch::new(signal, bytes);
        _ = batch.hash_attributes(&["env"], "salt");
        _ = batch.rename_attribute("env", "http.route");
        _ = batch.on(On::Everywhere).set_attribute("env", 5);
        _ = batch.map_attributes(|_, value| Some(value.clone().into_owned()));
        refused += usize::from(batch.retain(|item| item.attribute("env").is_some()).is_err());
        if let Ok(spans) = batch.spans() {
            for mut span in spans {
                span.set_name("x");
                span.events().for_each(|event| event.remove());
            }
        }
        drop(batch.into_bytes());
    }
    assert!(refused > 500, "only {refused} were refused");
}
