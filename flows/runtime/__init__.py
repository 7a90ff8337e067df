"""What a run needs around it: Prefect and its server, task runners, schedules, locks, and an end without leftovers."""
