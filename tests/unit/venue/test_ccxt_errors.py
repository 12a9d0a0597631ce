# SPDX-License-Identifier: Apache-2.0
"""Every error of ccxt has a meaning, and only what was certainly refused is called refused."""

from collections.abc import Iterator
from typing import Any

import pytest
from ccxt.base import errors

from tradewind.venue.ccxt_errors import OUTCOMES, Outcome, outcome_of


def names_in(hierarchy: dict[str, Any]) -> Iterator[str]:
    for name, below in hierarchy.items():
        yield name
        yield from names_in(below)


def test_every_error_class_of_ccxt_is_in_the_table() -> None:
    every = {getattr(errors, name) for name in names_in(errors.error_hierarchy)}
    assert every == OUTCOMES.keys()


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (errors.RequestTimeout("no answer"), Outcome.UNKNOWN),
        (errors.ExchangeNotAvailable("503"), Outcome.UNKNOWN),
        (errors.NetworkError("reset"), Outcome.UNKNOWN),
        (errors.ExchangeError("code -9999"), Outcome.UNKNOWN),
        (errors.BadResponse("half a body"), Outcome.UNKNOWN),
        (errors.InsufficientFunds("-2010"), Outcome.NOT_DONE),
        (errors.InvalidOrder("LOT_SIZE"), Outcome.NOT_DONE),
        (errors.AuthenticationError("-1022"), Outcome.NOT_DONE),
        (errors.OrderNotFound("-2011"), Outcome.ABSENT),
        (errors.RateLimitExceeded("-1003"), Outcome.LATER),
        (errors.DDoSProtection("418"), Outcome.LATER),
        (errors.InvalidNonce("-1021"), Outcome.STALE),
        (errors.InvalidOrder("-2010 Duplicate order sent."), Outcome.EXISTS),
        (ValueError("not ccxt's"), Outcome.UNKNOWN),
    ],
)
def test_an_error_says_what_became_of_its_request(error: Exception, outcome: Outcome) -> None:
    assert outcome_of(error, "Duplicate order sent") is outcome


def test_an_error_that_is_newer_than_the_table_means_what_its_parent_means() -> None:
    newer = type("Newer", (errors.InvalidOrder,), {})
    assert outcome_of(newer("?"), "Duplicate") is Outcome.NOT_DONE
