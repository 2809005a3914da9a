"""An end to bodies that are too long, before Django takes them in: it keeps whatever comes in a file."""

from collections.abc import Mapping

PLAIN = b"What was sent is larger than what is taken here: at most %d bytes. Nothing was kept.\n"


class Limits:
    """An ASGI application around another.

    Args:
        app: the other.
        most: bytes of a body, by path.
        otherwise: bytes of a body anywhere else.
    """

    def __init__(self, app, most: Mapping[str, int], otherwise: int):
        self.app, self.most, self.otherwise = app, most, otherwise

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.most.get(scope["path"], self.otherwise)
        said = dict(scope["headers"]).get(b"content-length", b"0")
        if not said.isdigit() or int(said) > limit:
            await _refuse(send, limit)
            return
        got, refused = 0, False

        async def counted():
            nonlocal got, refused
            message = await receive()
            got += len(message.get("body", b""))
            if got > limit and not refused:
                refused = True
                await _refuse(send, limit)
            return {"type": "http.disconnect"} if refused else message

        async def unless_refused(message) -> None:
            if not refused:
                await send(message)

        await self.app(scope, counted, unless_refused)


async def _refuse(send, limit: int) -> None:
    text = PLAIN % limit
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(text)).encode())]
    headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": text})
