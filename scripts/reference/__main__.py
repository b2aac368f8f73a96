"""Write all reference pages: `make reference`."""

from scripts.reference.pages import FOLDER, PAGES


def main() -> None:
    """Write each page that differs, and say which."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, make in PAGES.items():
        path, text = FOLDER / f"{name}.md", make()
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            print(f"Written: docs/reference/{name}.md")


if __name__ == "__main__":
    main()
