# SPDX-License-Identifier: Apache-2.0
"""Errors as this API tells them: a number and a sentence, with an HTTP status."""

from dataclasses import dataclass

from tradewind.common.errors import TradewindError
from tradewind.simvenue.faults import Misanswered

BAD_REQUEST = 400
UNAUTHORIZED = 401
TOO_MANY_REQUESTS = 429
INTERNAL = 500


@dataclass(frozen=True, slots=True)
class Told:
    """What a client is told."""

    code: int
    msg: str
    status: int = BAD_REQUEST


class ApiError(TradewindError):
    """A request that is refused, or whose outcome the venue itself leaves open."""

    code = "API_ERROR"

    def __init__(self, told: Told, **headers: str) -> None:
        super().__init__(told.msg)
        self.told = told
        self.headers = headers

    @property
    def body(self) -> dict[str, object]:
        """The body of the answer."""
        return {"code": self.told.code, "msg": self.told.msg}


TOO_MANY = Told(-1003, "Too much request weight used; please wait.", TOO_MANY_REQUESTS)
UNKNOWN_OUTCOME = Told(
    -1006,
    "An unexpected response was received from the message bus. Execution status unknown.",
    INTERNAL,
)
OUTSIDE_WINDOW = Told(-1021, "Timestamp for this request is outside of the recvWindow.")
AHEAD = Told(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
BAD_SIGNATURE = Told(-1022, "Signature for this request is not valid.")
TOO_MUCH_TIME = Told(-1127, "More than 24 hours between startTime and endTime.")
BAD_WINDOW = Told(-1131, "recvWindow must be less than 60000")
BAD_SYMBOL = Told(-1121, "Invalid symbol.")
BAD_SIDE = Told(-1117, "Invalid side.")
BAD_TYPE = Told(-1116, "Invalid orderType.")
BAD_TIME_IN_FORCE = Told(-1115, "Invalid timeInForce.")
BAD_CLIENT_ID = Told(-1100, "Illegal characters found in parameter 'newClientOrderId'.")
PRICE_FILTER = Told(-1013, "Filter failure: PRICE_FILTER")
LOT_SIZE = Told(-1013, "Filter failure: LOT_SIZE")
UNKNOWN_ORDER = Told(-2011, "Unknown order sent.")
NO_SUCH_ORDER = Told(-2013, "Order does not exist.")
BAD_KEY_FORMAT = Told(-2014, "API-key format invalid.", UNAUTHORIZED)
BAD_KEY = Told(-2015, "Invalid API-key, IP, or permissions for action.", UNAUTHORIZED)
AMEND_NOT_LESS = Told(-2038, "Order amend (quantity increase) is not supported.")
NO_ENDPOINT = Told(-1020, "This operation is not supported.", 404)

REJECTIONS = {
    "DUPLICATE_CL_ID": Told(-2010, "Duplicate order sent."),
    "POST_ONLY_WOULD_TAKE": Told(-2010, "Order would immediately match and take."),
    "SESSION_CLOSED": Told(-1013, "Market is closed."),
    "SESSION_HALTED": Told(-1013, "Market is closed."),
    "NOT_IN_THIS_SESSION": Told(-1013, "Market is closed."),
}
"""What the venue's reasons are called here."""


def rejection(text: str) -> ApiError:
    """The venue's refusal of an order."""
    return ApiError(REJECTIONS.get(text, Told(-2010, text)))


def missing(name: str) -> ApiError:
    """A parameter is not there, or is not what it should be."""
    text = f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."
    return ApiError(Told(-1102, text))


def misanswered(fault: Misanswered) -> ApiError | None:
    """What is said where a fault is played; None: nothing at all."""
    match fault.code:
        case "RATE_LIMITED":
            return ApiError(TOO_MANY, **{"Retry-After": str(-(-fault.retry_ms // 1000))})
        case "UNKNOWN_OUTCOME":
            return ApiError(UNKNOWN_OUTCOME)
        case _:
            return None
