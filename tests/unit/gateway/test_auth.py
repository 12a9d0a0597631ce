# SPDX-License-Identifier: Apache-2.0
"""Signed requests: every component counts, and nothing passes twice."""

import json
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from tradewind.common.errors import SettingsError
from tradewind.gateway.auth import Authenticator, Key, Signed, load_keys, signature_of
from tradewind.gateway.errors import Refusal
from tradewind.gateway.nonces import AHEAD_MS, GENERATION_MS, RECV_WINDOW_MS, Nonces

NOW_MS = 1_700_000_000_000
HERE = "127.0.0.1"
KEY = Key(
    key_id="k1",
    secret=b"s3cret",
    accounts=frozenset({"DEMO"}),
    scopes=frozenset({"read", "trade"}),
    client="tester",
)


class Clock:
    def __init__(self) -> None:
        self.now_ms = NOW_MS

    def __call__(self) -> int:
        return self.now_ms


def signed(nonce: str = "nonce-0001", timestamp: int = NOW_MS) -> Signed:
    unsigned = Signed("k1", str(timestamp), nonce, "", "POST", "/v1/orders?a=1", b"{}")
    return replace(unsigned, signature=signature_of(KEY.secret, unsigned))


def code(answer: Key | Refusal) -> str:
    return answer.code if isinstance(answer, Refusal) else "OK"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def authenticator(clock: Clock) -> Authenticator:
    nonces = Nonces(monotonic_ms=clock)
    nonces.heard_for(GENERATION_MS)
    return Authenticator({"k1": KEY}, clock, nonces)


def test_a_right_signature_names_its_key(authenticator: Authenticator) -> None:
    assert authenticator.check(signed(), HERE) is KEY


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"key_id": "k2"}, "UNKNOWN_KEY"),
        ({"method": "PUT"}, "BAD_SIGNATURE"),
        ({"path": "/v1/orders?a=2"}, "BAD_SIGNATURE"),
        ({"body": b"{ }"}, "BAD_SIGNATURE"),
        ({"timestamp": str(NOW_MS + 1)}, "BAD_SIGNATURE"),
        ({"nonce": "nonce-0002"}, "BAD_SIGNATURE"),
        ({"signature": "0" * 64}, "BAD_SIGNATURE"),
        ({"signature": ""}, "BAD_SIGNATURE"),
        ({"signature": "é"}, "BAD_SIGNATURE"),
    ],
)
def test_changing_any_component_is_refused(
    authenticator: Authenticator, change: dict[str, object], expected: str
) -> None:
    assert code(authenticator.check(replace(signed(), **change), HERE)) == expected  # type: ignore[arg-type]


def test_the_same_bytes_pass_only_once(authenticator: Authenticator) -> None:
    assert code(authenticator.check(signed(), HERE)) == "OK"
    assert code(authenticator.check(signed(), HERE)) == "REPLAYED_NONCE"


def test_a_replay_is_refused_as_long_as_its_timestamp_would_pass(
    authenticator: Authenticator, clock: Clock
) -> None:
    ahead = signed(timestamp=NOW_MS + AHEAD_MS)
    assert code(authenticator.check(ahead, HERE)) == "OK"
    for step in range(1, AHEAD_MS + RECV_WINDOW_MS + 1, 250):
        clock.now_ms = NOW_MS + step
        assert code(authenticator.check(ahead, HERE)) == "REPLAYED_NONCE"
        authenticator.check(signed(f"other-{step:06d}", clock.now_ms), HERE)
    clock.now_ms = NOW_MS + AHEAD_MS + RECV_WINDOW_MS + 1
    assert code(authenticator.check(ahead, HERE)) == "TIMESTAMP_OUT_OF_WINDOW"


@pytest.mark.parametrize("offset_ms", [-RECV_WINDOW_MS - 1, AHEAD_MS + 1])
def test_a_timestamp_outside_the_window_is_refused(
    authenticator: Authenticator, offset_ms: int
) -> None:
    answer = authenticator.check(signed(timestamp=NOW_MS + offset_ms), HERE)
    assert code(answer) == "TIMESTAMP_OUT_OF_WINDOW"


@pytest.mark.parametrize("timestamp", ["", "now", "1e9", "-5", "9" * 30, "١٢٣"])
def test_a_timestamp_that_is_no_number_is_refused(
    authenticator: Authenticator, timestamp: str
) -> None:
    unsigned = replace(signed(), timestamp=timestamp)
    answer = authenticator.check(
        replace(unsigned, signature=signature_of(KEY.secret, unsigned)), HERE
    )
    assert code(answer) == "TIMESTAMP_OUT_OF_WINDOW"


@pytest.mark.parametrize("nonce", ["", "short", "x" * 65, "with space", "new\nline12"])
def test_a_nonce_of_the_wrong_form_is_refused(authenticator: Authenticator, nonce: str) -> None:
    assert code(authenticator.check(signed(nonce), HERE)) == "BAD_NONCE"


def test_a_wrong_signature_burns_no_nonce(authenticator: Authenticator) -> None:
    authenticator.check(replace(signed(), signature="0" * 64), HERE)
    assert code(authenticator.check(signed(), HERE)) == "OK"


def test_scopes_and_accounts_are_both_needed() -> None:
    assert KEY.permits("trade", "DEMO") is None
    assert code(KEY.permits("admin") or KEY) == "SCOPE_MISSING"
    assert code(KEY.permits("trade", "ALPHA") or KEY) == "ACCOUNT_NOT_ALLOWED"


def test_a_key_does_not_show_its_secret() -> None:
    assert "s3cret" not in repr(KEY)


def test_a_key_that_has_ended_is_told_so_but_only_to_who_has_its_secret(clock: Clock) -> None:
    nonces = Nonces(monotonic_ms=clock)
    nonces.heard_for(GENERATION_MS)
    ended = Authenticator({"k1": replace(KEY, not_after_ms=NOW_MS)}, clock, nonces)
    assert code(ended.check(signed(), HERE)) == "KEY_EXPIRED"
    assert code(ended.check(replace(signed(), signature="0" * 64), HERE)) == "BAD_SIGNATURE"
    assert code(ended.of_secret("k1", "s3cret", HERE)) == "KEY_EXPIRED"
    clock.now_ms = NOW_MS - 1
    assert code(ended.check(signed(timestamp=NOW_MS - 1), HERE)) == "OK"


def test_the_secret_of_before_is_good_for_a_while(
    authenticator: Authenticator, clock: Clock
) -> None:
    renewed = replace(KEY, secret=b"new", previous=b"s3cret", previous_until_ms=NOW_MS + 1)
    authenticator.renew({"k1": renewed})
    assert authenticator.check(signed(), HERE) is renewed
    assert authenticator.of_secret("k1", "s3cret", HERE) is renewed
    unsigned = replace(signed("nonce-0002"), signature="")
    by_new = replace(unsigned, signature=signature_of(b"new", unsigned))
    assert authenticator.check(by_new, HERE) is renewed
    clock.now_ms = NOW_MS + 1
    assert code(authenticator.check(signed("nonce-0003"), HERE)) == "BAD_SIGNATURE"
    assert code(authenticator.of_secret("k1", "s3cret", HERE)) == "BAD_PASSWORD"
    assert "s3cret" not in repr(renewed)


def test_keys_come_go_and_change_their_rate_without_a_restart(
    authenticator: Authenticator,
) -> None:
    before = authenticator.throttle(KEY)
    faster = replace(KEY, requests_per_s=7)
    authenticator.renew({"k1": faster, "k2": replace(KEY, key_id="k2")})
    assert authenticator.throttle(faster) is not before
    assert authenticator.check(signed(), HERE) is faster
    authenticator.renew({})
    assert code(authenticator.check(signed("nonce-0002"), HERE)) == "UNKNOWN_KEY"
    assert authenticator.throttle(faster).rate == 7, "its session is still there"


@pytest.mark.parametrize(
    ("networks", "address", "expected"),
    [
        ([], "", "OK"),
        (["10.0.0.0/8"], "10.200.3.4", "OK"),
        (["10.0.0.0/8"], "::ffff:10.200.3.4", "OK"),
        (["10.0.0.0/8"], "11.0.0.1", "ADDRESS_NOT_ALLOWED"),
        (["192.0.2.7", "2001:db8::/32"], "2001:db8::9", "OK"),
        (["192.0.2.7", "2001:db8::/32"], "192.0.2.7", "OK"),
        (["192.0.2.7", "2001:db8::/32"], "192.0.2.8", "ADDRESS_NOT_ALLOWED"),
        (["192.0.2.7"], "", "ADDRESS_NOT_ALLOWED"),
        (["192.0.2.7"], "testclient", "ADDRESS_NOT_ALLOWED"),
    ],
)
def test_a_key_is_good_from_its_addresses_only(
    authenticator: Authenticator, networks: list[str], address: str, expected: str
) -> None:
    bound = replace(KEY, networks=tuple(ip_network(each) for each in networks))
    authenticator.renew({"k1": bound})
    assert code(authenticator.of_secret("k1", "s3cret", address)) == expected
    assert code(authenticator.check(signed(), address)) == expected
    assert code(authenticator.check(replace(signed(), signature="0" * 64), address)) == (
        "BAD_SIGNATURE"
    ), "only who has the secret is told"


@pytest.mark.parametrize("address", ["10.0.0.1/8", "somewhere", ""])
def test_a_keys_file_with_an_address_that_is_none_is_refused(tmp_path: Path, address: str) -> None:
    entry = {"secret": "s", "accounts": [], "scopes": [], "client": "c", "addresses": [address]}
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": {"k1": entry}}))
    with pytest.raises(SettingsError, match="not usable"):
        load_keys(path)


def test_a_keys_file_says_when_a_key_and_a_secret_end(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    entry = {
        "secret": "new",
        "accounts": ["*"],
        "scopes": ["kill"],
        "client": "night",
        "not_after": "2027-01-01T01:00:00+01:00",
        "previous": {"secret": "old", "not_after": "2026-12-01T00:00:00Z"},
    }
    path.write_text(json.dumps({"keys": {"k": entry}}))
    key = load_keys(path)["k"]
    assert (key.not_after_ms, key.previous_until_ms) == (1_798_761_600_000, 1_796_083_200_000)
    assert key.secrets(NOW_MS) == [b"new", b"old"]
    for wrong in ({"not_after": "2027-01-01T00:00:00"}, {"scopes": ["root"]}):
        path.write_text(json.dumps({"keys": {"k": entry | wrong}}))
        with pytest.raises(SettingsError, match="not usable"):
            load_keys(path)


def test_an_unusable_keys_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    with pytest.raises(SettingsError, match="cannot be read"):
        load_keys(path)
    path.write_text('{"keys": {"k": {"secret": 5}}}')
    with pytest.raises(SettingsError, match="not usable"):
        load_keys(path)
