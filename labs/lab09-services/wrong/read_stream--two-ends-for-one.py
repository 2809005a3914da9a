"""\\r\\n is taken for two line ends."""

# fails: knows_three_line_ends

import codecs


def read_stream(chunks):
    decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
    line, data, done, found = [], [], False, []
    for chunk in chunks:
        events = []
        for letter in decoder.decode(bytes(chunk)):
            if letter not in "\r\n":
                line.append(letter)
                continue
            name, _, value = "".join(line).partition(":")
            if name == "data":
                data.append(value.removeprefix(" "))
            elif not line and data:
                event, data = "\n".join(data), []
                done = done or event == "[DONE]"
                if not done:
                    events.append(event)
            line = []
        found.append(events)
    return {"events": found, "done": done}
