"""The question in its element: how a test sees into it, and answers it by keys, as people do."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

HOOK = """const attach = Element.prototype.attachShadow;
Element.prototype.attachShadow = function (how) {
  const root = attach.call(this, how);
  if (this.localName === "overt-consent") window.root = root;
  return root;
};"""
"""Keeps hold of the closed shadow root of `<overt-consent>`; before any script of the page."""


def sentences(notice: dict[str, Any]) -> set[str]:
    """Return all that a notice has to say to whoever is asked."""
    parts = [{key: notice[key] for key in ("title", "about", "controller", "contact", "join")}]
    parts += [notice["decline"], notice["sections"], notice["choices"]]
    return {text for text in _texts(parts) if " " in text}


def _texts(part: Any) -> list[str]:
    if isinstance(part, str):
        return [part]
    inner = part.values() if isinstance(part, dict) else part
    return [text for one in inner for text in _texts(one)]


def press(page: Any, css: str, key: str, number: int = 0) -> None:
    """Press a key on a part of the question."""
    expect(page.locator("overt-consent")).to_be_attached()
    page.evaluate(
        "([css, number]) => [...root.querySelectorAll(css)].at(number).focus()", [css, number]
    )
    page.keyboard.press(key)


def decline(page: Any) -> None:
    press(page, ".equal [type=button]", "Enter")
    expect(page.locator("overt-consent")).not_to_be_attached()


def join(page: Any) -> None:
    """Choose the first purpose, and the last level where there is a choice, and join."""
    press(page, "[type=checkbox]", "Space")
    if page.evaluate("root.querySelector('[type=radio]') !== null"):
        press(page, "[type=radio]", "Space", -1)
    press(page, "[type=submit]", "Enter")
    expect(page.locator("overt-consent")).not_to_be_attached()
