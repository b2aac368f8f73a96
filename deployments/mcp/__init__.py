"""The server for AI assistants (Model Context Protocol): questions about what the gallery shows."""
