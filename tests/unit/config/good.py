"""
A configuration without mistakes, for tests to change one thing in.
"""

__all__ = ["GOOD"]

GOOD = """\
receivers:
  otlp:
    protocols: {grpc: {}}
processors:
  wasm/redact:
    plugin: redact.wasm
    config: {keys: [enduser.id]}
    limits: {memory: 128MiB, deadline: 2s}
  batch: {timeout: 1s}
exporters:
  otlp: {endpoint: "127.0.0.1:14317"}
  debug: {verbosity: normal}
service:
  pipelines:
    traces:
      receivers: [otlp]
      processors: [wasm/redact, batch]
      exporters: [otlp, debug]
  shutdown_timeout: 5s
"""
