"""What a team, cost centre, service or tag may cost, and where it will land."""
