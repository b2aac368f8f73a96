"""The way to Postgres: engine, embedded server, migrations, locks, rate limits."""
