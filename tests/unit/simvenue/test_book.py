# SPDX-License-Identifier: Apache-2.0
"""The book keeps price-time priority."""

from tradewind.core.types import Side
from tradewind.simvenue.book import Book, Resting


def resting(order_id: str, side: Side, price: int, qty: int = 10) -> Resting:
    return Resting(order_id, side, price, qty, is_client=False)


def ids_against(book: Book, side: Side, limit: int | None) -> list[str]:
    return [order.order_id for order in book.against(side, limit)]


def test_a_buyer_meets_the_cheapest_seller_first_and_the_first_of_a_price_first() -> None:
    book = Book()
    for order_id, price in (("dear", 102), ("first", 101), ("second", 101), ("cheap", 100)):
        book.add(resting(order_id, Side.SELL, price))
    assert ids_against(book, Side.BUY, None) == ["cheap", "first", "second", "dear"]
    assert ids_against(book, Side.BUY, 101) == ["cheap", "first", "second"]
    assert ids_against(book, Side.BUY, 99) == []


def test_a_seller_meets_the_highest_bidder_first() -> None:
    book = Book()
    for order_id, price in (("low", 98), ("high", 100), ("mid", 99)):
        book.add(resting(order_id, Side.BUY, price))
    assert ids_against(book, Side.SELL, 99) == ["high", "mid"]


def test_less_quantity_keeps_the_place_and_none_ends_the_order() -> None:
    book = Book()
    book.add(resting("a", Side.SELL, 100))
    book.add(resting("b", Side.SELL, 100))
    book.reduce("a", 3)
    assert ids_against(book, Side.BUY, None) == ["a", "b"]
    assert book.depth(Side.SELL, 5) == [(100, 13)]
    book.reduce("a", 0)
    assert ids_against(book, Side.BUY, None) == ["b"]
    assert book.get("a") is None


def test_an_order_is_fillable_only_within_its_limit() -> None:
    book = Book()
    book.add(resting("a", Side.SELL, 100, 5))
    book.add(resting("b", Side.SELL, 101, 5))
    assert book.is_fillable(Side.BUY, 101, 10)
    assert not book.is_fillable(Side.BUY, 101, 11)
    assert not book.is_fillable(Side.BUY, 100, 6)
    assert book.is_fillable(Side.BUY, None, 10)


def test_clearing_the_background_leaves_the_clients() -> None:
    book = Book()
    book.add(resting("a", Side.SELL, 100))
    book.add(Resting("mine", Side.BUY, 90, 1, is_client=True))
    book.clear_background()
    assert len(book) == 1
    assert book.get("mine") is not None
