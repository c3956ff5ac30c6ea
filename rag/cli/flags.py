"""Commands on flags: thresholds of a collection, a person's own verdicts, and a fit to them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from rag.asking.rows import get_trace, read_flag_state
from rag.cli.asking import Trace
from rag.cli.terminal import Data, Json, Name, open_workspace, plain, print_json, screen
from rag.text.plurals import counted

app = typer.Typer()
flags_app = typer.Typer(help="Thresholds of flags, and your own verdicts on them.", no_args_is_help=True)
app.add_typer(flags_app, name="flags")


@flags_app.command()
def limits(
    collection: Name,
    check: Annotated[float | None, typer.Option(help="Flag as “check” from this score.")] = None,
    unsupported: Annotated[float | None, typer.Option(help="Flag as “unsupported” from this score.")] = None,
    second: Annotated[
        str | None, typer.Option(help="Folder of a second detector; an empty text removes it.")
    ] = None,
    reset: Annotated[
        bool, typer.Option("--reset", help="Use the thresholds that the detector was trained with.")
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show or change the scores from which sentences are flagged, for this collection's future answers."""
    from rag.asking.flag_limits import set_limits
    from rag.knowledge.collections import find_collection

    with open_workspace(data, "flags limits") as workspace:
        with workspace.store.session() as session:
            number = find_collection(session, collection).id or 0
        if reset or (check, unsupported, second) != (None, None, None):
            now = read_flag_state(workspace.database, number)
            low = None if reset else now.check_from if check is None else check
            high = None if reset else now.unsupported_from if unsupported is None else unsupported
            set_limits(workspace, collection, low, high, second)
        state = read_flag_state(workspace.database, number)
        trained = workspace.detector
        low = trained.check_from if state.check_from is None else state.check_from
        high = trained.unsupported_from if state.unsupported_from is None else state.unsupported_from
    would = sum(any(score >= low for score in answer) for answer in state.answers)
    document = {
        "collection": collection,
        "check_from": low,
        "unsupported_from": high,
        "trained": [trained.check_from, trained.unsupported_from],
        "second_detector": state.second_detector,
        "answers": len(state.answers),
        "answers_with_flags": state.flagged_answers,
        "answers_that_would_have_flags": would,
        "verdicts": state.opinions,
        "verdicts_right": state.right,
        "fitted_on": state.fitted_on,
    }
    if as_json:
        print_json(document)
        return
    screen.print(f"{plain(collection)}: check from {low:.3f}, unsupported from {high:.3f}")
    screen.print(
        f"{would} of the last {counted(len(state.answers), 'answer')} would have a flag; "
        f"{state.flagged_answers} had one"
    )
    screen.print(
        f"You gave {counted(state.opinions, 'verdict')}, {state.right} of them “right”; "
        f"the scores are fitted to {state.fitted_on}"
    )


@flags_app.command()
def judge(
    trace: Trace,
    sentence: Annotated[int, typer.Argument(help="Number of the sentence, from 1.", min=1, metavar="N")],
    right: Annotated[bool, typer.Option("--right/--wrong", help="Whether its verdict is right.")],
    note: Annotated[str, typer.Option(help="Why.")] = "",
    data: Data = None,
) -> None:
    """Say whether the verdict on a sentence is right. It is stored with the trace."""
    from rag.asking.flag_limits import set_opinion
    from rag.errors import RagError

    with open_workspace(data, "flags judge") as workspace:
        detail = get_trace(workspace.database, trace)
        if sentence > len(detail.claims):
            raise RagError(
                f"The answer has {counted(len(detail.claims), 'sentence')}. Choose one by its number."
            )
        claim = detail.claims[sentence - 1]
        set_opinion(workspace, detail.id, claim.start, right, note)
    screen.print(
        plain(f"Saved: “{claim.verdict}” is {'right' if right else 'wrong'} for: {claim.text.strip()}")
    )


@flags_app.command()
def calibrate(
    collection: Name,
    apply: Annotated[bool, typer.Option("--apply", help="Use the fit from now on.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Go back to the detector's own scores.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Fit the scores to your verdicts (at least 50) and show the effect; --apply uses the fit."""
    from rag.asking.flag_limits import apply_calibration, fit_calibration, remove_calibration

    with open_workspace(data, "flags calibrate") as workspace:
        if remove:
            remove_calibration(workspace, collection)
            screen.print(plain(f"{collection}: the detector's own scores are used again."))
            return
        fit = fit_calibration(workspace, collection)
        if apply:
            apply_calibration(workspace, fit)
    if as_json:
        print_json(asdict(fit) | {"helps": fit.helps, "applied": apply})
        return
    screen.print(
        f"{fit.opinions} verdicts, {fit.unsupported} unsupported; held-out loss: {fit.loss_before:.3f} -> "
        f"{fit.loss_after:.3f} nats: the fit {'helps' if fit.helps else 'does not help'}"
    )
    screen.print(
        "The fit is used from now on." if apply else "Nothing was changed. Use --apply to use the fit."
    )
