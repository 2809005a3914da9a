"""A form with a file, read while it arrives, so that what is too large is refused and not stored."""

from collections.abc import AsyncIterator, Callable

from starlette.requests import Request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import NEED_DATA, Data, Epilogue, Event, Field, File, MultipartDecoder

from services.inference.problems import Problem

LONGEST_FIELD = 10_000  # bytes of a field that is no file
MOST_PARTS = 16
LONGEST_BOUNDARY = 70  # RFC 2046, section 5.1.1


async def read_form(request: Request, known: set[str]) -> tuple[dict[str, str], bytes]:
    """The fields of a form and the content of its one file, which is called "file".

    Args:
        request: whose body is read; the middleware counts its bytes.
        known: names of fields.

    Raises:
        Problem: `unsupported_media_type`, `invalid_multipart` or `invalid_request`.
    """
    fields: dict[str, bytearray] = {}
    current: str | None = None
    async for event in _events(request):
        if isinstance(event, Field | File):
            current = _checked(event, known, fields)
            fields[current] = bytearray()
        elif isinstance(event, Data) and current:
            fields[current] += event.data
            if current != "file" and len(fields[current]) > LONGEST_FIELD:
                raise Problem("invalid_request", f"At most {LONGEST_FIELD} bytes were expected in {current}.", current)
    if "file" not in fields:
        raise Problem("invalid_request", 'A file was expected in the field "file" and none came.', "file")
    content = bytes(fields.pop("file"))
    return {name: _text(name, value) for name, value in fields.items()}, content


async def _events(request: Request) -> AsyncIterator[Event]:
    boundary = _boundary(request)
    decoder, held = MultipartDecoder(boundary, max_parts=MOST_PARTS), bytearray()
    async for chunk in request.stream():
        held += chunk
        end = _whole(held, b"--" + boundary) if chunk else len(held)
        decoder.receive_data(bytes(held[:end]))
        del held[:end]
        if not chunk:
            decoder.receive_data(None)
        while (event := _next(decoder.next_event)) is not NEED_DATA:
            yield event
            if isinstance(event, Epilogue):
                return


def _whole(held: bytearray, mark: bytes) -> int:
    """How many bytes can be parsed: no boundary is cut, nor the line that it stands in.

    werkzeug 3.1.9 takes half of a line break for content where what it has ends between a boundary and what follows.
    """
    end = max(0, len(held) - len(mark) + 1)
    at = held.rfind(mark, 0, end + len(mark) - 1)
    if at < 0:
        return end
    behind = held[at + len(mark) : at + len(mark) + LONGEST_BOUNDARY]
    line = 2 if behind.startswith(b"--") else behind.find(b"\n") + 1
    seen = line or len(behind) == LONGEST_BOUNDARY  # what goes on for so long is content and no boundary
    return end if seen and at + len(mark) + line <= end else at


def _next(next_event: Callable[[], Event]) -> Event:
    try:
        return next_event()
    except (ValueError, RequestEntityTooLarge, AttributeError) as error:
        raise Problem(
            "invalid_multipart", "A whole form was expected and it cannot be parsed, or ends early."
        ) from error


def _boundary(request: Request) -> bytes:
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get("boundary", "").encode("utf-8", "surrogateescape")
    if kind != "multipart/form-data":
        raise Problem("unsupported_media_type", f"multipart/form-data was expected and {kind or 'no type'} came.")
    if not 0 < len(boundary) <= LONGEST_BOUNDARY:
        raise Problem("invalid_multipart", f"A boundary of 1 to {LONGEST_BOUNDARY} bytes was expected.")
    return boundary


def _checked(event: Field | File, known: set[str], so_far: dict[str, bytearray]) -> str:
    """The name of a part, if it is one that may come, and comes for the first time."""
    name = event.name
    if name not in known | {"file"}:
        raise Problem(
            "invalid_request", f"There is no field {str(name)[:40]!r}; there are file, {', '.join(sorted(known))}."
        )
    if name in so_far:
        raise Problem("invalid_request", f"{name} was expected once and came again.", name)
    if isinstance(event, File) != (name == "file"):
        raise Problem("invalid_request", f"{name} was expected as {'a file' if name == 'file' else 'text'}.", name)
    return name


def _text(name: str, value: bytearray) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise Problem("invalid_request", f"UTF-8 was expected in {name}.", name) from error
