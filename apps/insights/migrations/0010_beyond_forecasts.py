from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("insights", "0009_days_by_currency"),
    ]

    operations = [
        migrations.AddField(
            model_name="forecast",
            name="beyond",
            field=models.JSONField(default=dict, null=True),
        ),
    ]
