//! One line makes a type a component.

/// Makes a type that implements [`Processor`](crate::Processor) the plugin: `processor!(Redact);`.
#[macro_export]
macro_rules! processor {
    ($plugin:ty) => {
        $crate::__export!($plugin, processor, start_processor(tick), Processor, {
            impl exports::processing::Guest for Exported {
                fn process(
                    signal: glue::TheirSignal,
                    payload: Vec<u8>,
                ) -> Result<exports::processing::Verdict, glue::TheirFailure> {
                    glue::process(&HELD, signal, payload)
                }
            }
        });
    };
}

/// Makes a type that implements [`Exporter`](crate::Exporter) the plugin: `exporter!(Loki);`.
#[macro_export]
macro_rules! exporter {
    ($plugin:ty) => {
        $crate::__export!($plugin, exporter, start_exporter(tick), Exporter, {
            impl exports::exporting::Guest for Exported {
                fn send(
                    signal: glue::TheirSignal,
                    payload: Vec<u8>,
                ) -> Result<exports::exporting::Receipt, glue::TheirFailure> {
                    glue::send(&HELD, signal, payload)
                }
            }
        });
    };
}

/// Makes a type that implements [`Receiver`](crate::Receiver), and [`Receive`](crate::Receive) or
/// [`Poll`](crate::Poll), the plugin: `receiver!(Webhook);`.
#[macro_export]
macro_rules! receiver {
    ($plugin:ty) => {
        $crate::__export!($plugin, receiver, start_receiver(tick, receive, poll), Receiver, {
            impl exports::receiving::Guest for Exported {
                fn receive(
                    message: exports::receiving::Message,
                ) -> Result<exports::receiving::Reply, glue::TheirFailure> {
                    glue::receive(&HELD, receive(), message)
                }

                fn poll() -> Result<Option<u32>, glue::TheirFailure> {
                    glue::poll(&HELD, poll())
                }
            }
        });
    };
}

/// What the three have in common: the plugin's place, its start and its end.
#[doc(hidden)]
#[macro_export]
macro_rules! __export {
    (
        $plugin:ty, $world:ident, $start:ident($($probed:ident),*), $kind:ident,
        { $($rest:item)* }
    ) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            use $crate::glue::bindings::$world::exports::otelwasm::plugin as exports;
            use $crate::glue::{self, HasPoll, HasReceive, HasTick};
            use $crate::glue::{LacksPoll, LacksReceive, LacksTick};

            struct Exported;

            ::std::thread_local! {
                static HELD: ::std::cell::RefCell<Option<$plugin>> =
                    const { ::std::cell::RefCell::new(None) };
            }

            fn tick() -> glue::TickOf<$plugin> {
                (&glue::Probe::<$plugin>::new()).tick_of()
            }

            #[allow(dead_code)]
            fn receive() -> glue::ReceiveOf<$plugin> {
                (&glue::Probe::<$plugin>::new()).receive_of()
            }

            #[allow(dead_code)]
            fn poll() -> glue::PollOf<$plugin> {
                (&glue::Probe::<$plugin>::new()).poll_of()
            }

            impl exports::lifecycle::Guest for Exported {
                fn start(config: String) -> Result<glue::Abilities, String> {
                    glue::log_panics();
                    glue::$start(&HELD, &config, $($probed()),*)
                }

                fn tick() -> Result<(), glue::TheirFailure> {
                    glue::tick(&HELD, tick())
                }

                fn stop() -> Result<(), glue::TheirFailure> {
                    glue::with(&HELD, |plugin| $crate::$kind::stop(plugin))
                }
            }

            $($rest)*

            // By its path, as macros that other crates export have to be called.
            glue::bindings::$world::export!(Exported with_types_in glue::bindings::$world);
        };
    };
}
