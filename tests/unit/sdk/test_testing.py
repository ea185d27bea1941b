"""
`otelwasm.testing` runs a plugin as plain Python and shows what it did.
"""

import attrs
import pytest

from otelwasm.testing import (
    LogLine,
    Measurement,
    Trial,
    a_log_record,
    a_metric,
    a_span,
    logs,
    run,
)
from otelwasm_sdk import (
    Batch,
    Logs,
    Metrics,
    Permanent,
    Retryable,
    Traces,
    emit,
    hashed,
    log,
    meter,
    processor,
)
from otelwasm_sdk.structure import ConfigError


@attrs.frozen
class Config:
    """
    What to hash.
    """

    keys: tuple[str, ...] = ("enduser.id",)


@processor
def redact(batch: Traces | Logs, config: Config) -> Traces | Logs:
    """
    Hash attributes.
    """
    batch.hash_attributes(*config.keys)
    return batch


@processor
class Holder:
    """
    Hold batches back until they are asked for.
    """

    def __init__(self) -> None:
        self.held: list[Batch] = []

    def process(self, batch: Batch) -> None:
        """
        Hold one.
        """
        log.info("held", signal=batch.signal.label)
        meter.add("held", len(batch))
        meter.observe("size", 1.5)
        self.held.append(batch)

    def tick(self) -> None:
        """
        Release all.
        """
        while self.held:
            emit(self.held[0])
            self.held.pop(0)

    def stop(self) -> None:
        """
        Release all.
        """
        self.tick()


def test_user_ids_are_hashed() -> None:
    """
    One item is enough to try a plugin on.
    """
    traces = run(redact, a_span(attributes={"enduser.id": "ada"}))
    [span] = traces.spans()

    assert hashed("ada") == span.attributes["enduser.id"]


def test_a_configuration_is_given_as_in_a_pipeline_or_as_an_object() -> None:
    """
    Both forms configure the plugin; a wrong key is refused as in a pipeline.
    """
    record = a_log_record(attributes={"mail": "a@b"})
    expected = {"mail": hashed("a@b")}
    for config in ({"keys": ["mail"]}, Config(keys=("mail",))):
        [found] = run(redact, record, config=config).log_records()

        assert expected == found.attributes
    with pytest.raises(ConfigError, match=r"config.kyes: unknown key"):
        run(redact, record, config={"kyes": []})


def test_a_trial_keeps_what_the_plugin_did() -> None:
    """
    What is emitted, logged, counted and observed over a plugin's life can be looked at.
    """
    with Trial(Holder) as trial:
        assert trial.process(logs(a_log_record(), a_log_record())) is None
        assert trial.process(a_metric("m", value=1.5)) is None
        trial.tick()

        assert [Logs, Metrics] == [type(batch) for batch in trial.emitted]
        assert LogLine("info", "held", {"signal": "logs"}) == trial.logged[0]
        assert [Measurement("held", 2, {}), Measurement("held", 1, {})] == trial.added
        assert Measurement("size", 1.5, {}) == trial.observed[0]
        trial.process(a_span())
    assert isinstance(trial.emitted[-1], Traces)


def test_what_a_plugin_emits_can_be_refused() -> None:
    """
    A trial plays a next step that takes nothing.
    """
    trial = Trial(Holder)
    trial.process(a_span())
    trial.refuse_with = Retryable("full")

    with pytest.raises(Retryable, match="full"):
        trial.tick()
    trial.refuse_with = None
    trial.tick()
    assert 1 == len(trial.emitted)


def test_what_a_plugin_raises_comes_through() -> None:
    """
    A test sees the plugin's own exceptions, failures and bugs alike.
    """

    @processor
    def failing(batch: Logs) -> Logs:
        for record in batch.log_records():
            if record.body == "bad":
                raise Permanent("bad record")
            print(record.attributes["missing"])
        return batch

    with pytest.raises(Permanent, match="bad record"):
        run(failing, a_log_record("bad"))
    with pytest.raises(KeyError, match="missing"):
        run(failing, a_log_record())


def test_a_trial_takes_batches_and_items_only() -> None:
    """
    Anything else is refused by name.
    """
    with pytest.raises(TypeError, match="not a str"):
        run(redact, "span")  # type: ignore[arg-type]
