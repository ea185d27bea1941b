"""
Every mistake in a configuration is one clear message, and nothing is started.

Each case is a good configuration with one thing changed; `DIR` stands for its folder.
"""

from pathlib import Path

import pytest

from otelwasm.config.document import Document
from otelwasm.config.load import load
from otelwasm.errors import ConfigError
from otelwasm.registry import Registry
from unit.config.good import GOOD


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """
    A folder with the plugin that the configuration names.
    """
    (tmp_path / "redact.wasm").touch()
    return tmp_path


KINDS_OF_EXPORTERS = "debug, file, otlp, otlp_grpc, otlp_http, otlphttp, wasm"
PLUGIN_KEYS = (
    "capabilities, config, instances, join, lane, limits, partition_by, plugin, tick_interval"
)

CASES = [
    # What stands at the top.
    (GOOD, "", "p.yaml: empty; expected the keys receivers, exporters and service"),
    (
        GOOD,
        "- receivers\n",
        "p.yaml:1: expected the keys receivers, processors, exporters and service",
    ),
    (
        "exporters:\n",
        "exporter:\n",
        "p.yaml:1: exporters: missing; nothing runs without it\n"
        "p.yaml:10: exporter: unknown key; did you mean exporters? "
        "known keys: exporters, processors, receivers, service",
    ),
    (
        "service:\n",
        "connectors: {}\nservice:\n",
        "p.yaml:13: connectors: unknown key; known keys: exporters, processors, receivers, service",
    ),
    # Ids and kinds.
    (
        "  otlp:\n    protocols: {grpc: {}}",
        "  [otlp]",
        "p.yaml:1: receivers: expected the receivers by their ids, such as otlp: {}",
    ),
    (
        "  batch: {timeout: 1s}",
        "  batch: {timeout: 1s}\n  wasm/a b: {plugin: redact.wasm}",
        "p.yaml:10: processors.wasm/a b: an id is a kind, or kind/name: lower case, no spaces",
    ),
    (
        "  batch: {timeout: 1s}",
        "  batch: {timeout: 1s}\n  attributes: {}",
        "p.yaml:10: processors.attributes: unknown kind 'attributes'; known kinds: batch, wasm",
    ),
    (
        "  debug: {verbosity: normal}",
        "  debug: {verbosity: normal}\n  oltp/two: {}",
        "p.yaml:13: exporters.oltp/two: unknown kind 'oltp'; did you mean otlp? "
        f"known kinds: {KINDS_OF_EXPORTERS}",
    ),
    # Keys.
    (
        "memory: 128MiB",
        "memroy: 128MiB",
        "p.yaml:8: processors.wasm/redact.limits.memroy: unknown key; did you mean memory? "
        "known keys: deadline, log_lines, memory, waiting",
    ),
    (
        "    config: {keys",
        "    confg: {keys",
        "p.yaml:7: processors.wasm/redact.confg: unknown key; did you mean config? "
        f"known keys: {PLUGIN_KEYS}",
    ),
    (
        "    plugin: redact.wasm\n",
        "",
        "p.yaml:5: processors.wasm/redact.plugin: missing; this key has no default",
    ),
    (
        "{verbosity: normal}",
        "{verbosity: normal, sendin_queue: {}}",
        "p.yaml:12: exporters.debug.sendin_queue: unknown key; did you mean sending_queue? "
        "known keys: retry_on_failure, sending_queue, timeout, verbosity",
    ),
    (
        "{verbosity: normal}",
        "{sending_queue: {size: 1}}",
        "p.yaml:12: exporters.debug.sending_queue.size: unknown key; "
        "known keys: enabled, num_consumers, queue_size, storage",
    ),
    (
        "{verbosity: normal}",
        "{sending_queue: {enabled: false, storage: queue}}",
        "p.yaml:12: exporters.debug.sending_queue.storage: there is nothing to keep on disk "
        "without a queue; leave `enabled` out",
    ),
    (
        "{verbosity: normal}",
        "{sending_queue: {storage: redact.wasm}}",
        "p.yaml:12: exporters.debug.sending_queue.storage: expected a folder, but this is a file: "
        "DIR/redact.wasm",
    ),
    (
        "shutdown_timeout: 5s",
        "shutdown_timout: 5s",
        "p.yaml:19: service.shutdown_timout: unknown key; did you mean shutdown_timeout? "
        "known keys: health, pipelines, quarantine, shutdown_timeout, state, telemetry",
    ),
    (
        "      receivers: [otlp]",
        "      reciever: [otlp]",
        "p.yaml:16: service.pipelines.traces.reciever: unknown key; did you mean receivers? "
        "known keys: exporters, processors, receivers",
    ),
    # Types, units, limits.
    (
        "timeout: 1s",
        "timeout: 1",
        "p.yaml:9: processors.batch.timeout: expected a duration with its unit, "
        "such as 200ms, 5s or 1m; not 1",
    ),
    (
        "timeout: 1s",
        "timeout: 1 minute",
        "p.yaml:9: processors.batch.timeout: expected a duration with its unit, "
        "such as 200ms, 5s or 1m; not '1 minute'",
    ),
    (
        "memory: 128MiB",
        "memory: 128M",
        "p.yaml:8: processors.wasm/redact.limits.memory: expected a size, "
        "such as 64MiB, 512KiB or a whole number of bytes; not '128M'",
    ),
    (
        "memory: 128MiB",
        "memory: 1KiB",
        "p.yaml:8: processors.wasm/redact.limits.memory: expected at least 64 KiB, not 1 KiB",
    ),
    (
        "{timeout: 1s}",
        "{send_batch_size: many}",
        "p.yaml:9: processors.batch.send_batch_size: expected a whole number, not 'many'",
    ),
    (
        "{timeout: 1s}",
        "{send_batch_size: -1}",
        "p.yaml:9: processors.batch.send_batch_size: expected at least 0, not -1",
    ),
    (
        "{timeout: 1s}",
        "{send_batch_size: 100, send_batch_max_size: 50}",
        "p.yaml:9: processors.batch: send_batch_max_size (50) must not be less than "
        "send_batch_size (100)",
    ),
    (
        "{verbosity: normal}",
        "{verbosity: loud}",
        "p.yaml:12: exporters.debug.verbosity: expected one of basic, normal, detailed, not 'loud'",
    ),
    (
        "{verbosity: normal}",
        "{sending_queue: {enabled: no}}",
        "p.yaml:12: exporters.debug.sending_queue.enabled: expected true or false, not 'no'",
    ),
    (
        "{verbosity: normal}",
        "{sending_queue: {num_consumers: 0}}",
        "p.yaml:12: exporters.debug.sending_queue.num_consumers: expected at least 1, not 0",
    ),
    (
        "{verbosity: normal}",
        "[normal]",
        "p.yaml:12: exporters.debug: expected keys and values (verbosity), not a list",
    ),
    (
        "config: {keys: [enduser.id]}",
        "config: [enduser.id]",
        "p.yaml:7: processors.wasm/redact.config: expected keys and values, not a list",
    ),
    (
        "config: {keys: [enduser.id]}",
        "instances: 0",
        "p.yaml:7: processors.wasm/redact.instances: expected at least 1, not 0",
    ),
    (
        "config: {keys: [enduser.id]}",
        "lane: fast",
        "p.yaml:7: processors.wasm/redact.lane: expected one of auto, bridge, direct, not 'fast'",
    ),
    (
        "config: {keys: [enduser.id]}",
        "tick_interval: 0s",
        "p.yaml:7: processors.wasm/redact.tick_interval: expected at least 1ms, not 0s",
    ),
    (
        "shutdown_timeout: 5s",
        "telemetry: {logs: {level: verbose}}",
        "p.yaml:19: service.telemetry.logs.level: expected one of debug, info, warn, error, "
        "not 'verbose'",
    ),
    (
        "shutdown_timeout: 5s",
        "telemetry: {metrics: {address: localhost}}",
        "p.yaml:19: service.telemetry.metrics.address: expected host:port, "
        "such as localhost:8888; not 'localhost'",
    ),
    # Files and the environment.
    (
        "redact.wasm",
        "nope.wasm",
        "p.yaml:6: processors.wasm/redact.plugin: no such file: DIR/nope.wasm",
    ),
    (
        "redact.wasm",
        "reduct.wasm",
        "p.yaml:6: processors.wasm/redact.plugin: no such file: DIR/reduct.wasm; did you mean"
        " redact.wasm?",
    ),
    (
        "shutdown_timeout: 5s",
        "quarantine: {directory: redact.wasm}",
        "p.yaml:19: service.quarantine.directory: expected a folder, but this is a file:"
        " DIR/redact.wasm",
    ),
    (
        "debug: {verbosity: normal}",
        "file: {path: nope/out.jsonl}",
        "p.yaml:12: exporters.file.path: no such folder: DIR/nope\n"
        "p.yaml:18: service.pipelines.traces.exporters[1]: debug is not defined; "
        "exporters: otlp, file",
    ),
    (
        "debug: {verbosity: normal}",
        "debug: {verbosity: '${env:OTELWASM_NOPE}'}",
        "p.yaml:12: exporters.debug.verbosity: environment variable OTELWASM_NOPE is not set; "
        "set it, or give a default: ${env:OTELWASM_NOPE:-value}",
    ),
    (
        "debug: {verbosity: normal}",
        "debug: {verbosity: normal}\n  debug: {}",
        "p.yaml:13: exporters.debug: duplicate key; the first one stands on line 12",
    ),
    # Pipelines.
    (
        "  pipelines:\n    traces:\n      receivers: [otlp]\n"
        "      processors: [wasm/redact, batch]\n      exporters: [otlp, debug]\n",
        "  pipelines: {}\n",
        "p.yaml:14: service.pipelines: no pipelines; nothing would run",
    ),
    (
        "    traces:\n",
        "    trace:\n",
        "p.yaml:15: service.pipelines.trace: expected a signal, or signal/name; "
        "did you mean traces? signals: traces, metrics, logs, profiles",
    ),
    (
        "receivers: [otlp]",
        "receivers: [otpl]",
        "p.yaml:16: service.pipelines.traces.receivers[0]: otpl is not defined; "
        "did you mean otlp? receivers: otlp",
    ),
    (
        "processors: [wasm/redact, batch]",
        "processors: [wasm/filter, batch]",
        "p.yaml:17: service.pipelines.traces.processors[0]: wasm/filter is not defined; "
        "processors: wasm/redact, batch",
    ),
    (
        "processors: [wasm/redact, batch]",
        "processors: [batch, batch]",
        "p.yaml:17: service.pipelines.traces.processors[1]: batch is listed twice",
    ),
    (
        "exporters: [otlp, debug]",
        "exporters: [otlp, batch]",
        "p.yaml:18: service.pipelines.traces.exporters[1]: batch is not defined; "
        "batch is one of the processors; exporters: otlp, debug",
    ),
    (
        "exporters: [otlp, debug]",
        "exporters: otlp",
        "p.yaml:18: service.pipelines.traces.exporters: expected a list, not 'otlp'",
    ),
    (
        "      exporters: [otlp, debug]\n",
        "",
        "p.yaml:15: service.pipelines.traces: no exporters; "
        "list at least one, or nothing has anywhere to go",
    ),
    (
        "      receivers: [otlp]\n",
        "",
        "p.yaml:15: service.pipelines.traces: no receivers; list at least one, "
        "or a wasm processor that emits traces in another pipeline",
    ),
    (
        "  shutdown_timeout: 5s",
        "    logs: {receivers: [otlp], processors: [wasm/two, wasm/redact], exporters: [otlp]}\n"
        "    metrics: {receivers: [otlp], processors: [wasm/redact, wasm/two], exporters: [otlp]}",
        "p.yaml:19: service.pipelines.logs.processors[0]: wasm/two is not defined; "
        "processors: wasm/redact, batch\n"
        "p.yaml:20: service.pipelines.metrics.processors[1]: wasm/two is not defined; "
        "processors: wasm/redact, batch",
    ),
]


@pytest.mark.parametrize(("old", "new", "message"), CASES)
def test_a_mistake_is_one_clear_message(folder: Path, old: str, new: str, message: str) -> None:
    """
    The message names file, line, path, what was expected and what to do.
    """
    assert GOOD.count(old) == 1
    path = folder / "p.yaml"

    with pytest.raises(ConfigError) as caught:
        load(Document.parse(GOOD.replace(old, new), path=path), Registry.built_in())

    assert message == str(caught.value).replace(f"{path}:", "p.yaml:").replace(str(folder), "DIR")


def test_shared_processors_need_one_order(folder: Path) -> None:
    """
    Two plugins that two pipelines list in opposite orders cannot be stopped in a batch's order.
    """
    text = GOOD.replace(
        "  batch: {timeout: 1s}", "  batch: {timeout: 1s}\n  wasm/two: {plugin: redact.wasm}"
    ).replace(
        "  shutdown_timeout: 5s",
        "    logs: {receivers: [otlp], processors: [wasm/two, wasm/redact], exporters: [otlp]}\n"
        "    metrics: {receivers: [otlp], processors: [wasm/redact, wasm/two], exporters: [otlp]}",
    )

    with pytest.raises(ConfigError, match="need one order: give one of them another id"):
        load(Document.parse(text, path=folder / "p.yaml"), Registry.built_in())
