"""A marketer's first look, in a real browser."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from tests.support.asking import Site, record, served, site
from tests.support.browser import console


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Site]:
    """A shop with three visitors and one who has gone."""
    async with site(tmp_path / "store.db", tmp_path) as made:
        await made.receive(
            *(record(f"{n}", "2024-03-01T10:00", user=f"u{n}", type="page") for n in range(3)),
            record("x", "2024-03-01T10:00", user="x", name="Order Completed"),
        )
        yield made


def wear(browser: Chrome, scheme: str, languages: str, width: int = 1000) -> None:
    """Makes the browser one of a person who prefers this colour scheme, these languages and this width."""
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    agent = browser.execute_script("return navigator.userAgent")
    browser.execute_cdp_cmd("Network.setUserAgentOverride", {"userAgent": agent, "acceptLanguage": languages})
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def sign_in(browser: Chrome, token: str) -> None:
    """As a person does: type, press the button."""
    field = browser.find_element(By.NAME, "token")
    assert browser.switch_to.active_element == field
    field.send_keys(token)
    browser.find_element(By.TAG_NAME, "button").click()


def rows(browser: Chrome) -> list[tuple[str, str]]:
    """Each line of the table: what it is and how many, as they are read."""
    found = browser.find_elements(By.CSS_SELECTOR, "tbody tr:has(svg)")
    return [
        (row.find_element(By.TAG_NAME, "th").text.split("\n")[0], row.find_elements(By.TAG_NAME, "td")[-1].text)
        for row in found
    ]


def box(element: WebElement) -> dict[str, Any]:
    """Where it stands on the screen, and how large."""
    found: dict[str, Any] = element.parent.execute_script("return arguments[0].getBoundingClientRect()", element)
    return found


def background(browser: Chrome) -> int:
    """How light the page is: 0 black, 255 white."""
    colour: str = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    return int(colour.removeprefix("rgb(").split(",")[0])


async def test_a_marketer_signs_in_and_sees_where_customers_stand(browser: Chrome, shop: Site) -> None:
    """A wrong token is told, the right one opens the stages with their counts and bars; signing out closes them."""

    def look(address: str) -> None:
        wear(browser, "light", "en")
        browser.get(f"http://{address}/")
        sign_in(browser, "qt_nobody")
        assert browser.find_element(By.CSS_SELECTOR, "[role=alert]").is_displayed()
        sign_in(browser, shop.token)
        assert browser.find_element(By.TAG_NAME, "h2").text == "Shop"
        assert rows(browser) == [("Visitor", "3"), ("Buyer", "0"), ("In no stage", "0"), ("gone", "1")]
        widths = [box(bar)["width"] for bar in browser.find_elements(By.TAG_NAME, "rect")]
        assert widths[0] == pytest.approx(3 * widths[3], rel=0.01)
        assert widths[1] == widths[2] == 0
        browser.find_element(By.LINK_TEXT, "Stages as data").click()
        assert '"stage":"visitor"' in browser.find_element(By.TAG_NAME, "body").text
        browser.back()
        browser.find_element(By.CSS_SELECTOR, "header button").click()
        assert browser.find_elements(By.NAME, "token")
        complaints = [entry["message"] for entry in console(browser) if "401" not in entry["message"]]
        assert complaints == []

    async with served(shop.app()) as address:
        await asyncio.to_thread(look, address)


async def test_the_page_reads_from_the_right_in_persian_and_fits_a_phone(browser: Chrome, shop: Site) -> None:
    """Persian runs from the right, bars too; dark is dark; nothing sticks out of a narrow screen."""

    def look(address: str) -> None:
        wear(browser, "dark", "fa-IR,fa;q=0.9", width=360)
        browser.get(f"http://{address}/")
        sign_in(browser, shop.token)
        assert background(browser) < 60
        assert browser.find_element(By.TAG_NAME, "h2").text == "فروشگاه"
        title = browser.find_element(By.CSS_SELECTOR, "tbody th")
        bar = browser.find_elements(By.TAG_NAME, "rect")[3]
        svg = browser.find_elements(By.CSS_SELECTOR, "td svg")[3]
        assert box(title)["right"] > box(bar)["right"]
        assert box(bar)["right"] == pytest.approx(box(svg)["right"], abs=1)
        assert box(bar)["left"] > box(svg)["left"] + 10
        assert browser.execute_script("return document.documentElement.scrollWidth") <= 360
        wear(browser, "light", "fa")
        assert background(browser) > 200

    async with served(shop.app()) as address:
        await asyncio.to_thread(look, address)
