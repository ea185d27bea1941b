"""
The mistakes of authors of Python plugins, and what they are told.

Each entry of a table is a mistake, the plugin that makes it, and what its one message says: where,
what is wrong, what to do.
"""

import textwrap

__all__ = ["BEYOND", "BUGS", "CONFIG", "CONFIGS", "ENDS", "HEAD", "NO_PLUGIN", "processing"]

HEAD = """\
import json, attrs
from otelwasm_sdk import (
    Batch, Logs, Metrics, Permanent, Retryable, Span, Traces, emit, http, log, processor, state)
"""


def processing(body: str, *, imports: str = "") -> str:
    """
    A plugin that does *body*, from its line 7 on, with each batch; *imports* are its line 4.
    """
    return f"{HEAD}{imports}\n@processor\ndef mine(batch: Traces) -> Traces | None:\n" + (
        textwrap.indent(f"{body}\nreturn batch\n", "    ")
    )


FILES = "a plugin has no files: read what lies in its folder while plugin.py is imported"
NETWORK = "a plugin opens no sockets: otelwasm_sdk.http sends requests"
PROCESSES = "a plugin starts no processes"
THREADS = "a plugin has one thread"

# Found before anything runs: by `otelwasm check`, `run`, `build`, and by `Plugin(...)`.
NO_PLUGIN = {
    "an empty file": (
        "",
        "mine.py: no plugin in it: put @processor, @exporter or @receiver before",
    ),
    "no decorator": (
        f"{HEAD}def mine(batch: Traces) -> Traces:\n    return batch\n",
        "mine.py: no plugin in it: put @processor, @exporter or @receiver before",
    ),
    "a decorator that is not imported": (
        "@processor\ndef mine(batch): ...\n",
        "mine.py:1: @processor is not imported: from otelwasm_sdk import processor",
    ),
    "a decorator that is called": (
        f"{HEAD}@processor()\ndef mine(batch: Traces): ...\n",
        "mine.py:4: @processor is written without parentheses",
    ),
    "a decorated method": (
        f"{HEAD}class Mine:\n    @processor\n    def process(self, batch: Traces): ...\n",
        "mine.py:5: @processor stands before a function or class of the file, not inside of one",
    ),
    "a decorated value": (
        f"{HEAD}x = processor(3)\n{processing('')}",
        "mine.py: @processor stands before a function or a class, not 3",
    ),
    "two plugins": (
        f"{processing('')}\n@processor\ndef other(batch: Logs) -> Logs:\n    return batch\n",
        "mine.py: one plugin a file, not 2: @processor mine at line 6, @processor other at line 11",
    ),
    "a class without its method": (
        f"{HEAD}@processor\nclass Mine:\n    def proces(self, batch: Traces) -> Traces: ...\n",
        "mine.py:4: Mine: a class with @processor has a method `process`; this one has `proces`",
    ),
    "no annotation": (
        f"{HEAD}@processor\ndef mine(batch): ...\n",
        "mine.py:4: mine: `batch` has no annotation; write `batch: Traces`, `Metrics`, `Logs`",
    ),
    "an annotation that is no batch": (
        f"{HEAD}@processor\ndef mine(batch: Span): ...\n",
        "mine.py:4: mine: the annotation of `batch` is `Span`; write `batch: Traces`",
    ),
    "a misspelled annotation": (
        f"{HEAD}@processor\ndef mine(batch: Trace): ...\n",
        "mine.py:4: mine: an annotation names what is not there: name 'Trace' is not defined",
    ),
    "a configuration that is no attrs class": (
        f"{HEAD}@processor\ndef mine(batch: Traces, config: dict) -> Traces:\n    return batch\n",
        "mine.py:4: mine: `config` is annotated with an attrs class (@attrs.frozen)",
    ),
    "a parameter behind a star": (
        f"{HEAD}@processor\ndef mine(b: Traces, *, config: Span) -> Traces:\n    return b\n",
        "mine.py:4: mine: `config` stands behind `*`, but all are given by their place: take the",
    ),
    "a forgotten return": (
        f"{HEAD}@processor\ndef mine(batch: Traces) -> Traces:\n    batch.set_attribute('a', 1)\n",
        "mine.py:4: mine: returns nothing, which drops every batch; end it with `return batch`",
    ),
    "a forgotten return, without annotation": (
        f"{HEAD}@processor\ndef mine(batch: Traces):\n    batch.set_attribute('a', 1)\n",
        "or annotate it with `-> None` if that is meant",
    ),
    "a generator": (
        f"{HEAD}@processor\ndef mine(batch: Traces) -> Traces:\n    yield batch\n",
        "mine.py:4: mine: is called as a plain function: write it without `async` and `yield`",
    ),
    "an async function": (
        f"{HEAD}@processor\nasync def mine(batch: Traces) -> Traces:\n    return batch\n",
        "mine.py:4: mine: is called as a plain function: write it without `async` and `yield`",
    ),
    "a syntax error": (
        f"{HEAD}@processor\ndef mine(batch: Traces)\n    return batch\n",
        "mine.py:5: SyntaxError: expected ':'\n    def mine(batch: Traces)\n" + " " * 27 + "^",
    ),
    "a file that is not UTF-8": (b"# caf\xe9\n", "mine.py: not UTF-8: "),
    "a bug while it is imported": (
        f"{processing('')}\nx = {{}}['key']\n",
        "mine.py:10: KeyError: 'key'\nTraceback (most recent call last):\n",
    ),
    "a misspelled import": (
        f"from otelwasm_sdk import Trace\n{processing('')}",
        "mine.py:1: ImportError: cannot import name 'Trace' from 'otelwasm_sdk'. Did you mean:"
        " 'Traces'?",
    ),
    "a misspelled import of Python's own": (
        processing("", imports="from json import lods"),
        "mine.py:4: ImportError: cannot import name 'lods' from 'json'. Did you mean: 'loads'?",
    ),
    "an exit while it is imported": (
        f"{processing('', imports='import sys')}\nsys.exit(3)\n",
        "mine.py:10: SystemExit: 3\nTraceback (most recent call last):\n",
    ),
    "an import of compiled code": (
        processing("", imports="import numpy"),
        "mine.py:4: ModuleNotFoundError: No module named 'numpy'\n"
        "numpy is compiled code, which does not run in WebAssembly",
    ),
    "an import of what the standard library replaces": (
        processing("", imports="import orjson"),
        "orjson is compiled code, which does not run in WebAssembly; json is there",
    ),
    "an import of what needs sockets": (
        processing("", imports="import requests"),
        "requests opens sockets, which plugins do not have; otelwasm_sdk.http sends requests",
    ),
    "an import of what Python has elsewhere": (
        processing("", imports="import ssl"),
        "Python has no ssl in WebAssembly; otelwasm_sdk.http sends requests",
    ),
    "an import of a package that is not required": (
        processing("", imports="import yaml"),
        "no package of the plugin's has a module yaml: list the one that does in its"
        " `# /// script` block; it has to be pure Python",
    ),
    "a second module beside a file": (
        processing("", imports="import beside"),
        "beside lies beside it, but a .py file alone is the whole plugin: call it plugin.py",
    ),
    "a relative import": (
        processing("", imports="from . import beside"),
        "modules beside plugin.py are imported by their names: `import rules`",
    ),
    "a file that is read while it is imported": (
        processing("", imports="words = open('words.txt').read()"),
        FILES,
    ),
    "a misspelled key of the script block": (
        f"# /// script\n# requires = ['idna']\n# ///\n{processing('')}",
        "mine.py: `requires` in the `# /// script` block is no key of it",
    ),
    "a requirement that pip does not understand": (
        f"# /// script\n# dependencies = ['idna=>3']\n# ///\n{processing('')}",
        "mine.py: requirement 'idna=>3' is not understood; one is written as idna, idna==3.10",
    ),
}

# Found by the first batch that comes by.
BUGS = {
    "a returned str": (
        "return 'done'",
        "mine.py:5: mine returned str for traces; it returns Traces, or None to drop the batch",
    ),
    "a returned item": (
        "return batch.spans()[0]",
        "mine.py:5: mine returned Span for traces; it returns Traces, or None to drop the batch",
    ),
    "a returned bool": ("return True", "mine.py:5: mine returned bool for traces"),
    "another signal returned": (
        "return Logs.of({'body': 'x'})",
        "mine.py:5: mine returned Logs for traces; it returns Traces, or None to drop the batch,"
        " and sends other signals with emit(...)",
    ),
    "an emitted item": (
        "emit(batch.spans()[0])",
        "emit takes Traces, Metrics, Logs or Profiles, not Span;",
    ),
    "an attribute of a type that has no place in OTLP": (
        "batch.set_attribute('when', object())",
        "TypeError: an attribute holds str, bool, int, float, bytes, None, or lists and dicts of"
        " these, not object (mine.py:7 in mine)",
    ),
    "a field that does not exist": (
        "batch.spans()[0].nam = 'x'",
        "has no attribute 'nam' and no __dict__ for setting new attributes. Did you mean: 'name'?"
        " (mine.py:7 in mine)",
    ),
    "a field of the wrong type": (
        "batch.spans()[0].name = 3",
        "TypeError: name is a str, not 3 (mine.py:7 in mine)",
    ),
    "a loop over a batch": (
        "for span in batch: pass",
        "TypeError: 'Traces' object is not iterable (mine.py:7 in mine); batch.proto is the whole"
        " message; batch.spans() has what is in it, one by one",
    ),
    "the protobuf message's fields on a batch": (
        "batch.resource_spans",
        "'Traces' object has no attribute 'resource_spans' (mine.py:7 in mine); batch.proto is the",
    ),
    "a number for what is none": (
        "batch.spans()[0].kind = 'server'",
        "TypeError: kind is an int, not 'server' (mine.py:7 in mine)",
    ),
    "an id of another length": (
        "batch.spans()[0].trace_id = b'abc'",
        "ValueError: trace_id has 16 bytes, not 3: b'abc' (mine.py:7 in mine)",
    ),
    "what a response is called elsewhere": (
        "http.Response(200).status_code",
        "a response has status, body, headers, header(name), text(), json(), raise_for_status()",
    ),
    "a misspelled part of a batch": (
        "batch.set_attribute('env', 'test', on='resource')",
        "nothing in OTLP is called 'resource'; here there are items, resources, scopes, spans,",
    ),
    "a condition on an attribute without its place": (
        "batch.drop({'service.name': 'shop'})",
        "spans have no 'service'; they have trace_id, span_id, trace_state, parent_span_id, flags,"
        " name, kind,",
    ),
    "a condition that is none": (
        "batch.drop('GET /health')",
        "drop takes conditions, as {'name': 'GET /health'}, or a function of an item; not 'GET",
    ),
    "a field that a new item does not have": (
        "emit(Logs.of({'text': 'x'}))",
        "LogRecord has no 'text'; it has time_unix_nano, observed_time_unix_nano, severity_number,",
    ),
    "a new item that is no dict": (
        "emit(Logs.of('x'))",
        "TypeError: LogRecord is made of a dict of its fields, not 'x' (mine.py:7 in mine)",
    ),
    "spans that are appended to a batch": (
        "batch.spans().append({'name': 'x'})",
        "all spans of a batch have no one place to append to; those of one message have, as",
    ),
    "spans that are removed as from a list": (
        "batch.spans().remove(batch.spans()[0])",
        "and item.drop() takes one out of its batch",
    ),
    "some spans of all": (
        "batch.spans()[:10]",
        "not 'slice' (mine.py:7 in mine); what a batch holds is gone through one by one; list(…)",
    ),
    "attributes as JSON": (
        "json.dumps(batch.spans()[0].attributes)",
        "Attributes is not JSON serializable (mine.py:7 in mine); dict(item.attributes) makes a",
    ),
    "a log line as logging has it": (
        "log.info('%s spans', len(batch))",
        'what a line of the log is about is given by name: log.info("sent", items=3)',
    ),
    "a level that the log does not have": (
        "log.warn('x')",
        "has no attribute 'warn' (mine.py:7 in mine); otelwasm_sdk.log has debug, error,",
    ),
    "Permanent without a reason": (
        "raise Permanent",
        'Permanent was raised without a reason (mine.py:7); give it one: Permanent("…")',
    ),
    "Retryable without a reason": (
        "raise Retryable(after_s=1)",
        'Retryable was raised without a reason (mine.py:7); give it one: Retryable("…")',
    ),
    "an import inside of a function": (
        "import colorsys",
        "'colorsys' was not imported as the plugin started: imports stand at the top of its files,"
        " not inside of functions (mine.py:7 in mine)",
    ),
    "too much memory": (
        "x = bytearray(300 << 20)",
        "MemoryError (mine.py:7 in mine); the plugin's memory limit is reached: keep less, or raise"
        " `limits: {memory: …}` in the pipeline's configuration",
    ),
    "endless recursion": (
        "def f(n):\n    return f(n + 1)\nf(0)",
        "RecursionError: maximum recursion depth exceeded (mine.py:8 in f)",
    ),
    "an exception that cannot be shown": (
        "class Odd(Exception):\n    def __str__(self): 1 / 0\nraise Odd",
        "Odd: <exception str() failed> (mine.py:9 in mine)",
    ),
    "an exit": ("raise SystemExit(3)", "SystemExit: 3 (mine.py:7 in mine); a plugin does not end"),
    "http that is not granted": (
        "http.get('http://example.com/')",
        "`http` is not granted: the plugin needs `capabilities: {http: {allow: [{url: …}]}}`",
    ),
    "state that is not granted": (
        "state.get('key')",
        "`state` is not granted: the plugin needs `capabilities: {state: {}}` in the",
    ),
    "state that is no bytes": ("state.set('key', 1)", "TypeError: the state holds bytes, not int"),
}

# Found by the first batch that comes by, too: what Python has elsewhere, and a sandbox does not.
BEYOND = {
    "a file that is read": ("", "open('/etc/passwd')", FILES),
    "a file that is read with pathlib": (
        "from pathlib import Path",
        "Path('words.txt').read_text()",
        FILES,
    ),
    "a file that is written": ("", "open('/tmp/x', 'w')", FILES),
    "a folder that is listed": ("import os", "os.listdir('.')", FILES),
    "a temporary file": ("import tempfile", "tempfile.NamedTemporaryFile()", FILES),
    "a database": ("import sqlite3", "sqlite3.connect('x.db')", FILES),
    "a socket": ("import socket", "socket.create_connection(('127.0.0.1', 9))", NETWORK),
    "a socket for datagrams": ("import socket", "socket.socket(type=socket.SOCK_DGRAM)", NETWORK),
    "urllib": ("import urllib.request", "urllib.request.urlopen('http://127.0.0.1:9/')", NETWORK),
    "urllib with TLS": ("import urllib.request", "urllib.request.urlopen('https://a.b')", NETWORK),
    "http.client": ("import http.client as client", "client.HTTPSConnection('a.b')", NETWORK),
    "a subprocess": ("import subprocess", "subprocess.run(['ls'])", PROCESSES),
    "os.system": ("import os", "os.system('ls')", PROCESSES),
    "multiprocessing": (
        "import multiprocessing",
        "multiprocessing.Process(target=print).start()",
        PROCESSES,
    ),
    "a thread": ("import threading", "threading.Thread(target=print).start()", THREADS),
    "a pool of threads": (
        "from concurrent.futures import ThreadPoolExecutor",
        "ThreadPoolExecutor().submit(print)",
        THREADS,
    ),
    "asyncio": (
        "import asyncio",
        "asyncio.run(asyncio.sleep(0))",
        "a plugin has no event loop: its host calls plain functions, one at a time",
    ),
    "an environment variable": (
        "import os",
        "os.environ['HOME']",
        "a plugin has no environment variables: give it a key of its `config`, with ${env:HOME} as",
    ),
}

# Found by a deadline: the place is read off the memory that the instance leaves.
ENDS = {
    "an endless loop": ("", "while True: pass", "; at mine.py:7 in mine (in two instances"),
    "an endless loop further inside": (
        "",
        "def spin():\n    while True: pass\nspin()",
        "; at mine.py:8 in spin < mine.py:9 in mine (in two instances",
    ),
    "a long wait": ("import time", "time.sleep(60)", "; at mine.py:7 in mine (in two instances"),
    "a long search": (
        "import re",
        "re.match('(a+)+$', 'a' * 60 + 'b')",
        "; at mine.py:7 in mine (in two instances",
    ),
}

CONFIG = f"""{HEAD}
@attrs.frozen
class Config:
    hash: tuple[str, ...]
    salt: str = ""

@processor
def mine(batch: Traces, config: Config) -> Traces:
    return batch
"""
CONFIGS = {
    "a missing key": ({}, "config.hash: missing; expected a list"),
    "an unknown key": (
        {"hash": [], "slat": "x"},
        "config.slat: unknown key; known keys: hash, salt",
    ),
    "a value of another type": ({"hash": "id"}, "config.hash: expected a list, got str"),
    "a member of another type": ({"hash": [1]}, "config.hash[0]: expected str, got int"),
}
