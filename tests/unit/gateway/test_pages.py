# SPDX-License-Identifier: Apache-2.0
"""What may be asked of a long list."""

import pytest

from tradewind.gateway.errors import RefusedRequest
from tradewind.gateway.pages import LIMIT, LIMIT_MAX, Page, page_of


def test_without_a_word_the_list_begins_at_its_beginning() -> None:
    assert page_of({}) == Page(shard=0, before_seq=None, limit=LIMIT)


def test_a_cursor_goes_on_where_a_page_ended() -> None:
    ended = Page(shard=3, before_seq=4711, limit=LIMIT_MAX)
    assert page_of({"cursor": str(ended), "limit": str(LIMIT_MAX)}) == ended


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": str(LIMIT_MAX + 1)},
        {"limit": "-1"},
        {"limit": "9" * 40},
        {"limit": "\u0664"},
        {"limit": ""},
        {"cursor": ""},
        {"cursor": "1"},
        {"cursor": "1.x"},
        {"cursor": "1.2.3"},
        {"cursor": "1." + "9" * 19},
    ],
)
def test_nonsense_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(RefusedRequest) as refused:
        page_of(query)
    assert refused.value.refusal.code == "INVALID_FIELD"
