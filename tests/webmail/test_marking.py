"""Acts that mark mails: labels and to-do, from rows, selections, conversations and the pane; with scripts and without."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Account
from accounts.selectors import access_for
from core.access import Access
from mailstore.models import Entry, Flag, Keyword, Role, Todo
from mailstore.selectors.conversations import conversation_page
from mailstore.services import entries
from mailstore.services.keywords import MAX_LABELS, create_label, set_keywords
from mailstore.services.todos import mark_todo
from tests.webmail.mails import browser_of, deliver, deliver_many, folder_id, mail
from tests.webmail.test_act import act
from webmail.display import change_display
from webmail.labels import COLOURS

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(alice: Account) -> Client:
    return browser_of(alice)


@pytest.fixture
def access(alice: Account) -> Access:
    return access_for(alice, alice.pk)


@pytest.fixture
def mails(alice: Account) -> list[int]:
    return deliver_many(alice, 3)


@pytest.fixture
def talk(alice: Account) -> list[int]:
    """A conversation of three mails, one of them elsewhere, and its thread last."""
    ids = [
        deliver(alice, mail("One", Subject="Talk", Message_ID="<t1@x.test>")),
        deliver(alice, mail("Two", Subject="Re: Talk", Message_ID="<t2@x.test>", References="<t1@x.test>")),
        deliver(alice, mail("Three", Subject="Re: Talk", Message_ID="<t3@x.test>", References="<t2@x.test>"), role=Role.SENT),
    ]  # fmt: skip
    thread = conversation_page(access_for(alice, alice.pk), folder_id(alice)).rows[0].thread_id
    return [*ids, thread]


def labels_on(entry: int) -> set[str]:
    bits = Entry.objects.get(pk=entry).keywords
    return {each.label for each in Keyword.objects.all() if bits >> each.bit & 1}


def test_a_label_goes_on_until_all_have_it_and_then_off(client: Client, access: Access, mails: list[int]) -> None:
    label = create_label(access, "Offers").id
    act(client, label=label, ids=mails[:1])
    assert act(client, act="label", label=label, ids=mails)["toast"] == "Label “Offers” put on 2 mails"
    assert all(labels_on(each) == {"Offers"} for each in mails)
    assert act(client, act="label", label=label, ids=mails)["toast"] == "Label “Offers” removed from 3 mails"
    assert not any(labels_on(each) for each in mails)


def test_a_label_comes_off_one_mail(client: Client, access: Access, mails: list[int]) -> None:
    label = create_label(access, "Offers").id
    set_keywords(access, mails, add=[label])
    act(client, act="unlabel", label=label, ids=mails[:1])
    assert [labels_on(each) for each in mails] == [set(), {"Offers"}, {"Offers"}]


def test_a_new_label_is_made_where_it_is_needed_and_only_once(client: Client, mails: list[int]) -> None:
    act(client, act="label_new", new_label="  New   one ", ids=mails[:1])
    act(client, act="label_new", new_label="new ONE", ids=mails[1:])
    assert all(labels_on(each) == {"New one"} for each in mails)
    assert Keyword.objects.get().colour in {hex_value for hex_value, _word in COLOURS.values()}


def test_labels_get_different_colours_by_themselves(client: Client, mails: list[int]) -> None:
    for number in range(len(COLOURS)):
        act(client, act="label_new", new_label=f"L{number}", ids=mails)
    assert len({each.colour for each in Keyword.objects.all()}) == len(COLOURS)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({"act": "label", "label": "OTHER"}, 404),
        ({"act": "label", "label": "KEYWORD"}, 404),
        ({"act": "unlabel", "label": "x"}, 404),
        ({"act": "label_new", "new_label": "x" * 61}, 422),
        ({"act": "label_new", "new_label": "\x07"}, 422),
        ({"act": "label_new", "new_label": ""}, 422),
        ({"threads": "1", "folder_id": "FOLDER"}, 404),
        ({"act": "read", "threads": "x", "folder_id": "FOLDER"}, 404),
        ({"act": "read", "threads": "1", "folder_id": ""}, 404),
        ({"unstar_thread": "1", "folder_id": "FOLDER"}, 404),
    ],
)
def test_what_is_no_label_and_no_conversation(
    client: Client, alice: Account, bob: Account, mails: list[int], data: dict[str, Any], status: int
) -> None:
    program = Keyword.objects.create(mailbox_id=alice.pk, bit=5, atom="$Junk")
    known = {
        "OTHER": create_label(access_for(bob, bob.pk), "His").id,
        "KEYWORD": program.pk,
        "FOLDER": folder_id(alice),
    }
    filled = {name: known.get(value, value) for name, value in data.items()}
    answer = client.post(reverse("act"), {"ids": mails, **filled}, headers={"Accept": "application/json"})
    assert answer.status_code == status


def test_there_are_at_most_twenty_labels(client: Client, access: Access, mails: list[int]) -> None:
    for number in range(MAX_LABELS):
        create_label(access, f"L{number}")
    data = {"act": "label_new", "new_label": "one more", "ids": mails}
    assert client.post(reverse("act"), data, headers={"Accept": "application/json"}).status_code == 429


def test_to_do_done_and_back_each_with_its_way_back(client: Client, mails: list[int]) -> None:
    said = act(client, act="todo", ids=mails[:2])
    assert said["toast"] == "2 mails are to do now"
    act(client, undo=said["undo"]["token"])
    assert not Todo.objects.exists()
    act(client, todo=mails[0], ids=mails)
    assert [each.entry_id for each in Todo.objects.all()] == [mails[0]]
    said = act(client, done=mails[0])
    assert Todo.objects.get().done_us
    act(client, undo=said["undo"]["token"])
    assert Todo.objects.get().done_us is None
    assert act(client, act="restore", ids=mails[:1])["toast"] == "1 mail is back in its folder"
    assert not Todo.objects.exists()


def test_the_answer_shows_the_list_without_what_is_to_do_now(client: Client, alice: Account, mails: list[int]) -> None:
    view = reverse("folder", args=[folder_id(alice)])
    part = act(client, act="todo", ids=mails[:1], view=view)["part"]
    assert "Number 1<" not in part and "Number 2<" in part
    assert re.search(r'data-tree-list="todo".*?node-count">1<', part, re.S)
    part = act(client, act="restore", ids=mails[:1], view=reverse("todo", args=[alice.pk]))["part"]
    assert "Nothing to do" in part


def test_a_whole_filtered_folder_leaves_its_to_do_mails_alone(
    client: Client, alice: Account, access: Access, mails: list[int]
) -> None:
    mark_todo(access, mails[:1])
    label = create_label(access, "Offers").id
    set_keywords(access, mails[:2], add=[label])
    act(client, act="delete", whole="1", folder_id=folder_id(alice), filter=f"label={label}")
    assert set(Entry.objects.filter(folder_id=folder_id(alice)).values_list("pk", flat=True)) == {mails[0], mails[2]}
    act(client, act="read", whole="1", folder_id=folder_id(alice))
    assert not Entry.objects.get(pk=mails[0]).flags & Flag.SEEN
    assert Entry.objects.get(pk=mails[2]).flags & Flag.SEEN


def test_a_conversation_is_acted_on_in_its_folder(client: Client, alice: Account, talk: list[int]) -> None:
    one, two, sent, thread = talk
    inbox = folder_id(alice)
    act(client, act="read", threads=[thread], folder_id=inbox)
    assert [bool(Entry.objects.get(pk=each).flags & Flag.SEEN) for each in (one, two, sent)] == [True, True, False]
    act(client, act="star", threads=[thread], folder_id=inbox)
    act(client, unstar_thread=thread, folder_id=inbox)
    assert not any(Entry.objects.get(pk=each).flags & Flag.FLAGGED for each in (one, two))
    said = act(client, act="delete", threads=[thread], folder_id=inbox)
    assert said["toast"].startswith("2 mails moved")
    assert Entry.objects.get(pk=sent).folder_id == folder_id(alice, Role.SENT)
    act(client, undo=said["undo"]["token"])
    assert Entry.objects.filter(folder_id=inbox).count() == 2


def test_an_act_on_a_conversation_leaves_its_to_do_mails(
    client: Client, alice: Account, access: Access, talk: list[int]
) -> None:
    one, two, _sent, thread = talk
    mark_todo(access, [one])
    act(client, act="delete", threads=[thread], folder_id=folder_id(alice))
    assert Entry.objects.get(pk=one).folder_id == folder_id(alice) != Entry.objects.get(pk=two).folder_id


def test_the_list_of_conversations(client: Client, alice: Account, access: Access, talk: list[int]) -> None:
    one, two, _sent, thread = talk
    deliver_many(alice, 2)
    inbox = reverse("folder", args=[folder_id(alice)])
    assert client.post(reverse("switch_display"), {"conversations": "on", "next": inbox})["Location"] == inbox
    html = client.get(inbox).content.decode()
    assert re.findall(r'name="threads" value="(\d+)"', html)[-1] == str(thread)
    assert f'data-id="{thread}"' in html and f'data-id="{one}"' not in html
    assert f'href="{reverse("conversation", args=[folder_id(alice), thread])}"' in html
    assert 'class="row-n">2<' in html and "1/1" not in html
    entries.set_flags(access, [one, two], add=Flag.SEEN)
    assert f'data-id="{thread}"' not in client.get(f"{inbox}?show=unread").content.decode()
    by_size = client.get(f"{inbox}?sort=size").content.decode()
    assert 'name="threads"' not in by_size and f'data-id="{one}"' in by_size
    assert client.post(reverse("switch_display"), {"conversations": "maybe"}).status_code == 422


def test_pages_of_conversations_are_numbered(client: Client, alice: Account) -> None:
    deliver_many(alice, 45)
    change_display(alice, conversations=True, page_size=20)
    inbox = reverse("folder", args=[folder_id(alice)])

    def numbers(query: str) -> list[int]:
        return [
            int(each) for each in re.findall(r'row-subject">Number (\d+)<', client.get(inbox + query).content.decode())
        ]

    assert numbers("") == list(range(45, 25, -1))
    assert numbers("?page=2") == list(range(25, 5, -1))
    assert numbers("?page=9") == numbers("?page=3") == list(range(5, 0, -1))
    assert "3/3" in client.get(f"{inbox}?page=9").content.decode()
    assert len(numbers("?date=2031-01-01")) == 20 and numbers("?date=2001-01-01") == []


def test_a_conversation_is_a_stack_with_what_is_unread_unfolded(
    client: Client, alice: Account, access: Access, talk: list[int]
) -> None:
    one, two, sent, thread = talk
    entries.set_flags(access, [one], add=Flag.SEEN)
    url = reverse("conversation", args=[folder_id(alice), thread])
    pane = client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert re.findall(r'data-letter="(\d+)"', pane) == [str(two), str(sent)]
    assert f'href="{reverse("message", args=[folder_id(alice), one])}" data-pane-link' in pane
    assert f'name="threads" value="{thread}"' in pane and "data-whole" in pane and "data-unseen" in pane
    page = client.get(url).content.decode()
    assert "<html" in page and 'id="rows"' in page


def test_long_conversations_fold_in_the_middle(client: Client, alice: Account) -> None:
    for number in range(8):
        references = f"<l{number - 1}@x.test>" if number else "<none@x.test>"
        last = deliver(
            alice, mail(f"Body {number}", Subject="Long", Message_ID=f"<l{number}@x.test>", References=references)
        )
    pane = client.get(
        reverse("message", args=[folder_id(alice), last]), headers={"HX-Request": "true"}
    ).content.decode()
    assert "5 more mails" in pane
    assert pane.count("thread-row") == 7 and pane.count("data-letter=") == 1


def test_a_folded_mail_is_asked_for_alone(client: Client, alice: Account, talk: list[int]) -> None:
    headers = {"HX-Request": "true", "HX-Target": "letter"}
    part = client.get(reverse("message", args=[folder_id(alice), talk[0]]), headers=headers).content.decode()
    assert part.lstrip().startswith("<section") and "One" in part and "mail-tools" not in part


def test_a_mail_shows_its_labels_and_marks(client: Client, alice: Account, access: Access, mails: list[int]) -> None:
    label = create_label(access, "Offers", colour="#dc2626").id
    set_keywords(access, mails[:1], add=[label])
    url = reverse("message", args=[folder_id(alice), mails[0]])
    pane = client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert 'class="label label-red"' in pane and "Remove label Offers" in pane
    assert 'value="todo" data-key="T" aria-pressed="false"' in pane
    mark_todo(access, mails[:1])
    pane = client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert 'value="restore" data-key="T" aria-pressed="true"' in pane and "Mark as completed" in pane
    row = client.get(f"{reverse('label', args=[alice.pk, label])}").content.decode()
    assert 'aria-label="To do"><use href="#i-todo"' in row


def test_the_next_mail_is_that_of_the_list_beside(
    client: Client, alice: Account, access: Access, mails: list[int]
) -> None:
    entries.set_flags(access, [mails[0], mails[2]], add=Flag.FLAGGED)
    inbox = reverse("folder", args=[folder_id(alice)])
    url = reverse("message", args=[folder_id(alice), mails[2]])

    def older(beside: str) -> str:
        pane = client.get(url, headers={"HX-Request": "true", "X-List": beside}).content.decode()
        found = re.search(r'href="([^"]+)" data-key="j"', pane)
        return found[1] if found else ""

    assert older("") == older(inbox) == older("/nowhere/") == reverse("message", args=[folder_id(alice), mails[1]])
    assert older(f"{inbox}?show=starred") == reverse("message", args=[folder_id(alice), mails[0]])
    assert older(f"{inbox}?sort=-date") == ""
