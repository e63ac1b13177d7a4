"""From a recording to what may be on the disk when the power fails at some point of it.

README.md describes the model. What a sync has made durable is there. Of the rest anything may be
there: each block of a file as it was at any moment since the last sync, each size likewise, each
change of a folder or not. A seed decides, so that an image can be made again.
"""
import bisect
import os
import random

import recording as rec

# What of the changes that were not synced is kept, in most images for all files alike.
DROPPED, KEPT, ORDERED, PAGES, SECTORS = "dropped", "kept", "in order", "by page", "by sector"
BLOCKS = {PAGES: 4096, SECTORS: 512}
FIRST_EVENTS = 60  # of a new folder, or of a recovery
BLOCKS_MAX = 2048  # decisions for one file; blocks beyond that are decided on in runs


class File:
    """Its bytes as far as they are durable, and what was done since."""

    def __init__(self):
        self.durable = bytearray()
        self.pending = []  # (position, offset, data); truncated to a size: (position, size, None)

    def sync(self, position):
        count = bisect.bisect_left(self.pending, position, key=lambda change: change[0])
        for _, offset, data in self.pending[:count]:
            apply_change(self.durable, offset, data)
        del self.pending[:count]

    def survivor(self, chance, style, horizon):
        """What may be found of it."""
        if not self.pending or style == DROPPED:
            return self.durable
        content = bytearray(self.durable)
        if style in (KEPT, ORDERED):
            for position, offset, data in self.pending:
                if style == KEPT or position < horizon:
                    apply_change(content, offset, data)
                elif position == horizon:
                    apply_change(content, offset, torn(chance, data))
            return content
        return self.scattered(chance, content, BLOCKS[style])

    def scattered(self, chance, content, block):
        """Each block as it was after some of the changes; the size, too."""
        count = len(self.pending)
        size_after = chance.choice((0, count, chance.randint(0, count)))
        total = sum(len(data) for _, _, data in self.pending if data is not None)
        block *= max(1, total // block // BLOCKS_MAX)
        blocks, size = {}, len(content)
        for number, (_, offset, data) in enumerate(self.pending):
            if data is None:
                if number < size_after:
                    size = offset
                    apply_change(content, offset, None)
                continue
            if number < size_after:
                size = max(size, offset + len(data))
            end = offset + len(data)
            while offset < end:
                edge = min(end, (offset // block + 1) * block)
                if offset // block not in blocks:
                    blocks[offset // block] = chance.choice((0, count, chance.randint(0, count)))
                if number < blocks[offset // block]:
                    apply_change(content, offset, data[len(data) - (end - offset):len(data) - (end - edge)])
                offset = edge
        if len(content) > size:
            del content[size:]
        return content + bytes(size - len(content))


def apply_change(content, offset, data):
    if data is None:
        if offset < len(content):
            del content[offset:]
        else:
            content.extend(bytes(offset - len(content)))
        return
    if offset > len(content):
        content.extend(bytes(offset - len(content)))
    content[offset:offset + len(data)] = data


def torn(chance, data):
    """The beginning of a write, to a border of a block."""
    if data is None:
        return None
    block = chance.choice((512, 4096))
    return data[:block * chance.randint(0, len(data) // block)]


class Names:
    """The folders: what each name stands for, as far as that is durable, and the changes since."""

    def __init__(self):
        self.durable = {}  # (folder, name) -> node
        self.since = {}    # (folder, name) -> position of the change that made it so
        self.pending = []  # (position, folders, [((folder, name), node or None)])

    def change(self, position, *effects):
        self.pending.append((position, {place[0] for place, _ in effects}, effects))

    def sync(self, position, folder=None):
        """What was done before to a folder, or to all, is durable."""
        left = []
        for change in self.pending:
            if change[0] < position and (folder is None or folder in change[1]):
                self.settle(change)
            else:
                left.append(change)
        self.pending = left

    def settle(self, change):
        position, _, effects = change
        for place, node in effects:
            if self.since.get(place, -1) < position:
                self.since[place] = position
                self.durable[place] = node

    def survivors(self, keep):
        """Names and nodes, with those of the changes since that are kept."""
        found = dict(self.durable)
        for change in self.pending:
            if keep(change):
                found.update({place: node for place, node in change[2]
                              if self.since.get(place, -1) < change[0]})
        return {place: node for place, node in found.items() if node is not None}


class Disk:
    """A file system that is told of each event, and gives the images that a power cut would leave."""

    def __init__(self):
        self.files, self.folders = {}, {rec.ROOT}
        self.strict, self.journal = Names(), Names()
        self.syncs = {}  # number of a sync that has not returned -> where it began
        self.position = 0

    def play(self, event):
        position, numbers = self.position, event.numbers
        if event.kind in (rec.CREATE, rec.MAKE_FOLDER, rec.LINK):
            if event.kind == rec.CREATE:
                self.files[numbers[1]] = File()
            elif event.kind == rec.MAKE_FOLDER:
                self.folders.add(numbers[1])
            self.change(((numbers[0], event.name), numbers[1]))
        elif event.kind in (rec.UNLINK, rec.REMOVE):
            self.change(((numbers[0], event.name), None))
        elif event.kind == rec.RENAME:
            self.change(((numbers[0], event.name), None), ((numbers[1], event.other), numbers[2]))
        elif event.kind == rec.WRITE:
            self.files[numbers[0]].pending.append((position, numbers[1], event.data))
        elif event.kind == rec.TRUNCATE:
            self.files[numbers[0]].pending.append((position, numbers[1], None))
        elif event.kind == rec.ALLOCATE:
            assert numbers[3] == 1, "only room beyond the end of a file (FALLOC_FL_KEEP_SIZE) is modelled"
        elif event.kind == rec.SYNC_BEGIN:
            self.syncs[numbers[1]] = position
        elif event.kind == rec.SYNC_END:
            self.sync(numbers[0], self.syncs.pop(numbers[1]))
        self.position += 1

    def change(self, *effects):
        self.strict.change(self.position, *effects)
        self.journal.change(self.position, *effects)

    def sync(self, node, began):
        """What was done to the node before the sync began is durable, now that it has returned."""
        self.journal.sync(began)
        if node == 0:
            self.strict.sync(began)
            for file in self.files.values():
                file.sync(began)
        elif node in self.files:
            self.files[node].sync(began)
        else:
            self.strict.sync(began, node)

    def survivors(self, chance, horizon):
        """Of the names, by one of the models; and the model."""
        model = chance.choice(("dropped", "kept", "in order", "each", "each", "journal"))
        if model == "journal":
            return model, self.journal.survivors(lambda change: change[0] < horizon)
        keep = {"dropped": lambda _: False, "kept": lambda _: True, "in order": lambda change: change[0] < horizon,
                "each": lambda _: chance.random() < 0.5}[model]
        return model, self.strict.survivors(keep)

    def image(self, seed, folder):
        """Make the folder as it may be found after a power cut now. Says how it was made."""
        chance = random.Random(seed)
        horizon = chance.randint(max(0, self.position - chance.choice((4, 40, 400))), self.position)
        model, names = self.survivors(chance, horizon)
        style = chance.choice((DROPPED, KEPT, ORDERED, PAGES, SECTORS, None, None, None))
        inside = {}
        for (parent, name), node in names.items():
            inside.setdefault(parent, []).append((name, node))
        made = {}
        self.make(folder, rec.ROOT, inside, made,
                  lambda: style or chance.choice((DROPPED, KEPT, ORDERED, PAGES, SECTORS)), chance, horizon)
        return f"names {model}, bytes {style or 'mixed'}"

    def make(self, path, node, inside, made, style, chance, horizon):
        os.mkdir(path, 0o700)
        for name, child in sorted(inside.get(node, ())):
            place = os.path.join(path, name)
            if child in self.folders:
                self.make(place, child, inside, made, style, chance, horizon)
            elif child in made:
                os.link(made[child], place)
            else:
                made[child] = place
                with open(place, "wb") as file:
                    file.write(self.files[child].survivor(chance, style(), horizon))
                os.chmod(place, 0o600)


def start_of(events):
    """Where it begins: behind what was there before, if that was put there and synced (load.py, put_back())."""
    for position, event in enumerate(events):
        if event.kind == rec.MARK and bytes(event.data) == rec.STARTED:
            return position + 1
    return 0


def cuts(events, count, seed):
    """Where the power fails: (position, seed of the image), ascending. Mostly just before or after a sync or a mark."""
    chance, start = random.Random(seed), start_of(events)

    def places(*kinds):
        return [position for position in range(start, len(events)) if events[position].kind in kinds]
    syncs, marks, everywhere = places(rec.SYNC_BEGIN, rec.SYNC_END), places(rec.MARK), range(start, len(events))
    names = places(rec.RENAME, rec.UNLINK, rec.LINK, rec.MAKE_FOLDER, rec.REMOVE)
    first = everywhere[:FIRST_EVENTS]
    found = []
    for _ in range(count):
        position = chance.choice(chance.choice((syncs, syncs, marks, marks, names, everywhere, first)) or everywhere)
        found.append((min(position + chance.choice((0, 1, 1, 2, 3)), len(events)), chance.getrandbits(32)))
    return sorted(found)
