"""
A whole configuration is read: components, pipelines, queues, warnings.
"""

from pathlib import Path

import pytest

from otelwasm.config.document import Document
from otelwasm.config.load import load
from otelwasm.registry import Registry
from unit.config.good import GOOD


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """
    A folder with the plugin that the configuration names.
    """
    (tmp_path / "redact.wasm").touch()
    return tmp_path


def test_the_good_configuration_is_good(folder: Path) -> None:
    """
    What the cases below change is without mistakes, and without warnings.
    """
    config = load(Document.parse(GOOD, path=folder / "p.yaml"), Registry.built_in())

    assert config.warnings == ()
    assert [pipeline.id for pipeline in config.pipelines] == ["traces"]
    assert folder / "redact.wasm" == config.processors["wasm/redact"].settings.plugin


def test_what_is_defined_but_not_used_is_a_warning(folder: Path) -> None:
    """
    Something that no pipeline lists is said, but does not keep the rest from running.
    """
    text = GOOD.replace("exporters: [otlp, debug]", "exporters: [otlp]")
    config = load(Document.parse(text, path=folder / "p.yaml"), Registry.built_in())

    assert (f"{folder}/p.yaml:12: exporters.debug: defined, but no pipeline lists it",) == (
        config.warnings
    )


def test_a_pipeline_fed_by_a_plugin_needs_no_receiver(folder: Path) -> None:
    """
    Metrics that a plugin makes from traces enter where the metrics pipeline lists the plugin.
    """
    text = GOOD.replace(
        "  shutdown_timeout: 5s", "    metrics: {processors: [wasm/redact], exporters: [otlp]}"
    )
    config = load(Document.parse(text, path=folder / "p.yaml"), Registry.built_in())

    assert config.pipelines[1].receivers == ()


def test_exporters_share_the_collectors_keys(folder: Path) -> None:
    """
    Every exporter has a queue, retries and a timeout, set as in the Collector.
    """
    text = GOOD.replace(
        "{verbosity: normal}",
        "{timeout: 1s, sending_queue: {num_consumers: 2, queue_size: 1MiB}, "
        "retry_on_failure: {initial_interval: 10ms, max_elapsed_time: 0, multiplier: 2}}",
    )
    config = load(Document.parse(text, path=folder / "p.yaml"), Registry.built_in())
    delivery = config.exporters["debug"].delivery

    assert delivery.timeout == 1
    assert (
        delivery.sending_queue.num_consumers,
        delivery.sending_queue.queue_size,
    ) == (2, 1 << 20)
    assert (
        delivery.retry_on_failure.initial_interval,
        delivery.retry_on_failure.max_elapsed_time,
        delivery.retry_on_failure.multiplier,
    ) == (0.01, 0, 2.0)
