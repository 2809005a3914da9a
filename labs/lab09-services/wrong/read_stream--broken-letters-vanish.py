"""Bytes that are no UTF-8 vanish, and nobody sees that something was there."""

# fails: reads_events

import codecs


def read_stream(chunks):
    decoder = codecs.getincrementaldecoder("utf-8-sig")("ignore")
    line, data, after_return, done, found = [], [], False, False, []
    for chunk in chunks:
        events = []
        for letter in decoder.decode(bytes(chunk)):
            is_second = letter == "\n" and after_return
            after_return = letter == "\r"
            if is_second:
                continue
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
