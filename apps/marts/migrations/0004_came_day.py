from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("marts", "0003_gone_at"),
    ]

    operations = [
        migrations.AddField(
            model_name="publication",
            name="came_day",
            field=models.DateField(null=True),
        ),
    ]
