#!/usr/bin/env python3
"""Record a load on Latchstring, make the disks that power cuts would leave, and check each.

    power.py record RECORDING [--seed N] [--seconds N]
    power.py check RECORDING [--images N] [--seed N]
    power.py check RECORDING --at POSITION:SEED [--keep FOLDER]    one image again, as a failure names it
    power.py run [--recordings N] [--images N] [--seed N] [--workers N]
"""
import argparse
import contextlib
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

import images  # noqa: E402
import recording as rec  # noqa: E402

PROGRAMS = os.environ.get("LST_POWER_PROGRAMS", os.path.join(ROOT, "build", "release", "tests", "power"))
SYNC_US_MAX = 3000


def scratch():
    """Where images are made: in memory, if there is such a place. They are written and read once."""
    return tempfile.TemporaryDirectory(prefix="lst-power-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)


@contextlib.contextmanager
def recorder(mount, recording, seed):
    """The recording file system, mounted."""
    os.makedirs(mount)
    process = subprocess.Popen([os.path.join(PROGRAMS, "recorder"), mount, recording, str(SYNC_US_MAX), str(seed)])
    deadline = time.monotonic() + 60
    while not os.path.exists(os.path.join(mount, ".marks")):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise OSError("the recorder did not start")
        time.sleep(0.01)
    try:
        yield
    finally:
        process.terminate()
        try:
            status = process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
        if os.path.ismount(mount):
            subprocess.run(["umount", "--lazy", mount], check=False)
        assert status == 0, f"the recorder ended with status {status}"


PHASES = ((0, False), (1, True), (2, True))
PHASES_AFTER = ((10, True), (11, True))


def record(path, seed, seconds, after=None, **more):
    """seconds 0: the first start alone. after: an image to begin with, and the marks up to it. more: variables of the
    server's environment."""
    import load
    with scratch() as folder:
        mount = os.path.join(folder, "mount")
        with recorder(mount, path, seed):
            environment = {"LD_PRELOAD": os.path.join(PROGRAMS, "libpower_syncfs.so"),
                           "LST_POWER_MARKS": os.path.join(mount, ".marks"), **more}
            if seed % 4 == 3:  # a server that knows that it is on FUSE, where syncfs() does nothing
                environment["LST_POWER_FUSE"] = "1"
            clients = load.Load(mount, folder, seed, environment)
            if after:
                clients.put_back(*after)
            if seconds == 0:
                clients.only_start()
                return
            clients.run(seconds, PHASES_AFTER if after else PHASES)


def record_after(path, seed, seconds, first):
    """A recording that begins where a power cut in the second half of another one left the disk."""
    events, disk = rec.read(first), images.Disk()
    position = random.Random(seed).randrange(len(events) // 2, len(events))
    for event in events[:position]:
        disk.play(event)
    with scratch() as folder:
        image = os.path.join(folder, "image")
        disk.image(seed, image)
        record(path, seed, seconds, (image, [mark for place, mark in rec.marks(events) if place < position]))


def check_some(work):
    """In a process of its own: make and check images at these cuts, which ascend. Gives the failures."""
    path, places, keep = work
    import check
    events, disk, failures, styles = rec.read(path), images.Disk(), [], {}
    with scratch() as folder, check.Checker(rec.marks(events), folder) as checker:
        for position, seed in places:
            while disk.position < position:
                disk.play(events[disk.position])
            image = os.path.join(keep or folder, f"image-{position}-{seed}")
            style = disk.image(seed, image)
            styles[style] = styles.get(style, 0) + 1
            faults = checker.check(image, position)
            if faults:
                failures.append((position, seed, style, faults))
            if not keep:
                shutil.rmtree(image)
    return failures, styles


def check(path, places, workers=1, keep=None):
    """The failures: (position, seed, style, what is wrong)."""
    shares = [(path, places[start::workers], keep) for start in range(workers)]
    if workers == 1:
        return check_some(shares[0])[0]
    with multiprocessing.Pool(workers) as pool:
        return [failure for failures, _ in pool.map(check_some, shares) for failure in failures]


def tell(path, failures):
    """Failures for people, and how to see each again."""
    lines = []
    for position, seed, style, faults in failures:
        lines.append(f"{len(faults)} faults after a power cut at {position} ({style}); again:"
                     f" tests/power/power.py check {path} --at {position}:{seed}")
        lines += [f"    {fault}" for fault in faults[:8]]
    return "\n".join(lines)


def run(recordings, count, seed, workers=2, seconds=9, kept=os.path.join(ROOT, "build", "power")):
    """Record and check. A recording with which something failed is kept, and named. What failed, as text."""
    os.makedirs(kept, exist_ok=True)
    told = []
    for number in range(seed, seed + recordings):
        first, second = (os.path.join(kept, f"{number}{what}.recording") for what in ("", "-after"))
        record(first, number, seconds)
        record_after(second, number, seconds / 3, first)
        for path, share in ((first, count - count // 3), (second, count // 3)):
            begun, events = time.monotonic(), rec.read(path)
            failures = check(path, images.cuts(events, share, number), workers)
            print(f"{os.path.basename(path)}: {len(events)} events, {os.path.getsize(path) >> 20} MiB;"
                  f" {share} images, {time.monotonic() - begun:.0f} s, {len(failures)} failed", flush=True)
            if failures:
                told.append(tell(path, failures))
                print(told[-1], flush=True)
            else:
                os.remove(path)
    return "\n".join(told)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("record", "check", "run"))
    parser.add_argument("recording", nargs="?")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=9)
    parser.add_argument("--recordings", type=int, default=1)
    parser.add_argument("--images", type=int, default=150)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--at", metavar="POSITION:SEED")
    parser.add_argument("--keep", metavar="FOLDER")
    arguments = parser.parse_args()
    if arguments.what == "run":
        return 1 if run(arguments.recordings, arguments.images, arguments.seed, arguments.workers, arguments.seconds) else 0
    if arguments.what == "record":
        record(arguments.recording, arguments.seed, arguments.seconds)
        return 0
    if arguments.at:
        places = [tuple(map(int, arguments.at.split(":")))]
    else:
        places = images.cuts(rec.read(arguments.recording), arguments.images, arguments.seed)
    failures = check(arguments.recording, places, 1 if arguments.at else arguments.workers, arguments.keep)
    print(tell(arguments.recording, failures))
    print(f"{len(places)} images, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
