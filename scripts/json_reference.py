"""Print the reference of all that the command prints with `--json`, in Markdown."""

from deployments.cli.json_shapes import write_reference

if __name__ == "__main__":
    print(write_reference(), end="")
