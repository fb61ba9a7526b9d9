"""A headless Chromium, driven by the system's ChromeDriver, and windows in it with profiles of their own."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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
#: As a person's browser names itself.
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
DRIVEN_BY_NOBODY = "Object.defineProperty(Navigator.prototype, 'webdriver', { get: () => false });"
REMEDY = "install Chromium and ChromeDriver (Debian's packages chromium and chromium-driver)"


@contextmanager
def chromium() -> Iterator[Chrome]:
    """A browser with a fresh profile; it keeps its `console`. Closed on leaving."""
    browsers = map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))
    program = need("Chromium", next(filter(None, browsers), None), REMEDY)
    driver = need("ChromeDriver", shutil.which("chromedriver"), REMEDY)
    profile = temporary_folder()
    options = ChromeOptions()
    options.binary_location = program
    options.enable_bidi = True  # what windows of several profiles are opened with
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


@contextmanager
def window(browser: Chrome) -> Iterator[Chrome]:
    """The browser in a new window with an empty profile of its own and an empty console; both are gone on leaving."""
    first = browser.current_window_handle
    profile = browser.browser.create_user_context()
    try:
        browser.switch_to.window(browser.browsing_context.create(type="window", user_context=profile))
        console(browser)
        yield browser
    finally:
        browser.browser.remove_user_context(profile)
        browser.switch_to.window(first)


def as_a_person(browser: Chrome) -> None:
    """From here on the window looks as if a person had it: those that a program drives count as bots."""
    browser.execute_cdp_cmd("Network.setUserAgentOverride", {"userAgent": AGENT})
    browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": DRIVEN_BY_NOBODY})


def console(browser: Chrome) -> list[dict[str, Any]]:
    """What pages wrote to the console since the last call, Chromium's own complaints among it."""
    entries: list[dict[str, Any]] = browser.get_log("browser")  # type: ignore[no-untyped-call] # bare in selenium
    return entries
