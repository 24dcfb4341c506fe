"""Whose mail a rule of approval speaks of is said, not read from lists that may become empty by themselves."""

from django.db import migrations, models
from django.db.models import Q


def say(apps, schema_editor):
    rules = apps.get_model("mta", "ApprovalRule").objects.using(schema_editor.connection.alias)
    named = Q(accounts__isnull=False) | Q(departments__isnull=False)
    rules.filter(pk__in=list(rules.filter(named).values_list("pk", flat=True))).update(authors="named")


class Migration(migrations.Migration):
    dependencies = [
        ("mta", "0029_rates_of_old_policies"),
    ]

    operations = [
        migrations.AddField(
            model_name="approvalrule",
            name="authors",
            field=models.CharField(
                choices=[("all", "Everybody"), ("named", "Accounts and departments named here")],
                default="all",
                max_length=8,
                verbose_name="whose mail",
            ),
        ),
        migrations.AlterField(
            model_name="approvalrule",
            name="accounts",
            field=models.ManyToManyField(
                blank=True, related_name="+", to="accounts.account", verbose_name="accounts"
            ),
        ),
        migrations.RunPython(say, migrations.RunPython.noop),
    ]
