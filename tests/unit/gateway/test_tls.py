# SPDX-License-Identifier: Apache-2.0
"""What a gateway is told of its certificate, and what it makes of files that are none."""

import ssl
from contextlib import suppress
from itertools import permutations
from pathlib import Path

import pytest
import trustme

from tradewind.common.errors import SettingsError
from tradewind.gateway.settings import GatewaySettings
from tradewind.gateway.tls import Certificate

ENV = {
    "TRADEWIND_NATS_URLS": "nats://127.0.0.1:1",
    "TRADEWIND_NATS_USER": "gateway",
    "TRADEWIND_SHARDS": "1",
    "TRADEWIND_STATE_DIR": "/tmp",
    "TRADEWIND_INSTANCE": "gateway-1",
    "TRADEWIND_HTTP_PORT": "1",
    "TRADEWIND_KEYS_FILE": "keys.json",
}


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    password = tmp_path / "password"
    password.write_text("p")
    return ENV | {"TRADEWIND_NATS_PASSWORD_FILE": str(password)}


def files(folder: Path, name: str, kind: trustme.KeyType = trustme.KeyType.ECDSA) -> Certificate:
    signed = trustme.CA().issue_cert("127.0.0.1", key_type=kind)
    certificate = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
    signed.cert_chain_pems[0].write_to_path(certificate.chain_file)
    signed.private_key_pem.write_to_path(certificate.key_file)
    return certificate


def test_without_files_the_ports_are_plain(env: dict[str, str]) -> None:
    assert GatewaySettings.from_env(env).certificate is None


def test_a_certificate_has_a_key(env: dict[str, str]) -> None:
    found = GatewaySettings.from_env(
        env | {"TRADEWIND_TLS_CERT_FILE": "a.pem", "TRADEWIND_TLS_KEY_FILE": "a.key"}
    )
    assert found.certificate == Certificate(Path("a.pem"), Path("a.key"))
    with pytest.raises(SettingsError, match="go together"):
        GatewaySettings.from_env(env | {"TRADEWIND_TLS_KEY_FILE": "a.key"})


def test_files_that_are_no_certificate_and_its_key_are_refused(tmp_path: Path) -> None:
    one, other = files(tmp_path, "one"), files(tmp_path, "other")
    one.context()
    for unusable in (
        Certificate(one.chain_file, other.key_file),
        Certificate(tmp_path / "none", one.key_file),
        Certificate(one.key_file, one.chain_file),
    ):
        with pytest.raises(SettingsError) as refused:
            unusable.context()
        assert refused.value.code == "TLS_UNUSABLE"


def shown(context: ssl.SSLContext) -> str:
    """The certificate that a client is shown, in PEM."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    server = context.wrap_bio(to_server, to_client, server_side=True)
    client = anybody.wrap_bio(to_client, to_server)
    for end in (client, server) * 3:
        with suppress(ssl.SSLWantReadError):
            end.do_handshake()
    found = client.getpeercert(binary_form=True)
    assert found
    return ssl.DER_cert_to_PEM_cert(found)


@pytest.mark.parametrize("kinds", [*permutations(trustme.KeyType)])
def test_a_new_certificate_is_shown_whatever_its_key_is(
    tmp_path: Path, kinds: tuple[trustme.KeyType, ...]
) -> None:
    first, second = (files(tmp_path, kind.name, kind) for kind in kinds)
    context = first.context()
    assert shown(context) == first.chain_file.read_text()
    second.show_in(context)
    assert shown(context) == second.chain_file.read_text()
