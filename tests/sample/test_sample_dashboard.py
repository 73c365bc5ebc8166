"""The sample's dashboard JSON against the shape of the real one."""

import json
import re

import pytest

from bot.sample import dashboard
from bot.sample.clock import stamp

NOW = 1_790_000_000_123_456_789
NINE_DIGITS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z")


def test_a_timestamp_has_nine_fractional_digits_and_z():
    assert stamp(1_767_225_600_000_000_042) == "2026-01-01T00:00:00.000000042Z"


def test_metrics_have_the_keys_of_the_real_dashboard():
    answer = dashboard.metrics(NOW)
    assert set(answer) == {
        "overall_score",
        "metrics_summary",
        "alerts",
        "trends",
        "last_updated",
    }
    assert set(answer["metrics_summary"]) == {
        "test_coverage",
        "memory_usage",
        "cpu_usage",
        "disk_usage",
        "api_health",
        "cache_hit_rate",
        "code_quality",
    }
    for name, metric in answer["metrics_summary"].items():
        assert metric["name"] == name
        assert set(metric) == {
            "metric_type",
            "name",
            "description",
            "unit",
            "current_value",
            "history",
            "baseline",
            "target",
            "threshold",
            "trend",
            "last_updated",
        }
        for entry in [metric["current_value"], *metric["history"]]:
            assert set(entry) == {"value", "timestamp", "metadata"}
            assert NINE_DIGITS.fullmatch(entry["timestamp"])


def test_a_trend_has_the_keys_of_the_real_dashboard():
    for name, trend in dashboard.metrics(NOW)["trends"].items():
        assert trend["metric_name"] == name
        assert set(trend) == {
            "metric_name",
            "direction",
            "change_percentage",
            "period_days",
            "confidence",
        }


@pytest.mark.parametrize("hour", range(24))
def test_test_coverage_is_87_point_something_at_every_hour(hour):
    summary = dashboard.metrics(hour * dashboard.HOUR_NS)["metrics_summary"]["test_coverage"]
    assert 87.0 <= summary["current_value"]["value"] < 88.0


def test_alerts_come_back_every_minute_under_new_ids():
    now, later = dashboard.alerts(NOW), dashboard.alerts(NOW + dashboard.CYCLE_NS)
    assert [alert["message"] for alert in now] == [alert["message"] for alert in later]
    assert now[-1]["id"] not in {alert["id"] for alert in dashboard.alerts(NOW)[:-1]}
    assert later[-1]["id"] not in {alert["id"] for alert in now}


def test_the_scorecard_has_the_keys_of_the_real_one():
    answer = dashboard.scorecard(NOW)
    assert set(answer) == {
        "overall_score",
        "category_scores",
        "trend_summary",
        "critical_issues",
        "top_recommendations",
        "generated_at",
    }
    assert json.loads(json.dumps(answer)) == answer
