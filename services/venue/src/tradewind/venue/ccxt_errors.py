# SPDX-License-Identifier: Apache-2.0
"""What each error of ccxt says about the request that it answers.

Only what an exchange has certainly refused is ever called refused. Whatever is not in the table,
and whatever may have reached the exchange, leaves the outcome open: nothing is sent again blindly.
"""

from enum import Enum, auto

from ccxt.base import errors


class Outcome(Enum):
    """What has become of a request."""

    NOT_DONE = auto()
    """Refused for good."""
    ABSENT = auto()
    """There is no such order, as far as can be seen."""
    EXISTS = auto()
    """There is such an order already."""
    LATER = auto()
    """Refused for now: too many requests."""
    STALE = auto()
    """It came after its own time was up, so it was not done."""
    UNKNOWN = auto()
    """It may have been done."""


OUTCOMES: dict[type[Exception], Outcome] = {
    errors.BaseError: Outcome.UNKNOWN,
    errors.ExchangeError: Outcome.UNKNOWN,
    errors.AuthenticationError: Outcome.NOT_DONE,
    errors.PermissionDenied: Outcome.NOT_DONE,
    errors.AccountNotEnabled: Outcome.NOT_DONE,
    errors.AccountSuspended: Outcome.NOT_DONE,
    errors.ArgumentsRequired: Outcome.NOT_DONE,
    errors.BadRequest: Outcome.NOT_DONE,
    errors.BadSymbol: Outcome.NOT_DONE,
    errors.OperationRejected: Outcome.NOT_DONE,
    errors.NoChange: Outcome.NOT_DONE,
    errors.MarginModeAlreadySet: Outcome.NOT_DONE,
    errors.MarketClosed: Outcome.NOT_DONE,
    errors.ManualInteractionNeeded: Outcome.NOT_DONE,
    errors.RestrictedLocation: Outcome.NOT_DONE,
    errors.InsufficientFunds: Outcome.NOT_DONE,
    errors.InvalidAddress: Outcome.NOT_DONE,
    errors.AddressPending: Outcome.NOT_DONE,
    errors.InvalidOrder: Outcome.NOT_DONE,
    errors.OrderNotFound: Outcome.ABSENT,
    errors.OrderNotCached: Outcome.ABSENT,
    errors.OrderImmediatelyFillable: Outcome.NOT_DONE,
    errors.OrderNotFillable: Outcome.NOT_DONE,
    errors.DuplicateOrderId: Outcome.EXISTS,
    errors.ContractUnavailable: Outcome.NOT_DONE,
    errors.NotSupported: Outcome.NOT_DONE,
    errors.InvalidProxySettings: Outcome.NOT_DONE,
    errors.ExchangeClosedByUser: Outcome.UNKNOWN,
    errors.OperationFailed: Outcome.UNKNOWN,
    errors.NetworkError: Outcome.UNKNOWN,
    errors.DDoSProtection: Outcome.LATER,
    errors.RateLimitExceeded: Outcome.LATER,
    errors.ExchangeNotAvailable: Outcome.UNKNOWN,
    errors.OnMaintenance: Outcome.UNKNOWN,
    errors.InvalidNonce: Outcome.STALE,
    errors.ChecksumError: Outcome.UNKNOWN,
    errors.RequestTimeout: Outcome.UNKNOWN,
    errors.BadResponse: Outcome.UNKNOWN,
    errors.NullResponse: Outcome.UNKNOWN,
    errors.CancelPending: Outcome.UNKNOWN,
    errors.UnsubscribeError: Outcome.UNKNOWN,
}


def outcome_of(error: Exception, duplicate: str) -> Outcome:
    """What an error says; `duplicate` is in the text where an exchange has an order already."""
    if duplicate in str(error):
        return Outcome.EXISTS
    known = (OUTCOMES[kind] for kind in type(error).__mro__ if kind in OUTCOMES)
    return next(known, Outcome.UNKNOWN)
