"""What a person can choose when they join on a desktop; nothing is chosen for them.

Asked at a terminal (`overt.commands.joining`) or on a page of their own (`overt.device.join_page`):
the same notice, the same choices, the same grant.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from overt.device.account import Account, Grant, Shown
from overt.device.platforms import WAYLAND, X11, kind
from overt.device.policy import Policy, policy
from overt.device.vault import Vault
from overt.device.wording import Words
from overt.schema.purpose import SCREEN

UNSEEN = "code-unseen"
"""Name in the vault, while the recovery code has not been shown, or not been confirmed as seen."""


@dataclass(frozen=True)
class Choice:
    """What a person chose."""

    purposes: tuple[str, ...]
    detail: str
    applications: tuple[dict[str, Any], ...]


class Offer:
    """What can be chosen of a study, on this computer and under its policy."""

    def __init__(self, notice: dict[str, Any]) -> None:
        self.notice = notice
        choices = notice["choices"]
        self.purposes: list[dict[str, Any]] = choices["purposes"]
        self.levels: list[dict[str, Any]] = choices["details"]["levels"]
        """Empty where there is nothing to choose."""
        self.rules: Policy = policy()
        listed = notice["settings"]["applications"]
        self.applications = [one for one in listed if self.rules.narrowed([one])]

    @property
    def is_narrowed(self) -> bool:
        """Whether a policy says which programs there may be recording in."""
        return self.rules.programs is not None

    @property
    def has_windows(self) -> bool:
        """Whether windows can be looked at here, should the person choose so."""
        return kind() == X11

    @property
    def has_letters(self) -> bool:
        """Whether fields say here what they are well enough for it to be kept which key it was."""
        return kind() in (X11, WAYLAND)

    def letters(self, applications: Collection[str]) -> list[dict[str, Any]]:
        """Return those of the switched-on applications with fields in which keys would be told."""
        here = [one for one in self.applications if one["id"] in applications and one.get("keys")]
        return here if self.has_letters else []

    def windows(
        self, purposes: Collection[str], applications: Collection[str]
    ) -> list[dict[str, Any]]:
        """Return those of the switched-on applications whose windows the study would look at."""
        if not set(purposes) & set(SCREEN):
            return []
        return [one for one in self.applications if one["id"] in applications and one.get("screen")]

    def choice(
        self,
        purposes: Collection[str],
        detail: str,
        applications: Collection[str],
        windows: Collection[str] = (),
        letters: Collection[str] = (),
    ) -> Choice:
        """Return a choice by its ids; what is not on offer is left out.

        `windows` may be looked at; in fields of `letters` it is recorded which key it is.
        """
        told = {one["id"] for one in self.letters(applications)} & set(letters)
        seen = {one["id"] for one in self.windows(purposes, applications)} & set(windows)
        if not self.has_windows:
            seen = set()
        return Choice(
            tuple(one["id"] for one in self.purposes if one["id"] in purposes),
            detail,
            tuple(
                {
                    **{name: value for name, value in one.items() if name != "keys"},
                    "screen": one["id"] in seen,
                    **({"keys": one["keys"]} if one["id"] in told else {}),
                }
                for one in self.applications
                if one["id"] in applications
            ),
        )


def letters_where(application: Mapping[str, Any], w: Words) -> str:
    """Say in which fields of an application keys would be told, and in which programs that is.

    In the agent's own words, by what it would do: the notice's are the server's.
    """
    fields = [w(f"join.{name.replace('-', '_')}") for name in application["keys"]]
    programs = ", ".join(application["executables"])
    return w("join.letters_where", programs=programs, fields=", ".join(fields))


def join(account: Account, vault: Vault, shown: Shown, choice: Choice) -> Grant:
    """Join for a choice. Call it only from the person's own confirmation.

    Until `code_seen` is called it is kept that the recovery code still has to be shown.
    """
    vault.change({UNSEEN: b"1"})
    lang = shown.notice["language"]
    return account.join(shown, choice.purposes, choice.applications, lang, choice.detail)


def code_seen(vault: Vault) -> None:
    """Keep that the person has seen their recovery code."""
    vault.change({UNSEEN: None})


def has_unseen_code(vault: Vault) -> bool:
    """Return whether the recovery code still has to be shown."""
    return vault.get(UNSEEN) is not None
