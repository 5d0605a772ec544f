"""Ways to reach people: mail, chat and webhooks, and what was delivered."""
