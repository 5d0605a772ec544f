"""Who pays: teams, people, ownership rules and policies."""
