"""Where the saving of a recommendation is spent now, so that what two would save is promised once."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("operations", "0002_verified_recommendations"),
    ]

    operations = [
        migrations.AddField(
            model_name="recommendation",
            name="stakes",
            field=models.JSONField(blank=True, null=True),
        ),
    ]
