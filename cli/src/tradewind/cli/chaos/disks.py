# SPDX-License-Identifier: Apache-2.0
"""Disks of nodes that go bad: full, slow, failing, forgetful of single bits.

A disk that can be filled is a small file system of its own, mounted by the run. fsync is slowed and
failed by `strace`, which can do that to a process that runs.
"""

import asyncio
import fcntl
import os
import re
import signal
import struct
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from tradewind.cli.chaos.tools import PREFIX, is_left_over, run
from tradewind.cli.suite.facts import SuiteError

DISK_MB = 2048
"""Of each node. What is not written takes no room."""
MOUNTS = Path("/proc/mounts")
MOUNTED = re.compile(rf"\S+ (\S+/{PREFIX}(\d+)-n\d+) ")
FILLING = "filling"
FSYNCS = "fsync,fdatasync"
SLOW_US = 100_000
ATTACHED_S = 5.0
LOOK_AGAIN_S = 0.05
MIDDLE = 0.5
SHUTDOWN, WITHOUT_FLUSHING = 0x8004587D, struct.pack("I", 2)
"""What testers of file systems take a power failure from: see EXT4_IOC_SHUTDOWN."""


class Disks:
    """A file system for each node. `with Disks.made(run_id, folder, 3) as disks`."""

    def __init__(self, run_id: int, folder: Path, nodes: int) -> None:
        self._run_id = run_id
        self._folder = folder
        self._nodes = range(1, nodes + 1)

    @classmethod
    @contextmanager
    def made(cls, run_id: int, folder: Path, nodes: int) -> Iterator["Disks"]:
        """The disks for the time of a block."""
        remove_left_over()
        disks = cls(run_id, folder, nodes)
        try:
            for node in disks._nodes:
                disks._make(node)
            yield disks
        finally:
            _unmount(run_id)

    def store(self, node: int) -> Path:
        """Where a node stores."""
        return self._mount(node) / "store"

    @contextmanager
    def full(self, node: int) -> Iterator[None]:
        """Not a byte of room is left for the time of a block."""
        filling = self._mount(node) / FILLING
        run("fallocate", "-l", f"{DISK_MB}M", str(filling), is_required=False)
        try:
            with filling.open("ab") as file:  # what fallocate left
                while file.write(bytes(4096)):
                    file.flush()
        except OSError:
            pass
        try:
            yield
        finally:
            filling.unlink()

    def lose_power(self) -> None:
        """From now on nothing more gets to any disk, not even what its file system still held."""
        for node in self._nodes:
            mount = os.open(self._mount(node), os.O_RDONLY)
            try:
                fcntl.ioctl(mount, SHUTDOWN, WITHOUT_FLUSHING)
            finally:
                os.close(mount)

    async def power_again(self) -> None:
        """The file systems come back as after a power failure: with what was fsynced.

        Raises:
            SuiteError: MACHINE_REFUSED, if one would not.
        """
        for node in self._nodes:
            await _until_unmounted(self._mount(node))
            self._attach(node)

    def _mount(self, node: int) -> Path:
        return self._folder / f"{PREFIX}{self._run_id}-n{node}"

    def _make(self, node: int) -> None:
        mount = self._mount(node)
        mount.mkdir(parents=True)
        image = mount.with_suffix(".img")
        with image.open("wb") as file:
            file.truncate(DISK_MB * 1024**2)
        run("mkfs.ext4", "-q", "-F", "-m", "0", str(image))
        self._attach(node)

    def _attach(self, node: int) -> None:
        mount = self._mount(node)
        run("mount", "-o", "loop", str(mount.with_suffix(".img")), str(mount))


def remove_left_over() -> None:
    """Takes away what runs that are no more have left."""
    found = MOUNTED.findall(MOUNTS.read_text())
    for run_id in {int(text) for _mount, text in found}:
        if is_left_over(run_id):
            _unmount(run_id)


def _unmount(run_id: int) -> None:
    for mount, text in MOUNTED.findall(MOUNTS.read_text()):
        if int(text) == run_id:
            run("umount", "--lazy", mount, is_required=False)


def _is_mounted(mount: Path) -> bool:
    return str(mount) in MOUNTS.read_text()


async def _until_unmounted(mount: Path) -> None:
    """Processes that were killed may hold it for a moment."""
    for _ in range(round(ATTACHED_S / LOOK_AGAIN_S)):
        run("umount", str(mount), is_required=False)
        if not _is_mounted(mount):
            return
        await asyncio.sleep(LOOK_AGAIN_S)
    raise SuiteError(f"{mount} could not be unmounted", code="MACHINE_REFUSED")


@asynccontextmanager
async def slow_fsync(pid: int) -> AsyncIterator[None]:
    """Every fsync of a process takes a tenth of a second longer for the time of a block."""
    async with _injected(pid, f"delay_enter={SLOW_US}"):
        yield


@asynccontextmanager
async def failing_fsync(pid: int) -> AsyncIterator[None]:
    """Every fsync of a process fails for the time of a block."""
    async with _injected(pid, "error=EIO"):
        yield


@asynccontextmanager
async def _injected(pid: int, what: str) -> AsyncIterator[None]:
    tracer = await asyncio.create_subprocess_exec(
        *("strace", "--follow-forks", "--output", "/dev/null", "--attach", str(pid)),
        *("--trace", FSYNCS, "--inject", f"{FSYNCS}:{what}"),
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        await _until_attached(tracer)
        yield
    finally:
        if tracer.returncode is None:
            tracer.send_signal(signal.SIGTERM)  # strace lets go of the process first
        await tracer.wait()


async def _until_attached(tracer: asyncio.subprocess.Process) -> None:
    assert tracer.stderr is not None
    try:
        async with asyncio.timeout(ATTACHED_S):
            said = (await tracer.stderr.readline()).decode()
    except TimeoutError:
        said = ""
    if " attached" not in said:
        raise SuiteError(f"strace did not attach: {said.strip()}", code="MACHINE_REFUSED")


def closed_block(store: Path, streams: Sequence[str]) -> Path | None:
    """The oldest block of the first of these streams that has one which is written no more.

    The block that is being written is made whole by the broker itself.
    """
    for stream in streams:
        blocks = list(store.glob(f"jetstream/APP/streams/{stream}/msgs/*.blk"))
        if len(blocks) > 1:
            return min(blocks, key=lambda path: int(path.stem))
    return None


def flip_a_bit(file: Path) -> None:
    """Flips one bit in the middle."""
    with file.open("r+b", buffering=0) as opened:
        place = int(file.stat().st_size * MIDDLE)
        opened.seek(place)
        byte = opened.read(1)[0]
        opened.seek(place)
        opened.write(bytes((byte ^ 0x10,)))
