"""Settings of the server, of received traces and of traces that are sent: off at first, and bounded."""

from typing import Any

import pytest
from pydantic import ValidationError

from rag.settings.exchange import ExportSettings, ReceivingSettings, ServerSettings


def test_nothing_is_served_or_sent_until_a_person_says_so() -> None:
    assert not ServerSettings().on
    assert not ExportSettings().continuous
    assert ExportSettings().endpoint == ""


def test_the_server_and_the_receiver_can_be_on_at_the_same_time() -> None:
    assert ServerSettings().port != ReceivingSettings().port == 4318  # where OTLP/HTTP is expected


@pytest.mark.parametrize(
    ("section", "values"),
    [
        (ServerSettings, {"port": -1}),
        (ServerSettings, {"port": 65536}),
        (ServerSettings, {"most_waiting": -1}),
        (ServerSettings, {"most_waiting": 1001}),
        (ServerSettings, {"host": "0.0.0.0"}),
        (ReceivingSettings, {"port": 0}),
        (ReceivingSettings, {"check": "some"}),
        (ReceivingSettings, {"check_share": 1.1}),
        (ReceivingSettings, {"check_share": -0.1}),
        (ExportSettings, {"endpoint": "phoenix:6006"}),
        (ExportSettings, {"endpoint": "ftp://phoenix/v1/traces"}),
        (ExportSettings, {"endpoint": "http://"}),
        (ExportSettings, {"endpoint": "http://phoenix/ v1"}),
        (ExportSettings, {"most_waiting": 0}),
    ],
)
def test_what_is_out_of_bounds_is_refused(section: type[Any], values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        section.model_validate(values)


@pytest.mark.parametrize(
    "endpoint",
    ["", "http://127.0.0.1:6006/v1/traces", "https://cloud.langfuse.com/api/public/otel/v1/traces"],
)
def test_addresses_of_other_tools_are_taken(endpoint: str) -> None:
    assert ExportSettings(endpoint=endpoint).endpoint == endpoint


def test_each_kind_of_content_can_be_hidden_by_itself() -> None:
    switches = [name for name in ExportSettings.model_fields if name.startswith("hide_")]
    assert len(switches) == 8
    for name in switches:
        hidden = ExportSettings.model_validate({name: True})
        assert [one for one in switches if getattr(hidden, one)] == [name]
