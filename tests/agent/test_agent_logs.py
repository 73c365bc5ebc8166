"""What a log says: lines as services write them, files as they are found, and what is counted."""

import contextlib
import json
import os
import random
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.agent import tail
from bot.agent.line import Line, parse
from bot.agent.logs import Logs, report_of
from bot.agent.part import PartFailed
from bot.agent.tail import container_lines, end_of, file_lines
from bot.model.agent import LogSource
from tests.support.clock import NOON, ManualClock

SOURCE = LogSource(file="app.log")
STAMP = "2025-06-15T15:06:40.123456789Z"
AT = NOON + 123


def text_of(**more: object) -> str:
    return json.dumps({"level": "info", "message": "hello", "timestamp": STAMP} | more)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param(text_of(), Line("hello", AT, "info"), id="JSON"),
        pytest.param(
            '{"level":"error","method":"GET","path":"/x","status":500,"duration_ms":12.4}',
            Line("GET /x 500 12 ms", None, "error", 12.4, True),
            id="a request",
        ),
        pytest.param(
            '{"tool":"lint","exitCode":2,"level":"info"}',
            Line("lint", None, "info", None, True),
            id="a tool that failed",
        ),
        pytest.param('{"level":50,"msg":"x"}', Line("x", None, "error"), id="pino's numbers"),
        pytest.param('{"severity":"WARNING","msg":"x"}', Line("x", None, "warn"), id="severity"),
        pytest.param(
            '{"msg":"x","status":200,"ts":1749999999.5}',
            Line("x", 1749999999500, None, None, False),
            id="seconds",
        ),
        pytest.param('{"msg":"x","time":1749999999500}', Line("x", 1749999999500), id="ms"),
        pytest.param('{"msg":"x","ts":1749999999500000000}', Line("x", 1749999999500), id="ns"),
        pytest.param(
            '{"msg":"x","duration":{"secs":1,"nanos":5000000}}',
            Line("x", None, None, 1005.0, False),
            id="Rust's durations",
        ),
        pytest.param(
            '{"msg":"x","latency":"1.5s"}',
            Line("x", None, None, 1500.0, False),
            id="Go's durations",
        ),
        pytest.param(
            '{"msg":"x","duration_ms":18446744073709551615}', Line("x"), id="2^64 - 1 is none"
        ),
        pytest.param('{"msg":"x","duration_ms":NaN}', Line("x"), id="no number"),
        pytest.param(
            '{"msg":"x","status":503}', Line("x", None, "error", None, True), id="no level"
        ),
        pytest.param(
            "2025-06-15T15:06:40.123Z ERROR pool: no connection",
            Line("2025-06-15T15:06:40.123Z ERROR pool: no connection", AT, "error"),
            id="text",
        ),
        pytest.param("[warn] disk", Line("[warn] disk", None, "warn"), id="brackets"),
        pytest.param("level=error x=1", Line("level=error x=1", None, "error"), id="logfmt"),
        pytest.param("0 error(s) found", Line("0 error(s) found"), id="the word alone is no level"),
        pytest.param('{"level":"err', Line('{"level":"err'), id="half a JSON line"),
        pytest.param('{"a":' * 9_000, Line('{"a":' * 9_000), id="nested without an end"),
        pytest.param("{}", Line("{}"), id="nothing in it"),
        pytest.param('{"time":"never","msg":"x"}', Line("x"), id="no time"),
        pytest.param('{"time":1e999,"msg":"x"}', Line("x"), id="infinity is no time"),
        pytest.param('{"time":1e30,"msg":"x"}', Line("x"), id="no time that a calendar has"),
        pytest.param('{"time":1%s,"msg":"x"}' % ("0" * 400), Line("x"), id="no float's time"),
        pytest.param(
            '{"took_ms":1%s,"msg":"x"}' % ("0" * 400), Line("x"), id="no float's duration"
        ),
        pytest.param(
            '{"latency":{"secs":1%s,"nanos":0},"msg":"x"}' % ("0" * 400),
            Line("x"),
            id="no float's seconds",
        ),
    ],
)
def test_a_line_is_read_for_what_it_says(text, line):
    assert parse(text) == line


def test_a_text_time_without_a_zone_is_of_this_machine():
    local = datetime(2025, 6, 15, 12, 0, 0).astimezone(UTC)
    assert parse("2025-06-15 12:00:00,000 INFO x").at == local.timestamp() * 1000


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "app.log"


def test_of_a_huge_file_only_the_end_is_read(path):
    with path.open("wb") as file:
        file.seek(200 * 1024**3)  # sparse: it takes no room
        file.write(b"\nlast but one\nlast\n")
    assert [line.message for line in file_lines(path)] == ["last but one", "last"]


def test_a_file_that_is_longer_than_the_bound_begins_with_a_whole_line(path):
    path.write_text("".join(f"line {number:06}\n" for number in range(300_000)))
    found = [line.message for line in file_lines(path)]
    assert found[-1] == "line 299999"
    assert found[0] == f"line {300_000 - len(found):06}"
    assert tail.MOST_BYTES - 12 <= 12 * len(found) <= tail.MOST_BYTES + 12


@pytest.mark.parametrize("size", [1, 5, 11, 12, 13, 100])
def test_no_line_is_ever_read_in_half(path, size):
    path.write_bytes(b"first\nsecond\n")
    assert end_of(path, size) in (b"", b"second\n", b"first\nsecond\n", b"second\n"[-size:])


def test_one_huge_line_is_cut_and_the_next_ones_are_read(path):
    path.write_bytes(b"x" * 1_900_000 + b"\nnext\n")
    huge, after = file_lines(path)
    assert len(huge.message) == 65_536
    assert after.message == "next"


def test_invalid_utf_8_and_nuls_are_survived(path):
    path.write_bytes(b"\xff\xfe ERROR caf\xe9\n\0\0\0\0\0\0last\n")
    first, last = file_lines(path)
    assert first.level == "error"
    assert last.message == "last"


def test_a_file_that_was_just_rotated_is_read_on_from_the_one_before(path):
    path.with_name("app.log.1").write_text("old 1\nold 2")
    path.write_text("new\n")
    assert [line.message for line in file_lines(path)] == ["old 1", "old 2", "new"]
    path.write_text("")
    assert [line.message for line in file_lines(path)] == ["old 1", "old 2"]


def test_a_file_that_was_truncated_is_read_as_it_is_now(path):
    path.write_text("one\ntwo\n" * 1000)
    file_lines(path)
    os.truncate(path, 4)
    assert [line.message for line in file_lines(path)] == ["one"]


def test_a_file_that_is_written_and_rotated_all_the_time_never_gives_anything_but_whole_lines(path):
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            with path.open("w") as file:
                for number in range(200):
                    file.write(f"line {number:05} ends\n")
            path.replace(path.with_name("app.log.1"))
            path.touch()

    writer = threading.Thread(target=write)
    path.touch()
    writer.start()
    try:
        for _ in range(100):
            found = []
            with contextlib.suppress(PartFailed):  # between the rename and the new file
                found = file_lines(path)
            assert all(line.message.startswith("line ") for line in found[:-1])
    finally:
        stop.set()
        writer.join()


def test_what_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(PartFailed, match="is not a file"):
        file_lines(tmp_path / "pipe")
    with pytest.raises(PartFailed, match="is not a file"):
        file_lines(tmp_path)
    with pytest.raises(PartFailed, match="there is no file"):
        file_lines(tmp_path / "none")


def test_dockers_log_is_unwrapped_and_its_parts_are_joined(path):
    rows = [
        {"log": "plain\n", "stream": "stdout", "time": STAMP},
        {"log": '{"level":"error","message":"', "stream": "stderr", "time": STAMP},
        {"log": 'broken"}\n', "stream": "stderr", "time": STAMP},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert container_lines(path) == [Line("plain", AT), Line("broken", AT, "error")]


def test_a_cri_log_is_unwrapped_and_its_parts_are_joined(path):
    path.write_text(
        f"{STAMP} stdout P WARN half \n{STAMP} stdout F and half\nnothing of the kind\n"
    )
    assert container_lines(path) == [
        Line("WARN half and half", AT, "warn"),
        Line("nothing of the kind"),
    ]


def line(message: str = "x", ago_s: float = 1, **more: object) -> Line:
    return Line(message, NOON - round(ago_s * 1000), **more)


def test_only_the_lines_of_the_window_are_counted_but_the_last_ones_are_shown_in_any_case():
    old = [line("dead", 4000, level="error")]
    data = report_of(old, SOURCE, NOON).json()
    assert (data["lines"], data["errors"], data["from"], data["to"]) == (0, 0, None, None)
    assert [row["message"] for row in data["recent"]] == ["dead"]


def test_a_line_without_a_time_belongs_to_the_one_before():
    lines = [line("old", 4000), Line("  at old:1"), line("new", 5), Line("  at new:1")]
    assert report_of(lines, SOURCE, NOON).json()["lines"] == 2
    assert report_of([Line("a"), Line("b")], SOURCE, NOON).json()["lines"] == 2


def test_errors_warnings_timeouts_and_slow_lines_are_counted():
    lines = [
        line("boom", level="error"),
        line("hm", level="warn"),
        line("Timeout of the oracle"),
        line("request timed out"),
        line("slow query"),
        line("x", duration_ms=501.0, failed=False),
        line("x", duration_ms=500.0, failed=True),
        line("slowest of all is no word of ours"),
    ]
    data = report_of(lines, SOURCE, NOON).json()
    counts = [data[key] for key in ("errors", "warnings", "timeouts", "slow", "requests")]
    assert counts == [1, 1, 2, 2, 2]
    assert (data["error_rate_percent"], data["p95_ms"]) == (50.0, 501.0)


def test_the_95th_percentile_is_by_nearest_rank():
    lines = [line("x", duration_ms=float(number), failed=False) for number in range(1, 101)]
    random.Random(3).shuffle(lines)
    assert report_of(lines, SOURCE, NOON).json()["p95_ms"] == 95.0


def test_a_log_without_requests_has_no_error_rate_and_says_so():
    data = report_of([line()], SOURCE, NOON).json()
    assert (data["p95_ms"], data["error_rate_percent"], data["requests"]) == (None, None, 0)
    assert set(data["unknown"]) == {"p95_ms", "error_rate_percent"}


def test_of_many_lines_the_last_errors_come_first_and_no_more_than_fifty_are_shown():
    lines = [line(f"info {number}") for number in range(80)]
    lines += [line(f"error {number}", level="error") for number in range(10)]
    lines += [line(f"info {number}") for number in range(80, 100)]
    shown = [row["message"] for row in report_of(lines, SOURCE, NOON).json()["recent"]]
    assert shown[:10] == [f"error {number}" for number in range(10)]
    assert len(shown) == 50
    assert shown[-1] == "info 99"
    many = [line(f"error {number}", level="error") for number in range(99)]
    assert report_of(many, SOURCE, NOON).json()["recent"][0]["message"] == "error 49"


def test_what_leaves_the_machine_has_no_secrets_no_controls_and_is_not_long():
    secret = "token=abcdef123456 \x1b[31m xoxb-1234567890-abcdef " + "y" * 9_000
    (row,) = report_of([line(secret)], SOURCE, NOON).json()["recent"]
    assert "abcdef" not in row["message"]
    assert "\x1b" not in row["message"]
    assert len(row["message"]) == 500


async def test_each_source_has_its_own_report_or_its_own_error(tmp_path):
    (tmp_path / "here.log").write_text("hello\n")
    sources = [
        LogSource(file="here.log"),
        LogSource(file="none.log"),
        LogSource(container="here.log"),
    ]
    found = await Logs(sources, tmp_path, ManualClock()).read()
    assert [one["source"] for one in found] == [
        "file here.log",
        "file none.log",
        "container here.log",
    ]
    assert [one["lines"] for one in found] == [1, 0, 1]
    assert found[1]["errors"] is None, "nobody knows, so it is not 0"
    assert "there is no file" in found[1]["error"]
    assert set(found[0]) == set(found[1])


async def test_without_sources_there_are_no_reports(tmp_path):
    assert await Logs([], tmp_path, ManualClock()).read() == []
