"""Every way in which a request can fail: its status, its code, and a sentence that says what to do.

The table is the documentation: OpenAPI, the README and the tests are made from it. The shape of an error is OpenAI's.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from starlette.exceptions import HTTPException

CALLER, SERVER, BUSY = "invalid_request_error", "server_error", "rate_limit_error"
CLIENT_GONE = 499  # never sent, because nobody listens; what logs and metrics say, after nginx


@dataclass(frozen=True)
class Kind:
    """A kind of problem: what OpenAI calls its type, and when it occurs."""

    status: int
    type: str
    when: str


KINDS = {
    "invalid_json": Kind(400, CALLER, "the body is not JSON"),
    "invalid_request": Kind(400, CALLER, "a field is missing, unknown, or has another type or range than the schema's"),
    "empty_prompt": Kind(400, CALLER, "the last message has no text"),
    "context_length_exceeded": Kind(400, CALLER, "the messages are more tokens than max_prompt_tokens"),
    "invalid_multipart": Kind(400, CALLER, "the form cannot be parsed, or ends too early"),
    "corrupt_audio": Kind(400, CALLER, "the file is no audio that can be decoded, or holds NaN"),
    "empty_audio": Kind(400, CALLER, "the file has no samples"),
    "not_found": Kind(404, CALLER, "there is no such route"),
    "model_not_found": Kind(404, CALLER, "there is no such model"),
    "method_not_allowed": Kind(405, CALLER, "the route has another method"),
    "slow_client": Kind(408, CALLER, "the body took longer than body_seconds to arrive"),
    "body_too_large": Kind(413, CALLER, "the body has more bytes than the limit; refused before it is read"),
    "audio_too_long": Kind(413, CALLER, "the recording is longer than max_audio_seconds; refused before it is decoded"),
    "unsupported_media_type": Kind(415, CALLER, "the body is neither JSON nor, for audio, multipart/form-data"),
    "queue_full": Kind(429, BUSY, "as many requests wait as may; Retry-After says when to come back"),
    "client_gone": Kind(CLIENT_GONE, CALLER, "the client closed the connection; its work is stopped (in logs only)"),
    "engine_failed": Kind(500, SERVER, "the model raised an error for this request"),
    "internal_error": Kind(500, SERVER, "the service has a bug; the log has the request's id and the trace"),
    "model_missing": Kind(503, SERVER, "the model's files are not on the machine; the message says how to get them"),
    "model_loading": Kind(503, SERVER, "the model is being loaded; Retry-After says when to come back"),
    "shutting_down": Kind(503, SERVER, "the service is about to end; ask another one"),
    "timed_out": Kind(504, SERVER, "the answer was not there within answer_seconds"),
}
ON_BOTH_ROUTES = (
    "invalid_request",
    "model_not_found",
    "slow_client",
    "body_too_large",
    "unsupported_media_type",
    "queue_full",
    "engine_failed",
    "internal_error",
    "model_missing",
    "model_loading",
    "shutting_down",
    "timed_out",
)


class Problem(HTTPException):
    """A request that fails, in OpenAI's shape.

    Args:
        code: a key of :data:`KINDS`.
        message: one sentence or two: what was expected, what came, what to try.
        param: the field that is to blame.
        retry_after: seconds after which it makes sense to come back.
    """

    def __init__(self, code: str, message: str, param: str | None = None, retry_after: float | None = None):
        kind = KINDS[code]
        headers = {"Retry-After": str(max(1, math.ceil(retry_after)))} if retry_after is not None else {}
        if code in ("body_too_large", "slow_client", "shutting_down"):
            headers["Connection"] = "close"  # what is left of the body is not read
        super().__init__(kind.status, message, headers)
        self.code, self.body = code, {"error": error(code, message, param)}


def error(code: str, message: str, param: str | None = None) -> dict[str, str | None]:
    """What stands under "error" in an answer, and in a stream that breaks off."""
    return {"message": message, "type": KINDS[code].type, "param": param, "code": code}


def documented(codes: Iterable[str]) -> dict[int, dict]:
    """The answers of a route for OpenAPI, from the codes of its problems."""
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(KINDS[code].status, []).append(f"`{code}`: {KINDS[code].when}")
    schema = {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}}
    return {
        status: {"description": "; ".join(lines), "content": {"application/json": schema}}
        for status, lines in sorted(by_status.items())
    }
