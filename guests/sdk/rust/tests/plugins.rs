//! A plugin's own tests: configured as the host does it, and with a stand-in for the host.

use std::time::Duration;

use otelwasm_sdk::{
    Batch, Failure, Level, NoConfig, Poll, Processor, Receiver, Signal, Value, Verdict, emit, log,
    meter, state, testing,
};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hold {
    #[serde(default)]
    limit: usize,
    #[serde(skip)]
    held: Vec<Batch>,
    #[serde(default)]
    extra: Option<Value<'static>>,
}

impl Processor for Hold {
    type Config = Self;

    fn start(config: Self) -> Result<Self, String> {
        if config.limit > 9 { Err("limit is 9 at most".into()) } else { Ok(config) }
    }

    fn process(&mut self, batch: &mut Batch) -> Result<Verdict, Failure> {
        log::info("held", &[("signal", &batch.signal().label())]);
        meter::add("held", 1, &[]);
        self.held.push(std::mem::replace(batch, Batch::new(batch.signal(), "")));
        Ok(Verdict::Drop)
    }

    fn stop(&mut self) -> Result<(), Failure> {
        self.held.iter_mut().try_for_each(emit)
    }
}

/// What a plugin does to the host can be looked at; what the host refuses reaches the plugin.
#[test]
fn the_host_has_a_stand_in() {
    let mut plugin = Hold::start(testing::configured(r#"{"limit": 3}"#).unwrap()).unwrap();
    let verdict = plugin.process(&mut Batch::new(Signal::Logs, "\n\0"));
    assert_eq!(Ok(Verdict::Drop), verdict);

    let busy = Failure::retryable("full").after(Duration::from_secs(1));
    testing::refuse_with(Some(busy.clone()));
    assert_eq!(Err(busy), plugin.stop());
    testing::refuse_with(None);
    assert_eq!(Ok(()), plugin.stop());

    assert_eq!(vec![(Signal::Logs, b"\n\0".to_vec())], testing::emitted());
    let pairs = vec![("signal".to_owned(), "logs".to_owned())];
    assert_eq!(vec![(Level::Info, "held".to_owned(), pairs)], testing::logged());
    assert_eq!(vec![(1.0, "held".to_owned(), vec![])], testing::measured());
}

/// State is kept by key.
#[test]
fn state_is_kept() {
    state::set("cursor", b"17").unwrap();
    assert_eq!(Some(b"17".to_vec()), state::get("cursor").unwrap());
    state::delete("cursor").unwrap();
    assert_eq!(None, state::get("cursor").unwrap());
}

/// What is wrong with a configuration is named by its key.
#[test]
fn mistakes_in_configurations_name_their_key() {
    let refused = |json| testing::configured::<Hold>(json).unwrap_err();

    let wanted = "config.limt: unknown field `limt`, expected `limit` or `extra`";
    assert_eq!(wanted, refused(r#"{"limt": 3}"#));
    let wanted = "config.limit: invalid type: string \"3\", expected usize";
    assert_eq!(wanted, refused(r#"{"limit": "3"}"#));
    let hold: Hold = testing::configured(r#"{"extra": {"a": [1, 2.5, null, true, "x"]}}"#).unwrap();
    let list = vec![1.into(), 2.5.into(), Value::Empty, true.into(), "x".into()];
    assert_eq!(Some(Value::Map(vec![("a".into(), Value::List(list))])), hold.extra);
    assert_eq!("limit is 9 at most", Hold::start(hold_of(10)).unwrap_err());
}

fn hold_of(limit: usize) -> Hold {
    Hold { limit, held: Vec::new(), extra: None }
}

struct Looker;

impl Receiver for Looker {
    type Config = NoConfig;

    fn start(_: NoConfig) -> Result<Self, String> {
        Ok(Looker)
    }
}

impl Poll for Looker {
    fn poll(&mut self) -> Result<Option<Duration>, Failure> {
        Ok(Some(Duration::from_secs(5)))
    }
}

/// A plugin answers the calls of the traits that it implements, and no others.
#[test]
#[allow(clippy::needless_borrow)] // as the macros write it, for what is lacking
fn what_a_plugin_implements_is_found() {
    use otelwasm_sdk::glue::{HasPoll, LacksPoll, LacksReceive, LacksTick, Probe};

    let probe = Probe::<Looker>::new();
    let poll = (&probe).poll_of();
    assert_eq!(Ok(Some(Duration::from_secs(5))), poll.unwrap()(&mut Looker));
    assert!((&probe).tick_of().is_none());
    assert!((&probe).receive_of().is_none());
    assert!((&Probe::<Hold>::new()).poll_of().is_none());
}
