"""Around every request: a log entry, static files, and how many requests one person may make."""

import logging
import re
import secrets
import time

from django.conf import settings
from django.http import HttpResponse
from django_ratelimit.core import is_ratelimited
from whitenoise.middleware import WhiteNoiseMiddleware

from services.portal.problems import problem

ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")  # W3C Trace Context, version 00
QUIET = ("/healthz", "/readyz", "/static/")  # logged only when they fail
LOG = logging.getLogger("portal")


class Logged:
    """Gives a request its id and, at its end, its log entry; what was searched for is not logged."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        began = time.perf_counter()
        named = request.headers.get("X-Request-Id", "")
        request.request_id = named if ID.fullmatch(named) else f"req-{secrets.token_hex(12)}"
        response = self.get_response(request)
        response["X-Request-Id"] = request.request_id
        if response.status_code >= 400 or not request.path.startswith(QUIET):
            self._note(request, response, time.perf_counter() - began)
        return response

    def _note(self, request, response, seconds: float) -> None:
        found = TRACEPARENT.fullmatch(request.headers.get("traceparent", ""))
        entry = {
            "jsonPayload": {"request_id": request.request_id, "seconds": round(seconds, 6)},
            "httpRequest": {
                "requestMethod": request.method,
                "requestUrl": request.path,
                "status": response.status_code,
                "responseSize": str(0 if response.streaming else len(response.content)),
                "userAgent": request.headers.get("User-Agent", "")[:200],
                "latency": f"{seconds:.6f}s",
            },
            "trace": found[1] if found else secrets.token_hex(16),
            "spanId": secrets.token_hex(8),
        }
        LOG.log(logging.ERROR if response.status_code >= 500 else logging.INFO, "request", extra={"entry": entry})


class Static(WhiteNoiseMiddleware):
    """WhiteNoise, with files read as a whole: its own answer is an iterator that ASGI cannot wait for."""

    @staticmethod
    def serve(static_file, request):
        """The file, or that it has not changed."""
        found = static_file.get_response(request.method, request.META)
        content = b"" if found.file is None else found.file.read()
        answer = HttpResponse(content, status=int(found.status))
        del answer["Content-Type"]
        for name, value in found.headers:
            answer[name] = value
        if found.file is not None:
            found.file.close()
        return answer


class Limited:
    """Refuses who makes more requests than a person does."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if not request.path.startswith(QUIET) and is_ratelimited(
            request, group="pages", key="user_or_ip", rate=settings.SET.page_rate, increment=True
        ):
            return problem(request, 429)
        return self.get_response(request)
