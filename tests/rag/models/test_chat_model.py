"""What every model that answers has in common."""

from fakes import ScriptedModel

from rag.models.chat_model import Served, Token
from rag.settings import GenerationSettings


def test_usage_is_told_only_when_both_counts_are() -> None:
    assert Served(prompt_tokens=1, completion_tokens=0).has_usage
    assert not Served("m", "fp").has_usage
    assert not Served(prompt_tokens=1).has_usage and not Served(completion_tokens=1).has_usage


def test_a_model_file_streams_what_it_generates_and_stays_on_this_computer() -> None:
    model = ScriptedModel("Rye bread.")
    events = list(model.stream("a prompt of five words", GenerationSettings()))
    assert [event.text for event in events if isinstance(event, Token)] == ["Rye ", "bread."]
    assert model.prompt_size("a prompt of five words") == 5
    assert (model.endpoint, model.sent_to, model.can_continue, model.identity) == ("", "", True, "0" * 64)
