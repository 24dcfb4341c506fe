"""隔离区 in the browser, and 放行 from the daily report."""

from __future__ import annotations

import datetime
import re
import zoneinfo
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account
from accounts.selectors import access_for
from core.access import system_access
from mailstore.message import read
from mailstore.models import Entry
from mailstore.selectors.entries import raw
from mta import tasks
from mta.models import ListedSender, QuarantinedMail, SentDigest, SpamLesson
from mta.quarantine.digest import digest, last_slot, send_digests, size_text
from mta.quarantine.services import delete_for, set_digest
from tests.factories import make_account, quarantined
from tests.mta.test_submit import mails

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(alice: Account) -> Client:
    client = Client()
    client.force_login(alice)
    return client


def page(browser: Client, account: Account, *more: int) -> str:
    name = "quarantine_mail" if more else "quarantine"
    return browser.get(reverse(name, args=[account.pk, *more])).content.decode()


def act(browser: Client, account: Account, name: str, *ids: int) -> str:
    answer = browser.post(reverse("quarantine_act", args=[account.pk]), {"act": name, "ids": ids}, follow=True)
    return answer.content.decode()


def test_the_list_and_one_mail_with_its_reasons(browser: Client, alice: Account, bob: Account) -> None:
    mail = quarantined(alice, "中奖 <b>通知</b>")
    quarantined(bob, "of somebody else")
    listed = page(browser, alice)
    assert "中奖 &lt;b&gt;通知&lt;/b&gt;" in listed
    assert "of somebody else" not in listed
    shown = page(browser, alice, mail.pk)
    assert "链接指向 IP 地址而非域名：192.0.2.9" in shown
    assert "主题全部为大写字母" in shown
    assert "Buy 中奖 &lt;b&gt;" in shown


def test_fifty_on_a_page_and_the_rest_behind_them(browser: Client, alice: Account) -> None:
    for number in range(52):
        quarantined(alice, f"number-{number:02}")
    first = page(browser, alice)
    link = re.search(r'href="([^"]*before=\d+)"', first)
    assert link
    second = browser.get(link[1]).content.decode()
    numbers = [set(re.findall(r"number-(\d\d)<", each)) for each in (first, second)]
    assert (len(numbers[0]), numbers[0] & numbers[1], len(numbers[0] | numbers[1])) == (50, set(), 52)


@pytest.mark.parametrize(("name", "said"), [("release", "已放行 2 封邮件"), ("delete", "已删除 2 封邮件")])
def test_several_at_once(browser: Client, alice: Account, name: str, said: str) -> None:
    ids = [quarantined(alice).pk for _ in range(2)]
    assert said in act(browser, alice, name, *ids)
    assert len(mails(alice, "inbox")) == (2 if name == "release" else 0)
    assert "隔离区为空" in page(browser, alice)


def undo_of(said: str) -> dict[str, str]:
    """What the toast's button posts."""
    found = re.search(r'<button name="undo" value="([^"]+)"', said)
    assert found
    return {"undo": found[1]}


def test_a_deletion_is_taken_back_while_the_mail_is_kept(browser: Client, alice: Account) -> None:
    url = reverse("quarantine_act", args=[alice.pk])
    ids = [quarantined(alice, f"number-{number}").pk for number in range(3)]
    undo = undo_of(act(browser, alice, "delete", *ids[:2]))
    said = browser.post(url, undo, follow=True).content.decode()
    assert "已撤销" in said
    assert all(f"number-{number}" in said for number in range(3))
    assert "已无可撤销的操作" in browser.post(url, undo, follow=True).content.decode()
    assert "已放行 1 封邮件" in act(browser, alice, "release", ids[0])
    assert "已无可撤销的操作" in browser.post(url, undo, follow=True).content.decode()
    assert len(mails(alice, "inbox")) == 1
    undo = undo_of(act(browser, alice, "delete", ids[1]))
    QuarantinedMail.objects.filter(pk=ids[1]).update(expires_at=timezone.now())
    assert "已无可撤销的操作" in browser.post(url, undo, follow=True).content.decode()
    assert QuarantinedMail.objects.get(pk=ids[1]).state == "deleted"


def test_an_undo_takes_back_its_own_deletion_and_none_of_an_administrator(browser: Client, alice: Account) -> None:
    url = reverse("quarantine_act", args=[alice.pk])
    mail = quarantined(alice, "number-1")
    undo = undo_of(act(browser, alice, "delete", mail.pk))
    assert "已撤销" in browser.post(url, undo, follow=True).content.decode()
    mail.refresh_from_db()
    boss = make_account("boss@example.test", role=Account.Role.DOMAIN_ADMIN)
    assert delete_for(mail, actor=boss)
    assert "已无可撤销的操作" in browser.post(url, undo, follow=True).content.decode()
    mail.refresh_from_db()
    assert mail.state == "deleted"
    assert "number-1" not in page(browser, alice)


def test_only_who_deleted_takes_it_back(browser: Client, alice: Account, bob: Account) -> None:
    mail = quarantined(alice)
    undo = undo_of(act(browser, alice, "delete", mail.pk))
    other = Client()
    other.force_login(bob)
    assert other.post(reverse("quarantine_act", args=[alice.pk]), undo).status_code == 404
    assert other.post(reverse("quarantine_act", args=[bob.pk]), undo).status_code == 404
    assert browser.post(reverse("quarantine_act", args=[alice.pk]), {"undo": "forged"}).status_code == 422
    assert QuarantinedMail.objects.get().state == "deleted"


def test_nothing_chosen_is_said_and_nonsense_is_refused(browser: Client, alice: Account) -> None:
    quarantined(alice)
    assert "请至少选择一封邮件" in act(browser, alice, "release")
    assert browser.post(reverse("quarantine_act", args=[alice.pk]), {"act": "eat", "ids": [1]}).status_code == 422
    assert QuarantinedMail.objects.filter(state="held").count() == 1


def test_a_virus_is_the_administrators(browser: Client, alice: Account) -> None:
    mail = quarantined(alice, kind="virus")
    assert "只能由管理员放行" in page(browser, alice, mail.pk)
    assert "只能由管理员放行" in act(browser, alice, "release", mail.pk)
    assert not Entry.objects.exists()
    boss = Client()
    boss.force_login(make_account("boss@example.test", role=Account.Role.DOMAIN_ADMIN))
    url = reverse("admin:mta_quarantinedmail_changelist")
    boss.post(url, {"action": "release_selected", "_selected_action": [mail.pk]})
    assert len(mails(alice, "inbox")) == 1


def test_the_report_is_switched_on_and_off(browser: Client, alice: Account) -> None:
    url = reverse("quarantine_digest", args=[alice.pk])
    assert "已开启垃圾邮件摘要报告" in browser.post(url, {"digest": "on"}, follow=True).content.decode()
    assert "已关闭垃圾邮件摘要报告" in browser.post(url, {"digest": "off"}, follow=True).content.decode()


# --- the report ----------------------------------------------------------------------------------

SHANGHAI = zoneinfo.ZoneInfo("Asia/Shanghai")


def evening(mail: QuarantinedMail) -> datetime.datetime:
    """The first 22:00 in Shanghai after it came."""
    return last_slot(mail.received_at, SHANGHAI) + datetime.timedelta(days=1)


def reported(
    account: Account, *, language: str = "zh-hans", sender: str = "quantier@hentique.test"
) -> tuple[str, str, str]:
    """(subject, HTML, link) of the report about one mail."""
    Account.objects.filter(pk=account.pk).update(language=language)
    set_digest(access_for(account, account.pk), wanted=True)
    mail = quarantined(account, "绩效考核暨KPI+BSC实战训练营", sender=sender)
    assert send_digests(evening(mail)) == 1
    found = read(raw(system_access(account.pk), Entry.objects.get().pk))
    html = found.html or ""
    assert found.from_[0].address == "postmaster@example.test"
    link = re.search(r'href="([^"]+/quarantine/link/[^"]+)"', html)
    assert link
    return found.subject, re.sub(r"<[^>]+>", "|", html), link[1]


def test_the_report_is_word_for_word_the_manuals(alice: Account) -> None:
    subject, html, _link = reported(alice)
    assert subject == "疑似垃圾邮件，请仔细检查以免影响您的工作！"
    mail = QuarantinedMail.objects.get()
    at = mail.received_at.astimezone(SHANGHAI)
    for piece in (
        "邮件安全网关",
        "用户：alice@example.test",
        f"日期：{evening(mail):%Y-%m-%d} 22:00:00",
        f"您好，以下是邮件安全网关为您隔离的可疑邮件：共 1 封邮件，总大小 {size_text(mail.size)}。",
        "过滤的垃圾邮件保留 7 个自然日，请您及时进行处理。",
    ):
        assert piece in html
    cells = [cell for cell in html.split("|") if cell.strip()]
    assert cells[cells.index("发件人") :][:13] == [
        *("发件人", "主题", "接收日期", "大小", "类型", "操作"),
        *("quantier@hentique.test", "绩效考核暨KPI+BSC实战训练营", f"{at:%Y-%m-%d %H:%M:%S}", size_text(mail.size)),
        *("垃圾邮件", "放行", "过滤的垃圾邮件保留 7 个自然日，请您及时进行处理。"),
    ]


def test_the_report_speaks_its_readers_language(alice: Account) -> None:
    subject, html, _link = reported(alice, language="en")
    assert subject.startswith("Suspected spam")
    assert "1 mail, " in html


@pytest.mark.parametrize(("size", "shown"), [(10_650, "10.4KB"), (900, "900B"), (3 << 20, "3.0MB")])
def test_sizes_are_written_as_in_the_manual(size: int, shown: str) -> None:
    assert size_text(size) == shown


def test_it_comes_at_22_of_ones_own_zone_once_a_day(alice: Account, bob: Account) -> None:
    Account.objects.filter(pk=bob.pk).update(time_zone="America/New_York")
    for account in (alice, bob):
        set_digest(access_for(account, account.pk), wanted=True)
    first, _ = quarantined(alice), quarantined(bob)
    hers = evening(first)
    his = last_slot(first.received_at, zoneinfo.ZoneInfo("America/New_York")) + datetime.timedelta(days=1)
    for at in sorted({hers, his}):
        send_digests(at - datetime.timedelta(seconds=1))
        send_digests(at)
        send_digests(at + datetime.timedelta(minutes=1))
    assert {row.account_id: row.day for row in SentDigest.objects.all()} == {alice.pk: hers.date(), bob.pk: his.date()}
    assert Entry.objects.count() == 2
    assert send_digests(max(hers, his) + datetime.timedelta(days=2)) == 0  # nothing new


def test_who_does_not_want_it_gets_none_and_released_mail_is_not_listed(alice: Account) -> None:
    mail = quarantined(alice)
    assert send_digests(evening(mail)) == 0
    set_digest(access_for(alice, alice.pk), wanted=True)
    QuarantinedMail.objects.update(state="released")
    assert send_digests(evening(mail)) == 0


def test_a_worker_that_dies_has_sent_nothing_and_the_next_sends_one(
    alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_digest(access_for(alice, alice.pk), wanted=True)
    mail = quarantined(alice)
    with monkeypatch.context() as patch:
        patch.setattr("mta.quarantine.digest.store", lambda _items: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            send_digests(evening(mail))
    assert not SentDigest.objects.exists()
    assert send_digests(evening(mail)) == 1
    assert send_digests(evening(mail)) == 0


def test_a_report_lists_the_newest_and_counts_the_rest(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mta.quarantine.digest.LISTED_MAX", 2)
    set_digest(access_for(alice, alice.pk), wanted=True)
    mail = [quarantined(alice, word) for word in ("oldest", "middle", "newest")][-1]
    assert send_digests(evening(mail)) == 1
    text = read(mails(alice, "inbox")[-1]).html
    assert "newest" in text and "middle" in text and "oldest" not in text
    assert re.search(r"3\s*封", text)
    assert not QuarantinedMail.objects.filter(reported=False).exists()


def test_the_trouble_of_one_reader_keeps_nobody_elses_report(
    alice: Account, bob: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    for account in (alice, bob):
        set_digest(access_for(account, account.pk), wanted=True)
    quarantined(alice)
    mail = quarantined(bob)

    def made(account: Account, *args: Any, **named: Any) -> bytes:
        if account.pk == alice.pk:
            raise ValueError("broken")
        return digest(account, *args, **named)

    monkeypatch.setattr("mta.quarantine.digest.digest", made)
    assert send_digests(evening(mail)) == 1
    assert (len(mails(alice, "inbox")), len(mails(bob, "inbox"))) == (0, 1)
    monkeypatch.undo()
    assert send_digests(evening(mail)) == 1


# --- the link ------------------------------------------------------------------------------------


def test_get_asks_post_releases_once_without_signing_in(alice: Account) -> None:
    _subject, _html, link = reported(alice)
    path = re.sub(r"^https?://[^/]+", "", link)
    stranger = Client(enforce_csrf_checks=True)
    asked = stranger.get(path).content.decode()
    assert "确定将此邮件放行到邮箱 alice@example.test 吗" in asked
    assert QuarantinedMail.objects.get().state == "held"
    assert "邮件已放行" in stranger.post(path, {"act": "release"}).content.decode()
    for again in (stranger.post(path, {"act": "release"}), stranger.get(path)):
        assert "此邮件此前已放行" in again.content.decode()
    assert Entry.objects.count() == 2  # the report and the mail
    assert SpamLesson.objects.get().wanted == "ham"
    tasks.learn_spam()
    assert SpamLesson.objects.get().learnt == "ham"


def test_release_and_trust_puts_the_sender_on_the_white_list(alice: Account) -> None:
    _subject, _html, link = reported(alice)
    Client().post(re.sub(r"^https?://[^/]+", "", link), {"act": "trust"})
    entry = ListedSender.objects.get()
    assert (entry.account_id, entry.pattern, entry.wish) == (alice.pk, "quantier@hentique.test", "safe")


def test_a_link_ends_with_its_mail_and_a_forged_one_is_none(alice: Account) -> None:
    _subject, _html, link = reported(alice)
    path = re.sub(r"^https?://[^/]+", "", link)
    assert Client().get(path[:-3] + "xx/").status_code == 404
    QuarantinedMail.objects.update(expires_at=timezone.now())
    assert Client().post(path, {"act": "release"}).status_code == 404


def test_a_deleted_mail_says_so(alice: Account) -> None:
    _subject, _html, link = reported(alice)
    QuarantinedMail.objects.update(state="deleted")
    answer = Client().post(re.sub(r"^https?://[^/]+", "", link), {"act": "release"})
    assert "此邮件已从隔离区删除" in answer.content.decode()
