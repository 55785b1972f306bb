"""Charts as inline SVG, drawn on the server: no script, no style attributes; colours come from classes."""

from collections.abc import Sequence

from markupsafe import Markup

LEAST_HALF = 2.0  # of a funnel's band, so that a stage without posts is seen


def sparkline(values: Sequence[float], width: int = 132, height: int = 28) -> Markup:
    """Return a small line of values, oldest first. Fewer than two are no line: an empty picture."""
    if len(values) < 2:
        return Markup('<svg class="spark" viewBox="0 0 {0} {1}" width="{0}" height="{1}" aria-hidden="true"/>').format(
            width + 3, height
        )
    top = max(*values, 1)
    step = width / (len(values) - 1)
    heights = [round(height - 2 - value / top * (height - 5), 1) for value in values]
    points = [(round(place * step, 1), y) for place, y in enumerate(heights)]
    line = " ".join(f"{x},{y}" for x, y in points)
    x, y = points[-1]
    box = f'viewBox="0 0 {width + 3} {height}" width="{width + 3}" height="{height}"'
    return Markup(  # noqa: S704 # numbers only
        f'<svg class="spark" {box} aria-hidden="true">'
        f'<polygon class="spark-area" points="0,{height} {line} {x},{height}"/>'
        f'<polyline class="spark-line" points="{line}"/><circle class="spark-dot" cx="{x}" cy="{y}" r="2.25"/></svg>'
    )


def funnel(stages: Sequence[int], width: int = 1000, height: int = 96) -> Markup:
    """Return one band that narrows from stage to stage; the text above it carries the numbers."""
    top, middle, gap = max(*stages, 1), height / 2, 10
    halves = [max(LEAST_HALF, count / top * (height / 2 - 1)) for count in stages]
    column = width / len(stages)
    bands = []
    for place, half in enumerate(halves):
        left, right = place * column, (place + 1) * column - gap
        after = halves[place + 1] if place + 1 < len(halves) else half
        bend = left + (right - left) * 0.62
        curve = (bend + right) / 2
        bands.append(
            f'<path class="funnel-{place}" d="M{left:.1f} {middle - half:.1f} L{bend:.1f} {middle - half:.1f} '
            f"C{curve:.1f} {middle - half:.1f} {curve:.1f} {middle - after:.1f} {right:.1f} {middle - after:.1f} "
            f"L{right:.1f} {middle + after:.1f} C{curve:.1f} {middle + after:.1f} {curve:.1f} {middle + half:.1f} "
            f'{bend:.1f} {middle + half:.1f} L{left:.1f} {middle + half:.1f} Z"/>'
        )
    return Markup(  # noqa: S704 # numbers only
        f'<svg class="funnel-band" viewBox="0 0 {width} {height}" preserveAspectRatio="none" aria-hidden="true">'
        f"{''.join(bands)}</svg>"
    )
