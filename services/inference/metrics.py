"""What Prometheus scrapes. Labels take few values, so that no caller can make a million series."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
SIZES = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """The service's numbers, in a registry of their own: several services can live in one process."""

    def __init__(self):
        self.registry = CollectorRegistry()
        one = {"registry": self.registry}
        self.requests = Counter("inference_requests", "Requests, by route and status.", ["route", "status"], **one)
        self.problems = Counter("inference_problems", "Requests that failed, by code.", ["code"], **one)
        self.seconds = Histogram(
            "inference_request_seconds", "From the head of a request to its end.", ["route"], buckets=SECONDS, **one
        )
        self.waits = Histogram("inference_queue_seconds", "In the line.", ["model"], buckets=SECONDS, **one)
        self.first_token = Histogram(
            "inference_first_token_seconds", "From the request to the first text.", ["model"], buckets=SECONDS, **one
        )
        self.batches = Histogram("inference_batch_size", "Jobs in a step.", ["model"], buckets=SIZES, **one)
        self.tokens = Counter("inference_tokens", "Tokens, read and written.", ["model", "kind"], **one)
        self.audio = Counter("inference_audio_seconds", "Seconds of sound recognised.", ["model"], **one)
        self.failures = Counter("inference_engine_failures", "Errors that an engine raised.", ["model"], **one)
        self.waiting = Gauge("inference_waiting", "Requests in the line.", ["model"], **one)
        self.active = Gauge("inference_active", "Jobs in the batch.", ["model"], **one)
        self.ready = Gauge("inference_ready", "1 if the model is loaded.", ["model"], **one)
        self.logs_lost = Counter("inference_log_entries_lost", "Entries that could not be written.", **one)

    def text(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self.registry)
