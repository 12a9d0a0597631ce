# SPDX-License-Identifier: Apache-2.0
"""QuickFIX, an engine that shares nothing with ours, in a process of its own.

`python -m tests.integration.venue.quickfix_peer ROLE FOLDER PORT`. It says what happens as JSON
lines. As `acceptor` it takes each new order and fills it; as `initiator` at the venue, or as
`trader` at a gateway, it sends the messages that it reads from its standard input, `35=D|11=...`
a line.
"""

import json
import sys
import threading
import time
from pathlib import Path

import quickfix as fix

SETTINGS = """
[DEFAULT]
ConnectionType={kind}
StartTime=00:00:00
EndTime=00:00:00
UseDataDictionary=N
FileStorePath={folder}
SocketAcceptPort={port}
SocketConnectPort={port}
SocketConnectHost=127.0.0.1
SocketReuseAddress=Y
HeartBtInt=5
ReconnectInterval=1
[SESSION]
BeginString=FIX.4.4
SenderCompID={me}
TargetCompID={peer}
"""
NAMES = {
    "acceptor": ("QUICK", "TRADEWIND-0"),
    "initiator": ("QUICK", "SIMVENUE"),
    "trader": ("trader", "TRADEWIND"),
}
PASSWORDS = {"initiator": "venue-key", "trader": "trader-secret"}


def say(kind: str, **more: str) -> None:
    """Tells the test."""
    print(json.dumps({"kind": kind, **more}), flush=True)


class Application(fix.Application):  # type: ignore[misc]
    """What the engine hands over."""

    def __init__(self, role: str) -> None:
        super().__init__()
        self._is_acceptor = role == "acceptor"
        self._password = PASSWORDS.get(role, "")
        self.session: fix.SessionID | None = None
        self._reports = int(time.time())

    def onCreate(self, session: fix.SessionID) -> None:
        self.session = session

    def onLogon(self, session: fix.SessionID) -> None:
        say("logon")

    def onLogout(self, session: fix.SessionID) -> None:
        say("logout")

    def toAdmin(self, message: fix.Message, session: fix.SessionID) -> None:
        kind = fix.MsgType()
        message.getHeader().getField(kind)
        if kind.getValue() == "A" and not self._is_acceptor:
            message.setField(554, self._password)

    def fromAdmin(self, message: fix.Message, session: fix.SessionID) -> None:
        say("admin", text=plain(message))

    def toApp(self, message: fix.Message, session: fix.SessionID) -> None:
        say("sent", text=plain(message))

    def fromApp(self, message: fix.Message, session: fix.SessionID) -> None:
        say("app", text=plain(message))
        if self._is_acceptor and "|35=D|" in plain(message):
            self._answer(message, session)

    def _answer(self, order: fix.Message, session: fix.SessionID) -> None:
        """Taken, and filled."""
        qty, price = order.getField(38), order.getField(44)
        for kind, status, last, cum in (("0", "0", "0", "0"), ("F", "2", qty, qty)):
            self._reports += 1
            report = fix.Message()
            report.getHeader().setField(35, "8")
            fields = {37: "Q1", 17: f"E{self._reports}", 150: kind, 39: status, 6: price, 14: cum}
            fields |= {32: last, 31: price, 151: "0" if cum == qty else qty, 38: qty, 44: price}
            for tag in (11, 54, 55):
                fields[tag] = order.getField(tag)
            for tag, value in fields.items():
                report.setField(tag, value)
            fix.Session.sendToTarget(report, session)


def plain(message: fix.Message) -> str:
    """A message with bars."""
    return str(message.toString()).replace("\x01", "|")


def read_orders(application: Application) -> None:
    """Sends what the test writes."""
    for line in sys.stdin:
        message = fix.Message()
        for part in line.strip().split("|"):
            tag, _equals, value = part.partition("=")
            (message.getHeader() if tag == "35" else message).setField(int(tag), value)
        fix.Session.sendToTarget(message, application.session)


def main(role: str, folder: str, port: str) -> None:
    """Runs until it is killed."""
    me, peer = NAMES[role]
    path = Path(folder) / f"{role}.cfg"
    path.parent.mkdir(exist_ok=True)
    kind = "acceptor" if role == "acceptor" else "initiator"
    path.write_text(SETTINGS.format(kind=kind, folder=folder, port=port, me=me, peer=peer))
    application = Application(role)
    settings = fix.SessionSettings(str(path))
    store = fix.FileStoreFactory(settings)
    make = fix.SocketAcceptor if kind == "acceptor" else fix.SocketInitiator
    engine = make(application, store, settings)
    engine.start()
    say("started")
    threading.Thread(target=read_orders, args=(application,), daemon=True).start()
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
