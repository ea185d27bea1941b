"""
Scrape Prometheus endpoints: the text format 0.0.4 and OpenMetrics become OTLP metrics.

Types are mapped as OpenTelemetry's compatibility specification says: counters become monotonic
sums, what has no type a gauge. As Prometheus itself does, it adds `up` and two more per target.
"""

import math
import re
import time
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import attrs
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_CUMULATIVE, Metric

from otelwasm_sdk import Failure, Metrics, emit, http, key_values, log, receiver

ACCEPT = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
LABEL = re.compile(
    r'\s*(?:([a-zA-Z_][\w.]*)|"((?:[^"\\]|\\.)*)")\s*(?:=\s*"((?:[^"\\]|\\.)*)")?\s*,?'
)
NAME = re.compile(r"[a-zA-Z_:][\w:]*")
# A counter's `_total` is part of its name.
SUFFIXES = {
    "counter": ("_total", "_created"),
    "histogram": ("_bucket", "_sum", "_count", "_created"),
    "gaugehistogram": ("_bucket", "_gsum", "_gcount"),
    "summary": ("_sum", "_count", "_created"),
    "info": ("_info",),
}
Labels = tuple[tuple[str, str], ...]


@attrs.frozen
class Config:
    targets: tuple[str, ...] = attrs.field(validator=attrs.validators.min_len(1))
    job: str = "prometheus"
    timeout_s: float = 10.0
    # Whether to add `up`, `scrape_duration_seconds` and `scrape_samples_scraped`.
    own_metrics: bool = True


class FormatError(ValueError):
    """A line that is in neither format."""


@attrs.define
class Sample:
    name: str
    labels: Labels
    value: float
    time_unix_nano: int = 0
    exemplar: "Sample | None" = None


@attrs.define
class Family:
    name: str
    type: str = "unknown"
    help: str = ""
    unit: str = ""
    samples: list[Sample] = attrs.field(factory=list)


@attrs.define
class Start:
    """When a series that only grows began, as far as it can be seen from here."""

    time_unix_nano: int
    value: float


@receiver
class PrometheusScraper:
    def __init__(self, config: Config) -> None:
        self.config = config
        self.starts: dict[str, dict[tuple[str, Labels], Start]] = {}

    def poll(self) -> None:
        for target in self.config.targets:
            emit(self.scrape(target))

    def scrape(self, target: str) -> Metrics:
        now_ns, began = time.time_ns(), time.monotonic()
        before, known = self.starts.get(target, {}), {}
        metrics: list[Metric] = []
        count, is_up = 0, False
        try:
            response = http.get(target, headers={"accept": ACCEPT}, timeout_s=self.config.timeout_s)
            if response.status != 200:
                raise FormatError(f"it answered {response.status}")
            content_type = response.header("content-type") or ""
            families = parse(response.body.decode(), is_open=is_openmetrics(content_type))
            for family in families:
                metrics += Converter(family, now_ns, before, known).metrics()
                count += len(family.samples)
            is_up = True
        except (Failure, ValueError) as error:
            # The others are scraped all the same, and `up` tells whoever looks at the metrics.
            log.warning(f"cannot scrape {target}: {error}")
            metrics, count, known = [], 0, before
        self.starts[target] = known
        own = {
            "up": float(is_up),
            "scrape_duration_seconds": time.monotonic() - began,
            "scrape_samples_scraped": float(count),
        }
        batch = Metrics()
        group = batch.proto.resource_metrics.add()
        group.resource.attributes.extend(key_values(self.resource(target)))
        scope = group.scope_metrics.add(scope={"name": "prometheus-scraper"}, metrics=metrics)
        for name, value in own.items() if self.config.own_metrics else ():
            metric = scope.metrics.add(name=name)
            metric.gauge.data_points.add(as_double=value, time_unix_nano=now_ns)
        return batch

    def resource(self, target: str) -> dict[str, object]:
        url = urlsplit(target)
        port = url.port or (443 if url.scheme == "https" else 80)
        host = url.hostname or ""
        return {
            "service.name": self.config.job,
            "service.instance.id": f"{host}:{port}",
            "server.address": host,
            "server.port": port,
            "url.scheme": url.scheme,
        }


def is_openmetrics(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == "application/openmetrics-text"


def parse(text: str, *, is_open: bool) -> Iterator[Family]:
    """Read all families; OpenMetrics must end with `# EOF`, or it was cut short."""
    lines = text.split("\n")
    if is_open and "# EOF" not in lines[-2:]:
        raise FormatError("the text does not end with `# EOF`")
    family = Family("")
    families: dict[str, Family] = {}
    for number, line in enumerate(lines, 1):
        try:
            if line.startswith("#"):
                family = describe(line, family, families)
            elif line.strip():
                sample = read_sample(line, is_open=is_open)
                family = family_of(sample.name, family, families)
                family.samples.append(sample)
        except ValueError as error:
            raise FormatError(f"line {number}: {error}: {line[:200]!r}") from None
    yield from families.values()


def describe(line: str, family: Family, families: dict[str, Family]) -> Family:
    words = line.split(" ", 3)
    if len(words) < 3 or words[0] != "#" or words[1] not in ("HELP", "TYPE", "UNIT"):
        return family  # a comment, or the end
    name = unescaped(words[2].strip('"'))
    text = words[3] if len(words) > 3 else ""
    family = families.setdefault(name, Family(name))
    if words[1] == "TYPE":
        family.type = "unknown" if text == "untyped" else text.strip().lower()
    elif words[1] == "UNIT":
        family.unit = text
    else:
        family.help = unescaped(text)
    return family


def family_of(name: str, family: Family, families: dict[str, Family]) -> Family:
    suffixes = ("", *SUFFIXES.get(family.type, ()))
    if family.name and any(name == family.name + suffix for suffix in suffixes):
        return family
    return families.setdefault(name, Family(name))


def read_sample(line: str, *, is_open: bool) -> Sample:
    name, labels, end = read_series(line)
    rest, _, exemplar = line[end:].partition(" # ") if is_open else (line[end:], "", "")
    value, moment = read_value(rest, is_open=is_open)
    sample = Sample(name, labels, value, moment)
    if exemplar:
        _, about, end = read_series(exemplar)
        sample.exemplar = Sample("", about, *read_value(exemplar[end:], is_open=is_open))
    return sample


def read_series(text: str) -> tuple[str, Labels, int]:
    named = NAME.match(text)
    name, end = (named[0], named.end()) if named else ("", 0)
    if text[end:].lstrip()[:1] == "{":
        end = text.index("{", end)
    labels: dict[str, str] = {}
    if text[end : end + 1] == "{":
        end += 1
        while text[end : end + 1] != "}":
            label = LABEL.match(text, end)
            if label is None:
                raise FormatError("expected a label or `}`")
            plain, quoted, value = label.groups()
            end = label.end()
            if value is not None:
                labels[plain or unescaped(quoted)] = unescaped(value)
            elif quoted is not None and not name:
                name = unescaped(quoted)  # names beyond ASCII stand within the braces
            else:
                raise FormatError("a label has no value")
        end += 1
    # An empty label is as good as none.
    return name, tuple(sorted(pair for pair in labels.items() if pair[1])), end


def read_value(text: str, *, is_open: bool) -> tuple[float, int]:
    words = text.split()
    if not 1 <= len(words) <= 2:
        raise FormatError("expected a value, and perhaps a time")
    # OpenMetrics counts seconds, the older format milliseconds.
    scale = 10**9 if is_open else 10**6
    moment = float(words[1]) * scale if len(words) > 1 else 0.0
    # OTLP's times begin in 1970; 0 stands for the time of the scrape.
    return float(words[0]), round(moment) if 0 < moment < 2**64 else 0


def unescaped(text: str) -> str:
    return re.sub(r'\\([\\"n])', lambda found: "\n" if found[1] == "n" else found[1], text)


@attrs.frozen
class Converter:
    """Turns one family into a metric."""

    family: Family
    now_ns: int
    before: dict[tuple[str, Labels], Start]
    known: dict[tuple[str, Labels], Start]

    def metrics(self) -> Iterator[Metric]:
        family = self.family
        convert = {
            "counter": self.counter,
            "histogram": self.histogram,
            "summary": self.summary,
            "info": self.state,
            "stateset": self.state,
        }.get(family.type, self.gauge)
        for metric in convert() if family.samples else ():
            metric.description = family.help
            metric.unit = family.unit
            yield metric

    def gauge(self) -> Iterator[Metric]:
        for name, samples in self.by_name():
            metric = Metric(name=name)
            for sample in samples:
                metric.gauge.data_points.add(as_double=sample.value, **self.base(sample))
            yield metric

    def state(self) -> Iterator[Metric]:
        for name, samples in self.by_name():
            metric = Metric(name=name)
            metric.sum.aggregation_temporality = AGGREGATION_TEMPORALITY_CUMULATIVE
            for sample in samples:
                metric.sum.data_points.add(as_double=sample.value, **self.base(sample))
            yield metric

    def counter(self) -> Iterator[Metric]:
        created = self.created()
        for name, samples in self.by_name(without="_created"):
            metric = Metric(name=name)
            metric.sum.is_monotonic = True
            metric.sum.aggregation_temporality = AGGREGATION_TEMPORALITY_CUMULATIVE
            for sample in samples:
                point = metric.sum.data_points.add(
                    as_double=sample.value,
                    start_time_unix_nano=self.start(sample.labels, sample.value, created),
                    **self.base(sample),
                )
                add_exemplars(point, [sample], self.now_ns)
            yield metric

    def histogram(self) -> Iterator[Metric]:
        metric = Metric(name=self.family.name)
        metric.histogram.aggregation_temporality = AGGREGATION_TEMPORALITY_CUMULATIVE
        created = self.created()
        for labels, samples in self.by_labels("le"):
            buckets = sorted(
                (float(dict(sample.labels)["le"]), sample.value)
                for sample in samples
                if sample.name.endswith("_bucket") and "le" in dict(sample.labels)
            )
            total, sum_ = value_of(samples, "_count"), value_of(samples, "_sum")
            if total is None:
                total = buckets[-1][1] if buckets else 0.0
            bounds = [bound for bound, _ in buckets if not math.isinf(bound)]
            # Each bucket counts what is in the smaller ones, too.
            counts = [count for bound, count in buckets if not math.isinf(bound)] + [total]
            point = metric.histogram.data_points.add(
                count=as_count(total),
                explicit_bounds=bounds,
                bucket_counts=[as_count(count - less) for less, count in pairwise([0.0, *counts])],
                start_time_unix_nano=self.start(labels, total, created),
                **self.base(samples[0], labels),
            )
            if sum_ is not None:
                point.sum = sum_
            add_exemplars(point, samples, self.now_ns)
        yield metric

    def summary(self) -> Iterator[Metric]:
        metric = Metric(name=self.family.name)
        created = self.created()
        for labels, samples in self.by_labels("quantile"):
            count = value_of(samples, "_count") or 0.0
            point = metric.summary.data_points.add(
                count=as_count(count),
                sum=value_of(samples, "_sum") or 0.0,
                start_time_unix_nano=self.start(labels, count, created),
                **self.base(samples[0], labels),
            )
            for sample in samples:
                if quantile := dict(sample.labels).get("quantile"):
                    point.quantile_values.add(quantile=float(quantile), value=sample.value)
        yield metric

    def base(self, sample: Sample, labels: Labels | None = None) -> dict[str, Any]:
        return {
            "attributes": key_values(dict(sample.labels if labels is None else labels)),
            "time_unix_nano": sample.time_unix_nano or self.now_ns,
        }

    def by_name(self, without: str = " ") -> Iterable[tuple[str, list[Sample]]]:
        names: dict[str, list[Sample]] = {}
        for sample in self.family.samples:
            if not sample.name.endswith(without):
                names.setdefault(sample.name, []).append(sample)
        return names.items()

    def by_labels(self, inner: str) -> Iterable[tuple[Labels, list[Sample]]]:
        series: dict[Labels, list[Sample]] = {}
        for sample in self.family.samples:
            if not sample.name.endswith("_created"):
                labels = tuple(pair for pair in sample.labels if pair[0] != inner)
                series.setdefault(labels, []).append(sample)
        return series.items()

    def created(self) -> dict[Labels, float]:
        return {
            sample.labels: sample.value
            for sample in self.family.samples
            if sample.name == f"{self.family.name}_created"
        }

    def start(self, labels: Labels, value: float, created: dict[Labels, float]) -> int:
        if labels in created:
            began = created[labels] * 1e9
            return round(began) if 0 < began < 2**64 else 0
        # Nobody says when it began: it was there when it was seen first, or was smaller again.
        key = (self.family.name, labels)
        start = self.before.get(key)
        if start is None or value < start.value:
            start = Start(self.now_ns, value)
        self.known[key] = Start(start.time_unix_nano, value)
        return start.time_unix_nano


def value_of(samples: list[Sample], suffix: str) -> float | None:
    return next((sample.value for sample in samples if sample.name.endswith(suffix)), None)


def as_count(value: float) -> int:
    return min(max(0, int(value)), 2**64 - 1) if math.isfinite(value) else 0


def add_exemplars(point: Any, samples: list[Sample], now_ns: int) -> None:
    for sample in samples:
        if (seen := sample.exemplar) is None:
            continue
        labels = dict(seen.labels)
        exemplar = point.exemplars.add(
            as_double=seen.value, time_unix_nano=seen.time_unix_nano or now_ns
        )
        for name, size in (("trace_id", 16), ("span_id", 8)):
            if re.fullmatch(rf"[0-9a-fA-F]{{{2 * size}}}", labels.get(name, "")):
                setattr(exemplar, name, bytes.fromhex(labels.pop(name)))
        exemplar.filtered_attributes.extend(key_values(labels))
