"""Every metric by name, in one place: what it counts, in which unit, by which closed labels."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

CALL_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300, 600)
REPORT_BUCKETS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600)
HTTP_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
RENDER_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120)


class Metrics:
    """The metrics of one process, registered in its registry."""

    def __init__(self, registry: CollectorRegistry, service: str, version: str) -> None:
        """Register all of them; those of other rooms stay without samples."""

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"assay_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"assay_{name}", text, labels, registry=registry)

        def histogram(name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(f"assay_{name}", text, labels, registry=registry, buckets=buckets)

        self.registry = registry
        build = gauge("build_info", "1, with the version of the running service", "service", "version")
        build.labels(service, version).set(1)

        self.requests = counter("requests_total", "Requests read, by what became of them", "outcome")
        self.planning = histogram("planning_seconds", "Request read to tasks published", CALL_BUCKETS, "kind")

        self.judge_attempts = counter("llm_attempts_total", "Calls to the judge by their result", "model", "result")
        self.judge_seconds = histogram("llm_attempt_seconds", "One call to the judge", CALL_BUCKETS, "model")
        self.judge_tokens = counter("llm_tokens_total", "Tokens as the judge counted them", "model", "direction")
        self.judge_cost = counter("llm_cost_usd_total", "Cost of judging where a price is known", "model")
        self.judge_retries = counter("llm_retries_total", "Attempts after the first, by why", "reason")
        self.cache = counter("cache_total", "Parts looked for among earlier judgements, by hit or miss", "result")
        self.saved_tokens = counter("cache_saved_tokens_total", "Tokens that hits did not cost", "model", "direction")
        self.saved_cost = counter("cache_saved_usd_total", "What hits did not cost where a price is known", "model")
        self.in_flight = gauge("llm_calls_in_flight", "Calls to the judge right now")
        self.limit = gauge("llm_concurrency_limit", "Calls to the judge allowed at once")
        self.limit_changes = counter("llm_limit_changes_total", "Changes of that limit, by cause", "model", "cause")
        self.breaker_open = gauge("llm_breaker_open", "1 while a judge is not asked, and why", "model", "reason")
        self.not_asked = counter("llm_not_asked_total", "Parts failed without a call meanwhile", "model", "reason")
        self.tasks_dropped = counter("tasks_dropped_total", "Tasks not judged, as they are done or ended", "why")
        self.claims_taken_over = counter("claims_taken_over_total", "Lapsed claims of others that were taken over")
        self.paid_twice = counter("calls_paid_twice_total", "Outcomes that came second and were not used")
        self.part_seconds = histogram("part_seconds", "A part, over all attempts", CALL_BUCKETS, "role")

        self.parts = counter("parts_total", "Outcomes folded, by role, outcome and reason", "role", "outcome", "reason")
        self.dropped = counter("outcomes_dropped_total", "Outcomes not counted: repeated, stale or unknown", "why")
        self.reports = counter("reports_total", "Reports that ended, by kind and final status", "kind", "status")
        self.report_seconds = histogram("report_seconds", "Accepted to completed", REPORT_BUCKETS, "kind")
        self.reports_open = gauge("reports_open", "Reports that have not ended")
        self.reports_overdue = gauge("reports_overdue", "Open reports past their deadline")
        self.render_seconds = histogram("render_seconds", "Building and storing a workbook", RENDER_BUCKETS)
        self.render_bytes = counter("render_bytes_total", "Bytes of workbooks stored")
        self.render_failures = counter("render_failures_total", "Workbooks that could not be built")

        self.dead_letters = counter("dead_letters_total", "Records put aside, by the topic they came from", "topic")
        self.commit_failures = gauge("commit_failures", "Commits of offsets that failed since the start", "topic")
        self.in_hand = gauge("records_in_hand", "Records taken and not done", "topic")
        self.lag = gauge("consumer_lag_records", "Records behind the end of the assigned partitions", "topic")

        http = ("method", "route")  # the route's template, never its path
        self.http_requests = counter("http_requests_total", "Requests answered by the gateway", *http, "status")
        self.http_seconds = histogram("http_request_seconds", "Request read to answer begun", HTTP_BUCKETS, *http)
