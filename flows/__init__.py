"""What happens in which order: one flow a file; file, flow and deployment bear one name."""
