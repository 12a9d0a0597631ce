# SPDX-License-Identifier: Apache-2.0
"""TLS on every port of a gateway, before a real bus."""

import asyncio
import json
import os
import ssl
import sys
from pathlib import Path

import httpx
import pytest
import trustme
import websockets

from tests.integration.simvenue.fix_client import FixClient
from tradewind.cli.client import WS_PATH
from tradewind.common.testing import eventually

from .conftest import READY_TIMEOUT_S, TRADER, Platform, free_port

pytestmark = [pytest.mark.cluster, pytest.mark.anyio]

CLIENT = """
import asyncio, json, sys
from tradewind_client import AsyncClient, Credentials

async def main(url, key, secret):
    async with AsyncClient([url], Credentials(key, secret)) as client:
        print(json.dumps(await client.positions()))

asyncio.run(main(*sys.argv[1:]))
"""


class Authority:
    """Signs the gateway's certificates, and is what clients trust."""

    def __init__(self, folder: Path) -> None:
        self._ca = trustme.CA()
        self._folder = folder
        self.file = folder / "ca.pem"
        self._ca.cert_pem.write_to_path(self.file)
        self.context = ssl.create_default_context(cafile=str(self.file))

    def sign(self) -> dict[str, str]:
        """Writes a new certificate over the one before; what the gateway is told of it."""
        signed = self._ca.issue_cert("127.0.0.1")
        chain, key = self._folder / "chain.pem", self._folder / "key.pem"
        chain.write_bytes(b"".join(part.bytes() for part in signed.cert_chain_pems))
        signed.private_key_pem.write_to_path(key)
        return {"TRADEWIND_TLS_CERT_FILE": str(chain), "TRADEWIND_TLS_KEY_FILE": str(key)}


async def serial(port: int, context: ssl.SSLContext) -> str:
    """Of the certificate that is shown there."""
    _reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    shown = writer.get_extra_info("ssl_object").getpeercert()["serialNumber"]
    writer.close()
    return str(shown)


async def with_tls(platform: Platform, folder: Path) -> tuple[Authority, str, int]:
    """A gateway whose HTTP and FIX ports speak TLS: who signed, its URL and its FIX port."""
    authority, fix_port = Authority(folder), free_port()
    platform.kill("gateway-1")
    platform.gateway_env |= authority.sign() | {"TRADEWIND_FIX_PORT": str(fix_port)}
    platform.start_gateway()
    url = platform.url.replace("http:", "https:")

    async def is_ready() -> bool:
        async with httpx.AsyncClient(verify=authority.context) as client:
            try:
                return (await client.get(f"{url}/readyz")).status_code == 200
            except httpx.TransportError:
                return False

    await eventually(is_ready, READY_TIMEOUT_S)
    return authority, url, fix_port


async def test_every_port_speaks_tls_and_nothing_else_and_so_do_our_clients(
    platform: Platform, tmp_path: Path
) -> None:
    authority, url, fix_port = await with_tls(platform, tmp_path)
    async with httpx.AsyncClient() as untold:
        with pytest.raises(httpx.TransportError):
            await untold.get(platform.url + "/readyz")
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await untold.get(url + "/readyz")
    socket_url = url.replace("https:", "wss:") + WS_PATH
    async with websockets.connect(socket_url, ssl=authority.context) as socket:
        await socket.send(json.dumps(TRADER.hello(WS_PATH)))
        assert json.loads(await socket.recv())["type"] == "ready"
    reader, writer = await asyncio.open_connection("127.0.0.1", fix_port, ssl=authority.context)
    client = FixClient(reader, writer, "trader", target="TRADEWIND")
    await client.log_on(key=TRADER.secret)
    assert (await client.hear())[35] == "A"
    writer.close()
    reader, writer = await asyncio.open_connection("127.0.0.1", fix_port)
    await FixClient(reader, writer, "trader", target="TRADEWIND").log_on(key=TRADER.secret)
    assert await reader.read() in (b"", b"\x15\x03\x03\x00\x02\x02F")  # an alert of TLS, or nothing
    writer.close()
    # Clients need only be told whom to trust.
    told = os.environ | {"SSL_CERT_FILE": str(authority.file)}
    key = tmp_path / "secret"
    key.write_text(TRADER.secret)
    told |= {"TRADEWIND_GATEWAY_URL": url, "TRADEWIND_KEY_ID": TRADER.key_id}
    told |= {"TRADEWIND_KEY_SECRET_FILE": str(key)}
    command = [str(Path(sys.executable).with_name("tradewind")), "positions", "--json"]
    library = [sys.executable, "-c", CLIENT, url, TRADER.key_id, TRADER.secret]
    for argv in (command, library):
        assert isinstance(await answer(argv, told), dict | list)


async def answer(argv: list[str], env: dict[str, str]) -> object:
    """What a program prints, which has to be JSON."""
    process = await asyncio.create_subprocess_exec(
        *argv, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return json.loads(out)


async def test_a_new_certificate_is_shown_without_a_restart(
    platform: Platform, tmp_path: Path
) -> None:
    authority, url, fix_port = await with_tls(platform, tmp_path)
    ports = (int(url.rpartition(":")[2]), fix_port)
    before = [await serial(port, authority.context) for port in ports]
    (tmp_path / "key.pem").write_text("half a key")
    await eventually(lambda: "no certificate" in platform.log("gateway-1"))
    assert [await serial(port, authority.context) for port in ports] == before
    authority.sign()

    async def is_new() -> bool:
        now = [await serial(port, authority.context) for port in ports]
        return all(new != old for new, old in zip(now, before, strict=True))

    await eventually(is_new)
