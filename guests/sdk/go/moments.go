package otelwasm

// Ticker is a plugin with something to do by time, as releasing batches that it holds back.
type Ticker interface {
	// Tick is called every tick_interval, where one is configured, between batches.
	Tick() error
}

// Stopper is a plugin with something to do at its end.
type Stopper interface {
	// Stop is called once, after everything else: emit what is held back now.
	Stop() error
}

// Handler is a plugin that does not handle all signals: batches of others pass it by.
type Handler interface {
	// Handles names the signals; it's called once, at the start.
	Handles() []Signal
}

// Unwrapper is what stands before a plugin, as the packages pdata and otlp put something: what
// the one has no method for is looked for in the other.
type Unwrapper interface {
	Unwrap() any
}
