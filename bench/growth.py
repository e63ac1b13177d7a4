"""How costs grow from 1,000 objects to 10,000,000: measured, printed, and drawn into docs/growth.svg.

    make bench-growth          or: python3 bench/growth.py [--objects N] [--rows FILE]

Takes some twenty minutes and 4 GB under build/. --rows draws what bench/growth printed before.
"""
import argparse
import math
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
GROWTH = os.path.join(ROOT, "build", "release", "bench", "growth")
PICTURE = os.path.join(ROOT, "docs", "growth.svg")
# Title, column, divided by, colour.
TIMES = [("LIST of 1,000 keys, anywhere", 2, 1, "#0072b2"), ("PUT, 64 at once", 4, 1, "#d55e00"), ("GET", 1, 1000, "#009e73")]
SIZES = [("index on the disk", 7, 1 << 20, "#0072b2"), ("of it, resident at most", 9, 1024, "#56b4e9"),
         ("memory of its own", 8, 1024, "#d55e00")]
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 440, 340, 62, 56, 24, 50


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


def power(value):
    """Of ten: the greatest that is not above a number."""
    return math.floor(math.log10(value) + 1e-9)


def number(value):
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


class Chart:
    """One chart: both axes are logarithmic."""

    def __init__(self, left, title, rows, curves):
        self.left, self.rows, self.curves = left, rows, curves
        values = [row[column] / unit for row in rows for _, column, unit, _ in curves]
        self.low, self.high = power(min(values)), power(max(values)) + 1
        self.first, self.last = power(rows[0][0]), power(rows[-1][0])
        self.parts = [f'<text x="{left + LEFT}" y="24" font-weight="bold">{title}</text>']

    def x(self, objects):
        span = max(self.last - self.first, 1)
        return self.left + LEFT + (math.log10(objects) - self.first) / span * (WIDTH - LEFT - RIGHT)

    def y(self, value):
        return TOP + (self.high - math.log10(value)) / (self.high - self.low) * (HEIGHT - TOP - BOTTOM)

    def line(self, x1, y1, x2, y2):
        self.parts.append(f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="#ddd"/>')

    def draw(self):
        for exponent in range(self.low, self.high + 1):
            y = self.y(10.0 ** exponent)
            self.line(self.x(self.rows[0][0]), y, self.x(self.rows[-1][0]), y)
            self.parts.append(f'<text x="{self.left + LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{10.0 ** exponent:,g}</text>')
        for exponent in range(self.first, self.last + 1):
            x = self.x(10 ** exponent)
            self.line(x, TOP, x, HEIGHT - BOTTOM)
            self.parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">10'
                              f'<tspan dy="-5" font-size="9">{exponent}</tspan></text>')
        self.parts.append(f'<text x="{self.left + (LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 12}" text-anchor="middle">objects</text>')
        for name, column, unit, colour in self.curves:
            points = [(self.x(row[0]), self.y(row[column] / unit)) for row in self.rows]
            path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
            self.parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
            self.parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"><title>{number(row[column] / unit)}</title>'
                           "</circle>" for (x, y), row in zip(points, self.rows)]
        names = (f'<tspan dx="{12 if at else 0}" fill="{curve[3]}">{curve[0]}</tspan>' for at, curve in enumerate(self.curves))
        self.parts.append(f'<text x="{self.left + LEFT}" y="42">{"".join(names)}</text>')
        return "\n".join(self.parts)


def draw(rows):
    charts = [Chart(0, "Processor time of an operation, microseconds", rows, TIMES), Chart(WIDTH, "MiB", rows, SIZES)]
    with open(PICTURE, "w", encoding="utf-8") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * WIDTH} {HEIGHT}" width="{2 * WIDTH}" '
                   f'height="{HEIGHT}" font-family="sans-serif" font-size="12">\n'
                   f'<rect width="100%" height="100%" fill="#fff"/>\n'
                   + "\n".join(chart.draw() for chart in charts) + "\n</svg>\n")


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
