"""Every page asks its own server and nobody else: what is looked at stays here, and all works without internet."""

from playwright.sync_api import Page

from ui.frame import PAGES


def test_no_page_asks_another_server(page: Page, address: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for script, label, _ in PAGES:
        name = script.removeprefix("pages/").removesuffix(".py")
        page.goto(address if name == "app.py" else f"{address}/{name}")
        page.wait_for_function("label => document.title.startsWith(label)", arg=label)
        page.locator("[data-testid=stMain] h2").first.wait_for()
        page.wait_for_load_state("networkidle")
    assert not [one for one in asked if not one.startswith((address, "data:", "blob:"))]
    assert len(asked) > len(PAGES)
