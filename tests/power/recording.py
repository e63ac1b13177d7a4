"""A recording of what was done to a file system: its events, in order (see log.h)."""
import json
import mmap
import struct

(MARK, MAKE_FOLDER, CREATE, WRITE, TRUNCATE, ALLOCATE, RENAME, LINK, UNLINK, REMOVE, SYNC_BEGIN,
 SYNC_END) = range(1, 13)
ROOT = 1
STARTED = b'{"started": true}'  # the mark that ends what was there before
HEAD = struct.Struct("=IIIIQQQQ")


class Event:
    __slots__ = ("kind", "name", "other", "data", "numbers")

    def __init__(self, kind, name, other, data, numbers):
        self.kind, self.name, self.other, self.data, self.numbers = kind, name, other, data, numbers


def read(path):
    """All events. A record that was cut short at the end is left out."""
    with open(path, "rb") as file:
        content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    events, place = [], 0
    while place + HEAD.size <= len(content):
        kind, name, other, data, *numbers = HEAD.unpack_from(content, place)
        place += HEAD.size
        end = place + name + other + data
        if end > len(content):
            break
        events.append(Event(kind, bytes(content[place:place + name]).decode(),
                            bytes(content[place + name:place + name + other]).decode(),
                            content[place + name + other:end], numbers))
        place = end
    return events


def marks(events):
    """(position, what the load driver wrote) of each mark."""
    return [(position, json.loads(bytes(event.data)))
            for position, event in enumerate(events) if event.kind == MARK]
