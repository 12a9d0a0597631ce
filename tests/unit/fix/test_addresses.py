# SPDX-License-Identifier: Apache-2.0
"""Addresses of FIX ports."""

import pytest

from tradewind.common.errors import SettingsError
from tradewind.fix.addresses import Address, parse_addresses


def test_addresses_are_tried_in_the_order_they_are_given() -> None:
    assert parse_addresses("fix://a:1, fixs://b:2", "URL") == [
        Address("a", 1, is_tls=False),
        Address("b", 2, is_tls=True),
    ]


@pytest.mark.parametrize("text", ["a:1", "fix://a", "tcp://a:1", "fix://a:1,", "fix://:1"])
def test_an_address_that_is_none_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(SettingsError, match=r"URL was .* write fix://host:port"):
        parse_addresses(text, "URL")
