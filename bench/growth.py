"""How costs grow from 1,000 objects to 10,000,000: measured, printed, and drawn into docs/growth.svg.

    make bench-growth          or: python3 bench/growth.py [--objects N] [--rows FILE]

Takes some twenty minutes and 4 GB under build/. --rows draws what bench/growth printed before.
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile

from chart import WIDTH, Chart, write

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
GROWTH = os.path.join(ROOT, "build", "release", "bench", "growth")
PICTURE = os.path.join(ROOT, "docs", "growth.svg")
# Title, column, divided by, colour.
TIMES = [("LIST of 1,000 keys, anywhere", 2, 1, "#0072b2"), ("PUT, 64 at once", 4, 1, "#d55e00"), ("GET", 1, 1000, "#009e73")]
SIZES = [("index on the disk", 7, 1 << 20, "#0072b2"), ("of it, resident at most", 9, 1024, "#56b4e9"),
         ("memory of its own", 8, 1024, "#d55e00")]


def measure(objects):
    folder = tempfile.mkdtemp(prefix="growth-", dir=os.path.join(ROOT, "build"))
    lines = []
    try:
        with subprocess.Popen([GROWTH, f"{folder}/store", "keys", str(objects)], stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout:
                print(line, end="", flush=True)
                lines.append(line)
        if process.returncode != 0:
            sys.exit(1)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return lines


def draw(rows):
    write(PICTURE, [Chart(0, "Processor time of an operation, microseconds", "objects", rows, TIMES),
                    Chart(WIDTH, "MiB", "objects", rows, SIZES)])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--objects", type=int, default=10_000_000)
    parser.add_argument("--rows", help="draw these instead of measuring")
    arguments = parser.parse_args()
    if arguments.rows:
        with open(arguments.rows, encoding="utf-8") as file:
            lines = file.readlines()
    else:
        lines = measure(arguments.objects)
    draw([[float(value) for value in line.split("\t")[1:]] for line in lines if line.startswith("grown")])


if __name__ == "__main__":
    main()
