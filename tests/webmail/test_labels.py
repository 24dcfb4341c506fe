"""标签管理: labels are made, changed and deleted on pages of their own."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Account
from accounts.selectors import access_for
from mailstore.models import Entry, Keyword
from mailstore.services.keywords import MAX_LABELS, create_label, set_keywords
from tests.webmail.mails import browser_of, deliver_many
from webmail.labels import COLOURS, NEW_ORDER, Label, carried, next_colour

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(alice: Account) -> Client:
    return browser_of(alice)


def test_a_label_is_made_renamed_recoloured_and_deleted(client: Client, alice: Account) -> None:
    answer = client.post(reverse("label_new", args=[alice.pk]), {"name": " Offers ", "colour": "green"}, follow=True)
    assert answer.redirect_chain[-1][0] == reverse("labels", args=[alice.pk])
    assert "Label “Offers” created" in answer.content.decode()
    label = Keyword.objects.get()
    assert (label.label, label.colour) == ("Offers", COLOURS["green"][0])
    atom = label.atom
    found = deliver_many(alice, 2)
    set_keywords(access_for(alice, alice.pk), found, add=[label.pk])
    edit = reverse("label_edit", args=[alice.pk, label.pk])
    assert 'value="green" id="id_colour_4" required checked' in client.get(edit).content.decode()
    client.post(edit, {"name": "Quotes", "colour": "pink"})
    label.refresh_from_db()
    assert (label.label, label.colour, label.atom) == ("Quotes", COLOURS["pink"][0], atom)
    delete = reverse("label_delete", args=[alice.pk, label.pk])
    assert "taken off 2 mails" in client.get(delete).content.decode()
    assert Keyword.objects.exists()
    client.post(delete)
    assert not Keyword.objects.exists()
    assert not Entry.objects.exclude(keywords=0).exists()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"name": "offers", "colour": "red"}, "There is a label of this name already."),
        ({"name": "", "colour": "red"}, "This field is required."),
        ({"name": "\u200b", "colour": "red"}, "A name has 1 to 60 characters."),
        ({"name": "x", "colour": "#123456"}, "#123456 is not one of the available choices"),
    ],
)
def test_what_is_refused_is_said_at_the_field(client: Client, alice: Account, data: dict[str, str], said: str) -> None:
    create_label(access_for(alice, alice.pk), "Offers")
    answer = client.post(reverse("label_new", args=[alice.pk]), data)
    assert answer.status_code == 422 and said in answer.content.decode()
    assert Keyword.objects.count() == 1


def test_the_twenty_first_label_is_refused(client: Client, alice: Account) -> None:
    for number in range(MAX_LABELS):
        create_label(access_for(alice, alice.pk), f"L{number}")
    assert reverse("label_new", args=[alice.pk]) not in client.get(reverse("labels", args=[alice.pk])).content.decode()
    answer = client.post(reverse("label_new", args=[alice.pk]), {"name": "more", "colour": "red"})
    assert answer.status_code == 422 and "at most 20 labels" in answer.content.decode()


def test_a_programs_keyword_is_no_label(client: Client, alice: Account) -> None:
    keyword = Keyword.objects.create(mailbox_id=alice.pk, bit=3, atom="$Forwarded2")
    for name in ("label", "label_edit", "label_delete"):
        assert client.get(reverse(name, args=[alice.pk, keyword.pk])).status_code == 404
    assert "$Forwarded2" not in client.get(reverse("labels", args=[alice.pk])).content.decode()


def test_the_tree_has_labels_only_when_there_are_any(client: Client, alice: Account) -> None:
    assert "Labelled mail" not in client.get(reverse("home")).content.decode()
    create_label(access_for(alice, alice.pk), "Offers")
    html = client.get(reverse("home")).content.decode()
    assert "Labelled mail" in html and "Offers" in html


def test_new_colours_are_free_ones_as_long_as_there_are_any() -> None:
    labels: list[Label] = []
    for number, name in enumerate(NEW_ORDER):
        assert next_colour(labels) == COLOURS[name][0]
        labels.append(Label(str(number), number, name, name, 0, 0))
    assert next_colour(labels) in {hex_value for hex_value, _word in COLOURS.values()}
    assert [each.name for each in carried(labels, 0b101)] == [NEW_ORDER[0], NEW_ORDER[2]]
