"""Commands that get models: the catalogue, and a download that is asked for."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from rag.cli.printing.screen import with_tables
from rag.cli.terminal import Data, Json, finish, log, open_workspace, plain, print_json, screen
from rag.errors import RagError
from rag.models.getting.rows import DownloadProgress, Fit, Purpose, list_offers
from rag.models.rows import free_memory_bytes
from rag.storage.data_folder import data_folder

Context = Annotated[
    int | None,
    typer.Option("--context", help="Context length for the estimate; default: the setting.", min=512),
]


@with_tables
def models_catalogue(
    purpose: Annotated[
        Purpose | None, typer.Option("--for", help="Only models that answer, embed, rerank or check.")
    ] = None,
    context: Context = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List models that `models get` knows, with what they need. Nothing is asked of any server."""
    from rag.settings import Settings

    free = free_memory_bytes()
    context = context or Settings.load(data_folder(data) / "settings.toml").generation.context
    offers = list_offers(purpose)
    if as_json:
        more = [{"memory_bytes": o.memory_bytes(context), "fit": o.fit(context, free)} for o in offers]
        print_json([{**asdict(offer), **one} for offer, one in zip(offers, more, strict=True)])
        return
    table = Table("Model", "For", "Maker", "Licence", "Size", "Memory", "Fits here", "Languages")
    for offer in offers:
        fit = offer.fit(context, free)
        table.add_row(
            plain(offer.name),
            offer.purpose,
            plain(offer.maker),
            plain(offer.licence),
            f"{offer.size_bytes / 1e9:.1f} GB",
            f"{offer.memory_bytes(context) / 1e9:.1f} GB",
            {Fit.FITS: "yes", Fit.TIGHT: "just", Fit.TOO_LARGE: "no"}.get(fit, "unknown"),
            ", ".join(offer.languages),
        )
    screen.print(table)
    screen.print("Run `ragdeck models get NAME --to FOLDER` to download one.")


def models_get(
    name: Annotated[
        str, typer.Argument(help="Of the catalogue, or MAKER/NAME of a repository.", metavar="NAME")
    ],
    to: Annotated[Path, typer.Option("--to", help="Folder to put it into.", metavar="FOLDER")],
    file: Annotated[str, typer.Option("--file", help="File of the repository, such as a .gguf.")] = "",
    purpose: Annotated[
        Purpose | None, typer.Option("--for", help="What a model outside of the catalogue is for.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before the download.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Download a model, check it and add it. This is the only command that fetches models from the network.

    A download that was stopped goes on where it was.
    """
    from rag.models.getting.download import DownloadError, get_model, named_offer

    repository = name
    if "/" not in name:
        offer = named_offer(name)
        repository, file, purpose = offer.repository, offer.file, offer.purpose
        log.print(
            plain(f"{offer.name} by {offer.maker}, {offer.licence}, about {offer.size_bytes / 1e9:.1f} GB."),
            soft_wrap=True,
        )
    if not yes and not typer.confirm(f"Download {repository} {file} to {to}?".replace("  ", " "), err=True):
        raise typer.Abort
    environment = {"HF_ENDPOINT": os.environ["HF_ENDPOINT"]} if os.environ.get("HF_ENDPOINT") else {}
    with open_workspace(data, "models get") as workspace:
        steps = get_model(
            workspace.store, repository, str(to), file=file, purpose=purpose or "",
            settings=workspace.settings, environment=environment,
        )  # fmt: skip
        try:
            found = finish(steps, None if as_json else _show, _cancelled)
        except DownloadError as error:
            if error.kind != "offline" or not error.url:
                raise
            hint = f"Or get it on another computer from {error.url} and run `ragdeck models --add FILE`."
            raise RagError(f"{error} {hint}") from error
    if as_json:
        print_json(asdict(found))
        return
    licence = f" Its licence: {found.licence}." if found.licence else ""
    screen.print(
        plain(f"{found.path}: {found.size_bytes / 1e6:,.0f} MB. {found.checked}{licence}"), soft_wrap=True
    )
    screen.print(plain(found.next_step))


def _show(event: Any) -> None:
    if isinstance(event, DownloadProgress) and event.total and log.is_terminal:
        done = f"{event.done / 1e6:,.0f} of {event.total / 1e6:,.0f} MB"
        log.print(f"{event.stage} {plain(event.file)}: {done}", end="\r", style="dim")


def _cancelled(_event: Any) -> str:
    return "Stopped. What has arrived stays: run the same command again to go on from there."
