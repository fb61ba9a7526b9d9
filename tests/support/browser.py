"""A headless Chromium with an empty profile, driven by the system's ChromeDriver."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome, ChromeOptions, ChromeService

from tests.support.cache import temporary_folder
from tests.support.need import need
from tests.support.processes import free_port

FLAGS = (
    "--headless=new",
    "--no-sandbox",  # root cannot have one
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # Nothing but the page under test may talk to the network.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,900",
)
REMEDY = "install Chromium and ChromeDriver (Debian's packages chromium and chromium-driver)"


@contextmanager
def chromium() -> Iterator[Chrome]:
    """A browser with a fresh profile; its console is kept (`get_log("browser")`). Closed on leaving."""
    browsers = map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))
    program = need("Chromium", next(filter(None, browsers), None), REMEDY)
    driver = need("ChromeDriver", shutil.which("chromedriver"), REMEDY)
    profile = temporary_folder()
    options = ChromeOptions()
    options.binary_location = program
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    try:
        # Naming the driver keeps selenium from looking for one to download.
        service = ChromeService(executable_path=driver, port=free_port(), log_output=str(profile / "driver.log"))
        try:
            browser = Chrome(options=options, service=service)
        except WebDriverException:  # on a busy machine Chromium may be too slow for its driver's patience, once
            browser = Chrome(options=options, service=service)
        try:
            yield browser
        finally:
            browser.quit()
    finally:
        shutil.rmtree(Path(profile), ignore_errors=True)  # Chromium's last children may still be writing
