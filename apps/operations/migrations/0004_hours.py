"""The hours of the week in which something is to be off, so that it is known whether it is."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("operations", "0003_stakes"),
    ]

    operations = [
        migrations.AddField(
            model_name="recommendation",
            name="hours",
            field=models.JSONField(blank=True, null=True),
        ),
    ]
