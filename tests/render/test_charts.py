"""Charts: drawn as SVG and PNG, told in words, and never in the way."""

from __future__ import annotations

import asyncio
import io
import os
import struct
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as limits_of
from hypothesis import strategies as st
from PIL import Image

from bot.model.chart import Chart, Limit, Mark, Point, Span, Trace
from bot.model.target import Bound
from bot.render.chart import available, axis, chart_png, chart_svg, flags, words
from bot.render.chart.frame import apart
from bot.render.chart.series import MOST, beyond, runs
from tests.support.charts import MINUTE, START, Seen, night, p95, points, under

ROOT = Path(__file__).parents[2]
HOUR, DAY = 60 * MINUTE, 24 * 60 * MINUTE
PAPER = (254, 254, 254)
HOSTILE = (
    "</svg><script>alert(1)</script>",
    '"><image href="https://evil.example/x.png" onload="alert(1)"/>',
    "$\\frac{1}{0}$ $x",
    "two\nlines\tand \x07\x1b[31mred",
    "\u202egnp.exe \ufffe\uffff\ud800",
    "&lt;!channel&gt; &#x0;",
    "",
)


def seen(chart: Chart) -> Seen:
    return Seen(chart_svg(chart))


def pixels(chart: Chart) -> Image.Image:
    return Image.open(io.BytesIO(chart_png(chart))).convert("RGB")


def far_below() -> Limit:
    return Limit("baseline", Bound(above=95))


NASTY = {
    "an incident": night(),
    "one reading": p95(84),
    "one reading in no time": p95(84, end=START),
    "no reading": p95(limits=under(500, 1000)),
    "no reading and no bound": p95(),
    "nothing known": p95(*[None] * 10, limits=under(500)),
    "only zero": p95(*[0.0] * 10, limits=under(0.1)),
    "negative": p95(-3, -50, -7, limits=(Limit("baseline", Bound(above=-20)),)),
    "huge": p95(3.1e12, 9.9e12, 1e13, limits=under(5e12)),
    "beyond measure": p95(1e308, -1e308, 5e-324, float("inf"), float("nan")),
    "nearly the same": p95(1e15, 1e15 + 1, 1e15 + 2),
    "bounds that touch": p95(80, 90, 100, limits=under(100, 101)),
    "a bound far away": p95(80, 90, 100, limits=under(500_000, 1_000_000)),
    "long names": p95(
        *[1_234_567] * 60,
        title="the service with the longest name of all " * 9,
        spans=(Span(START - DAY, None, "INC-1234567 that is still going on"),),
        marks=tuple(
            Mark(START + at * MINUTE, f"a long name {at} " * 5) for at in (0, 1, 2, 58, 59)
        ),
        limits=(Limit("a bound with a long name", Bound(below=1_000_000)),),
    ),
    "many marks": p95(
        *[50] * 60, marks=tuple(Mark(START + at * MINUTE, "deploy") for at in range(60))
    ),
    "a month": p95(*[90] * 60, end=START + 30 * DAY),
    "no unit": p95(12, 480, unit="", metric="threads", title=""),
}


@pytest.mark.parametrize("chart", NASTY.values(), ids=NASTY)
def test_nothing_is_cut_at_the_edge_of_a_png(chart: Chart) -> None:
    image = pixels(chart)
    width, height = image.size
    edges = [
        (0, 0, width, 6),
        (0, height - 6, width, height),
        (0, 0, 6, height),
        (width - 6, 0, width, height),
    ]
    assert {colour for edge in edges for _, colour in image.crop(edge).getcolors() or ()} == {PAPER}
    assert len(image.getcolors(1_000_000) or ()) > 10


@pytest.mark.parametrize("chart", NASTY.values(), ids=NASTY)
def test_an_svg_is_whole_and_holds_nothing_but_shapes_and_texts(chart: Chart) -> None:
    found = seen(chart)
    assert found.tags <= {"svg", "title", "desc", "g", "path", "text"}
    assert found.attributes <= {
        *("viewBox", "width", "class", "role", "font-family", "style", "d", "x", "y")
    }
    assert found.root.get("role") == "img"
    assert found.title
    assert found.description == words(chart)


def test_a_png_is_1600_by_850_pixels() -> None:
    drawn = chart_png(night())
    assert drawn[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", drawn[16:24]) == (1_600, 850)


def test_an_svg_has_no_prolog_and_no_reference() -> None:
    drawn = chart_svg(night())
    assert drawn.startswith("<svg ")
    for word in ("<?", "<!", "script", "href", "url(", "<style", " id=", "<metadata"):
        assert word not in drawn


def test_an_svg_names_the_bounds_the_marks_the_units_and_the_window() -> None:
    texts = seen(night()).texts
    for text in ("P95 of iora", "▲ baseline", "500 ms", "▲ critical", "1,000 ms", "03:30"):
        assert text in texts
    for text in ("INC-7", "deploy", "declared", "acknowledged", "resolved"):
        assert text in texts
    assert "2025-06-15 03:00 to 03:59 UTC" in texts


def test_without_a_title_the_metric_is_named_as_people_say_it() -> None:
    assert seen(p95(80, metric="error_rate_percent", unit="%", title=" ")).title == "Error rate"


def test_the_same_chart_gives_the_same_bytes_whatever_was_drawn_before() -> None:
    svg, png = chart_svg(night()), chart_png(night())
    chart_svg(NASTY["many marks"])
    chart_png(NASTY["long names"])
    assert chart_svg(night()) == svg
    assert chart_png(night()) == png


async def test_threads_draw_one_after_the_other_without_mixing() -> None:
    charts = [NASTY["many marks"], night(), p95(1, 2, 3), NASTY["huge"]]
    alone = [(chart_svg(chart), chart_png(chart)) for chart in charts]
    svgs = [asyncio.to_thread(chart_svg, chart) for chart in charts]
    pngs = [asyncio.to_thread(chart_png, chart) for chart in charts]
    together = await asyncio.gather(*svgs, *pngs)
    assert list(zip(together[: len(charts)], together[len(charts) :], strict=True)) == alone


@pytest.mark.parametrize("text", HOSTILE)
def test_texts_from_outside_are_only_ever_text(text: str) -> None:
    chart = replace(
        night(),
        title=f"title {text}",
        spans=(Span(START, None, f"s{text}"),),
        marks=(Mark(START + MINUTE, f"m{text}"),),
        limits=(Limit(f"l{text}", Bound(below=500)),),
        unit=f"ms{text[:3]}",
    )
    found = seen(chart)
    assert found.tags <= {"svg", "title", "desc", "g", "path", "text"}
    assert found.title is not None
    assert found.title.startswith("Title")
    assert "\x1b" not in chart_svg(chart)
    assert chart_png(chart)


def test_dollars_are_no_formula_and_brackets_are_shown() -> None:
    marks = (Mark(START, "<b> $x^2$ & more"),)
    assert "<b> $x^2$ & more" in seen(p95(1, 2, marks=marks)).texts


def test_signs_that_the_font_does_not_have_stay_in_the_svg() -> None:
    chart = p95(1, 2, marks=(Mark(START, "日本語 🔥"), Mark(START + MINUTE, "東京都 🔥")))
    assert {"日本語 🔥", "東京都 🔥"} <= set(seen(chart).texts)
    assert chart_png(chart)


@pytest.mark.parametrize(
    ("values", "lines", "dots"),
    [
        ([1, 2, 3, 4] * 20, 1, 0),
        ([1, 2, None, 4, 5] * 20, 21, 0),
        ([1, 2, None, 4, None, 6, 7] * 10, 11, 10),
        ([1, 2, 3], 1, 3),
        ([None, None], 0, 0),
        ([1, float("nan"), 2, float("inf"), 3], 0, 3),
    ],
)
def test_a_gap_is_a_gap_and_a_lone_reading_a_dot(
    values: list[float | None], lines: int, dots: int
) -> None:
    found = seen(p95(*values))
    assert (found.pieces("line"), found.pieces("dot")) == (lines, dots)


def test_readings_with_nobody_looking_in_between_are_not_joined() -> None:
    early, late = points(1, 2, 3), [Point(START + 30 * MINUTE + at, 4.0) for at in (0, MINUTE)]
    chart = p95(points=(*early, *late), end=START + HOUR)
    assert seen(chart).pieces("line") == 1
    assert seen(replace(chart, joined_within=2 * MINUTE)).pieces("line") == 2


def test_readings_are_drawn_in_order_of_time_and_only_those_of_the_window() -> None:
    chart = p95(1, 2, 3)
    turned = replace(
        chart, points=(Point(START - 1, 9e9), *reversed(chart.points), Point(chart.end + 1, 9e9))
    )
    assert chart_svg(turned) == chart_svg(chart)


def test_what_breaks_a_bound_is_thick_and_pointed_at() -> None:
    found = seen(night())
    assert found.pieces("broken") == 2
    assert found.pieces("pointer") >= 4
    assert found.highest("pointer") < found.highest("line")


@pytest.mark.parametrize("values", [[80, 90, 499.9], [None, None]])
def test_where_no_bound_is_broken_nothing_is_pointed_at(values: list[float | None]) -> None:
    found = seen(p95(*values, limits=under(500, 1000)))
    assert found.pieces("broken") == found.pieces("pointer") == 0
    assert "baseline" in found.texts
    assert found.pieces("limit") == found.pieces("beyond") > 0


def test_an_informative_bound_is_shown_and_never_broken() -> None:
    limit = Limit("baseline", Bound(above=85, informative=True))
    chart = p95(80, 81, unit="%", metric="test_coverage_percent", limits=(limit,))
    found = seen(chart)
    assert found.pieces("limit") == 1
    assert found.pieces("beyond") == found.pieces("broken") == found.pieces("pointer") == 0
    assert "aseline" not in words(chart)


def test_a_bound_far_away_is_named_with_where_it_is() -> None:
    found = seen(p95(80, 90, limits=under(300, 5_000)))
    assert found.pieces("limit") == 1
    assert {"300 ms", "5,000 ms ↑"} <= set(found.texts)


def test_a_broken_bound_is_shown_however_far_it_is() -> None:
    limits = (Limit("baseline", Bound(above=10_000)),)
    found = seen(p95(1, 2, limits=limits))
    assert found.pieces("limit") == 1
    assert "10,000 ms" in found.texts


def test_a_chart_of_nothing_says_so() -> None:
    assert "No readings" in seen(p95()).texts
    assert "3 readings, all unknown" in seen(p95(None, None, None)).texts


def test_marks_without_room_for_their_names_are_counted() -> None:
    found = seen(NASTY["many marks"])
    named = found.texts.count("deploy")
    assert 0 < named < 60
    assert f"{60 - named} more marks" in found.texts


def test_without_a_home_it_draws_the_same_and_says_nothing(tmp_path: Path) -> None:
    script = (
        "from tests.support.charts import night\n"
        "from bot.render.chart import chart_svg\n"
        "print(chart_svg(night()), end='')\n"
    )
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=ROOT,
        env={**kept, "HOME": "/proc/nobody", "TMPDIR": str(tmp_path), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == chart_svg(night())
    assert list(tmp_path.iterdir()) == []


def test_without_the_extra_there_are_words_and_a_sparkline(tmp_path: Path) -> None:
    import pydantic

    installed = Path(pydantic.__file__).parents[1]
    for entry in installed.iterdir():
        if not entry.name.startswith(("matplotlib", "numpy")):
            (tmp_path / entry.name).symlink_to(entry)
    script = (
        "from tests.support.charts import night\n"
        "from bot.render.chart import available, words\n"
        "from bot.render.sparkline import sparkline\n"
        "print(available(), words(night())[:11], sparkline(night().points, 6, 'ms')[:6])\n"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", script],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{tmp_path}", "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout == "False P95 of iora ▁▁▁█▁▁\n"
    assert available()


def test_of_many_readings_the_peaks_stay_and_no_more_than_a_screen_shows() -> None:
    values: list[float | None] = [100.0 + number % 10 for number in range(100_000)]
    values[77_777], values[33_333] = 9_000.0, 1.0
    drawn = runs(points(*values, every=1_000))
    kept = [value for run in drawn for _, value in run]
    assert len(kept) <= MOST
    assert (max(kept), min(kept)) == (9_000.0, 1.0)
    assert [at for run in drawn for at, _ in run] == sorted(at for run in drawn for at, _ in run)


def test_of_many_readings_long_gaps_stay_and_those_that_nobody_could_see_are_closed() -> None:
    values: list[float | None] = [100.0] * 100_000
    values[500:501] = [None]
    values[50_000:60_000] = [None] * 10_000
    assert len(runs(points(*values, every=1_000))) == 2


def test_few_readings_are_kept_as_they_are() -> None:
    drawn = points(*[1.0, None] * MOST)
    assert len(runs(drawn)) == MOST


@pytest.mark.parametrize(
    ("values", "parts"),
    [
        ([1, 1.9], []),
        ([1, 3], [[(0.5, 2), (1, 3)]]),
        ([3, 1, 4], [[(0, 3), (0.5, 2)], [(pytest.approx(4 / 3), 2), (2, 4)]]),
        ([3, 4, 3], [[(0, 3), (1, 4), (2, 3)]]),
        ([2, 2], [[(0, 2), (1, 2)]]),
    ],
)
def test_a_line_breaks_a_bound_from_where_it_crosses_it(
    values: list[float], parts: list[list[tuple[float, float]]]
) -> None:
    run = [(float(at), value) for at, value in enumerate(values)]
    assert list(beyond(run, Limit("baseline", Bound(below=2)))) == parts


@pytest.mark.parametrize(
    ("values", "unit", "expected"),
    [
        ([84, 910], "ms", (0, 982.8)),
        ([86, 88], "%", (85.84, 88.16)),
        ([100, 20], "%", (0, 102)),
        ([0, 0], "", (0, 1)),
        ([-5, -50], "", (-54, 0)),
        ([-10, 10], "", (-11.6, 11.6)),
        ([212], "MB", (0, 228.96)),
        ([], "", (0, 1)),
    ],
)
def test_values_are_shown_from_zero_where_that_does_not_flatten_them(
    values: list[float], unit: str, expected: tuple[float, float]
) -> None:
    assert axis.value_range(values, unit) == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize(
    ("low", "high", "unit", "labels"),
    [
        (0, 976, "ms", ["0 ms", "200 ms", "400 ms", "600 ms", "800 ms"]),
        (0, 0.108, "%", ["0 %", "0.05 %", "0.10 %"]),
        (0, 102, "%", ["0 %", "25 %", "50 %", "75 %", "100 %"]),
        (85.84, 88.16, "%", ["86.0 %", "86.5 %", "87.0 %", "87.5 %", "88.0 %"]),
        (-11.6, 11.6, "", ["-10", "-5", "0", "5", "10"]),
        (0, 2.7e13, "", ["0", "1×10¹³", "2×10¹³"]),  # noqa: RUF001
    ],
)
def test_ticks_of_values_are_round_and_carry_the_unit(
    low: float, high: float, unit: str, labels: list[str]
) -> None:
    assert [label for _, label in axis.value_ticks(low, high, unit)] == labels


@pytest.mark.parametrize(
    ("length", "labels"),
    [
        (
            MINUTE,
            ["03:00:00", "03:00:10", "03:00:20", "03:00:30", "03:00:40", "03:00:50", "03:01:00"],
        ),
        (30 * MINUTE, ["03:00", "03:05", "03:10", "03:15", "03:20", "03:25", "03:30"]),
        (2 * HOUR, ["03:00", "03:30", "04:00", "04:30", "05:00"]),
        (DAY, ["06:00", "12:00", "18:00", "16 Jun"]),
        (3 * DAY, ["12:00", "16 Jun", "12:00", "17 Jun", "12:00", "18 Jun"]),
        (30 * DAY, ["16 Jun", "23 Jun", "30 Jun", "7 Jul", "14 Jul"]),
        (900 * DAY, ["27 Oct 2025", "27 Apr 2026", "26 Oct 2026", "26 Apr 2027", "25 Oct 2027"]),
    ],
)
def test_ticks_of_time_are_round_in_utc(length: int, labels: list[str]) -> None:
    ticks = axis.time_ticks(START, START + length, 7)
    assert [label for _, label in ticks] == labels


@limits_of(deadline=None)
@given(st.floats(-1e300, 1e300), st.floats(-1e300, 1e300), st.sampled_from(["", "%", "ms"]))
def test_any_two_values_have_ticks_within_their_range(one: float, two: float, unit: str) -> None:
    low, high = axis.value_range([axis.drawable(one), axis.drawable(two)], unit)
    assert low < high
    ticks = axis.value_ticks(low, high, unit)
    labels = [label for _, label in ticks]
    assert 1 <= len(labels) == len(set(labels)) <= 11
    assert [value for value, _ in ticks] == sorted(value for value, _ in ticks)


@limits_of(deadline=None)
@given(st.integers(1, 4_000 * DAY), st.integers(1, 9), st.integers(0, 2_000_000_000_000))
def test_no_window_has_more_ticks_than_there_is_room_for(
    length: int, most: int, start: int
) -> None:
    ticks = axis.time_ticks(start, start + length, most)
    assert len(ticks) <= most + 1
    assert all(start <= tick <= start + length for tick, _ in ticks)


@given(
    st.lists(st.tuples(st.floats(50, 500), st.text("mi", max_size=12)), max_size=25),
    st.integers(1, 4),
)
def test_no_name_of_a_mark_lies_on_another_or_on_a_pole(
    marks: list[tuple[float, str]], rows: int
) -> None:
    found = flags.placed(marks, lambda text: 7.0 * len(text), edge=600, room=6, rows=rows)
    for flag in found:
        assert flag.left >= 0
        assert flag.right <= 600
        for other in found:
            if other is flag:
                continue
            if flag.row == other.row:
                assert flag.right < other.left or other.right < flag.left
            if flag.row < other.row:
                assert not flag.left <= other.x <= flag.right


def test_names_that_can_stand_side_by_side_all_find_a_place() -> None:
    marks = [(100.0, "deploy"), (110.0, "declared"), (115.0, "INC-7"), (118.0, "acknowledged")]
    found = flags.placed(marks, lambda text: 7.0 * len(text), edge=600, room=6, rows=4)
    assert len(found) == 4


@given(st.lists(st.floats(0, 100), max_size=6))
def test_names_of_bounds_are_moved_apart(wanted: list[float]) -> None:
    found = apart(sorted(wanted), 10, 100)
    assert all(after - before >= 9.99 for before, after in pairwise(found))
    assert all(height <= 100 for height in found)


@limits_of(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.integers(-HOUR, 2 * HOUR), st.none() | st.floats()), max_size=30),
    st.integers(0, 40 * DAY),
    st.text(max_size=30),
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
)
def test_any_chart_can_be_drawn_and_told(
    given_points: list[tuple[int, float | None]], length: int, text: str, bound: float | None
) -> None:
    limits = () if bound is None else (Limit(text, Bound(below=bound)), far_below())
    chart = p95(
        points=tuple(Point(START + at, value) for at, value in given_points),
        end=START + length,
        title=text,
        limits=limits,
        marks=(Mark(START, text),),
    )
    found = seen(chart)
    assert found.description == words(chart)
    assert len(words(chart)) <= 2_000
    assert "nan" not in chart_svg(chart).replace(text, "")


def test_a_second_line_is_thin_and_what_is_expected_is_dashed_and_both_are_named() -> None:
    thin = Trace("hourly P95", points(300.0, 700.0, None, 400.0, 420.0))
    usual = Trace("usual mean", points(100.0, 100.0, 120.0, 120.0), expected=True)
    seen = Seen(chart_svg(p95(90.0, 95.0, 99.0, 97.0, 95.0, traces=(thin, usual))))
    assert seen.pieces("thin") == 2
    assert seen.pieces("expected") == 1
    assert seen.highest("thin") < seen.highest("expected") < seen.highest("line")
    assert "thin: hourly P95; dashed: usual mean" in seen.texts
    assert "Hourly P95: 300 ms at first" in seen.description
    assert "Usual mean: 100 ms to 120 ms." in seen.description


def test_a_second_line_that_breaks_a_limit_says_so_in_words_though_the_readings_keep_it() -> None:
    thin = Trace("hourly P95", points(300.0, 700.0, 400.0))
    said = words(p95(90.0, 95.0, 99.0, limits=under(500), traces=(thin,)))
    assert "Baseline (under 500 ms) kept." in said
    assert "baseline (under 500 ms) broken at 03:01" in said
