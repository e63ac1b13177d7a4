"""What may be in a data folder when the power has failed: from the marks of the recording up to that point."""


class Change:
    """A value that a register may have: from an operation that began, and perhaps ended."""

    def __init__(self, value, began):
        self.value, self.began, self.ended = value, began, None


class Model:
    """
    Registers and what each may hold. A register may hold the value of any operation that began, unless another one
    that was acknowledged began after the end of this one: then this one was overwritten before the power failed.
    """

    def __init__(self):
        self.registers = {}  # name -> [Change]
        self.open = {}       # number of an operation that was not acknowledged -> its mark, and the changes it makes
        self.began_uses, self.served_uses = {}, {}  # link -> how often
        self.idempotent = {}  # key -> what was asked, what was answered
        self.delivered = set()
        self.creating = set()  # "BUCKET KEY" for which a multipart upload may be there that nobody has heard of
        self.token = None
        self.acknowledged = 0

    def play(self, position, mark):
        if "begin" in mark:
            self.begin(position, mark)
        elif "end" in mark:
            self.end(position, mark)
        elif "lost" in mark:
            begun, changes = self.open[mark["lost"]]
            for change in changes.values():
                change.ended = position
            if "creates_upload" in begun:
                self.creating.add(begun["creates_upload"])
        elif "delivered" in mark:
            self.delivered.add(mark["delivered"])

    def begin(self, position, mark):
        changes = {}
        for register, value in mark["effects"].items():
            changes[register] = Change(value, position)
            self.held(register).append(changes[register])
        self.open[mark["begin"]] = (mark, changes)
        if "uses" in mark:
            self.began_uses[mark["uses"]] = self.began_uses.get(mark["uses"], 0) + 1

    def held(self, register):
        if register not in self.registers:
            nothing = Change(None, -1)
            nothing.ended = -1
            self.registers[register] = [nothing]
        return self.registers[register]

    def end(self, position, mark):
        begun, changes = self.open.pop(mark["end"])
        self.acknowledged += 1
        for register, value in (mark.get("effects") or {}).items():
            if register.startswith("idempotent "):
                self.idempotent[register.split(" ", 1)[1]] = (begun["idempotent"][1], value)
                continue
            if register not in changes:
                changes[register] = Change(value, begun_at(changes, position))
                self.held(register).append(changes[register])
            changes[register].value = value
            if mark.get("main_token"):
                self.token = register.split(" ", 1)[1]
        for register, change in changes.items():
            change.ended = position
            self.registers[register] = [other for other in self.held(register)
                                        if other is change or other.ended is None or other.ended > change.began]
        if mark.get("status") == 200:
            self.served_uses[begun["uses"]] = self.served_uses.get(begun["uses"], 0) + 1

    def allowed(self, register):
        """The values that it may have; None: it may be absent."""
        return [change.value for change in self.registers.get(register, [])] or [None]

    def named(self, kind):
        """The registers of a kind: (all words of the name behind the kind, name)."""
        return [(name.split(" ")[1:], name) for name in self.registers if name.split(" ", 1)[0] == kind]

    def may_be_creating(self, place):
        return place in self.creating or any(begun.get("creates_upload") == place for begun, _ in self.open.values())


def begun_at(changes, position):
    """A register that only the answer names did not exist before."""
    return min([change.began for change in changes.values()], default=position - 1)
