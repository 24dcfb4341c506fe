from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mta", "0030_approval_authors")]

    operations = [
        migrations.AddField(
            model_name="quarantinedmail",
            name="decided_us",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
    ]
