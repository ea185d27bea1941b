"""
A receiver written in Python, in a whole pipeline: a sender posts lines, a file has the records.
"""

import json
from pathlib import Path

from otelwasm.build.instant import runnable
from otelwasm.service import Pipeline
from pipeline.fakes import in_a_loop
from pipeline.receiving import Answered, ask

WEBHOOK = Path(__file__).parent / "worlds" / "webhook.py"


def test_lines_that_are_posted_are_written_as_records(tmp_path: Path) -> None:
    """
    From YAML to the exporter, with the plugin's own reply on the way back.
    """
    runnable(WEBHOOK)  # the first runner takes longer than a pipeline may take in a test
    path = tmp_path / "p.yaml"
    path.write_text(
        f"""\
receivers:
  wasm/webhook:
    plugin: {WEBHOOK}
    config: {{status: 201}}
    listen: {{http: "127.0.0.1:0"}}
    poll_interval: 1h
exporters:
  file: {{path: out.jsonl}}
service:
  pipelines:
    logs: {{receivers: [wasm/webhook], exporters: [file]}}
"""
    )
    answers: list[Answered] = []
    run(path, answers)
    (answer,) = answers

    (line,) = (tmp_path / "out.jsonl").read_text().splitlines()
    scope = json.loads(line)["resourceLogs"][0]["scopeLogs"][0]

    assert (201, b"thanks", "2") == (answer.status, answer.body, answer.headers["x-taken"])
    assert ["one", "two"] == [record["body"]["stringValue"] for record in scope["logRecords"]]


@in_a_loop
async def run(path: Path, answers: list[Answered]) -> None:
    """
    Run the pipeline for one message.
    """
    async with Pipeline.from_yaml(path) as pipeline:
        port = pipeline.receiver("wasm/webhook").http_port
        answers.append(await ask(port, b"one\ntwo", target="/logs", **{"X-Answer": "thanks"}))
