"""Settings of what other programs get and send: the server, received traces, traces that are sent."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from rag.settings.section import Section


class ServerSettings(Section):
    """What other programs on this computer may have of this one."""

    on: Annotated[bool, Field(description="Serve other programs while the window is open.")] = False
    port: Annotated[
        int, Field(ge=0, le=65535, description="Port on this computer; 0 takes a free one each time.")
    ] = 4319  # beside that of received traces
    openai: Annotated[
        bool, Field(description="Answer at /v1 as the OpenAI API does: chat, responses, embeddings.")
    ] = True
    mcp: Annotated[bool, Field(description="Offer tools to agents and editors at /mcp (MCP).")] = True
    otlp: Annotated[bool, Field(description="Receive traces of other applications at /v1/traces (OTLP).")] = (
        False
    )
    most_waiting: Annotated[
        int,
        Field(ge=0, le=1000, description="Questions that may wait; one more is told to come again later."),
    ] = 8
    mcp_tools: Annotated[
        list[str], Field(description="Names of the tools that are offered over MCP; empty: all of them.")
    ] = []


class ReceivingSettings(Section):
    """The receiver of other applications' traces, and which of their answers are checked."""

    port: Annotated[
        int, Field(ge=1, le=65535, description="Port on this computer; 4318 is where OTLP/HTTP is expected.")
    ] = 4318
    token_variable: Annotated[
        str,
        Field(
            description="Environment variable with the bearer token that senders must name; empty: none is "
            "asked for."
        ),
    ] = ""
    check: Annotated[
        Literal["all", "share", "new", "off"],
        Field(
            description="Received answers that are checked against their own documents, when nothing else "
            "is running: all, a share of them, only those that come while the receiver is on, or none."
        ),
    ] = "all"
    check_share: Annotated[
        float, Field(ge=0.0, le=1.0, description="The share, when a share is checked; 0.1 is one in ten.")
    ] = 0.1


class ExportSettings(Section):
    """Where traces are sent, and what of them is left out. Names of what is hidden are OpenInference's."""

    continuous: Annotated[
        bool,
        Field(
            description="Send every trace of a person's question from now on, while the window is open. A "
            "collection whose texts may not leave this computer is left out."
        ),
    ] = False
    endpoint: Annotated[
        str,
        Field(
            pattern=r"^(https?://[^\s/?#]+[^\s]*)?$",
            description="OTLP/HTTP address of Phoenix, Langfuse or a collector, such as "
            "http://127.0.0.1:6006/v1/traces.",
        ),
    ] = ""
    headers_variable: Annotated[
        str,
        Field(
            description="Environment variable with headers to send, as OpenTelemetry writes them: "
            "Authorization=Basic …,other=value."
        ),
    ] = ""
    phoenix_annotations: Annotated[
        bool,
        Field(
            description="Send scores and feedback to Phoenix's API for annotations too: it does not read "
            "them from spans."
        ),
    ] = False
    most_waiting: Annotated[
        int, Field(ge=1, le=1_000_000, description="Traces that wait for the endpoint, at most.")
    ] = 10_000
    hide_inputs: Annotated[
        bool, Field(description="Leave out questions, prompts and what tools were given.")
    ] = False
    hide_outputs: Annotated[
        bool, Field(description="Leave out answers, what tools returned, and the texts of passages.")
    ] = False
    hide_input_messages: Annotated[bool, Field(description="Leave out the messages to models.")] = False
    hide_output_messages: Annotated[bool, Field(description="Leave out the messages of models.")] = False
    hide_input_text: Annotated[
        bool, Field(description="Leave out the text of messages to models, and keep their roles.")
    ] = False
    hide_output_text: Annotated[
        bool, Field(description="Leave out the text of messages of models, and keep their roles.")
    ] = False
    hide_retrieval_documents: Annotated[
        bool, Field(description="Leave out the texts of passages, and keep their names and scores.")
    ] = False
    hide_llm_invocation_parameters: Annotated[
        bool, Field(description="Leave out temperature and the other parameters of models.")
    ] = False
