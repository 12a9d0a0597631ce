# SPDX-License-Identifier: Apache-2.0
"""The embedded ClickHouse as its clients see it: over HTTP, from another process."""

from collections.abc import Iterator

import clickhouse_connect
import httpx
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from tests.integration.archiver.database import WarehouseProcess


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarehouseProcess]:
    process = WarehouseProcess(tmp_path_factory.mktemp("warehouse") / "state")
    process.start()
    yield process
    process.kill()


@pytest.fixture
def http(process: WarehouseProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=process.url, auth=("default", "secret"), trust_env=False) as client:
        yield client


def test_a_client_of_clickhouse_writes_and_reads(process: WarehouseProcess) -> None:
    client = clickhouse_connect.get_client(dsn=process.dsn, password="secret", compress=False)
    client.command("CREATE TABLE t (a UInt64, b String) ENGINE = MergeTree ORDER BY a")
    client.insert("t", [[1, "one\n"], [2, "it's"]], column_names=["a", "b"])
    asked = client.query("SELECT b FROM t WHERE a = {a:UInt64}", parameters={"a": 2})
    assert asked.result_rows == [("it's",)]
    with pytest.raises(DatabaseError, match="UNKNOWN_IDENTIFIER"):
        client.query("SELECT nonsense FROM t")


def test_a_setting_holds_for_its_request_only(http: httpx.Client) -> None:
    sql = "SELECT value FROM system.settings WHERE name = 'max_threads' FORMAT TSV"
    assert http.post("/", content=sql, params={"max_threads": 1}).text == "1\n"
    assert http.post("/", content=sql).text != "1\n"


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE u (a UInt64) ENGINE = MergeTree ORDER BY a",
        "INSERT INTO system.nothing SELECT 1",
        "INSERT INTO t (a) FORMAT TSV\n7\n",
        "SELECT * FROM file('/etc/passwd', 'LineAsString') FORMAT TSV",
        "SET readonly = 0",
    ],
)
def test_a_reader_only_reads(http: httpx.Client, sql: str) -> None:
    answer = http.post("/", content=sql, params={"readonly": 1})
    assert (answer.status_code, answer.headers["X-ClickHouse-Exception-Code"]) == (500, "164")


def test_a_wrong_password_is_refused(process: WarehouseProcess) -> None:
    answer = httpx.post(process.url, content="SELECT 1", auth=("default", "x"), trust_env=False)
    assert (answer.status_code, answer.headers["X-ClickHouse-Exception-Code"]) == (401, "516")


def test_what_is_not_understood_is_refused_with_a_sentence(http: httpx.Client) -> None:
    packed = http.post("/", content=b"x", headers={"Content-Encoding": "lz4"})
    assert (packed.status_code, "send it plain" in packed.text) == (415, True)
    named = http.post("/", content="SELECT 1 FORMAT TSV", params={"max threads": 1})
    assert (named.status_code, "is no name of a setting" in named.text) == (500, True)
    assert http.post("/", content=b"\xff").status_code == 500


def test_a_second_process_on_the_same_folder_is_refused_with_a_sentence(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("twice") / "state"
    first, second = WarehouseProcess(folder), WarehouseProcess(folder, "second")
    first.start()
    try:
        assert second.run() == 1
        assert "WAREHOUSE_IN_USE" in second.log
        assert "Stop that one, or use another folder" in second.log
    finally:
        first.kill()
