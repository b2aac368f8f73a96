"""What reads the keys of `adspark top` from a terminal."""

from textual.drivers.linux_driver import LinuxDriver


class TerminalDriver(LinuxDriver):
    """Textual's driver, which goes on after bytes that are not UTF-8.

    A terminal that is set to Latin-1 sends them for an umlaut, and one whose Meta key sets the
    highest bit. What was read together with them is lost.
    """

    def run_input_thread(self) -> None:
        """Read until the application ends."""
        while not self.exit_event.is_set():
            try:
                super().run_input_thread()
            except UnicodeDecodeError:
                continue
