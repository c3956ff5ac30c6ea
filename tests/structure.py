"""The structure of the program: what may import what, how large things may grow, and a report.

`python -m tests.structure` prints the report; `python -m tests.structure --contributing` rewrites the table
of packages in CONTRIBUTING.md from the lists below. Everything is read from the source text with `ast`:
nothing of the product is imported, so a report needs no installed library and takes a few seconds.
tests/test_structure.py asserts the limits.

"Lines of code" are lines that are neither blank nor comments nor docstrings.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

MOST_FILES = 16
MOST_LINES = 500
MOST_METHODS = 30
MOST_FUNCTION_LINES = 60
MOST_SHOWN = 20  # of one kind in the report
LEAST_TEST_LINES = 0.8  # non-blank lines of tests for each non-blank line of the product

# Lowest first: a package imports only from itself and from packages above it in this list.
RAG = {
    "errors": "Errors that carry a sentence the user can act on.",
    "platform_plugin": "Whether Qt's platform plugin can be loaded, asked before Qt is.",
    "text": "Pure functions on text: languages, search terms, plurals, citation markers, word diffs.",
    "settings": "The bounded settings of a data folder, stored in `settings.toml`.",
    "storage": "The data folder and its SQLite file: tables, migrations, audit log, backups, disk usage.",
    "parsing": "Reading file formats and cutting their text into chunks.",
    "models": "Embedding and language models: GGUF files, batching, remote endpoints, conversion.",
    "index": "The Chroma index, in a folder or on a server. It can always be rebuilt.",
    "grounding": "Which sentences of an answer its sources do not support, and failures that raise no error.",
    "guardrails": "Personal data, prompt injection and off-topic text, found by pure functions.",
    "prompts": "Prompt templates, versions and labels, and the gates that a label requires.",
    "workspace": "An open data folder and the models that are loaded.",
    "knowledge": "Collections, dataset versions, verification, ingest, edits, trials, watched folders.",
    "asking": "Answering a question: search, reranking, packing, generation, traces, cache, replay.",
    "costs": "Prices, budgets and usage.",
    "monitoring": "What is measured, its control limits, drift, alerts and regression questions.",
    "evaluation": "Cases and drafts of them, evaluation sets, pipelines, runs, metrics, statistics, gates.",
    "review": "Feedback from people, review queues and roll-outs.",
    "finding": "Finding any object by a few words, and naming where it is.",
    "governance": "Which guardrail acts where, erasure, retention, audit and reports.",
    "routing": "Who answers a question: a chosen pipeline, a roll-out, a cascade or the settings.",
    "interchange": "Traces exchanged with other tools: OTLP, OpenInference, GenAI conventions.",
    "serving": "The HTTP server: an OpenAI-compatible API, an OTLP receiver, MCP.",
    "sample": "The sample collection that a first start offers.",
    "start_up": "What an opened data folder needs before it is used.",
    "launcher": "The icon by which the desktop opens Ragdeck, and on which files are dropped.",
    "lanes": "The lanes of the engine's process, and what an operation on one of them is.",
    "operations": "The typed list of what the window may start: function, lane and title.",
    "cli": "The command line, one file per feature.",
}
APP = {
    "widgets": "Shared widgets, charts, item models, layout and the theme.",
    "history": "Where a person was before, for the ways back and forward.",
    "engine": "The engine process (`server`) and the window's end of the connection (`client`).",
    "printing": "HTML to PDF with Qt's own means, for the window and the command line.",
    "console": "How pages start operations and receive their events.",
    "shared": "Panels that several pages show: claims, feedback, sources.",
    "help": "The guide in a window of its own, the first steps, and the ways to both.",
    "pages": "One file per page, or one folder: `page.py` and its panels.",
    "ingest_controller": "The queue of imports.",
    "background_checks": "Timers for alerts, watched folders and regression questions.",
    "search": "What the palette finds: pages, actions, settings and objects, the recent ones first.",
    "routes": "Connects the signals of pages to each other.",
    "main_window": "The window: navigation and its pages.",
    "single_window": "A second start raises the window that is open.",
    "application": "The Qt application and its start.",
}
INDEPENDENT = {("app", "engine", "widgets")}  # neither imports the other, whatever the order says

# What the window and every rows.py may import of rag, beside other rows.py. A name covers what is below it.
ROWS_MAY_IMPORT = ("resources", "rag.errors", "rag.text", "rag.storage.database")
# data_folder: the window must know which folder it opens, and who holds it, before an engine can say so.
WINDOW_MAY_IMPORT = (*ROWS_MAY_IMPORT, "rag.settings", "rag.operations", "rag.storage.data_folder")
WINDOW_NEVER_IMPORTS = ("torch", "chromadb", "llama_cpp", "sqlmodel", "sqlalchemy")
IN_THE_ENGINE_PROCESS = "app.engine.server"
PAGE_IMPORTERS = ("app.main_window", "app.routes")
WINDOW_LIBRARIES = ("app", "PySide6", "pyqtgraph")

LANES = ("model", "ingest", "data", "write", "read")

# The modules that may import each heavy library. A name covers what is below it.
OWNERS = {
    "chromadb": ("rag.index",),
    "sentence_transformers": ("rag.models.embedding", "rag.grounding.cross_encoder", "rag.grounding.train"),
    "torch": ("rag.models", "rag.grounding.cross_encoder", "rag.grounding.second_detector"),
    "transformers": ("rag.models", "rag.grounding.cross_encoder", "rag.grounding.second_detector"),
    "llama_cpp": ("rag.models",),
    "onnxruntime": ("rag.models",),
    "onnx": ("rag.models.conversion",),
    "huggingface_hub": ("rag.models.getting",),
    "openai": ("rag.models.endpoints",),
    "keyring": ("rag.models.endpoints.keys",),
    "pypdfium2": ("rag.parsing",),
    "python_calamine": ("rag.parsing",),
    "selectolax": ("rag.parsing",),
    "scipy": (
        "rag.evaluation.statistics",
        "rag.monitoring.control_limits",
        "rag.monitoring.drift",
        "rag.asking.flag_limits",
        "rag.grounding.train",
        "rag.guardrails.train",
    ),
    "jinja2": ("rag.text.sandbox", "rag.prompts", "rag.models.chat_template"),
    "stdnum": ("rag.guardrails",),
    "phonenumbers": ("rag.guardrails",),
    "snowballstemmer": ("rag.text",),
    "opentelemetry": ("rag.interchange",),
    "openinference": ("rag.interchange",),
    "starlette": ("rag.serving",),
    "uvicorn": ("rag.serving",),
    "sse_starlette": ("rag.serving",),
    "mcp": ("rag.serving.mcp",),
    "mcp_types": ("rag.serving.mcp",),
    "httpx2": ("rag.serving.mcp",),
}

TABLE_START = "<!-- packages: written by `python -m tests.structure --contributing` -->"
TABLE_END = "<!-- end of packages -->"

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef


# What is read ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Import:
    """One name that a module imports.

    Attributes:
        target: The dotted module, as deep as files of the program tell: `from rag.text import plurals` is
            "rag.text.plurals" where that is a file.
        line: Where it stands.
        at_start: Whether importing the module executes it: not inside a function, not under TYPE_CHECKING.
    """

    target: str
    line: int
    at_start: bool


@dataclass(frozen=True)
class Source:
    """A parsed module of the program.

    Attributes:
        path: Relative to the root, with forward slashes.
        name: Dotted; a package's `__init__.py` has the name of the package.
    """

    path: str
    name: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree."""
        return ast.parse(self.text, self.path)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Every node of the syntax tree."""
        return list(ast.walk(self.tree))

    @property
    def is_package(self) -> bool:
        """Whether this is an `__init__.py`."""
        return self.path.endswith("__init__.py")

    @property
    def is_rows(self) -> bool:
        """Whether this is a `rows.py` of the engine."""
        return self.name.startswith("rag.") and self.path.endswith("/rows.py")

    @property
    def place(self) -> tuple[str, str]:
        """The floor ("rag", "app" or "main") and the package in it, "" for the floor's own `__init__.py`."""
        floor, _, rest = self.name.partition(".")
        return floor, rest.partition(".")[0]


@dataclass(frozen=True)
class Operation:
    """An entry of rag/operations.py."""

    name: str
    function: str
    lane: str
    title: str


class Program:
    """A source tree that was read: modules by dotted name, and what each imports."""

    def __init__(self, root: Path = ROOT) -> None:
        """Read rag/, app/ and main.py below a folder."""
        self.root = root
        self.sources: dict[str, Source] = {}
        for path in sorted([*root.glob("rag/**/*.py"), *root.glob("app/**/*.py"), *root.glob("main.py")]):
            relative = path.relative_to(root)
            parts = list(relative.with_suffix("").parts)
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            self.sources[name] = Source(relative.as_posix(), name, path.read_text("utf-8"))
        self.imports = {name: list(self._imports(source)) for name, source in self.sources.items()}

    def _imports(self, source: Source) -> Iterator[Import]:
        for node, at_start in _imports_in(source.tree.body, True):
            for target in self._targets(source, node):
                yield Import(target, node.lineno, at_start)

    def _targets(self, source: Source, node: ast.AST) -> list[str]:
        if isinstance(node, ast.Import):
            return [alias.name for alias in node.names]
        if isinstance(node, ast.Call):  # importlib.import_module("rag.x"): a lazy import in other words
            return [str(getattr(node.args[0], "value", ""))]
        assert isinstance(node, ast.ImportFrom)
        module = node.module or ""
        if node.level:
            parts = source.name.split(".")
            kept = len(parts) - node.level + (1 if source.is_package else 0)
            module = ".".join([*parts[:kept], *([module] if module else [])])
        below = [f"{module}.{alias.name}" for alias in node.names]
        return list(dict.fromkeys(name if name in self.sources else module for name in below))


def _imports_in(body: Iterable[ast.AST], at_start: bool) -> Iterator[tuple[ast.stmt | ast.expr, bool]]:
    """Yield each import below some nodes, and whether it is executed when the module is imported."""
    for node in body:
        if isinstance(node, (ast.Import, ast.ImportFrom)) or (
            isinstance(node, ast.Call)
            and _name_of(node.func) == "import_module"
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            yield node, at_start
        elif isinstance(node, Function | ast.Lambda):
            yield from _imports_in(ast.iter_child_nodes(node), False)
        elif isinstance(node, ast.If) and _name_of(node.test) == "TYPE_CHECKING":
            yield from _imports_in(node.body, False)
            yield from _imports_in(node.orelse, at_start)
        else:
            yield from _imports_in(ast.iter_child_nodes(node), at_start)


def _name_of(node: ast.AST) -> str:
    """Return the last part of a dotted name, or "" for any other expression."""
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def covers(names: Iterable[str], target: str) -> bool:
    """Return whether `target` is one of the dotted names or lies below one."""
    return any(target == name or target.startswith(name + ".") for name in names)


# Who may import whom --------------------------------------------------------------------------------------


def order_violations(program: Program) -> list[str]:
    """Return the imports that go up the order or lead nowhere, and the packages without a place in it."""
    found = []
    orders = {"rag": list(RAG), "app": list(APP)}
    for source in program.sources.values():
        floor, package = source.place
        if floor not in orders or not package:
            continue
        order = orders[floor]
        if package not in order:
            found.append(f"{source.path} has no place in the order of packages")
            continue
        for imported in program.imports[source.name]:
            other_floor, _, rest = imported.target.partition(".")
            other = rest.partition(".")[0]
            if other_floor != floor or other in ("", package):
                continue
            if not any(covers((f"{floor}.{other}",), name) for name in program.sources):
                found.append(f"{_where(source, imported)}, which does not exist")
            elif other not in order:
                continue  # said once, of the module itself
            elif order.index(other) > order.index(package):
                found.append(f"{_where(source, imported)}, which comes after {floor}.{package}")
            elif (floor, *sorted((package, other))) in INDEPENDENT:
                found.append(f"{_where(source, imported)}: {package} and {other} are independent")
    return found


def engine_violations(program: Program) -> list[str]:
    """Return the imports of the engine that belong to the window."""
    return _imports_where(
        program,
        lambda s, i: s.place[0] == "rag" and covers(WINDOW_LIBRARIES, i.target),
        "belongs to the window",
    )


def rows_violations(program: Program) -> list[str]:
    """Return what a `rows.py` imports beyond the standard library, the light modules and other `rows.py`."""

    def wrong(source: Source, imported: Import) -> bool:
        if not source.is_rows or imported.target.partition(".")[0] in sys.stdlib_module_names:
            return False
        return not (covers(ROWS_MAY_IMPORT, imported.target) or _is_rows(imported.target))

    return _imports_where(program, wrong, "is not light enough for a rows.py")


def window_violations(program: Program) -> list[str]:
    """Return what the window imports of the engine's heavy part."""

    def wrong(source: Source, imported: Import) -> bool:
        if source.place[0] != "app" or source.name == IN_THE_ENGINE_PROCESS:
            return False
        if covers(WINDOW_NEVER_IMPORTS, imported.target):
            return True
        in_rag = imported.target.startswith("rag.")
        return in_rag and not (covers(WINDOW_MAY_IMPORT, imported.target) or _is_rows(imported.target))

    return _imports_where(program, wrong, "is not for the window's process")


def loaded_by_the_window(program: Program) -> list[str]:
    """Return the heavy libraries that importing the window would load, each with the chain to it."""
    heavy = {*OWNERS, *WINDOW_NEVER_IMPORTS}
    chains = {
        name: name for name in program.sources if name.startswith("app") and name != IN_THE_ENGINE_PROCESS
    }
    found: dict[str, str] = {}
    waiting = list(chains)
    while waiting:
        name = waiting.pop()
        for imported in program.imports.get(name, []):
            if not imported.at_start:
                continue
            library = imported.target.partition(".")[0]
            if library in heavy:
                found.setdefault(library, f"{chains[name]} > {library}")
            parts = imported.target.split(".")  # importing a module executes the packages around it
            for target in (".".join(parts[:depth]) for depth in range(1, len(parts) + 1)):
                if target in program.sources and target not in chains:
                    chains[target] = f"{chains[name]} > {target}"
                    waiting.append(target)
    return sorted(found.values())


def page_violations(program: Program) -> list[str]:
    """Return imports that reach into a page from outside, or from widgets into more of rag than its text."""

    def wrong(source: Source, imported: Import) -> bool:
        if source.place == ("app", "widgets") and imported.target.startswith("rag."):
            return not covers(("rag.text",), imported.target)
        if not covers(("app.pages",), imported.target):
            return False
        page = ".".join(imported.target.split(".")[:3])
        if page != "app.pages" and covers((page,), source.name):
            return False
        return not (source.name in PAGE_IMPORTERS and imported.target in ("app.pages", page, f"{page}.page"))

    return _imports_where(program, wrong, "is not open to this module")


def owner_violations(program: Program) -> list[str]:
    """Return the imports of heavy libraries by modules that do not own them."""

    def wrong(source: Source, imported: Import) -> bool:
        owners = OWNERS.get(imported.target.partition(".")[0])
        return owners is not None and not covers(owners, source.name)

    return _imports_where(program, wrong, "belongs to another module")


def cycles(program: Program) -> list[list[str]]:
    """Return the groups of modules that import each other, by Tarjan's algorithm.

    Type-only imports and imports inside functions count.
    """
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        number[name] = lowest[name] = len(number)
        stack.append(name)
        for target in sorted(
            {i.target for i in program.imports[name] if i.target in program.sources} - {name}
        ):
            if target not in number:
                visit(target)
                lowest[name] = min(lowest[name], lowest[target])
            elif target in stack:
                lowest[name] = min(lowest[name], number[target])
        if lowest[name] == number[name]:
            group = stack[stack.index(name) :]
            del stack[-len(group) :]
            if len(group) > 1:
                found.append(sorted(group))

    for name in program.sources:
        if name not in number:
            visit(name)
    return sorted(found)


def _imports_where(program: Program, wrong: Callable[[Source, Import], bool], why: str) -> list[str]:
    return [
        f"{_where(source, imported)}, which {why}"
        for source in program.sources.values()
        for imported in program.imports[source.name]
        if wrong(source, imported)
    ]


def _where(source: Source, imported: Import) -> str:
    return f"{source.path}:{imported.line} imports {imported.target}"


def _is_rows(target: str) -> bool:
    return target.startswith("rag.") and target.endswith(".rows")


# Sizes ----------------------------------------------------------------------------------------------------


def files_per_folder(program: Program) -> dict[str, int]:
    """Return how many Python files lie directly in each folder of rag/ and app/, `__init__.py` included."""
    return Counter(s.path.rpartition("/")[0] for s in program.sources.values() if "/" in s.path)


def lines_of_code(program: Program) -> dict[str, int]:
    """Return the lines of each file that are neither blank nor comments nor docstrings."""
    return {source.path: _lines_of_code(source) for source in program.sources.values()}


def _lines_of_code(source: Source) -> int:
    skipped = (
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENCODING,
        tokenize.ENDMARKER,
    )
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        if token.type not in skipped:
            lines.update(range(token.start[0], token.end[0] + 1))
    for string in _docstrings(source):
        lines.difference_update(range(string.lineno, (string.end_lineno or string.lineno) + 1))
    text = source.text.splitlines()
    return sum(bool(text[line - 1].strip()) for line in lines if line <= len(text))


def _docstrings(source: Source) -> list[ast.Constant]:
    found = []
    for node in source.nodes:
        if isinstance(node, ast.Module | Definition) and node.body:
            first = node.body[0]
            string = first.value if isinstance(first, ast.Expr) else None
            if isinstance(string, ast.Constant) and isinstance(string.value, str):
                found.append(string)
    return found


def methods_per_class(program: Program) -> dict[str, int]:
    """Return how many methods each class defines, by "path:line class"."""
    return {
        f"{source.path}:{node.lineno} {node.name}": sum(isinstance(part, Function) for part in node.body)
        for source in program.sources.values()
        for node in source.nodes
        if isinstance(node, ast.ClassDef)
    }


def lines_per_function(program: Program) -> dict[str, int]:
    """Return the lines of each function, from its `def` to its end, by "path:line name"."""
    return {
        f"{source.path}:{node.lineno} {node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for source in program.sources.values()
        for node in source.nodes
        if isinstance(node, Function)
    }


def undocumented(program: Program) -> list[str]:
    """Return the public modules, classes, functions and methods without a docstring, as "path:line name"."""
    found = []
    for source in program.sources.values():
        if not ast.get_docstring(source.tree):
            found.append(f"{source.path}:1 (module)")
        found.extend(
            f"{source.path}:{node.lineno} {node.name}" for node in _undocumented_in(source.tree.body)
        )
    return found


def _undocumented_in(body: list[ast.stmt]) -> Iterator[Definition]:
    """Yield the undocumented public definitions of a module or of a class in it."""
    for node in body:
        if not isinstance(node, Definition) or node.name.startswith("_"):
            continue
        marks = {_name_of(mark) for mark in node.decorator_list}
        if not marks & {"overload", "setter", "deleter"} and not ast.get_docstring(node):
            yield node
        if isinstance(node, ast.ClassDef):
            yield from _undocumented_in(node.body)


def broad_excepts(program: Program) -> list[str]:
    """Return the handlers of Exception, BaseException or anything, as "path:line"."""
    found = []
    for source in program.sources.values():
        for node in source.nodes:
            if isinstance(node, ast.ExceptHandler):
                kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
                names = {"" if kind is None else _name_of(kind) for kind in kinds}
                if names & {"Exception", "BaseException"} or node.type is None:
                    found.append(f"{source.path}:{node.lineno}")
    return found


def share_of_tests(program: Program) -> float:
    """Return the non-blank lines of tests/ for each non-blank line of rag/, app/ and main.py."""
    tests = [path.read_text("utf-8") for path in program.root.glob("tests/**/*.py")]
    product = _non_blank(source.text for source in program.sources.values())
    return _non_blank(tests) / max(1, product)


def _non_blank(texts: Iterable[str]) -> int:
    return sum(bool(line.strip()) for text in texts for line in text.splitlines())


# Operations and test files --------------------------------------------------------------------------------

FUNCTION_AS_TEXT = re.compile(r"\brag(?:\.\w+)+:[A-Za-z_]\w*")


def operations(program: Program) -> list[Operation]:
    """Return the entries of rag/operations.py in their order; none where the file does not exist."""
    source = program.sources.get("rag.operations")
    found = []
    for node in source.tree.body if source else []:
        if not isinstance(node, (ast.Assign, ast.AnnAssign)) or not isinstance(node.value, ast.Call):
            continue
        made = node.value.func
        if _name_of(made.value if isinstance(made, ast.Subscript) else made) != "Operation":
            continue
        target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
        values = dict(zip(("function", "lane", "title"), node.value.args, strict=False))
        values.update({keyword.arg: keyword.value for keyword in node.value.keywords if keyword.arg})
        texts = {key: str(getattr(value, "value", "")) for key, value in values.items()}
        lane = _name_of(values["lane"]) if "lane" in values else ""
        found.append(
            Operation(_name_of(target), texts.get("function", ""), lane.lower(), texts.get("title", ""))
        )
    return found


def operation_violations(program: Program) -> list[str]:
    """Return the operations whose function does not exist, or runs in no lane or in two."""
    found = []
    lanes: dict[str, str] = {}
    for operation in operations(program):
        module, _, function = operation.function.partition(":")
        source = program.sources.get(module)
        defined = source and any(isinstance(n, Function) and n.name == function for n in source.tree.body)
        if not defined:
            found.append(f"{operation.name}: {operation.function or 'no text'} is no function")
        if not operation.lane:
            found.append(f"{operation.name} has no lane")
        if lanes.setdefault(operation.function, operation.lane) != operation.lane:
            found.append(f"{operation.function} has two lanes: {lanes[operation.function]}, {operation.lane}")
    return found


def functions_as_text(program: Program) -> list[str]:
    """Return the texts that name a function of rag as "rag.module:function" without being an operation."""
    known = {operation.function for operation in operations(program)}
    found = []
    for source in program.sources.values():
        if source.place[0] == "main":
            continue
        docstrings = set(map(id, _docstrings(source)))
        for node in source.nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
                names = FUNCTION_AS_TEXT.findall(node.value)
                if names and not (source.name == "rag.operations" and known.issuperset(names)):
                    found.append(f"{source.path}:{node.lineno} names {', '.join(names)}")
    return found


def missing_tests(program: Program) -> list[str]:
    """Return the test files that should mirror a module of rag or a page of app and do not exist.

    A module needs one when it defines a public function or class; `__init__.py` does not.
    """
    wanted = []
    for source in program.sources.values():
        folder, _, file = source.path.rpartition("/")
        if source.is_package:
            continue
        if source.place[0] == "rag":
            if any(isinstance(n, Definition) and n.name[0] != "_" for n in source.tree.body):
                wanted.append(f"tests/{folder}/test_{file}")
        elif folder == "app/pages":
            wanted.append(f"tests/app/pages/test_{file}")
        elif folder.startswith("app/pages/") and file == "page.py":
            wanted.append(f"tests/app/pages/test_{folder.rpartition('/')[2]}.py")
    return [path for path in wanted if not (program.root / path).exists()]


# The table in CONTRIBUTING.md -----------------------------------------------------------------------------


def with_table(text: str) -> str:
    """Return the text of CONTRIBUTING.md with the table of packages written anew between its two markers.

    Packages of the order that nobody has written yet are left out.
    """
    before, start, rest = text.partition(TABLE_START)
    _, end, after = rest.partition(TABLE_END)
    if not start or not end:
        raise SystemExit(f"CONTRIBUTING.md needs the lines {TABLE_START} and {TABLE_END}")
    rows = ["| package | what it holds |", "|---|---|"]
    for base, packages in (("rag", RAG), ("app", APP)):
        there = {path.stem for path in (ROOT / base).iterdir()}
        rows += [f"| `{base}.{name}` | {line} |" for name, line in packages.items() if name in there]
    return f"{before}{start}\n{chr(10).join(rows)}\n{end}{after}"


# The report -----------------------------------------------------------------------------------------------


def report(program: Program) -> Iterator[str]:
    """Yield the lines of the report."""
    code = lines_of_code(program)
    yield f"{len(code)} files, {sum(code.values()):,} lines of code (not blank, no comment, no docstring)"
    yield from _table("Files a folder", files_per_folder(program), MOST_FILES, 100)
    yield from _table("Lines of code a file", code, MOST_LINES, 10)
    yield from _table("Methods a class", methods_per_class(program), MOST_METHODS, 5)
    yield from _table("Lines a function", lines_per_function(program), MOST_FUNCTION_LINES, 5)
    groups = cycles(program)
    yield from _list("Import cycles", [" <> ".join(group) for group in groups])
    rules = {
        "the order of packages": order_violations,
        "the engine without the window": engine_violations,
        "rows.py": rows_violations,
        "what the window may import": window_violations,
        "what the window loads": loaded_by_the_window,
        "pages and widgets": page_violations,
        "owners of libraries": owner_violations,
    }
    for name, rule in rules.items():
        yield from _list(f"Violations: {name}", rule(program))
    bare = undocumented(program)
    packages = Counter(".".join(line.split(":")[0].removesuffix(".py").split("/")[:2]) for line in bare)
    yield f"\nUndocumented public things: {len(bare)}"
    yield from (f"  {count:5}  {package}" for package, count in packages.most_common())
    broad = len(broad_excepts(program))
    rate = 1000 * broad / max(1, sum(code.values()))
    yield f"\nBroad excepts: {broad}, {rate:.2f} a thousand lines of code"
    share = share_of_tests(program)
    yield f"Test lines a line of product code (non-blank): {share:.2f}, wanted {LEAST_TEST_LINES}"
    yield f"Missing test files: {len(missing_tests(program))}"
    yield f"Functions named as text: {len(functions_as_text(program))}"
    listed = operations(program)
    if listed:
        lanes = Counter(operation.lane for operation in listed)
        yield f"\nOperations: {len(listed)} ({', '.join(f'{n} {lane}' for lane, n in lanes.most_common())})"
        yield from (f"  {o.lane:8}{o.name}: {o.function}, {o.title}" for o in listed)
        yield from _list("Violations: operations", operation_violations(program))


def _table(title: str, counts: dict[str, int], most: int, shown: int) -> Iterator[str]:
    """Yield the largest counts, and all that are over the limit."""
    over = sum(count > most for count in counts.values())
    yield f"\n{title} (over {most}: {over})"
    for place, count in sorted(counts.items(), key=lambda item: -item[1])[: max(shown, over)]:
        yield f"  {count:5}  {place}{'  <-- over' if count > most else ''}"


def _list(title: str, lines: list[str]) -> Iterator[str]:
    """Yield how many there are and the first of them; the test's failure shows them all."""
    yield f"\n{title}: {len(lines)}"
    yield from (f"  {line}" for line in lines[:MOST_SHOWN])
    if len(lines) > MOST_SHOWN:
        yield f"  ... and {len(lines) - MOST_SHOWN} more"


def main(arguments: list[str]) -> None:
    """Print the report, or rewrite the table in CONTRIBUTING.md."""
    if arguments == ["--contributing"]:
        path = ROOT / "CONTRIBUTING.md"
        path.write_text(with_table(path.read_text("utf-8")), "utf-8")
    elif arguments:
        raise SystemExit("Usage: python -m tests.structure [--contributing]")
    else:
        print("\n".join(report(Program())))


if __name__ == "__main__":
    main(sys.argv[1:])
