"""Sending policies that are older than the default rates get them, unless somebody has ever chosen rates there."""

from django.db import migrations

RATES = {
    "hourly_recipients": 2_000,
    "daily_recipients": 10_000,
    "daily_strangers": 1_000,
    "pool_strangers": 10_000,
    "stop_strangers": 500,
}


def fill_in(apps, schema_editor):
    """A row was made by whoever wrote a footer; its zeros were no choice, and the record would know of one."""
    policies = apps.get_model("mta", "SendPolicy").objects.using(schema_editor.connection.alias)
    events = apps.get_model("logs_app", "Event").objects.using(schema_editor.connection.alias)
    for policy in policies.filter(**dict.fromkeys(RATES, 0)):
        acts = events.filter(domain_id=policy.pk, kind="admin", data__action="set_send_policy")
        if not any(_named(data) & RATES.keys() for data in acts.values_list("data", flat=True).iterator()):
            policies.filter(pk=policy.pk).update(**RATES)


def _named(data):
    changes = data.get("changes") if isinstance(data, dict) else None
    return set(changes) if isinstance(changes, dict) else set()


class Migration(migrations.Migration):
    dependencies = [
        ("mta", "0028_default_rates"),
        ("logs_app", "0003_approval"),
    ]

    operations = [migrations.RunPython(fill_in, migrations.RunPython.noop)]
