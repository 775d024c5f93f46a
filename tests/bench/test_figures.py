"""Medians and ratios: of the timed rounds only, and round by round."""

from bench.figures import Figures, checking, settings, without_checking
from bench.works import DESTROY, INSTALL, PREVIEW, UP
from tests.bench.measured import RECORDS

ALONE = Figures(RECORDS).where(gateways=1)


def test_the_counted_round_has_no_part_in_a_median() -> None:
    assert ALONE.median(PREVIEW, "program") == 1.6


def test_a_ratio_is_that_of_the_same_round() -> None:
    assert ALONE.ratio(PREVIEW, "program", "empty") == 1.5
    assert ALONE.ratio(DESTROY, "program", "manual") is None


def test_what_looked_at_kong_can_be_left_out() -> None:
    assert ALONE.median(INSTALL, "program", checking) == 2.0
    assert ALONE.median(UP, "program", checking) is None
    assert ALONE.ratio(INSTALL, "program", "manual", without_checking) == 1.0


def test_the_counted_round_has_the_traffic() -> None:
    traffic = ALONE.traffic(PREVIEW, "program")
    assert traffic is not None and traffic.requests == {"get": 3, "watch": 1}
    assert ALONE.traffic(PREVIEW, "manual") is None


def test_settings_are_told_apart() -> None:
    assert settings(RECORDS) == [(1, 1, 0), (3, 1, 0), (1, 50, 5000)]
    assert Figures(RECORDS).where(gateways=3).median(PREVIEW, "program") == 1.7
