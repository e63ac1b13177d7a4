"""Charts for docs/, drawn from what was measured: no library, so that the files are small and can be read."""
import math

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 440, 340, 62, 56, 24, 50


def power(value):
    """Of ten: the greatest that is not above a number."""
    return math.floor(math.log10(value) + 1e-9)


def number(value):
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


class Chart:
    """One chart: both axes are logarithmic. rows: numbers, the first of which is the x. curves: title, column, divided by,
    colour."""

    def __init__(self, left, title, axis, rows, curves):
        self.left, self.axis, self.rows, self.curves = left, axis, rows, curves
        values = [row[column] / unit for row in rows for _, column, unit, _ in curves]
        self.low, self.high = power(min(values)), power(max(values)) + 1
        self.first, self.last = power(rows[0][0]), power(rows[-1][0])
        self.parts = [f'<text x="{left + LEFT}" y="24" font-weight="bold">{title}</text>']

    def x(self, value):
        span = max(self.last - self.first, 1)
        return self.left + LEFT + (math.log10(value) - self.first) / span * (WIDTH - LEFT - RIGHT)

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
        self.parts.append(f'<text x="{self.left + (LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 12}" text-anchor="middle">{self.axis}</text>')
        for name, column, unit, colour in self.curves:
            points = [(self.x(row[0]), self.y(row[column] / unit)) for row in self.rows]
            path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
            self.parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
            self.parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"><title>{number(row[column] / unit)}</title>'
                           "</circle>" for (x, y), row in zip(points, self.rows)]
        names = (f'<tspan dx="{12 if at else 0}" fill="{curve[3]}">{curve[0]}</tspan>' for at, curve in enumerate(self.curves))
        self.parts.append(f'<text x="{self.left + LEFT}" y="42">{"".join(names)}</text>')
        return "\n".join(self.parts)


def write(path, charts):
    """Charts side by side, made for 0, WIDTH, 2 * WIDTH, ..."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {len(charts) * WIDTH} {HEIGHT}" width="{len(charts) * WIDTH}" '
                   f'height="{HEIGHT}" font-family="sans-serif" font-size="12">\n'
                   f'<rect width="100%" height="100%" fill="#fff"/>\n'
                   + "\n".join(chart.draw() for chart in charts) + "\n</svg>\n")
