from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("marts", "0004_came_day"),
    ]

    operations = [
        migrations.AddField(
            model_name="publication",
            name="late",
            field=models.JSONField(default=dict, null=True),
        ),
    ]
