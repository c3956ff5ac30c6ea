"""Builds two peers for benchmarks.xquad: LlamaIndex and LangChain, with our chunks, embedder and GGUF.

Each as its documentation builds it: the six nearest chunks by cosine, the peer's own prompt for questions over a context,
greedy decoding of at most as many tokens as ours. The chat template is the GGUF's own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rag.models.embedding import starter_embedder_folder
from rag.models.language_model import LanguageModel, starter_model_path
from rag.workspace import Workspace

Peer = Callable[[str], tuple[str, tuple[int, ...]]]
Chunks = list[tuple[int, str]]


def llama_index(chunks: Chunks, workspace: Workspace, model: LanguageModel) -> Peer:
    """A query engine over a VectorStoreIndex, compact mode."""
    from llama_index.core import VectorStoreIndex
    from llama_index.core.schema import TextNode
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding
    from llama_index.llms.llama_cpp import LlamaCPP

    settings = workspace.settings
    llm = LlamaCPP(
        model_path=str(starter_model_path()),
        temperature=0.0,
        max_new_tokens=settings.generation.max_answer_tokens,
        context_window=settings.generation.context,
        messages_to_prompt=lambda messages: model.render_chat(
            [{"role": str(m.role.value), "content": str(m.content)} for m in messages]
        ),
        completion_to_prompt=lambda text: model.render_chat([{"role": "user", "content": text}]),
        verbose=False,
    )
    nodes = [
        TextNode(text=text, metadata={}, id_=f"{number}/{place}")
        for place, (number, text) in enumerate(chunks)
    ]
    index = VectorStoreIndex(
        nodes, embed_model=HuggingFaceEmbedding(model_name=str(starter_embedder_folder()), device="cpu")
    )
    engine = index.as_query_engine(llm=llm, similarity_top_k=settings.retrieval.max_passages)

    def answer(question: str) -> tuple[str, tuple[int, ...]]:
        found = engine.query(question)
        return str(found), tuple(int(node.node.node_id.split("/")[0]) for node in found.source_nodes)

    return answer


def langchain(chunks: Chunks, workspace: Workspace, model: LanguageModel) -> Peer:
    """A retriever over an in-memory vector store, a stuffed prompt and LlamaCpp."""
    from langchain_community.llms import LlamaCpp
    from langchain_core.documents import Document
    from langchain_core.vectorstores import InMemoryVectorStore
    from langchain_huggingface import HuggingFaceEmbeddings

    settings = workspace.settings
    embeddings = HuggingFaceEmbeddings(
        model_name=str(starter_embedder_folder()), model_kwargs={"device": "cpu"}
    )
    store = InMemoryVectorStore(embeddings)
    store.add_documents([Document(page_content=text, metadata={"number": number}) for number, text in chunks])
    llm: Any = LlamaCpp(
        model_path=str(starter_model_path()),
        n_ctx=settings.generation.context,
        max_tokens=settings.generation.max_answer_tokens,
        temperature=0.0,
        n_batch=512,
        repeat_penalty=1.0,  # its own 1.1 makes a small model leave the context
        verbose=False,
    )
    # The prompt of LangChain's own question answering over retrieved documents (rlm/rag-prompt).
    instruction = (
        "You are an assistant for question-answering tasks. Use the following pieces of retrieved context to answer "
        "the question. If you don't know the answer, just say that you don't know. Use three sentences maximum and "
        "keep the answer concise.\nQuestion: {question} \nContext: {context} \nAnswer:"
    )

    def answer(question: str) -> tuple[str, tuple[int, ...]]:
        found = store.similarity_search(question, k=settings.retrieval.max_passages)
        context = "\n\n".join(document.page_content for document in found)
        content = instruction.format(question=question, context=context)
        text = llm.invoke(model.render_chat([{"role": "user", "content": content}]))
        return str(text), tuple(int(document.metadata["number"]) for document in found)

    return answer


PEERS: dict[str, Callable[[Chunks, Workspace, LanguageModel], Peer]] = {
    "LlamaIndex": llama_index,
    "LangChain": langchain,
}
