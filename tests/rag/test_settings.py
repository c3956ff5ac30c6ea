"""Settings refuse what they do not know and survive being written."""

from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import RagError
from rag.settings import (
    CUSTOM,
    PRESET_FACTS,
    PRESETS,
    ChatTemplate,
    ChunkingSettings,
    ModelSettings,
    RetrievalSettings,
    Settings,
    classic_retrieval,
    is_classic,
    own_retrieval,
    preset,
    preset_of,
    retrieval_as_written,
)


def test_settings_survive_being_written_and_read(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    settings = Settings().changed("models", "folders", ['C:\\a "b"', "/ü/☃"]).changed("generation", "seed", 7)
    settings.save(path)
    assert Settings.load(path) == settings


def test_a_file_with_a_key_that_was_renamed_opens_and_keeps_its_value(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("[monitors]\nrun_frozen_after_change = true", "utf-8")
    settings = Settings.load(path)
    assert settings.monitors.run_regression_after_change
    settings.save(path)
    assert "frozen" not in path.read_text("utf-8")
    assert Settings.load(path) == settings


@given(st.text(max_size=60))
def test_any_text_survives(text: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "settings.toml"
        Settings().changed("models", "active", text).save(path)
        assert Settings.load(path).models.active == text


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[retrieval]\nrrf_kk = 3", "retrieval.rrf_kk"),
        ("[generation]\ntemperature = 9", "generation.temperature"),
        ("not toml", "not valid TOML"),
        ("max_tokens = 100", r"max_tokens is in the wrong place: it belongs below \[chunking\]"),
        ("[retrieval]\nmax_tokens = 100", r"retrieval.max_tokens is in .* it belongs below \[chunking\]"),
        (
            "[retrieval.chunking]\nmax_tokens = 9",
            r"\[retrieval.chunking\] .* a section of its own, \[chunking\]",
        ),
        (
            "[settings.retrieval]\nrrf_k = 3",
            r"\[settings.retrieval\] is nested: .* Write it as \[retrieval\]",
        ),
        ("retrieval = 5", r"retrieval must be a section, \[retrieval\] with its keys below"),
        ("[retreival]\nrrf_k = 3", "no section retreival; the sections are chunking, retrieval, generation"),
        ("[models]\nfolder = 3", r"models.folder: there is no such key; \[models\] has active, folders"),
        ("a = " + "[" * 5000, "nested too deeply|not valid TOML"),
    ],
)
def test_a_wrong_settings_file_names_what_is_wrong(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(text)
    with pytest.raises(RagError, match=named):
        Settings.load(path)


def test_a_file_that_is_none_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").mkdir()
    with pytest.raises(RagError, match=r"settings.toml cannot be read \(Is a directory\)"):
        Settings.load(tmp_path / "settings.toml")


def test_a_mark_at_the_beginning_as_editors_write_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("[retrieval]\nrrf_k = 3\n", "utf-8-sig")
    assert Settings.load(tmp_path / "settings.toml").retrieval.rrf_k == 3


def test_a_missing_file_means_the_defaults(tmp_path: Path) -> None:
    assert Settings.load(tmp_path / "settings.toml") == Settings()


def test_a_change_is_checked_and_leaves_the_original(tmp_path: Path) -> None:
    settings = Settings()
    assert settings.changed("retrieval", "max_passages", 3).retrieval.max_passages == 3
    assert settings.retrieval.max_passages == 50
    with pytest.raises(RagError, match=r"retrieval\.max_passages: .*less than or equal to 50"):
        settings.changed("retrieval", "max_passages", 51)
    for section, key in (("retrieval", "passages"), ("nothing", "max_passages")):
        with pytest.raises(RagError, match=rf"no setting {section}\.{key}"):
            settings.changed(section, key, 1)


def test_a_kill_while_saving_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    Settings().changed("generation", "seed", 1).save(path)
    (tmp_path / "settings.toml.new").write_text("[generation]\nse")
    assert Settings.load(path).generation.seed == 1
    Settings().changed("generation", "seed", 2).save(path)
    assert [p.name for p in tmp_path.iterdir()] == ["settings.toml"]
    assert Settings.load(path).generation.seed == 2


def test_equal_settings_have_one_fingerprint_and_others_another() -> None:
    assert Settings().chunking.fingerprint() == ChunkingSettings().fingerprint()
    assert len(ChunkingSettings().fingerprint()) == 16
    assert ChunkingSettings(max_tokens=100).fingerprint() != ChunkingSettings().fingerprint()


def test_a_key_of_an_older_version_is_read_under_its_new_name(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("[monitors]\nrun_frozen_after_change = true\n")
    assert Settings.load(path).monitors.run_regression_after_change
    Settings.load(path).save(path)
    assert "run_frozen" not in path.read_text()


def test_every_setting_is_described_for_people() -> None:
    for name, section in Settings.model_fields.items():
        for key, field in section.annotation.model_fields.items():
            assert field.description, f"{name}.{key}"
            assert field.description.endswith("."), f"{name}.{key}"


# --- presets ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_known_by_its_values_and_described(name: str) -> None:
    assert preset_of(preset(name)) == name
    assert PRESET_FACTS[name]


def test_other_values_are_no_preset() -> None:
    assert preset_of(RetrievalSettings(rrf_k=6)) == CUSTOM
    assert preset_of(RetrievalSettings()) == "Balanced"
    with pytest.raises(
        RagError, match=r"no preset “Slow”\. The presets are Fast, Balanced, Thorough, Classic"
    ):
        preset("Slow")


OLD_FILE = """[retrieval]
search = "hybrid"
candidates = 40
rrf_k = 20
max_passages = 6
context_tokens = 900
min_similarity = 0.3
"""


def test_a_file_of_an_older_program_keeps_what_a_person_chose(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(OLD_FILE, "utf-8")
    found = Settings.load(path).retrieval
    assert (found.rrf_k, found.context_tokens) == (20, 900)
    assert (found.max_passages, found.min_similarity) == (50, -1.0), "those were the defaults then"
    assert found.stemming and found.pieces


def test_what_an_older_program_did_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    assert classic_retrieval(path) == preset("Classic")
    path.write_text(OLD_FILE, "utf-8")
    assert classic_retrieval(path) == preset("Classic").model_copy(
        update={"rrf_k": 20, "context_tokens": 900}
    )
    path.write_text("not toml [", "utf-8")
    assert classic_retrieval(path) == preset("Classic")
    path.write_text("[retrieval]\nsearch = 'nonsense'\n", "utf-8")
    assert classic_retrieval(path) == preset("Classic")


def test_settings_that_an_older_program_wrote_behave_as_they_did() -> None:
    written = {"search": "hybrid", "candidates": 40, "rrf_k": 60, "max_passages": 6, "min_similarity": 0.3}
    assert RetrievalSettings.model_validate(retrieval_as_written(written)) == preset("Classic")
    new = RetrievalSettings(rrf_k=9).model_dump()
    assert retrieval_as_written(new) == new
    assert retrieval_as_written({"rrf_k": 9}) == {"rrf_k": 9}, "single values are changes to the defaults"


# --- values that are refused, and files of other programs -------------------------------------------------


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("costs", "currency", "eur"),
        ("costs", "currency", "EURO"),
        ("costs", "currency", ""),
        ("costs", "currency", "EUR\n"),
        ("costs", "currency", "ÄÖÜ"),
        ("models", "folders", "one"),
        ("models", "folders", [1]),
        ("models", "folders", None),
        ("models", "active", 3),
        ("models", "chat_templates", ["tiny"]),
        ("models", "chat_templates", ["=chatml"]),
        ("models", "chat_templates", ["tiny=nonsense"]),
        ("models", "chat_templates", ["tiny=chatml "]),
        ("generation", "seed", 1.5),
        ("cache", "exact", "Always"),
        ("cache", "similar", True),
        ("chunking", "keep_encoded", "perhaps"),
        ("retrieval", "pieces", []),
        ("appearance", "theme", None),
    ],
)
def test_a_value_of_the_wrong_form_is_refused_in_one_sentence(section: str, key: str, value: object) -> None:
    with pytest.raises(RagError, match=rf"^{section}\.{key}: ") as refused:
        Settings().changed(section, key, value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("monitors = 3", r"monitors must be a section, \[monitors\]"),
        ("retrieval = []", r"retrieval must be a section"),
        ("[[retrieval]]\nrrf_k = 3", r"retrieval must be a section"),
        ("[cache]\nexact = 'sometimes'", r"cache.exact: .*Correct it, or delete the line"),
        ("[cache]\nthreshold = nan", r"cache.threshold: "),
        ("[generation]\nseed = -1", r"generation.seed: "),
        ("[generation]\nseed = 1979-05-27", r"generation.seed: "),
        ("[chunking]\nmax_tokens = true\nmax_tokens = 1", "not valid TOML"),  # twice
        ("[cache]\nlimit = 1", r"cache.limit: there is no such key; \[cache\] has exact, similar, threshold"),
        ("theme = 'dark'", r"theme is in the wrong place: it belongs below \[appearance\]"),
        ("[generation.costs]\nx = 1", r"a section of its own, \[costs\]"),
        (
            "[monitors]\nrun_frozen_after_change = true\nrun_regression_after_change = false",
            r"monitors.run_frozen_after_change: there is no such key",
        ),
    ],
)
def test_a_wrong_file_says_which_line_to_correct(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(RagError, match=named) as refused:
        Settings.load(path)
    assert str(refused.value).startswith("settings.toml") and str(refused.value).endswith(".")


def test_a_file_in_another_encoding_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes("[models]\nactive = 'Modèle'".encode("latin-1"))
    with pytest.raises(RagError, match=r"settings.toml is not valid TOML .* delete it to get the defaults"):
        Settings.load(path)


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n", "[retrieval]\n", "\ufeff[cache]\n"])
def test_a_file_that_says_nothing_means_the_defaults(tmp_path: Path, text: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(text, "utf-8")
    assert Settings.load(path) == Settings()


@given(st.lists(st.text(max_size=20), max_size=4))
def test_any_folders_survive_the_file(tmp_path_factory: pytest.TempPathFactory, folders: list[str]) -> None:
    path = tmp_path_factory.getbasetemp() / "any-folders.toml"
    chosen = Settings().changed("models", "folders", folders)
    chosen.save(path)
    assert Settings.load(path) == chosen


# --- chat templates of models -----------------------------------------------------------------------------

MODELS = st.text(min_size=1, max_size=12)
TEMPLATES = st.sampled_from(get_args(ChatTemplate))


@given(st.dictionaries(MODELS, TEMPLATES, max_size=4), MODELS, TEMPLATES)
def test_a_chosen_template_is_that_of_its_model_alone(
    others: dict[str, str], model: str, template: str
) -> None:
    before = ModelSettings(chat_templates=[f"{name}={kind}" for name, kind in others.items()])
    after = ModelSettings(chat_templates=before.with_chat_template(model, template))
    assert after.chat_template_of(model) == template
    for name in set(others) - {model}:
        assert after.chat_template_of(name) == others[name]
    back = ModelSettings(chat_templates=after.with_chat_template(model, ""))
    assert back.chat_template_of(model) == ""
    assert len(back.chat_templates) == len(set(others) - {model})


@pytest.mark.parametrize("model", ["a=b", "=", "=chatml", "chatml=plain", "two\nlines", "ü ☃"])
def test_a_model_s_name_may_hold_any_sign(model: str) -> None:
    chosen = ModelSettings(chat_templates=ModelSettings().with_chat_template(model, "gemma"))
    assert chosen.chat_template_of(model) == "gemma"
    assert chosen.chat_template_of(model[:-1]) == ""


# --- searches of collections ------------------------------------------------------------------------------


def test_a_collection_without_settings_of_its_own_is_searched_as_the_data_folder_says() -> None:
    settings = Settings().changed("retrieval", "rrf_k", 9)
    assert own_retrieval("", settings) is settings.retrieval
    own = preset("Fast")
    assert own_retrieval(own.model_dump_json(), settings) == own
    assert own_retrieval("{}", settings) == RetrievalSettings(), "the defaults, not the data folder's"


@pytest.mark.parametrize(
    ("values", "is_old"),
    [
        ({}, False),
        ({"search": "dense"}, True),
        ({"search": "dense", "stemming": True}, False),
        ({"rrf_k": 3}, False),
        (RetrievalSettings().model_dump(), False),
    ],
)
def test_settings_from_before_presets_are_known_by_what_they_lack(
    values: dict[str, object], is_old: bool
) -> None:
    assert is_classic(values) == is_old


@pytest.mark.parametrize(
    "text", ["retrieval = 3", "[retrieval]\nrrf_k = 'many'", "[other]\nx = 1", "[retrieval]\nrrf_k = 9", "a = " + "[" * 5000]
)  # fmt: skip
def test_a_file_that_says_nothing_of_an_older_program_is_classic(tmp_path: Path, text: str) -> None:
    (tmp_path / "settings.toml").write_text(text, "utf-8")
    assert classic_retrieval(tmp_path / "settings.toml") == preset("Classic")


@pytest.mark.parametrize("key", RetrievalSettings.model_fields)
def test_presets_differ_from_custom_in_every_key(key: str) -> None:
    other: dict[type, object] = {bool: False, int: 77, float: 0.77, str: "/other"}
    value = getattr(RetrievalSettings(), key)
    choices = {
        "search": "BM25",
        "follow_ups": "joined",
        "rerank": "cross-encoder",
        "max_passages": 7,
        "neighbours": 4,
    }
    settings = RetrievalSettings().model_copy(update={key: choices.get(key, other[type(value)])})
    assert preset_of(settings) == CUSTOM
    assert preset_of(settings.model_copy(update={key: value})) == "Balanced"
