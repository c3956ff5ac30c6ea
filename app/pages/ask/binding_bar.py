"""The pickers of a session: which collection, version, pipeline or model, and prompt answer its questions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSettings, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QSizePolicy, QStyle, QStyleOptionComboBox, QWidget

from app.console import Console
from app.widgets.buttons import button
from app.widgets.labels import ElidedLabel, as_it_is, label, set_tip
from app.widgets.layout import Flow, column, refill, row
from app.widgets.theme import SPACE, scaled
from rag.asking.sessions.rows import Binding
from rag.evaluation.rows import list_pipelines
from rag.knowledge.rows import CollectionRow, list_collections, list_versions
from rag.models.rows import ModelEntry
from rag.prompts.rows import PromptRow, list_prompts

_WIDEST = 340  # pixels of a box; a longer name is in its tooltip and in its list
_WIDEST_LIST = 700
_MOST_LINES = 2  # of boxes that are shown by themselves
_SHOWN = "ask/pickers"  # shown or hidden, once a person has said which
_DEFAULT = "default"


class PickerBox(QComboBox):
    """A box as wide as what is chosen; its list is as wide as what can be."""

    def __init__(self) -> None:
        """Make an empty box."""
        super().__init__()
        self.fit()
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Return the size of the chosen text, the frame and the arrow."""
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        text = QSize(self.fontMetrics().horizontalAdvance(self.currentText()), self.fontMetrics().height())
        kind = QStyle.ContentsType.CT_ComboBox
        width = self.style().sizeFromContents(kind, option, text, self).width()
        return QSize(width + scaled(4), super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """Return the same: a name is not cut where there is room."""
        return self.sizeHint()

    def fit(self) -> None:
        """Take more room where the text is larger."""
        self.setMaximumWidth(scaled(_WIDEST))

    def showPopup(self) -> None:
        """Show the list with whole names."""
        width = self.view().sizeHintForColumn(0) + scaled(30)
        self.view().setMinimumWidth(min(width, scaled(_WIDEST_LIST)))
        super().showPopup()


class BindingBar(QWidget):
    """A row of labelled boxes, or what is chosen in words where the boxes would take too many lines.

    What a session is bound to stays in its box when it is gone, with a word about that: another one in its
    place would answer without anybody having chosen it.
    """

    changed = Signal()  # a person chose something else

    def __init__(self, console: Console) -> None:
        """Show what there is to choose, and nothing chosen yet."""
        super().__init__()
        self._console = console
        self._wanted = Binding()
        self._collections: dict[str, CollectionRow] = {}
        self._is_routed = False
        self.collection_box, self.version_box, self.model_box = PickerBox(), PickerBox(), PickerBox()
        self.pipeline_box, self.prompt_box = PickerBox(), PickerBox()
        self._boxes: dict[str, PickerBox] = {
            "Collection": self.collection_box,
            "Version": self.version_box,
            "Pipeline": self.pipeline_box,
            "Model": self.model_box,
            "Prompt": self.prompt_box,
        }
        self._holders: dict[str, QWidget] = {}
        self._flow = flow = Flow(spacing=SPACE - 2)
        for name, box in self._boxes.items():
            box.setAccessibleName("Dataset version" if name == "Version" else name)
            console.theme.changed.connect(box.fit)
            holder = self._holders[name] = QWidget()
            holder.setLayout(row(label(name, "small"), box))
            flow.addWidget(holder)
        self.decided = ElidedLabel()  # what the pipeline decides
        self.decided.setProperty("role", "small")
        self.decided.setMaximumWidth(scaled(_WIDEST))
        flow.addWidget(self.decided)
        self.pickers = QWidget()
        self.pickers.setLayout(flow)
        self.summary = label("", "small", wrap=True)
        self.toggle_button = button("", self._toggle, link=True)
        line = row((self.summary, 1), self.toggle_button)
        line.setAlignment(self.toggle_button, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight)
        self._line = QWidget()
        self._line.setLayout(line)
        column(self._line, self.pickers, holder=self)
        self.collection_box.currentIndexChanged.connect(self._collection_chosen)
        for box in (self.version_box, self.pipeline_box, self.model_box, self.prompt_box):
            box.currentIndexChanged.connect(self._chosen)
        console.models_changed.connect(self._fill_models)
        console.settings_changed.connect(self._fill_models)
        self.refresh()

    @property
    def binding(self) -> Binding:
        """What is chosen."""
        version = self.version_box.currentData()
        return Binding(
            self.collection_box.currentData() or "",
            "" if version is None else str(version),
            self.pipeline_box.currentData() or "",
            self.model_box.currentData() or "",
            self.prompt_box.currentData() or "",
        )

    @property
    def has_collections(self) -> bool:
        """Whether there is a collection that can be asked."""
        return bool(self._collections)

    def knows(self, collection: str) -> bool:
        """Return whether there is a collection of this name that can be asked."""
        return collection in self._collections

    def show_binding(self, binding: Binding) -> None:
        """Choose this, without a signal."""
        self._wanted = binding
        with QSignalBlocker(self):
            self.refresh()

    def show_routed(self, is_routed: bool) -> None:
        """Say whether a roll-out or a promoted pipeline decides who answers."""
        self._is_routed = is_routed
        self._allow()

    def refresh(self) -> None:
        """Read again what there is to choose; what is chosen stays chosen."""
        rows = [found for found in list_collections(self._console.database) if found.active_version_id]
        self._collections = {found.name: found for found in rows}
        pairs = [(name, name) for name in self._collections]
        keep = self._wanted.collection or self.collection_box.currentData()
        if keep and keep not in self._collections and (self._collections or self._wanted.collection):
            pairs.append((f"{keep} (no longer there)", keep))
        refill(self.collection_box, pairs, keep=keep)
        self._fill_versions()
        self._fill_pipelines()
        self._fill_models()
        self._fill_prompts()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show the boxes where they take few lines."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        said = str(QSettings().value(_SHOWN) or "")
        shown = [holder for holder in self._holders.values() if not holder.isHidden()]
        line = max((holder.sizeHint().height() for holder in shown), default=0) + self._flow.spacing()
        fits = self._flow.heightForWidth(self.width()) <= _MOST_LINES * line
        self.pickers.setVisible(said == "shown" or (said != "hidden" and fits))
        hidden = self.pickers.isHidden()
        self._line.setVisible(not fits or hidden)
        self.summary.setVisible(hidden)
        self.toggle_button.setText("Change…" if hidden else "Hide the choices")
        self.toggle_button.setAccessibleName("Change what is asked" if hidden else "Hide the choices")

    def _toggle(self) -> None:
        QSettings().setValue(_SHOWN, "shown" if self.pickers.isHidden() else "hidden")
        self._fit()

    def sentence(self) -> str:
        """Return what is chosen, with whole names."""
        parts = [f"“{self.collection_box.currentText()}”"] if self.collection_box.currentText() else []
        if self.pipeline_box.currentData():
            parts.append(f"pipeline “{self.pipeline_box.currentText()}”")
        else:
            version = self.version_box.currentText()
            is_active = self.version_box.currentData() is None and version
            number = version.removeprefix("Active (version ").removesuffix(")")
            parts.append(f"the active version ({number})" if is_active else version[:1].lower() + version[1:])
            parts.append(self.model_box.currentText())
            parts.append(f"prompt {self.prompt_box.currentText()}")
        return ", ".join(part for part in parts if part)

    # --- what a person chooses ----------------------------------------------------------------------------

    def _collection_chosen(self) -> None:
        """Begin with the active version and no pipeline: those of another collection mean nothing here."""
        chosen = self.binding
        self._wanted = Binding(chosen.collection, model=chosen.model, prompt=chosen.prompt)
        self.refresh()
        self.changed.emit()

    def _chosen(self) -> None:
        self._wanted = self.binding
        self._allow()
        self.changed.emit()

    # --- what there is ------------------------------------------------------------------------------------

    def _fill_versions(self) -> None:
        collection = self._collections.get(self.collection_box.currentData() or "")
        versions = list_versions(self._console.database, collection.id) if collection else []
        entries: list[tuple[str, int | str | None]] = (
            [(f"Active (version {collection.version_number})", None)] if collection else []
        )
        entries += [(f"Version {version.number}", version.number) for version in versions]
        wanted: int | str | None = self._wanted.version or None
        if wanted is not None and self._wanted.version.isdecimal():
            wanted = int(wanted)
            _add_missing(entries, wanted, f"Version {wanted} (no longer there)")
        elif wanted is not None:
            entries.append((f"Tagged {wanted}", wanted))
        refill(self.version_box, entries, keep=wanted or 0)  # None would keep what was chosen before
        for place, version in enumerate(versions, 1):
            self.version_box.setItemData(place, as_it_is(version.message), Qt.ItemDataRole.ToolTipRole)

    def _fill_pipelines(self) -> None:
        entries = [("Settings", "")]
        for pipeline in list_pipelines(self._console.database):
            config = json.loads(pipeline.config)
            if config["collection"] == self.collection_box.currentData() and config["kind"] == "answer":
                entries.append((pipeline.name, pipeline.name))
        wanted = self._wanted.pipeline
        name, at, _ = wanted.partition("@")
        known = name in [data for _, data in entries]
        _add_missing(entries, wanted, wanted if at and known else f"{wanted} (no longer there)")
        refill(self.pipeline_box, entries, keep=wanted)
        self.pipeline_box.setItemData(0, "None: as the settings say", Qt.ItemDataRole.ToolTipRole)
        self._holders["Pipeline"].setVisible(len(entries) > 1)
        self._allow()

    def _fill_models(self) -> None:
        usable = [entry for entry in self._console.models if entry.can_answer]
        entries: list[tuple[str, str | None]] = [
            (f"{entry.name} ({note})" if (note := _note_on(entry)) else entry.name, entry.path)
            for entry in usable
        ]
        wanted = self._wanted.model
        named = next((e for e in usable if wanted in (e.path, e.name, Path(e.path).name)), None)
        wanted = named.path if named is not None else wanted
        if wanted and usable:
            _add_missing(entries, wanted, f"{Path(wanted).name} (no longer there)")
        elif wanted:
            entries = [(Path(wanted).stem, wanted)]  # the list of models is not known yet
        keep = wanted or self.model_box.currentData() or self._console.settings.models.active or None
        refill(self.model_box, entries or [("No model", None)], keep=keep)
        for place, entry in enumerate(usable):
            self.model_box.setItemData(place, as_it_is(entry.path), Qt.ItemDataRole.ToolTipRole)
        self._say_all()

    def _fill_prompts(self) -> None:
        prompts = list_prompts(self._console.database)
        usual = next((prompt for prompt in prompts if prompt.name == _DEFAULT), None)
        entries = [(f"{_DEFAULT}, version {prompt_number(usual)}" if usual else _DEFAULT, "")]
        for prompt in prompts:
            if prompt is not usual:
                entries.append((f"{prompt.name}, version {prompt_number(prompt)}", prompt.name))
            for name, number in prompt.labels:
                if name != "production":
                    entries.append((f"{prompt.name}, {name} (version {number})", f"{prompt.name}@{name}"))
            if prompt.latest not in dict(prompt.labels).values():
                newest = f"{prompt.name}@{prompt.latest}"
                entries.append((f"{prompt.name}, version {prompt.latest} (newest)", newest))
        wanted = self._wanted.prompt
        name, _, which = wanted.partition("@")
        there = any(prompt.name == name for prompt in prompts)
        _add_missing(entries, wanted, f"{name}, {which}" if there else f"{wanted} (no longer there)")
        refill(self.prompt_box, entries, keep=wanted)
        self._allow()

    # --- what may be chosen -------------------------------------------------------------------------------

    def _allow(self) -> None:
        pipeline = bool(self.pipeline_box.currentData())
        decided = "The pipeline decides " if pipeline else "The roll-out decides " if self._is_routed else ""
        self.version_box.setEnabled(not pipeline)
        self.model_box.setEnabled(not decided)
        self.prompt_box.setEnabled(not pipeline)
        for name in ("Version", "Model", "Prompt"):
            self._holders[name].setVisible(not pipeline)
        self.decided.setText(self._uses() if pipeline else "")
        self.decided.setVisible(pipeline)
        self._say_all()
        if decided:
            set_tip(self.model_box, f"{decided}which model answers")

    def _uses(self) -> str:
        """Return what the chosen pipeline decides; of a version of it that is not read here."""
        name, _, which = str(self.pipeline_box.currentData()).partition("@")
        found = next((p for p in list_pipelines(self._console.database) if p.name == name), None)
        if found is None or which:
            return "It decides version, model and prompt."
        config = json.loads(found.config)
        version = "the active version" if config["version"] == "active" else f"version {config['version']}"
        model = Path(config["model"]).stem or "the model of the settings"
        return f"It asks {version} with {model}, prompt {config['prompt']}."

    def _say_all(self) -> None:
        self.summary.setText(f"Asks {self.sentence()}")
        for name, box in self._boxes.items():
            box.updateGeometry()  # it is as wide as its text
            if box.isEnabled():
                set_tip(box, f"{name}: {box.currentText()}")
        self._fit()


def prompt_number(prompt: PromptRow) -> int:
    """Return the number of the version that answers when only the name of a prompt is given."""
    return dict(prompt.labels).get("production", prompt.latest)


def _add_missing(entries: list[tuple[str, Any]], wanted: object, text: str) -> None:
    if wanted and wanted not in [data for _, data in entries]:
        entries.append((text, wanted))


def _note_on(entry: ModelEntry) -> str:
    """Return what a person should know of a model before they choose it."""
    return "demo model" if entry.origin == "starter" else "elsewhere" if entry.sent_to else ""
