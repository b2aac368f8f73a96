"""The compose files on a real Docker engine; without one these tests are skipped."""
