"""
What the page for operators says of its pipeline is what its pipeline does.
"""

import re
from pathlib import Path

from docs.pages import blocks, page
from docs.terminals import Reader

PAGE = "howto/production.md"
SPAN = '{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a"}]}]}]}'
# Without the values, which are those of one run.
_VALUE = re.compile(r"=\S+")


def test_the_page_is_what_an_operator_sees(tmp_path: Path) -> None:
    """
    With nobody at the other end the pipeline stops within its time, keeps what it could not
    deliver, and logs the lines that the page shows; the metrics that it names are there.
    """
    [text] = [block.text for block in blocks(PAGE) if block.title == "pipeline.yaml"]
    [shown] = [
        block.text for block in blocks(PAGE) if block.text.startswith("[info     ] stopping")
    ]
    text = text.replace("/var/lib/otelwasm", str(tmp_path)).replace("0.0.0.0", "127.0.0.1")
    text = text.replace("https://otlp.example.com:4317", "http://127.0.0.1:14317")
    reader = Reader(tmp_path)
    try:
        reader.save("pipeline.yaml", text + "  shutdown_timeout: 1500ms\n")
        reader.type("otelwasm run pipeline.yaml")
        metrics = reader.type("curl http://127.0.0.1:8888/metrics")
        sent = reader.type(
            f"curl -H 'content-type: application/json' -d '{SPAN}' http://127.0.0.1:4318/v1/traces"
        )
        reader.wait_for("delivery failed")
        reader.stop()
        for line in shown.splitlines():
            for part in _VALUE.split(line):
                reader.wait_for(part.strip())
    finally:
        reader.kill()
    names = set(re.findall(r"\botelwasm_\w+", page(PAGE)))

    assert "{}" == sent
    assert len(names) > 5
    assert set() == {name for name in names if name.removesuffix("_total") not in metrics}
    assert 1 == len(list((tmp_path / "quarantine").glob("*.otlp")))
