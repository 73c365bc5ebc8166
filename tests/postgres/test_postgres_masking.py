"""SQL is shown without its values, however it is written or cut off."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.agent.postgres.masking import masked


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("SELECT 'a''b', 5", "SELECT ?, ?"),
        ("SELECT $1, col1, t2.x FROM t2", "SELECT $1, col1, t2.x FROM t2"),
        ("SELECT -1.5e10, .5, 0x1F", "SELECT -?, ?, ?"),
        (r"SELECT E'it\'s secret', e'\\', x", "SELECT ?, ?, x"),
        (r"SELECT 'C:\', name FROM t", "SELECT ?, name FROM t"),
        ("SELECT * FROM t WHERE a LIKE'secret'", "SELECT * FROM t WHERE a LIKE?"),
        ("DO $$ secret $$", "DO ?"),
        ("DO $do$ 'secret' $$ secret $do$ LANGUAGE sql", "DO ? LANGUAGE sql"),
        ('SELECT "odd ""name" FROM "T 1"', 'SELECT "odd ""name" FROM "T 1"'),
        ("SELECT 1 -- secret\n, 2", "SELECT ? , ?"),
        ("SELECT /* secret */ x", "SELECT x"),
        ("SELECT x /* a /* nested */ secret */", "SELECT x"),
        ("SELECT '-- no comment', x", "SELECT ?, x"),
        ("SELECT x, 'cut o", "SELECT x, ?"),
        (r"SELECT x, E'cut o\ ".rstrip(), "SELECT x, ?"),
        ("SELECT x, $$cut o", "SELECT x, ?"),
        ("SELECT x /* cut o", "SELECT x"),
        ("ALTER ROLE bob PASSWORD 'hunter2'", "ALTER ROLE bob PASSWORD ?"),
        ("SELECT\n  x\n\tFROM t", "SELECT x FROM t"),
    ],
)
def test_values_and_comments_are_left_out(sql: str, shown: str) -> None:
    assert masked(sql) == shown


def test_a_long_query_is_cut_with_a_sign() -> None:
    assert masked("SELECT " + "column_name, " * 100).endswith("…")
    assert len(masked("SELECT " + "column_name, " * 100)) == 500


@given(st.text(st.sampled_from("secrt"), min_size=4), st.integers(0, 60))
def test_a_value_is_never_shown_wherever_the_text_is_cut(value: str, end: int) -> None:
    assert value not in masked(
        f"UPDATE a SET b = '{value}', c = $q${value}$q$ -- {value}"[: 20 + end]
    )
