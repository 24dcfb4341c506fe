"""Out of one mailbox and into another by every form; what others wrote; interruptions, quota, bad messages."""

from __future__ import annotations

import mailbox
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from accounts.models import Account
from core.access import Access
from core.errors import ErrorKind, MailError
from mailstore import blobs, sql
from mailstore.models import Entry, EntryLabel, Flag, Keyword, Role
from mailstore.portable import importing
from mailstore.portable.exporting import export_mail
from mailstore.portable.importing import import_mail
from mailstore.portable.items import Item, Unreadable
from mailstore.portable.keywords import MAX_KEYWORDS, add_keywords
from mailstore.portable.sources import Form, form_of, read_source
from mailstore.selectors import entries as reading
from mailstore.selectors.folders import folder_tree
from mailstore.services.entries import copy, set_flags
from mailstore.services.folders import create_folder
from tests.mailstore.letters import folder_id, letter, stored

LIMIT = settings.MESSAGE_MAX_BYTES
DAY = 1_700_000_000_000_000


def content(access: Access) -> list[Any]:
    """All that must survive: path, bytes, flags, keywords, time to the second."""
    keywords = {row.bit: row.atom for row in Keyword.objects.filter(mailbox_id=access.mailbox)}
    paths: dict[int, tuple[str, ...]] = {}
    found = []
    for row in folder_tree(access):
        paths[row.id] = (*paths.get(row.parent_id, ()), row.name)
        for entry in Entry.objects.filter(folder_id=row.id).order_by("uid"):
            atoms = {atom for bit, atom in keywords.items() if entry.keywords >> bit & 1}
            raw = reading.raw(access, entry.pk)
            found.append((paths[row.id], raw, entry.flags, frozenset(atoms), entry.internal_us // 1_000_000))
    return sorted(found, key=repr)


@pytest.fixture
def filled(mine: Access) -> Access:
    """Mails in nested folders with awkward names, flags and keywords."""
    project = create_folder(mine, "项目.2026 & more")
    below = create_folder(mine, "A:B", parent_id=project)
    for number, role in enumerate([Role.INBOX, Role.SENT, Role.TRASH, Role.JUNK]):
        stored(mine, letter(f"r{number}"), role=role, flags=number, at_us=DAY + number * 1_000_000)
    in_folder = [
        stored(mine, letter(f"f{number}", body="From the start\r\n\r\nFrom again"), at_us=DAY) for number in range(3)
    ]
    copy(mine, in_folder, folder_id=below)
    (copied,) = copy(mine, in_folder[:1], folder_id=project)
    set_flags(mine, [copied], add=Flag.SEEN | Flag.FORWARDED | Flag.ANSWERED)
    add_keywords(mine.mailbox, {copied: ["$Label1", "Work"], in_folder[1]: ["Work"]})
    return mine


@pytest.mark.parametrize("form", list(Form))
def test_a_mailbox_comes_back_whole_by_every_form(form: Form, filled: Access, his: Access, tmp_path: Path) -> None:
    target = tmp_path / ("box.zip" if form is Form.ZIP else "box")
    exported = export_mail(filled, target, form)
    assert (exported.exported, exported.failures) == (11, [])
    assert form_of(target) is form
    report = import_mail(his, read_source(target, form, max_bytes=LIMIT))
    assert (report.imported, report.failed, report.stopped) == (11, 0, None)
    if form in (Form.EML, Form.ZIP):
        assert content(his) == content(filled)
    else:  # mbox knows no $MDNSent letter and Maildir no $Forwarded but P: the rest is the same
        assert content(his) == content(filled)
    assert EntryLabel.objects.filter(mailbox_id=his.mailbox).count() == 3


@pytest.mark.parametrize("form", list(Form))
def test_importing_and_exporting_again_changes_nothing(form: Form, filled: Access, his: Access, tmp_path: Path) -> None:
    target = tmp_path / ("box.zip" if form is Form.ZIP else "box")
    export_mail(filled, target, form)
    before = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*"))
    export_mail(filled, target, form)
    assert sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*")) == before
    import_mail(his, read_source(target, form, max_bytes=LIMIT))
    again = import_mail(his, read_source(target, form, max_bytes=LIMIT))
    assert (again.imported, again.already_there) == (0, 11)
    assert content(his) == content(filled)


def test_an_import_that_was_interrupted_goes_on(
    filled: Access, his: Access, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "GROUP", 2)
    export_mail(filled, tmp_path / "box", Form.MBOX)

    class PowerCut(Exception):
        pass

    def cut(report: importing.ImportReport) -> None:
        if report.imported >= 6:
            raise PowerCut

    with pytest.raises(PowerCut):
        import_mail(his, read_source(tmp_path / "box", Form.MBOX, max_bytes=LIMIT), progress=cut)
    rest = import_mail(his, read_source(tmp_path / "box", Form.MBOX, max_bytes=LIMIT))
    assert (rest.imported, rest.already_there) == (5, 6)
    assert content(his) == content(filled)


def test_a_full_mailbox_stops_clearly_and_room_lets_it_go_on(filled: Access, his: Access, bob: Account) -> None:
    items = [Item(f"#{number}", ("INBOX",), letter(f"q{number}", body="x" * 1000)) for number in range(10)]
    bob.quota_bytes = 4 * len(items[0].raw) + 10
    bob.save(update_fields=["quota_bytes"])
    report = import_mail(his, items)
    assert report.imported == 4
    assert report.stopped is not None
    assert report.stopped.kind is ErrorKind.OVER_QUOTA
    assert report.stopped_at == "#4"
    bob.quota_bytes = 1 << 30
    bob.save(update_fields=["quota_bytes"])
    assert import_mail(his, items).imported == 6


def test_bad_messages_are_reported_and_the_others_imported(his: Access) -> None:
    odd = [
        b"\0\xff" * 50,
        b"no header at all",
        b"Subject: =?bad?Q?=00=?=\r\n\r\n",
        b"From: \xd0\xd0\r\nX" + b"y" * 5000,
    ]
    found = [Unreadable("bad", "broken"), *(Item(str(number), ("X",), raw) for number, raw in enumerate(odd))]
    report = import_mail(his, found)
    assert (report.imported, report.failed) == (4, 1)
    assert report.failures == [Unreadable("bad", "broken")]
    assert [each[1] for each in content(his) if each[0] == ("X",)]


def test_folders_of_other_programs_find_their_place(his: Access) -> None:
    paths = [("Sent Items",), ("已删除",), ("Archive", "2024"), ("Junk E-mail", "old"), ("bad/%*\x07name",), ("",)]
    import_mail(his, [Item(str(number), path, letter(f"p{number}")) for number, path in enumerate(paths)])
    expected = {("Sent",), ("Trash",), ("Archive", "2024"), ("Junk", "old"), ("bad____name",), ("_",)}
    assert {each[0] for each in content(his)} == expected


def test_too_many_levels_are_joined(his: Access) -> None:
    import_mail(his, [Item("x", tuple("abcdefghijklmnop"), letter())])
    ((path, *_),) = content(his)
    assert path == (*"abcd", "e-f-g-h-i-j-k-l-m-n-o-p")


def test_into_puts_everything_below_one_folder(filled: Access, his: Access, tmp_path: Path) -> None:
    export_mail(filled, tmp_path / "box", Form.MAILDIR)
    import_mail(his, read_source(tmp_path / "box", Form.MAILDIR, max_bytes=LIMIT), into=["Old", "2025"])
    assert {each[0][:2] for each in content(his)} == {("Old", "2025")}
    assert ("Old", "2025", "INBOX") in {each[0] for each in content(his)}


def test_a_reader_may_not_import_and_a_locked_folder_is_not_exported(filled: Access, tmp_path: Path) -> None:
    reader = Access(filled.actor, filled.mailbox, type(filled.rights)(1))
    with pytest.raises(MailError) as caught:
        import_mail(reader, [])
    assert caught.value.kind is ErrorKind.NO_PERMISSION
    sql.run("UPDATE mailstore_folder SET lock_scope = 'own' WHERE id = %s", [folder_id(filled, Role.SENT)])
    assert export_mail(filled, tmp_path / "box", Form.EML).exported == 10
    assert not (tmp_path / "box" / "Sent").exists()


def test_a_message_that_can_not_be_read_is_reported(filled: Access, tmp_path: Path, breaks_rows: None) -> None:
    blob_id = sql.row("SELECT blob_id FROM mailstore_message ORDER BY id LIMIT 1")[0]
    sql.run("UPDATE mailstore_blob SET data = NULL, key = 'aa/none' WHERE id = %s", [blob_id])
    report = export_mail(filled, tmp_path / "box", Form.EML)
    assert report.exported == 10
    assert report.failures[0].place == "INBOX 1"


def test_keywords_beyond_62_are_named_and_the_mail_is_kept(his: Access) -> None:
    items = [Item(str(number), ("INBOX",), letter(f"k{number}"), keywords=(f"k{number}",)) for number in range(65)]
    report = import_mail(his, items)
    assert report.imported == 65
    assert len(report.dropped_keywords) == 65 - MAX_KEYWORDS


def test_a_maildir_of_dovecot_is_read(his: Access, tmp_path: Path) -> None:
    box = mailbox.Maildir(tmp_path / "md")
    message = mailbox.MaildirMessage(letter("one").replace(b"\r\n", b"\n"))
    message.set_subdir("cur")
    message.set_flags("FRSab")
    message.set_date(1_700_000_000)
    box.add(message)
    box.add(mailbox.MaildirMessage(letter("two")))
    box.add_folder("&U,BTFw-.Sub").add(letter("three"))
    box.add_folder("Entwürfe").add(letter("four"))
    (tmp_path / "md" / "dovecot-keywords").write_text("0 $Label1\n1 Work\n")
    assert form_of(tmp_path / "md") is Form.MAILDIR
    import_mail(his, read_source(tmp_path / "md", Form.MAILDIR, max_bytes=LIMIT))
    rows = content(his)
    assert {row[0] for row in rows} == {("INBOX",), ("台北", "Sub"), ("Entwürfe",)}
    flagged = next(row for row in rows if row[1] == letter("one"))
    assert flagged[2] == Flag.SEEN | Flag.ANSWERED | Flag.FLAGGED
    assert flagged[3] == {"$Label1", "Work"}
    assert flagged[4] == 1_700_000_000


def test_thunderbirds_folders_are_found(tmp_path: Path, his: Access) -> None:
    (tmp_path / "Inbox").write_bytes(b"From - Mon Nov 24 10:42:00 2025\nS: 1\n\nx\n")
    (tmp_path / "Inbox.msf").write_bytes(b"// not mail")
    (tmp_path / "Work.sbd").mkdir()
    (tmp_path / "Work.sbd" / "2025").write_bytes(b"From - Mon Nov 24 10:42:00 2025\nS: 2\n\nx\n")
    assert form_of(tmp_path) is Form.MBOX
    import_mail(his, read_source(tmp_path, Form.MBOX, max_bytes=LIMIT))
    assert {row[0] for row in content(his)} == {("INBOX",), ("Work", "2025")}


def test_a_zip_that_lies_about_sizes_or_is_broken_is_no_danger(tmp_path: Path, his: Access) -> None:
    path = tmp_path / "z.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.eml", letter("ok"))
        archive.writestr("bomb.eml", b"0" * 3_000_000)
        archive.writestr("../../evil.eml", letter("evil"))
        archive.writestr("index.jsonl", 'nonsense\n{"file": 3}\n[]\n')
    report = import_mail(his, read_source(path, Form.ZIP, max_bytes=1_000_000))
    assert (report.imported, report.failed) == (2, 1)
    raw = bytearray(path.read_bytes())
    raw[60] ^= 0xFF
    path.write_bytes(raw)
    assert import_mail(his, read_source(path, Form.ZIP, max_bytes=1_000_000)).failed == 2


def test_the_commands_import_export_report_and_exit(
    filled: Access, bob: Account, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("export_mail", "alice@example.test", tmp_path / "out", form="eml", folder=["项目.2026 & more/A:B"])
    assert "3 exported" in capsys.readouterr().out
    call_command("import_mail", "bob@example.test", tmp_path / "out")
    assert "3 imported" in capsys.readouterr().out
    (tmp_path / "out" / "empty.eml").write_bytes(b"")
    with pytest.raises(SystemExit):
        call_command("import_mail", "bob@example.test", tmp_path / "out")
    out = capsys.readouterr().out
    assert "not imported: empty.eml: empty" in out
    assert "0 imported (0 bytes), 3 were there already, 1 could not" in out
    for arguments in (["import_mail", "nobody@x.test", tmp_path], ["import_mail", "bob@example.test", tmp_path / "no"]):
        with pytest.raises(CommandError):
            call_command(*arguments)
    with pytest.raises(CommandError):
        call_command("export_mail", "alice@example.test", tmp_path / "o", folder=["No"])


def test_memory_holds_no_more_than_a_group(his: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "GROUP", 5)
    drawn: list[int] = []

    def items() -> Any:
        for number in range(40):
            drawn.append(number)
            yield Item(str(number), ("INBOX",), letter(f"m{number}"))

    lags: list[int] = []
    import_mail(his, items(), progress=lambda report: lags.append(len(drawn) - report.imported))
    assert len(lags) >= 8
    assert max(lags) == 0


def test_large_messages_go_through_the_object_store(
    his: Access, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, breaks_rows: None
) -> None:
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
    raw = letter("large", body=os.urandom(400_000).hex())
    import_mail(his, [Item("x", ("INBOX",), raw)])
    assert len(list((tmp_path / "blobs").glob("*/*"))) == 1
    assert blobs.get(sql.row("SELECT blob_id FROM mailstore_message")[0]) == raw
    export_mail(his, tmp_path / "out", Form.EML)
    assert next((tmp_path / "out" / "INBOX").glob("*.eml")).read_bytes() == raw
