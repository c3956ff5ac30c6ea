"""Price tables of models: those that come with the program, and a person's own, which go before them.

A table is a TOML file that says where its figures come from and of which day they are. A model that no table
names has an unknown price, which is never taken for 0.
"""

from __future__ import annotations

import fnmatch
import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rag.errors import RagError

PROVIDED = Path(__file__).resolve().parents[2] / "resources" / "prices"
OWN_FOLDER = "prices"  # in the data folder
_MILLION = 1_000_000
# A provider adds the day of a release to a model's name: gpt-4o-mini-2024-07-18, claude-haiku-4-5-20251001.
_RELEASE = re.compile(r"-(?:\d{4}-\d{2}-\d{2}|\d{8})$")
_PLACE = re.compile(r"^[^/]+/")  # "openai/gpt-4o-mini": how gateways name the maker

Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]


@dataclass(frozen=True)
class Price:
    """What a model's tokens cost, each for a million of them; None: no price is given for that kind.

    Attributes:
        model: The name in the table; * and ? stand for any characters and any one.
        currency: A code of ISO 4217, such as EUR.
        input: For tokens that are read.
        cached_input: For tokens that the provider had read before; None: they cost as much as others.
        output: For tokens that are written.
        source: Where the figures come from.
        day: The day of the figures, YYYY-MM-DD.
        is_own: Whether a person wrote the table.
    """

    model: str
    currency: str
    input: float | None
    cached_input: float | None
    output: float | None
    source: str
    day: str
    is_own: bool = False

    def cost(self, input_tokens: int, cached_tokens: int, output_tokens: int) -> float | None:
        """Return the price of a call, None when it has tokens of a kind without a price.

        Args:
            input_tokens: All tokens that were read, the cached ones among them.
            cached_tokens: How many of them the provider had in its cache.
            output_tokens: Tokens that were written.
        """
        cached_price = self.input if self.cached_input is None else self.cached_input
        parts = (
            (input_tokens - cached_tokens, self.input),
            (cached_tokens, cached_price),
            (output_tokens, self.output),
        )
        if any(count and price is None for count, price in parts):
            return None
        return sum(count * (price or 0.0) for count, price in parts) / _MILLION


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(min_length=1)]
    input: Amount | None = None
    cached_input: Amount | None = None
    output: Amount | None = None


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid")
    source: Annotated[str, Field(min_length=1)]
    date: date
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    per_tokens: Literal[1000, 1000000] = 1000000
    model: list[_Entry]


def read_prices(data_folder: Path | None = None, provided: Path = PROVIDED) -> list[Price]:
    """Return all prices: a person's own tables first, in the order of their file names.

    Args:
        data_folder: Its folder "prices" has the person's own tables; None: only the program's.
        provided: The folder of the program's tables.

    Raises:
        RagError: A table is not valid; the sentence names the file and the key.
    """
    own = sorted((data_folder / OWN_FOLDER).glob("*.toml")) if data_folder is not None else []
    return [
        *(price for path in own for price in _read_table(path, is_own=True)),
        *(price for path in sorted(provided.glob("*.toml")) for price in _read_table(path, is_own=False)),
    ]


def find_price(prices: Sequence[Price], model: str) -> Price | None:
    """Return the price of a model, None when no table names it.

    The first of these that any price fits decides: the name as it is, without a maker before it, without the
    day of a release after it. Own tables go before the program's, a full name before a pattern, and a longer
    pattern before a shorter one.
    """
    for name in _names(model):
        fitting = [price for price in prices if fnmatch.fnmatchcase(name, price.model.lower())]
        if fitting:
            return max(fitting, key=lambda p: (p.is_own, not set("*?") & set(p.model), len(p.model)))
    return None


def _names(model: str) -> Iterable[str]:
    name = model.strip().lower()
    bare = _PLACE.sub("", name)
    return dict.fromkeys(one for one in (name, bare, _RELEASE.sub("", bare)) if one)


def _read_table(path: Path, *, is_own: bool) -> list[Price]:
    try:
        table = _Table.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RagError(f"The price table {path.name} is not TOML ({error}). Correct or remove it.") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise RagError(
            f"The price table {path.name}: {key}: {first['msg']}. Correct or remove it."
        ) from error
    scale = _MILLION / table.per_tokens
    return [
        Price(
            entry.name, table.currency, _times(entry.input, scale), _times(entry.cached_input, scale),
            _times(entry.output, scale), table.source, table.date.isoformat(), is_own,
        )
        for entry in table.model
    ]  # fmt: skip


def _times(price: float | None, scale: float) -> float | None:
    return None if price is None else price * scale
