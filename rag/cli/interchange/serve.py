"""The command that serves other programs on this computer."""

from __future__ import annotations

import hashlib
import os
import queue
from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli.terminal import CancelledError, Data, log, open_workspace
from rag.errors import RagError
from rag.text.plurals import counted

if TYPE_CHECKING:
    from rag.interchange.receiving import Arrival

app = typer.Typer()


@app.command()
def serve(
    otlp: Annotated[
        bool, typer.Option("--otlp", help="Receive traces of other applications (OTLP/HTTP).")
    ] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 4318,
    token_variable: Annotated[
        str, typer.Option(help="Environment variable with the bearer token that senders must name.")
    ] = "",
    check_share: Annotated[
        float, typer.Option(min=0, max=1, help="Share of received answers that are checked.")
    ] = 1.0,
    data: Data = None,
) -> None:
    """Serve other programs on this computer, until Ctrl+C: with --otlp, receive their traces.

    Answers are checked against the documents in their own traces. Nothing outside this computer can connect.
    """
    if not otlp:
        raise RagError("Say what to serve: --otlp receives traces of other applications.")
    token = _token(token_variable)
    from rag.interchange.receiving import check_received
    from rag.serving.http import HttpServer
    from rag.serving.otlp_receiver import OtlpReceiver

    waiting: queue.Queue[str] = queue.Queue()

    def arrived(arrival: Arrival) -> None:
        for trace_id in (*arrival.added, *arrival.changed):
            waiting.put(trace_id)

    with open_workspace(data, "serve") as workspace:
        receiver = OtlpReceiver(workspace.store, arrived, token=token)
        server = HttpServer(receiver.application, port)
        receiver.start()
        try:
            server.start()
            log.print(f"Receiving traces at {server.address}/v1/traces. Ctrl+C ends it.", highlight=False)
            while True:
                trace_id = waiting.get()
                if is_chosen(trace_id, check_share):
                    check_received(workspace, trace_id)
        except KeyboardInterrupt:
            pass
        finally:
            server.stop()
            receiver.stop()
        counts = receiver.counts
    sentence = f"{counted(counts.spans, 'span')} received in {counted(counts.requests, 'request')}"
    if counts.refused or counts.turned_away or counts.failed:
        sentence += (
            f"; {counts.refused} refused, {counted(counts.turned_away, 'request')} turned away, "
            f"{counts.failed} not written{f' ({counts.last_error})' if counts.last_error else ''}"
        )
    raise CancelledError(f"{sentence}.")


def is_chosen(trace_id: str, share: float) -> bool:
    """Return whether a trace is in the share that is checked; always the same answer for one trace."""
    return int(hashlib.sha256(trace_id.encode()).hexdigest()[:8], 16) < share * 2**32


def _token(variable: str) -> str:
    if not variable:
        return ""
    token = os.environ.get(variable, "")
    if not token:
        raise RagError(f"The environment variable {variable} has no value, so there is no token.")
    return token
