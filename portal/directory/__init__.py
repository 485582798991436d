"""Who and what there is: people, teams, systems, calendars, severity levels."""
