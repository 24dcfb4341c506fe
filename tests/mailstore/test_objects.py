"""Objects in a bucket: the same promises as on disk, against a server that speaks S3."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import boto3
import pytest
from django.conf import settings
from moto.server import ThreadedMotoServer

from core.access import Access
from core.errors import ErrorKind, MailError
from mailstore import blobs, sql
from mailstore.blobs import collect_blobs
from mailstore.objects import Bucket, Disk, objects
from mailstore.selectors import entries
from mailstore.services.entries import purge
from mailstore.services.recovery import expire_recoverable
from mailstore.verify_blobs import verify_blobs
from tests.mailstore.letters import letter, stored


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A server on loopback."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch, breaks_rows: None) -> Bucket:
    """An empty bucket, used by this test's store."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    name = f"mail-{os.urandom(4).hex()}"
    boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1").create_bucket(Bucket=name)
    url = f"s3://{name}/blobs?endpoint={endpoint}&region=us-east-1"
    monkeypatch.setattr(settings, "BLOB_STORE_URL", url)
    found = objects()
    assert isinstance(found, Bucket)
    return found


def test_an_object_is_written_read_listed_and_removed(bucket: Bucket) -> None:
    data = os.urandom(300_000)
    bucket.write("ab/abcd", data)
    bucket.write("ab/abcd", data)
    bucket.write("cd/cdef", b"2")
    assert bucket.read("ab/abcd") == data
    assert bucket.exists("ab/abcd")
    assert sorted(bucket.keys()) == ["ab/abcd", "cd/cdef"]
    assert not bucket.remove_if_older("ab/abcd", time.time() - 60)
    assert bucket.remove_if_older("ab/abcd", time.time() + 60)
    assert not bucket.exists("ab/abcd")
    assert not bucket.remove_if_older("ab/abcd", time.time() + 60)


def test_what_is_not_there_is_unavailable(bucket: Bucket) -> None:
    with pytest.raises(MailError) as caught:
        bucket.read("no/thing")
    assert caught.value.kind is ErrorKind.UNAVAILABLE


def test_a_store_that_is_gone_is_unavailable_before_anything_is_written(
    bucket: Bucket, mine: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr(settings, "BLOB_STORE_URL", "s3://nobody/blobs?endpoint=http://127.0.0.1:9&region=us-east-1")
    with pytest.raises(MailError) as caught:
        stored(mine, letter(body=os.urandom(400_000).hex()))
    assert caught.value.kind is ErrorKind.UNAVAILABLE
    assert sql.row("SELECT count(*) FROM mailstore_blob")[0] == 0


def test_a_large_mail_lives_and_ends_in_the_bucket(bucket: Bucket, mine: Access) -> None:
    raw = letter(body=os.urandom(400_000).hex())
    entry = stored(mine, raw)
    assert entries.raw(mine, entry) == raw
    assert len(list(bucket.keys())) == 1
    assert verify_blobs().findings == []
    purge(mine, [entry])
    expire_recoverable(mine.mailbox, 1 << 60)
    sql.run("DELETE FROM mailstore_searchremoval")
    assert collect_blobs(-60) == 1
    assert list(bucket.keys()) == []


def test_without_a_url_objects_lie_on_disk() -> None:
    assert isinstance(objects(), Disk)


def test_contents_of_both_sizes_come_back(bucket: Bucket, db: None) -> None:
    for content in (b"small", os.urandom(400_000)):
        encoded = blobs.encode(content)
        assert blobs.decode(encoded.codec, encoded.data, encoded.key, encoded.size) == content
