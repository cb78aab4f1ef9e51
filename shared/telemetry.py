"""Every metric by name, in one place: what it counts, in which unit, by which closed labels."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product
from typing import NamedTuple, Self

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from shared.readings import Reading
from shared.vocabulary import Kind, PartStatus, Reason, Role, Status

CALL_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300, 600)
REPORT_BUCKETS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600)
HTTP_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
RENDER_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120)
NO_REASON = "none"
REQUEST_OUTCOMES = ("planned", "rejected", "repeated", "retried")
TASKS_DROPPED = ("done", "ended")
OUTCOMES_DROPPED = (
    *("ended", "nothing_to_retry", "repeated", "repeated_plan"),
    *("repeated_workbook", "stale", "unknown_part", "unknown_report"),
)
DEADLINES = ("met", "missed")
MOST_MODELS = 50  # a model's name comes from a request: whoever invents more gets no more series


class _Bounded(MetricWrapperBase):
    """A metric whose first label is the model that somebody asked for; beyond MOST_MODELS they are `other`."""

    def labels(self, *labelvalues: object, **labelkwargs: object) -> Self:
        """The metric of these labels, given in their order."""
        model, *others = labelvalues
        known = {labels[0] for labels in [*self._metrics]}
        return super().labels(model if model in known or len(known) < MOST_MODELS else "other", *others, **labelkwargs)


class _CountedByModel(_Bounded, Counter):
    pass


class _TimedByModel(_Bounded, Histogram):
    pass


class _OfConsumer(NamedTuple):
    """A metric that consumers are asked for when somebody looks."""

    name: str
    text: str
    kind: type[CounterMetricFamily] | type[GaugeMetricFamily]


OF_CONSUMERS = {  # by the field of the reading
    "lag": _OfConsumer("assay_consumer_lag_records", "Records not done, of the assigned partitions", GaugeMetricFamily),
    "lag_seconds": _OfConsumer(
        "assay_consumer_lag_seconds", "Age of the oldest record that was taken and is not done", GaugeMetricFamily
    ),
    "in_hand": _OfConsumer("assay_records_in_hand", "Records being worked on", GaugeMetricFamily),
    "waiting": _OfConsumer("assay_records_waiting", "Records that are to be tried again", GaugeMetricFamily),
    "done": _OfConsumer("assay_records_done", "Records dealt with for good", CounterMetricFamily),
    "commit_failures": _OfConsumer(
        "assay_commit_failures", "Commits of offsets that failed and were tried again", CounterMetricFamily
    ),
    "rebalances": _OfConsumer(
        "assay_rebalances", "How often the group shared out its partitions anew", CounterMetricFamily
    ),
}


class Consumers(Collector):
    """The consumers of a room, asked when somebody looks; by topic."""

    def __init__(self) -> None:
        self._readings: dict[str, Callable[[], Reading]] = {}

    def watch(self, topic: str, reading: Callable[[], Reading]) -> None:
        """Show this consumer."""
        self._readings[topic] = reading

    def collect(self) -> Iterator[Metric]:
        """One family per kind of reading."""
        readings = {topic: reading()._asdict() for topic, reading in self._readings.items()}
        for field, (name, text, kind) in OF_CONSUMERS.items():
            family = kind(name, text, labels=["topic"])
            for topic, reading in readings.items():
                family.add_metric([topic], reading[field])
            yield family


class RenderProcesses(Collector):
    """The render processes, measured from the room, as they serve no page of their own; added up over all of them."""

    def __init__(self) -> None:
        self._ids: Callable[[], Iterable[int]] = tuple

    def watch(self, ids: Callable[[], Iterable[int]]) -> None:
        """Show the processes with these ids; where there is no /proc, there is nothing to show."""
        self._ids = ids

    def collect(self) -> Iterator[Metric]:
        """How many live, their memory and their work."""
        living = [found for number in self._ids() if (found := _of_process(number))]
        yield GaugeMetricFamily("assay_render_processes", "Render processes that live", value=len(living))
        yield GaugeMetricFamily(
            "assay_render_memory_bytes",
            "Resident memory of the render processes",
            value=sum(found["process_resident_memory_bytes"] for found in living),
        )
        yield CounterMetricFamily(
            "assay_render_cpu_seconds",
            "Processor time of the render processes that live",
            value=sum(found["process_cpu_seconds"] for found in living),
        )


def _of_process(number: int) -> Mapping[str, float]:
    families = ProcessCollector(pid=lambda: number, registry=None).collect()
    return {family.name: sample.value for family in families for sample in family.samples}


class Metrics:
    """The metrics of one process, registered in its registry."""

    def __init__(self, registry: CollectorRegistry, service: str, version: str) -> None:
        """Register all of them; those of other rooms stay without samples."""

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"assay_{name}", text, labels, registry=registry)

        def by_model(name: str, text: str, *labels: str) -> Counter:
            return _CountedByModel(f"assay_{name}", text, ("model", *labels), registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"assay_{name}", text, labels, registry=registry)

        def histogram(name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(f"assay_{name}", text, labels, registry=registry, buckets=buckets)

        self.registry = registry
        build = gauge("build_info", "1, with the version of the running service", "service", "version")
        build.labels(service, version).set(1)

        self.requests = counter("requests_total", "Requests read, by what became of them", "outcome")
        self.planning = histogram("planning_seconds", "Request read to tasks published", CALL_BUCKETS, "kind")

        self.judge_attempts = by_model("llm_attempts_total", "Calls to the judge by their result", "result")
        self.judge_seconds: Histogram = _TimedByModel(
            "assay_llm_attempt_seconds", "One call to the judge", ("model",), registry=registry, buckets=CALL_BUCKETS
        )
        self.judge_tokens = by_model("llm_tokens_total", "Tokens as the judge counted them", "direction")
        self.judge_cost = by_model("llm_cost_usd_total", "Cost of judging where a price is known")
        self.judge_retries = counter("llm_retries_total", "Attempts after the first, by why", "reason")
        self.cache = counter("cache_total", "Parts looked for among earlier judgements, by hit or miss", "result")
        self.saved_tokens = counter("cache_saved_tokens_total", "Tokens that hits did not cost", "model", "direction")
        self.saved_cost = counter("cache_saved_usd_total", "What hits did not cost where a price is known", "model")
        self.in_flight = gauge("llm_calls_in_flight", "Calls to the judge right now")
        self.limit = gauge("llm_concurrency_limit", "Calls to the judge allowed at once")
        self.limit_changes = by_model("llm_limit_changes_total", "Changes of that limit, by cause", "cause")
        self.breaker_open = gauge("llm_breaker_open", "1 while a judge is not asked, and why", "model", "reason")
        self.not_asked = by_model("llm_not_asked_total", "Parts failed without a call meanwhile", "reason")
        self.tasks_dropped = counter("tasks_dropped_total", "Tasks not judged, as they are done or ended", "why")
        self.claims_taken_over = counter("claims_taken_over_total", "Lapsed claims of others that were taken over")
        self.paid_twice = counter("calls_paid_twice_total", "Outcomes that came second and were not used")
        self.part_seconds = histogram("part_seconds", "A part, over all attempts", CALL_BUCKETS, "role")

        self.parts = counter("parts_total", "Outcomes folded, by role, outcome and reason", "role", "outcome", "reason")
        self.dropped = counter("outcomes_dropped_total", "Outcomes not counted: repeated, stale or unknown", "why")
        self.reports = counter("reports_total", "Reports that ended, by kind and final status", "kind", "status")
        self.report_seconds = histogram("report_seconds", "Accepted to completed", REPORT_BUCKETS, "kind")
        self.deadlines = counter(
            "report_deadlines_total", "Reports that ended by themselves, by whether in time", "kind", "deadline"
        )
        self.reports_open = gauge("reports_open", "Reports that have not ended")
        self.reports_overdue = gauge("reports_overdue", "Open reports past their deadline")
        self.reports_rendering = gauge("reports_rendering", "Reports that wait for their workbook")
        self.render_seconds = histogram("render_seconds", "Building and storing a workbook", RENDER_BUCKETS)
        self.render_bytes = counter("render_bytes_total", "Bytes of workbooks stored")
        self.render_failures = counter("render_failures_total", "Workbooks that could not be built")
        self.render_running = gauge("renders_running", "Workbooks being built, or waiting for a render process")
        self.render_processes = RenderProcesses()

        self.dead_letters = counter("dead_letters_total", "Records put aside, by the topic they came from", "topic")
        self.consumers = Consumers()
        registry.register(self.consumers)
        self.reachable = gauge("dependency_up", "1 while what the room stands on answers", "dependency")
        ProcessCollector(registry=registry)

        http = ("method", "route")  # the route's template, never its path
        self.http_requests = counter("http_requests_total", "Requests answered by the gateway", *http, "status")
        self.http_seconds = histogram("http_request_seconds", "Request read to answer begun", HTTP_BUCKETS, *http)
        _from_zero(self, service)


def _from_zero(metrics: Metrics, service: str) -> None:
    """Begin what has closed labels at 0, in the room that counts it: an increase from nothing is not seen."""
    match service:
        case "orchestrator":
            _each(metrics.requests, REQUEST_OUTCOMES)
        case "evaluator":
            _each(metrics.judge_retries, Reason)
            _each(metrics.tasks_dropped, TASKS_DROPPED)
        case "renderer":
            metrics.registry.register(metrics.render_processes)
            for role in Role:
                metrics.parts.labels(role, PartStatus.COMPLETED, NO_REASON)
                metrics.parts.labels(role, PartStatus.CANCELLED, Reason.CANCELLED)
            _each(metrics.parts, Role, [PartStatus.ERRORED], Reason)
            _each(metrics.dropped, OUTCOMES_DROPPED)
            _each(metrics.reports, Kind, [status for status in Status if status.is_final])
            _each(metrics.deadlines, Kind, DEADLINES)
        case _:
            return  # the gateway's have open labels, or none


def _each(counter: Counter, *labels: Iterable[str]) -> None:
    for values in product(*labels):
        counter.labels(*values)
