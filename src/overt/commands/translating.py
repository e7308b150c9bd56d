"""`overt study words`: the words of a notice, to be translated."""

from __future__ import annotations

from typing import Annotated

import typer

from overt.commands.console import say


def words(
    language: Annotated[str, typer.Argument(help="Language tag, such as fr, ar or pt-BR.")],
) -> None:
    """Print the English words of the notice as tables to translate in your `study.toml`.

    Who answers for the translation states it in `signed_off`; without, the study is refused.
    """
    from overt.consent.wording import to_translate
    from overt.schema.translations import check_tag

    check_tag(language)
    say(to_translate(language).rstrip())
