"""The table that every bench prints: what, how much, the target, met or missed."""
import contextlib
import os
import shutil
import tempfile

BUILD = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "build")


class Table:
    def __init__(self, title):
        self.missed = 0
        print(f"{title:<62} {'measured':>9}  {'target':>10}", flush=True)

    def add(self, what, value, target, detail="", at_most=False):
        met = value <= target if at_most else value >= target
        self.missed += not met
        bound = f"{'at most' if at_most else 'at least'} {target:g}"
        print(f"  {what:<60} {value:>9.2f}  {bound:<14} {'met' if met else 'MISSED':<7} {detail}", flush=True)

    def status(self):
        """The exit status of the bench."""
        return 1 if self.missed else 0


@contextlib.contextmanager
def measuring(title, subfolder):
    """A table, and for what is measured a folder on a disk, not in memory, with a folder in it."""
    folder = tempfile.mkdtemp(prefix="bench-", dir=BUILD)
    try:
        os.makedirs(f"{folder}/{subfolder}")
        yield Table(title), folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
