"""
Guests in WAT that do one thing each, for the tests of this folder.
"""

__all__ = [
    "EMIT",
    "HTTP",
    "LIFECYCLE",
    "LOG",
    "MIRROR",
    "STATE",
    "emitting",
    "exporter",
    "posting",
    "processor",
    "receiver",
    "relaying",
    "replying",
    "swapping",
]

# Handles every signal, answers every call; `tick` and `stop` succeed.
LIFECYCLE = """
  (func (export "otelwasm:plugin/lifecycle@0.1.0#start") (param i32 i32) (result i32)
    (i32.store16 (i32.const 1024) (i32.const 0)) (i32.store8 (i32.const 1028) (i32.const 127))
    (i32.const 1024))
  (func $done (result i32) (i32.store8 (i32.const 1024) (i32.const 0)) (i32.const 1024))
  (func (export "otelwasm:plugin/lifecycle@0.1.0#tick") (result i32) (call $done))
  (func (export "otelwasm:plugin/lifecycle@0.1.0#stop") (result i32) (call $done))
"""

EMIT = """
  (import "otelwasm:plugin/pipeline@0.1.0" "emit" (func $emit (param i32 i32 i32 i32)))
"""
HTTP = """
  (import "otelwasm:plugin/http@0.1.0" "send"
    (func $http (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
"""
STATE = """
  (import "otelwasm:plugin/state@0.1.0" "get" (func $get (param i32 i32 i32)))
  (import "otelwasm:plugin/state@0.1.0" "set" (func $set (param i32 i32 i32 i32 i32)))
"""
LOG = """
  (import "otelwasm:plugin/log@0.1.0" "write" (func $log (param i32 i32 i32 i32 i32)))
"""


def processor(body: str, *, imports: str = "", functions: str = "") -> str:
    """
    A processor whose `process` is *body*: it has $signal, $at and $length, and leaves the offset
    of the result. Offsets below 1024 are its own to use; `$pass` is the offset of `ok(pass)`.
    """
    return f"""{imports}{LIFECYCLE}{functions}
  (func $pass (result i32)
    (i64.store (i32.const 512) (i64.const 0)) (i64.store (i32.const 520) (i64.const 0))
    (i64.store (i32.const 528) (i64.const 0)) (i32.const 512))
  (func (export "otelwasm:plugin/processing@0.1.0#process")
    (param $signal i32) (param $at i32) (param $length i32) (result i32)
    {body})
"""


def replying(*stores: str) -> str:
    """
    A body that changes `ok(pass)`, at offset 512, by *stores* and returns it.
    """
    return f"(drop (call $pass)) {' '.join(stores)} (i32.const 512)"


def emitting(arguments: str = "(local.get $signal) (local.get $at) (local.get $length)") -> str:
    """
    A processor that emits what it gets, and returns emit's failure as its own.
    """
    return processor(
        f"""
    (call $emit {arguments} (i32.const 768))
    (drop (call $pass))
    (memory.copy (i32.const 516) (i32.const 772) (i32.const 20))
    (i32.store8 (i32.const 512) (i32.load8_u (i32.const 768)))
    (if (i32.eqz (i32.load8_u (i32.const 768))) (then (drop (call $pass))))
    (i32.const 512)""",
        imports=EMIT,
    )


def exporter(body: str, *, imports: str = "", lifecycle: str = LIFECYCLE) -> str:
    """
    An exporter whose `send` is *body*: it has $signal, $at and $length, and leaves the offset of
    the result. `$receipt` is the offset of `ok` of an empty receipt: rejected is 8 bytes further,
    a failure's case, text and delay are 8, 12 and 20 bytes further.
    """
    return f"""{imports}{lifecycle}
  (func $receipt (result i32)
    (i64.store (i32.const 512) (i64.const 0)) (i64.store (i32.const 520) (i64.const 0))
    (i64.store (i32.const 528) (i64.const 0)) (i64.store (i32.const 536) (i64.const 0))
    (i32.const 512))
  (func (export "otelwasm:plugin/exporting@0.1.0#send")
    (param $signal i32) (param $at i32) (param $length i32) (result i32)
    {body})
"""


# Returns ok(none).
_NO_PACE = "(i64.store (i32.const 512) (i64.const 0)) (i32.const 512)"


def receiver(receive: str, poll: str = _NO_PACE) -> str:
    """
    A receiver whose functions are *receive*, with $message's parts, and *poll*.
    """
    return f"""{LIFECYCLE}
  (func (export "otelwasm:plugin/receiving@0.1.0#receive")
    (param $peer i32) (param $peer_length i32) (param $method i32) (param $method_length i32)
    (param $target i32) (param $target_length i32) (param $headers i32)
    (param $header_count i32) (param $body i32) (param $body_length i32) (result i32)
    {receive})
  (func (export "otelwasm:plugin/receiving@0.1.0#poll") (result i32) {poll})
"""


def relaying(signal: str = "(i32.const 2)", *, poll: str = _NO_PACE) -> str:
    """
    A receiver that emits each message's body as a batch, of logs as a rule, and returns emit's
    failure as its own; else it replies with 202 and the body.
    """
    return EMIT + receiver(
        f"""
    (call $emit {signal} (local.get $body) (local.get $body_length) (i32.const 768))
    (i64.store (i32.const 512) (i64.const 0)) (i64.store (i32.const 520) (i64.const 0))
    (i32.store8 (i32.const 512) (i32.load8_u (i32.const 768)))
    (if (i32.load8_u (i32.const 768))
      (then (memory.copy (i32.const 516) (i32.const 772) (i32.const 20)))
      (else (i32.store16 (i32.const 516) (i32.const 202))
        (i32.store (i32.const 528) (local.get $body))
        (i32.store (i32.const 532) (local.get $body_length))))
    (i32.const 512)""",
        poll,
    )


# Answers with the message's headers and body.
MIRROR = receiver(
    """
    (i64.store (i32.const 512) (i64.const 0)) (i32.store16 (i32.const 516) (i32.const 202))
    (i32.store (i32.const 520) (local.get $headers))
    (i32.store (i32.const 524) (local.get $header_count))
    (i32.store (i32.const 528) (local.get $body))
    (i32.store (i32.const 532) (local.get $body_length)) (i32.const 512)""",
    """
    (i64.store (i32.const 512) (i64.const 0)) (i64.store (i32.const 520) (i64.const 1234))
    (i32.store8 (i32.const 516) (i32.const 1)) (i32.const 512)""",
)


def posting(url: str, *, method: str = "POST", timeout_ms: int = 0) -> str:
    """
    An exporter that sends each batch to *url*. Its receipt has as many items as the status exceeds
    200; what is refused is a permanent failure, everything else a retryable one.
    """
    return exporter(
        f"""
    (call $http (i32.const 0) (i32.const {len(method)}) (i32.const 16) (i32.const {len(url)})
      (i32.const 0) (i32.const 0) (local.get $at) (local.get $length)
      (i32.const {timeout_ms}) (i32.const 768))
    (drop (call $receipt))
    (if (i32.load8_u (i32.const 768))
      (then
        (i32.store8 (i32.const 512) (i32.const 1))
        (i32.store8 (i32.const 520) (i32.ne (i32.load8_u (i32.const 772)) (i32.const 0)))
        (if (i32.ne (i32.load8_u (i32.const 772)) (i32.const 1)) (then
          (i64.store (i32.const 524) (i64.load (i32.const 776))))))
      (else
        (i64.store (i32.const 520) (i64.sub
          (i64.load16_u (i32.const 772)) (i64.const 200)))))
    (i32.const 512)""",
        imports=f"""{HTTP}
    (data (i32.const 0) "{method}") (data (i32.const 16) "{url}")
    """,
    )


def swapping() -> str:
    """
    A processor that keeps each payload as its state, and replaces it by the one before; it drops
    the first one, and fails as the state does.
    """
    return processor(
        """
    (call $get (i32.const 0) (i32.const 1) (i32.const 768))
    (call $set (i32.const 0) (i32.const 1) (local.get $at) (local.get $length) (i32.const 800))
    (drop (call $pass))
    (if (i32.load8_u (i32.const 800))
      (then
        (i32.store8 (i32.const 512) (i32.const 1))
        (i32.store8 (i32.const 516) (i32.load8_u (i32.const 804)))
        (i64.store (i32.const 520) (i64.load (i32.const 808))))
      (else (if (i32.load8_u (i32.const 772))
        (then
          (i32.store8 (i32.const 516) (i32.const 1))
          (i64.store (i32.const 520) (i64.load (i32.const 776))))
        (else (i32.store8 (i32.const 516) (i32.const 2))))))
    (i32.const 512)""",
        imports=f'{STATE} (data (i32.const 0) "k")',
    )
