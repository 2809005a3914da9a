"""With every chunk everything is read again."""

# fails: reads_every_byte_once


def read_stream(chunks):
    found, told, done, data = [], 0, False, b""
    for chunk in chunks:
        data += bytes(chunk)
        events, block, done = [], [], False
        text = data.decode("utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        for line in text.split("\n")[:-1]:
            name, _, value = line.partition(":")
            if name == "data":
                block.append(value.removeprefix(" "))
            elif line == "" and block:
                done = done or block == ["[DONE]"]
                if not done:
                    events.append("\n".join(block))
                block = []
        found.append(events[told:])
        told = len(events)
    return {"events": found, "done": done}
