"""The components in a browser: by keyboard, with hostile text, and as axe sees them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import WIDTHS
from tests.e2e.witness import has_shown

pytestmark = pytest.mark.e2e

HOSTILE = "<img src=x onerror=\"document.title='owned'\">"
Check = Callable[[Page], list[str]]


def show(page: Page, tab: str) -> None:
    page.get_by_role("tab", name=tab).click()
    expect(page.get_by_role("tabpanel", name=tab)).to_be_visible()


def toast(page: Page, text: str) -> None:
    """Wait until a notification has come; on a busy machine it may be gone already."""
    has_shown(page, text)


@pytest.mark.parametrize("width", WIDTHS)
def test_every_tab_is_accessible_and_fits(demo_page: Page, violations: Check, width: int) -> None:
    demo_page.set_viewport_size({"width": width, "height": 900})
    for tab in ("General", "Models", "Services"):
        show(demo_page, tab)
        assert violations(demo_page) == []
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert demo_page.evaluate(overflow) == 0
    assert demo_page.title() == "Components"  # no hostile text has run


def test_header_is_the_pages_banner(demo_page: Page) -> None:
    banner = demo_page.get_by_role("banner")
    expect(banner).to_contain_text("Cloud Run LLM Manager")
    expect(banner).to_contain_text("local-project")
    expect(banner).to_contain_text("Local cloud")
    expect(demo_page.get_by_role("main")).to_have_count(1)


def test_tabs_by_keyboard(demo_page: Page) -> None:
    demo_page.get_by_role("tab", name="General").focus()
    demo_page.keyboard.press("ArrowRight")
    demo_page.keyboard.press("Enter")
    expect(demo_page.get_by_role("tabpanel", name="Models")).to_be_visible()
    tab = demo_page.get_by_role("tab", name="Models")
    panel = demo_page.get_by_role("tabpanel", name="Models")
    assert tab.get_attribute("aria-controls") == panel.get_attribute("id")


class TestTable:
    @pytest.fixture(autouse=True)
    def models(self, demo_page: Page) -> None:
        show(demo_page, "Models")

    def names(self, page: Page) -> list[str]:
        return page.locator("tbody tr td:first-child").all_inner_texts()

    def test_sorts_by_size_and_says_so(self, demo_page: Page) -> None:
        head = demo_page.get_by_role("columnheader", name="Size")
        head.get_by_role("button").press("Enter")
        expect(head).to_have_attribute("aria-sort", "ascending")
        assert self.names(demo_page)[:2] == ["smollm2:135m", "Qwen/Qwen3-8B"]
        expect(head.get_by_role("button")).to_be_focused()
        head.get_by_role("button").press("Enter")
        expect(head).to_have_attribute("aria-sort", "descending")
        assert self.names(demo_page) == ["Qwen/Qwen3-8B", "smollm2:135m", HOSTILE]

    def test_filters(self, demo_page: Page) -> None:
        box = demo_page.get_by_role("searchbox", name="Filter Models")
        box.fill("ollama ready")
        assert self.names(demo_page) == ["smollm2:135m"]
        expect(demo_page.get_by_text("1 of 3")).to_be_visible()
        box.fill("no such thing")
        expect(demo_page.get_by_text("Nothing matches the filter.")).to_be_visible()
        box.fill("")
        assert len(self.names(demo_page)) == 3

    def test_action_reaches_python(self, demo_page: Page) -> None:
        demo_page.get_by_role("button", name="Deploy smollm2:135m").press("Enter")
        toast(demo_page, "deploy smollm2:135m")
        demo_page.get_by_role("button", name="Qwen/Qwen3-8B", exact=True).click()
        toast(demo_page, "open Qwen/Qwen3-8B")

    def test_disabled_action_says_why_and_does_nothing(self, demo_page: Page) -> None:
        button = demo_page.get_by_role(
            "button", name="Deploy Qwen/Qwen3-8B: The import is still running."
        )
        expect(button).to_have_attribute("title", "The import is still running.")
        button.focus()
        expect(button).to_be_focused()
        button.press("Enter")
        demo_page.get_by_role("button", name="Deploy smollm2:135m").click()
        toast(demo_page, "deploy smollm2:135m")
        expect(demo_page.get_by_text("deploy Qwen/Qwen3-8B")).to_have_count(0)

    def test_menu_by_keyboard(self, demo_page: Page, violations: Check) -> None:
        opener = demo_page.get_by_role("button", name="More actions for smollm2:135m")
        opener.press("Enter")
        expect(demo_page.get_by_role("menuitem", name="Verify again")).to_be_focused()
        assert violations(demo_page) == []
        demo_page.keyboard.press("ArrowDown")
        expect(demo_page.get_by_role("menuitem", name="Delete")).to_be_focused()
        demo_page.keyboard.press("Escape")
        expect(opener).to_be_focused()
        expect(opener).to_have_attribute("aria-expanded", "false")
        opener.press("Enter")
        demo_page.keyboard.press("Enter")
        toast(demo_page, "smollm2:135m: two files differ from the hub's.")

    def test_hidden_action_is_not_offered(self, demo_page: Page) -> None:
        demo_page.get_by_role("button", name=f"More actions for {HOSTILE}").click()
        assert demo_page.get_by_role("menuitem").all_inner_texts() == ["Delete"]

    def test_focus_survives_new_rows(self, demo_page: Page) -> None:
        # The update is started by a script: a click would take the focus away by itself.
        button = demo_page.get_by_role("button", name="Deploy smollm2:135m")
        button.focus()
        change = demo_page.get_by_role("button", name="Change rows").element_handle()
        demo_page.evaluate("button => button.click()", change)
        expect(demo_page.get_by_role("button", name="Deploy brand-new")).to_be_visible()
        expect(button).to_be_focused()
        # A cell that is drawn anew gives its focus to the button that takes its place.
        demo_page.get_by_role("button", name="Deploy Qwen/Qwen3-8B", exact=True).press("Enter")
        toast(demo_page, "deploy Qwen/Qwen3-8B")

    def test_500_rows_draw_fast(self, demo_page: Page) -> None:
        demo_page.evaluate(
            """() => {
                const body = document.querySelector("tbody");
                window.timing = { started: performance.now(), drawn: 0 };
                new MutationObserver(() => {
                    if (body.childElementCount < 500) return;
                    requestAnimationFrame(() => { window.timing.drawn ||= performance.now(); });
                }).observe(body, { childList: true });
            }"""
        )
        demo_page.get_by_role("button", name="500 rows").click()
        expect(demo_page.locator("tbody tr")).to_have_count(500)
        demo_page.evaluate("() => new Promise(requestAnimationFrame)")
        took = demo_page.evaluate("window.timing.drawn - window.timing.started")
        assert took > 0
        assert took < 8000  # with the click, the way to Python and back, on a busy machine

    def test_empty_table_offers_what_to_do(self, demo_page: Page, violations: Check) -> None:
        demo_page.get_by_role("button", name="Clear").click()
        expect(demo_page.get_by_text("No models yet.")).to_be_visible()
        assert violations(demo_page) == []
        demo_page.get_by_role("main").get_by_role("button", name="Import model").last.click()
        expect(demo_page.get_by_role("dialog", name="Import model")).to_be_visible()


class TestDialog:
    @pytest.fixture(autouse=True)
    def models(self, demo_page: Page) -> None:
        show(demo_page, "Models")

    def opened(self, page: Page) -> Locator:
        page.get_by_role("button", name="Import model").press("Enter")
        dialog = page.get_by_role("dialog", name="Import model")
        expect(dialog).to_be_visible()
        return dialog

    def test_is_accessible_and_gives_the_focus_back(
        self, demo_page: Page, violations: Check
    ) -> None:
        dialog = self.opened(demo_page)
        expect(dialog.get_by_role("radio", name="Hugging Face")).to_be_focused()
        assert violations(demo_page) == []
        demo_page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        expect(demo_page.get_by_role("button", name="Import model")).to_be_focused()

    def test_required_field(self, demo_page: Page, violations: Check) -> None:
        dialog = self.opened(demo_page)
        dialog.get_by_role("button", name="Import").click()
        expect(dialog.get_by_text("Model is required.")).to_be_visible()
        expect(dialog.get_by_label("Model", exact=True)).to_be_focused()
        assert violations(demo_page) == []

    def test_number_out_of_range(self, demo_page: Page) -> None:
        dialog = self.opened(demo_page)
        dialog.get_by_label("Model", exact=True).fill("a/b")
        dialog.get_by_label("Workers").fill("99")
        demo_page.keyboard.press("Enter")
        expect(dialog.get_by_text("Workers must be at most 16.")).to_be_visible()

    def test_hint_while_typing(self, demo_page: Page) -> None:
        dialog = self.opened(demo_page)
        dialog.get_by_label("Model", exact=True).press_sequentially(HOSTILE[:20])
        expect(dialog.get_by_text(f"Found {HOSTILE[:20]}: 271 MB")).to_be_visible()

    def test_field_of_another_choice_is_not_sent(self, demo_page: Page) -> None:
        dialog = self.opened(demo_page)
        dialog.get_by_label("Hub token").fill("secret")
        dialog.get_by_role("radio", name="Ollama").check()
        expect(dialog.get_by_label("Hub token")).to_be_hidden()
        dialog.get_by_label("Model", exact=True).fill("smollm2:135m")
        demo_page.keyboard.press("Enter")
        toast(demo_page, "Import of smollm2:135m started (0 characters of token)")

    def test_error_of_python_is_shown_at_its_field(self, demo_page: Page) -> None:
        dialog = self.opened(demo_page)
        model = dialog.get_by_label("Model", exact=True)
        for _ in range(2):  # the same error twice in a row is shown twice
            model.fill("taken")
            demo_page.keyboard.press("Enter")
            expect(dialog.get_by_text("It is there already.")).to_be_visible()
            expect(dialog.get_by_text("The import was not started.")).to_be_visible()
            expect(model).to_be_focused()
        model.fill("fresh")
        expect(dialog.get_by_text("It is there already.")).to_be_hidden()

    def test_submit_by_keyboard_with_hostile_text_and_secret(self, demo_page: Page) -> None:
        dialog = self.opened(demo_page)
        dialog.get_by_label("Hub token").fill("hf_secret")
        dialog.get_by_label("Model", exact=True).fill(HOSTILE)
        demo_page.keyboard.press("Enter")
        has_shown(demo_page, "Looking the model up…")
        toast(demo_page, f"Import of {HOSTILE} started (9 characters of token)")
        expect(dialog).to_be_hidden()
        assert demo_page.title() == "Components"
        dialog = self.opened(demo_page)
        expect(dialog.get_by_label("Hub token")).to_have_value("")

    def test_confirmation_asks_for_the_name(self, demo_page: Page, violations: Check) -> None:
        demo_page.get_by_role("button", name="More actions for smollm2:135m").click()
        demo_page.get_by_role("menuitem", name="Delete").click()
        dialog = demo_page.get_by_role("dialog", name="Delete smollm2:135m?")
        name = dialog.get_by_label("Type smollm2:135m to confirm")
        expect(name).to_be_focused()
        assert violations(demo_page) == []
        name.fill("something else")
        dialog.get_by_role("button", name="Delete").click()
        expect(dialog.get_by_text("This is not smollm2:135m.")).to_be_visible()
        name.fill("smollm2:135m")
        dialog.get_by_role("button", name="Delete").click()
        toast(demo_page, "Deleted")
        expect(demo_page.get_by_role("button", name="Deploy smollm2:135m")).to_have_count(0)

    def test_confirmation_without_name_focuses_cancel(self, demo_page: Page) -> None:
        demo_page.get_by_role("button", name=f"More actions for {HOSTILE}").click()
        demo_page.get_by_role("menuitem", name="Delete").click()
        dialog = demo_page.get_by_role("dialog", name=f"Delete {HOSTILE}?")
        expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
        demo_page.keyboard.press("Enter")
        expect(dialog).to_be_hidden()
        expect(demo_page.locator("tbody tr")).to_have_count(3)


def test_error_toast_stays_until_it_is_closed(demo_page: Page, violations: Check) -> None:
    show(demo_page, "Models")
    demo_page.get_by_role("button", name="More actions for smollm2:135m").click()
    demo_page.get_by_role("menuitem", name="Verify again").click()
    text = demo_page.get_by_text("two files differ")
    expect(text).to_be_visible()
    assert violations(demo_page) == []
    demo_page.evaluate("window.forgetShown()")
    demo_page.get_by_role("button", name="Deploy smollm2:135m").click()
    toast(demo_page, "deploy smollm2:135m")
    expect(demo_page.get_by_text("deploy smollm2:135m")).to_have_count(0)  # it goes by itself
    expect(text).to_be_visible()
    failed = demo_page.locator(".llm-toast").filter(has=text)
    failed.get_by_role("button", name="Dismiss").press("Enter")
    expect(text).to_have_count(0)


def test_chat_streams_every_token(demo_page: Page, violations: Check) -> None:
    show(demo_page, "Services")
    box = demo_page.get_by_label("Prompt", exact=True)
    box.fill(HOSTILE)
    box.press("Enter")
    expect(demo_page.get_by_role("button", name="Stop")).to_be_visible()
    expect(demo_page.get_by_text("8000 tokens sent")).to_be_visible(timeout=60_000)
    expect(box).to_be_focused()
    chat = demo_page.get_by_role("log", name="Conversation")
    expect(chat.locator(".llm-answer p").last).to_have_text(("token " * 8000).strip())
    expect(chat.locator(".llm-turn-text").last).to_have_text(HOSTILE)
    assert chat.evaluate("e => e.scrollHeight - e.scrollTop - e.clientHeight") < 40
    assert violations(demo_page) == []


def test_log_shows_hostile_text_as_text(demo_page: Page) -> None:
    show(demo_page, "Services")
    expect(demo_page.get_by_role("log", name="Logs")).to_contain_text(
        f"CUDA out of memory {HOSTILE}"
    )
    assert demo_page.title() == "Components"


def test_files_and_bars(demo_page: Page) -> None:
    show(demo_page, "Models")
    files = demo_page.get_by_role("list", name="Files of Qwen/Qwen3-8B")
    expect(files.get_by_role("listitem")).to_have_count(6)
    bar = files.get_by_role("progressbar", name="Progress of model-00003-of-00005.safetensors")
    assert float(bar.get_attribute("value") or 0) == pytest.approx(2100 / 3959, abs=1e-3)
    bar = demo_page.locator(".llm-bar").filter(has_text="model-00004-of-00005.safetensors")
    expect(bar).to_contain_text("25% 800M/3.18G")


def test_notice_action_and_link(demo_page: Page) -> None:
    show(demo_page, "General")
    link = demo_page.get_by_role("link", name="Open (opens in a new tab)").first
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    demo_page.get_by_role("button", name="Enable").press("Enter")
    expect(demo_page.get_by_role("status").get_by_text("Cloud Run is enabled.")).to_be_visible()


def test_script_address_is_no_link(demo_page: Page) -> None:
    show(demo_page, "General")
    panel = demo_page.get_by_role("tabpanel", name="General")
    expect(panel.get_by_text(HOSTILE)).to_be_visible()
    expect(panel.get_by_role("link", name=HOSTILE)).to_have_count(0)


def test_copy_button(demo_page: Page) -> None:
    show(demo_page, "General")
    demo_page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    copy = demo_page.get_by_role("button", name="Copy: Command").last
    copy.press("Enter")
    expect(demo_page.get_by_text("Copied", exact=True)).to_have_count(1)
    assert (
        demo_page.evaluate("navigator.clipboard.readText()")
        == "gcloud auth application-default login"
    )


def test_storage_is_restored_and_checked(app_page: Page) -> None:
    show(app_page, "General")
    expect(app_page.get_by_text("restored nothing")).to_be_visible()
    app_page.get_by_label("Project", exact=True).select_option("gamma")
    expect(app_page.get_by_text("saved gamma")).to_be_visible()
    # The page hears of it after Python does.
    app_page.wait_for_function("""localStorage.getItem('demo.v1') == '{"project":"gamma"}'""")
    app_page.reload()
    expect(app_page.get_by_text("restored gamma")).to_be_visible()
    for corrupt in ("{", '{"project": "<b>"}'):
        app_page.evaluate("text => localStorage.setItem('demo.v1', text)", corrupt)
        app_page.reload()
        expect(app_page.get_by_text("restored nothing")).to_be_visible()


def test_reduced_motion(demo_page: Page) -> None:
    demo_page.emulate_media(reduced_motion="reduce")
    show(demo_page, "Models")
    duration = "e => getComputedStyle(e).animationDuration"
    assert demo_page.locator(".llm-icon-busy").first.evaluate(duration) == "8s"
    demo_page.emulate_media(reduced_motion="no-preference")


def test_font_is_ours(demo_page: Page) -> None:
    demo_page.evaluate("document.fonts.ready")
    loaded = "[...document.fonts].filter(f => f.family == 'Roboto' && f.status == 'loaded').length"
    assert demo_page.evaluate(loaded) >= 2
