"""Sections on what the system is: pipelines, models, prompts and settings."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rag.finding.rows import file_name
from rag.governance.report.period import moment
from rag.governance.report.rows import Block, Gap, Section, Statement
from rag.governance.report.scope import Scope
from rag.governance.report.sources import Book, counting, distinct, section, table_row
from rag.models.getting.rows import Offer, list_offers
from rag.text.plurals import counted, named

_PIPELINES = ("Pipeline", "Version", "Saved (UTC)", "Answers from", "Labels", "Fingerprint")
_MODELS = ("Model", "What it does", "sha256", "Licence", "Source", "Answers", "Runs")
_PROMPTS = ("Prompt", "Version", "Saved (UTC)", "By", "Labels", "Fingerprint", "Instructions")
_SETTINGS = ("Setting", "Value")
_LONGEST = 160  # characters of a prompt in a cell; its fingerprint stands for all of it


def system_section(scope: Scope, book: Book) -> Section:
    """Return what the system is: its pipelines and what it was asked."""
    gaps = [
        Gap(
            "system.purpose",
            "The intended purpose, the provider, the people who use the system and those whom it affects are "
            "not stored in a data folder. Add them to this report by hand.",
        )
    ]
    pipelines = distinct(_pipelines(scope, book))
    if not pipelines:
        gaps.append(
            Gap("system.pipelines", "No pipeline is saved, so nothing states how questions are answered.")
        )
    asked = scope.question_ids()
    use: list[Statement] = []
    if asked:
        documents = {str(row[0]) for row in scope.asked("DISTINCT t.collection", order="t.collection")}
        use.append(
            counting(
                book, "system.questions",
                f"People asked {counted(len(asked), 'question')} of {named(sorted(documents))}.",
                "trace", asked, questions=len(asked),
            )
        )  # fmt: skip
    else:
        gaps.append(Gap("system.questions", "No question of a person is stored in this period."))
    blocks = [Block("Use", tuple(use)), Block("Pipelines", pipelines, _PIPELINES)]
    return section("system", "What the system is", blocks, gaps)


def _pipelines(scope: Scope, book: Book) -> list[Statement]:
    if scope.pipeline is not None:
        condition, values = "v.id = ?", (scope.pipeline.id,)
    else:  # the newest version of each that existed at the end of the period
        condition, values = (
            "v.number = (SELECT max(o.number) FROM pipelineversion o WHERE o.pipeline_id = p.id "
            "AND o.created_ms < ?)",
            (scope.period.bounds[1],),
        )
    rows = scope.database.query(
        f"""SELECT v.id, p.id AS pipeline_id, p.name, v.number, v.created_ms, v.content, v.fingerprint
            FROM pipelineversion v JOIN pipeline p ON p.id = v.pipeline_id
            WHERE {condition} ORDER BY p.name""",
        values,
    )
    made = []
    for row in rows:
        config = json.loads(row["content"])
        labels = scope.database.cells(
            "SELECT name FROM pipelinelabel WHERE version_id = ? AND pipeline_id = ? ORDER BY name",
            (row["id"], row["pipeline_id"]),
        )
        cells = (
            row["name"], str(row["number"]), moment(row["created_ms"]), str(config.get("collection", "")),
            ", ".join(name for (name,) in labels), row["fingerprint"],
        )  # fmt: skip
        sources = (book.cite("pipelineversion", id=row["id"]),)
        key = f"system.pipeline.{row['name']}"
        made.append(
            table_row(key, _PIPELINES, cells, sources, number=row["number"], fingerprint=row["fingerprint"])
        )
    return made


# --- models -----------------------------------------------------------------------------------------------


def models_section(scope: Scope, book: Book) -> Section:
    """Return the models that answered, were evaluated, or made embeddings, with hashes and licences."""
    gaps: list[Gap] = []
    answering = [*_answering(scope, book, gaps)]
    embedding = [*_embedding(scope, book)]
    if not answering:
        gaps.append(Gap("models.answering", "No model has answered or was evaluated in this period."))
    if not embedding:
        gaps.append(
            Gap("models.embedding", "No embedding model is stored, because there is no dataset version.")
        )
    blocks = [
        Block("Models that answer", distinct(answering), _MODELS),
        Block("Models that find passages", distinct(embedding), ("Model", "Fingerprint", "Versions")),
    ]
    return section("models", "Models", blocks, gaps)


def _answering(scope: Scope, book: Book, gaps: list[Gap]) -> list[Statement]:
    """Return a row for every model, from the questions of the period and its runs."""
    used: dict[tuple[str, str, str], dict[str, Any]] = {}

    def seen(model: str, sha256: str, sent_to: str) -> dict[str, Any]:
        return used.setdefault(
            (file_name(model), sha256, sent_to), {"asked": [], "runs": [], "served": set()}
        )

    for trace_id, model, sha256, sent_to, served in scope.asked(
        "t.id, t.model, t.model_sha256, t.sent_to, t.served_model", "t.model != ''"
    ):
        entry = seen(model, sha256, sent_to)
        entry["asked"].append(trace_id)
        entry["served"].add(served)
    for run in scope.runs:
        if run["model_file"]:
            seen(run["model_file"], run["model_sha256"], "")["runs"].append(run["id"])
    stored = {sha256 or "": row_id for row_id, sha256 in scope.database.cells("SELECT id, sha256 FROM model")}
    offers = list_offers()
    made = []
    for (model, sha256, sent_to), entry in sorted(used.items()):
        licence, origin = _licence(offers, model, sha256)
        if not sha256 and not sent_to:
            gaps.append(Gap(f"models.hash.{model}", f"No hash of the model “{model}” is stored."))
        if not licence:
            gaps.append(
                Gap(f"models.licence.{model}", f"The licence of the model “{model}” is not known here.")
            )
        ends = [*entry["asked"][:1], *entry["asked"][-1:]]
        sources = [
            *book.cite_all("trace", "id", dict.fromkeys(ends)),
            *book.cite_all("evaluationrun", "id", entry["runs"][:2]),
            *(book.cite_all("model", "id", [stored[sha256]]) if sha256 and sha256 in stored else ()),
        ]
        does = f"answers at {sent_to}" if sent_to else "answers on this computer"
        asked, runs = len(entry["asked"]), len(entry["runs"])
        cells = (model, does, sha256, licence, origin or sent_to, f"{asked:,}", f"{runs:,}")
        made.append(
            table_row(f"models.{model}", _MODELS, cells, sources, sha256=sha256, answers=asked, runs=runs)
        )
    return made


def _licence(offers: Sequence[Offer], model: str, sha256: str) -> tuple[str, str]:
    """Return the licence and the repository of a known file, by its hash, else by the name of the file."""
    for offer in offers:
        if sha256 and offer.sha256 == sha256:
            return offer.licence, offer.repository
    for offer in offers:
        if offer.file and offer.file.lower() == model.lower():
            return f"{offer.licence} (by the name of the file)", offer.repository
    return "", ""


def _embedding(scope: Scope, book: Book) -> list[Statement]:
    rows = scope.database.query(
        """SELECT embedder, embedder_name, max(id) AS last, count(*) AS versions FROM datasetversion
           WHERE created_ms < ? GROUP BY embedder, embedder_name ORDER BY embedder_name, embedder""",
        (scope.period.bounds[1],),
    )
    collection = scope.config.get("collection")
    made = []
    for row in rows:
        if collection and not scope.database.cells(
            """SELECT 1 FROM datasetversion v JOIN collection c ON c.id = v.collection_id
               WHERE c.name = ? AND v.embedder = ? LIMIT 1""",
            (collection, row["embedder"]),
        ):
            continue
        cells = (row["embedder_name"], row["embedder"], str(row["versions"]))
        sources = (book.cite("datasetversion", id=row["last"]),)
        key = f"models.embedding.{row['embedder_name']}"
        made.append(
            table_row(
                key, ("Model", "Fingerprint", "Versions"), cells, sources,
                fingerprint=row["embedder"], versions=row["versions"],
            )
        )  # fmt: skip
    return made


# --- prompts ----------------------------------------------------------------------------------------------


def prompts_section(scope: Scope, book: Book) -> Section:
    """Return the versions of prompts that were used."""
    ids = {int(row[0]) for row in scope.asked("DISTINCT t.prompt_version_id", "t.prompt_version_id", "1")}
    ids |= {int(run["prompt_version_id"]) for run in scope.runs if run["prompt_version_id"]}
    rows = scope.database.query(
        """SELECT v.*, p.name FROM promptversion v JOIN prompt p ON p.id = v.prompt_id
           WHERE v.id IN (SELECT value FROM json_each(?)) ORDER BY p.name, v.number DESC""",
        (json.dumps(sorted(ids)),),
    )
    made = []
    for row in rows:
        labels = scope.database.cells(
            "SELECT name FROM promptlabel WHERE version_id = ? AND prompt_id = ? ORDER BY name",
            (row["id"], row["prompt_id"]),
        )
        cells = (
            row["name"], str(row["number"]), moment(row["created_ms"]), row["author"],
            ", ".join(name for (name,) in labels), row["fingerprint"],
            shortened(row["system"] or row["user"]),
        )  # fmt: skip
        sources = (book.cite("promptversion", id=row["id"]),)
        key = f"prompts.{row['name']}.{row['number']}"
        made.append(table_row(key, _PROMPTS, cells, sources, fingerprint=row["fingerprint"]))
    gaps = [] if made else [Gap("prompts.none", "No stored version of a prompt was used in this period.")]
    return section("prompts", "Prompts", [Block("Versions in use", tuple(made), _PROMPTS)], gaps)


def shortened(text: str) -> str:
    """Return a text on one line, cut where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


# --- settings ---------------------------------------------------------------------------------------------


def settings_section(scope: Scope, book: Book) -> Section:
    """Return what answers depended on: of the pipeline, or of the newest question of each collection."""
    blocks: list[Block] = []
    gaps: list[Gap] = []
    if scope.pipeline is not None:
        source = book.cite("pipelineversion", id=scope.pipeline.id)
        blocks.append(_settings("Settings of the pipeline", "pipeline", scope.config, source))
    else:
        newest = {str(row[0]): str(row[1]) for row in scope.asked("t.collection, t.id")}
        for collection, trace_id in sorted(newest.items()):
            (stored,) = scope.database.cells("SELECT settings FROM trace WHERE id = ?", (trace_id,))
            title = f"Settings of the newest question of “{collection}”"
            values = json.loads(stored[0] or "{}")
            blocks.append(_settings(title, collection, values, book.cite("trace", id=trace_id)))
    if ids := scope.question_ids():
        kinds = scope.asked("count(DISTINCT t.settings)", order="1")[0][0]
        text = f"The questions of this period were answered with {counted(kinds, 'different setting')}."
        said = counting(book, "settings.different", text, "trace", ids, different=kinds)
        blocks.insert(0, Block("How often they changed", (said,)))
    if not any(block.statements for block in blocks):
        gaps.append(Gap("settings.none", "No settings are stored, because nothing was asked in this period."))
    return section("settings", "Settings", blocks, gaps)


def _settings(title: str, name: str, values: Mapping[str, Any], source: str) -> Block:
    rows = [
        table_row(f"settings.{name}.{key}", _SETTINGS, (key, text), (source,), value=text)
        for key, text in sorted(flat(values).items())
    ]
    return Block(title, tuple(rows), _SETTINGS)


def flat(values: Mapping[str, Any], before: str = "") -> dict[str, str]:
    """Return nested values by keys such as retrieval.max_passages."""
    found: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            found.update(flat(value, f"{before}{key}."))
        else:
            found[f"{before}{key}"] = (
                value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            )
    return found
