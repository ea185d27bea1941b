"""
A plugin of several files, with a requirement.
"""

from pathlib import Path

import idna
import rules

from otelwasm_sdk import Traces, processor

WORD = (Path(__file__).parent / "data" / "word.txt").read_text().strip()


@processor
def packaged(batch: Traces) -> Traces:
    """
    Set what each of the files knows.
    """
    for span in batch.spans():
        span.attributes["idna"] = idna.encode("bücher.example").decode()
        span.attributes["rules"] = rules.apply(span.name)
        span.attributes["word"] = WORD
    return batch
