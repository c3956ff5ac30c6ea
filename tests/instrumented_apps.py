"""Two small RAG applications that OpenInference instruments; run by an environment of their own, not by pytest.

usage: python instrumented_apps.py langchain|llama-index ADDRESS
"""

import sys

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

TEXTS = ("The tide at Bremen rises 3.5 metres.", "Boats leave at noon.")
QUESTION, ANSWER = "How high does the tide rise?", "It rises 3.5 metres."


def with_langchain(provider):
    from langchain_core.documents import Document
    from langchain_core.language_models import FakeListChatModel
    from langchain_core.output_parsers import StrOutputParser
    from langchain_core.prompts import ChatPromptTemplate
    from langchain_core.retrievers import BaseRetriever
    from langchain_core.runnables import RunnablePassthrough
    from openinference.instrumentation.langchain import LangChainInstrumentor

    class Retriever(BaseRetriever):
        def _get_relevant_documents(self, query, *, run_manager):
            return [
                Document(page_content=text, metadata={"source": f"{n}.txt"}) for n, text in enumerate(TEXTS)
            ]

    LangChainInstrumentor().instrument(tracer_provider=provider)
    prompt = ChatPromptTemplate.from_template("Passages: {context}\nQuestion: {question}")
    model = FakeListChatModel(responses=[ANSWER])
    parts = {"context": Retriever(), "question": RunnablePassthrough()}
    chain = parts | prompt | model | StrOutputParser()
    return chain.invoke(QUESTION)


def with_llama_index(provider):
    from llama_index.core import Document, MockEmbedding, Settings, VectorStoreIndex
    from llama_index.core.llms import CompletionResponse, CustomLLM, LLMMetadata
    from openinference.instrumentation.llama_index import LlamaIndexInstrumentor

    class Model(CustomLLM):
        @property
        def metadata(self):
            return LLMMetadata(model_name="theirs")

        def complete(self, prompt, **_):
            return CompletionResponse(text=ANSWER)

        def stream_complete(self, prompt, **_):
            yield CompletionResponse(text=ANSWER, delta=ANSWER)

    Settings.llm, Settings.embed_model = Model(), MockEmbedding(embed_dim=4)
    index = VectorStoreIndex.from_documents([Document(text=text) for text in TEXTS])
    LlamaIndexInstrumentor().instrument(tracer_provider=provider)
    return str(index.as_query_engine().query(QUESTION))


if __name__ == "__main__":
    name, address = sys.argv[1:]
    tracing = TracerProvider(resource=Resource.create({"service.name": f"{name} bot"}))
    tracing.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint=address)))
    print({"langchain": with_langchain, "llama-index": with_llama_index}[name](tracing))
    tracing.shutdown()
