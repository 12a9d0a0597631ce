# SPDX-License-Identifier: Apache-2.0
"""A stack of containers of its own, from the project's own file: started, asked, taken away."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tradewind.cli import deployment
from tradewind.cli.suite.containers import PROJECT, Container, read_containers
from tradewind.cli.suite.facts import SuiteError
from tradewind.cli.suite.ports import free_ports

CHECKOUT = Path(__file__).resolve().parents[5]
COMPOSE_FILE = CHECKOUT / "docker-compose.yml"
DEPLOY = CHECKOUT / "deploy"
SECRETS = DEPLOY / "secrets"
EMBEDDED_FILE = DEPLOY / "compose.embedded.yml"
PORTS = ("GATEWAY_PORT", "FIX_PORT", "CONSOLE_PORT", "TRACES_PORT")
GRACE_S = "5"
"""How long what is taken away anyway has to end well."""
HEALTH = {"interval": "5s", "timeout": "20s"}
"""How containers are asked: each time a program is started in them, which is not to be noticed, and
may take long on a busy machine."""
SAID = 400
"""The last characters of what a program said before it failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackOptions:
    """What to start: how many containers of each service, and what some are told besides.

    `instead` are modules with arguments that run in place of a service's own.
    """

    replicas: Mapping[str, int]
    shards: int = 1
    flow: str = "synthetic"
    instead: Mapping[str, list[str]] = field(default_factory=dict)
    environment: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


class Stack:
    """One stack. `async with running_stack(...) as stack`."""

    def __init__(self, project: str, folder: Path, env: Mapping[str, str]) -> None:
        self.project = project
        self.folder = folder
        self._env = env
        self._ids: list[str] = []

    @property
    def network(self) -> str:
        """The network that all its containers are on."""
        return f"{self.project}_default"

    async def containers(self) -> dict[str, Container]:
        """Its containers as they are now, by name."""
        if not self._ids:
            self._ids = (await self.docker(*_ids_of(self.project))).decode().split()
        return read_containers(await self.docker("inspect", *self._ids))

    async def docker(self, *arguments: str) -> bytes:
        """What the engine answers to a command.

        Raises:
            SuiteError: ENGINE_REFUSED, with what it said.
        """
        process = await asyncio.create_subprocess_exec(
            *("docker", *arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self._env,
            start_new_session=True,
        )
        try:
            out, said = await process.communicate()
        except asyncio.CancelledError:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
            raise
        if process.returncode:
            text = said.decode().strip()[-SAID:]
            command = f"docker {' '.join(arguments)}"[:SAID]
            raise SuiteError(f"`{command}` failed: {text}", code="ENGINE_REFUSED")
        return out

    async def start(self, options: StackOptions) -> None:
        """Builds the images of this checkout and starts everything; returns once all is well.

        Raises:
            SuiteError: START_FAILED, with what Compose said last.
        """
        deployment.write(self.folder / "secrets", options.shards)
        files = ["--file", str(COMPOSE_FILE)]
        plain = json.loads(await self.docker("compose", *files, "config", "--format", "json"))
        image = plain["services"]["clickhouse"]["image"]
        if self._env.get("EMBEDDED") or not await self._has(image):
            files += ["--file", str(EMBEDDED_FILE)]
        own = self.folder / "compose.own.json"
        own.write_text(json.dumps(overlay(plain, self.folder / "secrets", options)))
        scale = [f"--scale={service}={count}" for service, count in options.replicas.items()]
        try:
            await self.docker(
                *("compose", "--project-name", self.project, *files, "--file", str(own)),
                *("up", "--detach", "--build", "--wait", "--quiet-pull", *scale, *options.replicas),
            )
        except SuiteError as error:
            said = error.text.rpartition("failed: ")[2]
            raise SuiteError(f"the stack does not start: {said}", code="START_FAILED") from error

    async def _has(self, image: str) -> bool:
        for question in (("image", "inspect"), ("pull", "--quiet")):
            try:
                await self.docker(*question, image)
                return True
            except SuiteError:
                continue
        return False

    def take_away(self) -> None:
        """Ends all containers; their volumes and network go too, their logs are kept.

        Not to be interrupted.
        """
        told = _docker(("compose", "--project-name", self.project, "logs", "--no-color"), self._env)
        (self.folder / "containers.log").write_text(told.stdout)
        take_away(self.project, self._env)


def overlay(plain: Mapping[str, Any], secrets: Path, options: StackOptions) -> dict[str, Any]:
    """What this stack has otherwise than the project's own file says."""
    services: dict[str, Any] = {
        service: {"healthcheck": dict(HEALTH)} for service in options.replicas
    }
    for service, told in options.environment.items():
        services[service]["environment"] = dict(told)
    for service, module in options.instead.items():
        services[service]["command"] = [service, *module]
    files = {name: Path(secret["file"]) for name, secret in plain["secrets"].items()}
    own = {name: secrets / file.name for name, file in files.items() if file.parent == SECRETS}
    return {
        "services": services,
        "secrets": {name: {"file": str(file)} for name, file in own.items()},
    }


@asynccontextmanager
async def running_stack(
    project: str, folder: Path, options: StackOptions, env: Mapping[str, str]
) -> AsyncIterator[Stack]:
    """A stack for the time of a block; nothing but its images is left of it.

    Raises:
        SuiteError: NO_ENGINE, NO_STACK_FILE, or START_FAILED.
    """
    require_engine(env)
    if not COMPOSE_FILE.exists():
        raise SuiteError(
            f"{COMPOSE_FILE} is not there: this needs a checkout of the project",
            code="NO_STACK_FILE",
        )
    ports = zip(PORTS, map(str, free_ports(len(PORTS))), strict=True)
    told = {"SHARDS": str(options.shards), "FLOW": options.flow, **dict(ports)}
    stack = Stack(project, folder, {**env, **told})
    try:
        await stack.start(options)
        yield stack
    finally:
        stack.take_away()


def require_engine(env: Mapping[str, str]) -> None:
    """Makes sure that there is an engine, and Compose.

    Raises:
        SuiteError: NO_ENGINE.
    """
    if shutil.which("docker") is None:
        raise SuiteError("docker is not installed", code="NO_ENGINE")
    for question in (("info",), ("compose", "version")):
        done = _docker(question, env)
        if done.returncode:
            said = done.stderr.strip()[-SAID:]
            raise SuiteError(f"`docker {question[0]}` failed: {said}", code="NO_ENGINE")


def look(project: str, env: Mapping[str, str]) -> dict[str, Container]:
    """The containers of a stack, whoever has started it, by name.

    Raises:
        SuiteError: NO_ENGINE, or NOT_RUNNING.
    """
    require_engine(env)
    ids = _docker(_ids_of(project), env).stdout.split()
    if not ids:
        text = f"there is no stack {project}: docker compose up --build --wait starts one"
        raise SuiteError(text, code="NOT_RUNNING")
    return read_containers(_docker(("inspect", *ids), env).stdout.encode())


def _ids_of(project: str) -> tuple[str, ...]:
    return ("ps", "--all", "--quiet", "--no-trunc", "--filter", f"label={PROJECT}={project}")


def projects(env: Mapping[str, str]) -> list[str]:
    """All stacks of the engine."""
    return _docker(("compose", "ls", "--all", "--quiet"), env).stdout.split()


def take_away(project: str, env: Mapping[str, str]) -> None:
    """Ends a stack, whoever has started it; its volumes and network go too."""
    down = ("down", "--volumes", "--remove-orphans", "--timeout", GRACE_S)
    _docker(("compose", "--project-name", project, *down), env)


def _docker(arguments: tuple[str, ...], env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["docker", *arguments],
        env=dict(env),
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )
