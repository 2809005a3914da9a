"""Lines are found among the bytes, and only whole lines are decoded."""


def read_stream(chunks):
    line, data, events, done, begun, skip = bytearray(), None, [], False, False, False
    for chunk in chunks:
        now = []
        for byte in chunk:
            if skip and byte == 10:
                skip = False
                continue
            skip = byte == 13
            if byte not in (10, 13):
                line.append(byte)
                continue
            whole = bytes(line)
            if not begun:
                whole = whole.removeprefix(b"\xef\xbb\xbf")
            begun = True
            line.clear()
            if whole == b"":
                if data is not None and not done:
                    text = "\n".join(data)
                    if text == "[DONE]":
                        done = True
                    else:
                        now.append(text)
                data = None
            elif whole == b"data" or whole.startswith(b"data:"):
                value = whole[5:].decode("utf-8", errors="replace")
                data = [*(data or []), value[1:] if value[:1] == " " else value]
        events.append(now)
    return {"events": events, "done": done}
