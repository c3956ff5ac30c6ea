"""Words by which questions are compared: those that are the same, that decide, and that say nothing."""

from __future__ import annotations

import re
from functools import lru_cache

WH = frozenset("what who when where why how whose".split())
BE = frozenset("is are am was were be been being".split())
DO = frozenset("do does did".split())
HAVE = frozenset("has have had".split())
# Verbs that change what is asked: whether something may, can or must be.
MODALS = {
    "can": "can", "could": "can", "able": "can", "may": "may", "might": "may", "must": "must",
    "should": "should", "ought": "should", "shall": "will", "will": "will", "would": "would",
}  # fmt: skip
PAST = frozenset("was were did had".split())
PRESENT = frozenset("is are am do does has have".split())
NEGATIONS = frozenset(
    "not no never without none nobody nothing neither nor except excluding unless cannot hardly rarely "
    "lack lacks lacking non".split()
)
# Words that must stand in both questions: quantity, order, degree, place.
DECIDING = frozenset(
    "all any every each both either only some many much few several first last next previous latest "
    "earliest newest oldest more less most least fewer fewest maximum minimum max min highest lowest "
    "largest smallest biggest longest shortest best worst top bottom average total same different other "
    "another current currently now today new old up down out off left right again still yet already "
    "always often usually sometimes ever also too else instead together alone per".split()
)
PREPOSITIONS = {
    **{word: word for word in (
        "of in on at to from by with for before after above below under over between among against into onto "
        "than through across behind beside near inside outside as like since until via toward about per "
        "around beyond despite along upon within"
    ).split()},
    "during": "in", "towards": "toward", "till": "until", "using": "with", "regarding": "about",
    "concerning": "about", "amongst": "among",
}  # fmt: skip
FILLERS = frozenset(
    "a an the there please actually really basically kindly exactly just me us i you we our your my that "
    "which this these those it its their his her and so then do does did is are am was were be been being "
    "has have had whether if".split()
)

# What people put before a question without asking something else.
FRAMES = re.compile(
    r"^(?:please,?\s+|hi,?\s+|hello,?\s+|so,?\s+|ok,?\s+)*"
    r"(?:(?:can|could|would|will) (?:you|someone|anyone|anybody)(?: please| kindly)? "
    r"(?:tell|show|explain to|remind|inform|give) (?:me|us)(?: about)?"
    r"|(?:can|could|would) (?:you|someone|anyone)(?: please)? (?:explain|say)"
    r"|(?:please )?(?:tell|remind|inform) (?:me|us)"
    r"|(?:do|does) (?:you|anyone|anybody|someone)(?: happen to)? know"
    r"|(?:i|we)(?: would|'d| really)*(?: just)? (?:like|want|need|have|wish)(?: to)? (?:to )?"
    r"(?:know|find out|ask|learn|understand)"
    r"|(?:i am|i'm|i was) (?:wondering|curious|trying to find out|interested in knowing)(?: about)?"
    r"|(?:any|do you have any|have you any) idea|i wonder|(?:may|can|could) i ask(?: you)?"
    r"|what i(?: would|'d)? (?:want|like) to know is|question|please)\b[,:]?\s*(?:please,?\s*)?",
    re.IGNORECASE,
)
AFTERTHOUGHT = re.compile(
    r",?\s*(?:please|thanks|thank you|do you know|if you know|by any chance)\W*$", re.IGNORECASE
)

# Ways to ask that are the same question, in lower case. The first that fits is taken. None loses its tense.
WAYS = tuple(
    (re.compile(rf"\b(?:{pattern})\b"), way)
    for pattern, way in (
        (r"(?:in|during) (?:what|which) year|(?:what|which) year", "what yearasked"),
        (r"(?:on|at)? ?(?:what|which) (?:exact )?date", "when"),
        (r"for (?:what|which) reasons?|(?:what|which) (?:is|was|are|were) the reasons? (?:why|that)|how come|"
         r"what (?:was|is) the cause of the fact that|what caused it that", "why"),
        (r"(?:in|at) (?:what|which) (?:place|location)|(?:what|which) (?:place|location)", "where"),
        (r"(?:what|which) is the (?:number|count) of|(?:what|which) number of|what count of",
         "how many"),
        (r"(?:what|which) is the (?:amount|quantity) of|(?:what|which) (?:amount|quantity) of",
         "how much"),
        (r"in (?:what|which) (?:way|manner)|by (?:what|which) means", "how"),
        (r"by (?:whom|who)", "by who"),
        (r"(?:what|which) (?:person|individual)", "who"),
        (r"(?:what|which) (?:is|are) the (?:names?) of", "what is nameof"),
        (r"(?:what|which) (?:was|were) the (?:names?) of", "what was nameof"),
        (r"(?:what|which) (?:kind|type|sort)s? of", "what kindof"),
        (r"how (?:old)", "what agemeasure"),
        (r"how (?:tall|high)", "what heightmeasure"),
        (r"how (?:deep)", "what depthmeasure"),
        (r"how (?:wide|broad)", "what widthmeasure"),
        (r"how (?:heavy)", "what weightmeasure"),
        (r"how (?:far)", "what distancemeasure"),
        (r"how (?:fast|quick)", "what speedmeasure"),
        (r"how (?:big|large)", "what sizemeasure"),
        (r"how (?:expensive)|how much(?= (?:does|do|did) .*\bcost\b)", "what pricemeasure"),
        (r"whom", "who"),
        (r"^which|(?<=, )which|(?<=\bin )which|(?<=\bon )which|(?<=\bat )which|(?<=\bof )which"
         r"|(?<=\bto )which|(?<=\bby )which|(?<=\bfor )which|(?<=\bfrom )which|(?<=\bwith )which", "what"),
        (r"a lot of|lots of|plenty of", "many"),
        (r"as well as", "and"),
        (r"because of|due to|owing to", "through"),
        (r"prior to", "before"),
        (r"in order to", "to"),
        (r"such as", "like"),
        (r"have to|has to|needs? to|(?:is|are) (?:required|obliged) to", "must"),
        (r"(?:is|are) allowed to|(?:is|are) permitted to", "may"),
        (r"(?:is|are) able to", "can"),
    )
)  # fmt: skip
# The nouns that are the same as one of the ways to ask for a measure.
MEASURES = {
    "age": "agemeasure", "height": "heightmeasure", "depth": "depthmeasure", "width": "widthmeasure",
    "weight": "weightmeasure", "distance": "distancemeasure", "speed": "speedmeasure",
    "size": "sizemeasure", "price": "pricemeasure", "cost": "pricemeasure",
}  # fmt: skip
_CONTRACTIONS = (
    (re.compile(r"\b(what|who|where|when|why|how|that|there|it|he|she)'s\b"), r"\1 is"),
    (re.compile(r"\bcan't\b"), "can not"),
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"'(?:re)\b"), " are"),
    (re.compile(r"'(?:ve)\b"), " have"),
    (re.compile(r"'(?:ll)\b"), " will"),
    (re.compile(r"\b(what|who|where|when|why|how)'d\b"), r"\1 did"),
    (re.compile(r"\bcannot\b"), "can not"),
)


def expanded(text: str) -> str:
    """Return a text in lower case without contractions."""
    for pattern, whole in _CONTRACTIONS:
        text = pattern.sub(whole, text)
    return text


# Words that mean the same in a question about documents, one group a line; words of two groups are none.
_SYNONYMS = """
big large huge
small little tiny
begin start commence
finish end conclude complete
buy purchase
build construct erect
show display
delete erase
use utilise utilize employ
fix repair mend
choose select pick
car automobile
film movie
country nation
job occupation profession
child kid
help assist aid
need require
quick fast rapid swift
stop cease halt
happen occur
allow permit let
important significant crucial
difficult hard tough
simple easy
beat defeat overcome
found establish
die perish
earn gain
error mistake fault
answer reply respond
question query
picture image photo photograph
house home dwelling
sick ill unwell
rich wealthy
author writer
get obtain acquire receive
give provide supply
main primary principal chief major
part portion
piece portion
area region
rule regulation
law statute
aim goal objective purpose
amount quantity
total sum
way method manner
kind type sort
make create produce
keep retain preserve
change alter modify
join connect link
enough sufficient
often frequently
configure setup set-up
directory folder
install set-up
launch start
execute run
website site
email mail e-mail
phone telephone
application app program programme
think believe consider
call name term dub
live reside
leave depart
speak talk
show demonstrate
cause trigger
consist comprise
contain include
famous renowned well-known
whole entire
oppose resist
attempt try
student pupil
teacher instructor
doctor physician
movement motion
war conflict
fight battle
illness disease
company firm
money cash
road street
shop store
sea ocean
forest woods
stone rock
border frontier boundary
prison jail
quarrel dispute
victory win triumph
loss defeat
increase grow rise
decrease decline fall drop
explain describe
cost price
locate situate find
discover find
assume suppose
reach attain achieve
own possess
belong pertain
discuss debate
forbid prohibit ban
reject refuse decline
destroy demolish ruin
injure hurt wound
rule govern reign
teach instruct
watch observe
mean signify denote
"""
_IRREGULAR = """
begin began begun; win won; lose lost; find found; found founded; build built; buy bought; bring brought;
become became; break broke broken; catch caught; choose chose chosen; come came; cost cost; cut cut; deal
dealt; do done; draw drew drawn; drink drank drunk; drive drove driven; eat ate eaten; fall fell fallen;
feel felt; fight fought; fly flew flown; forbid forbade forbidden; forget forgot forgotten; get got
gotten; give gave given; go went gone; grow grew grown; hear heard; hide hid hidden; hold held; keep kept;
know knew known; lay laid; lead led; leave left; lend lent; lie lay lain; light lit; make made; mean
meant; meet met; pay paid; read read; ride rode ridden; rise rose risen; run ran; say said; see saw seen;
seek sought; sell sold; send sent; shoot shot; show shown; sing sang sung; sink sank sunk; sit sat; sleep
slept; speak spoke spoken; spend spent; stand stood; steal stole stolen; strike struck; swim swam swum;
take took taken; teach taught; tear tore torn; tell told; think thought; throw threw thrown; understand
understood; wear wore worn; write wrote written; beat beaten; bear bore born; child children; man men;
woman women; person people; foot feet; mouse mice; tooth teeth; shrink shrank shrunk
"""
_AMBIGUOUS = frozenset("left lay found founded saw fell felt rose read cost cut bore born".split())
_BASES = {
    form: words[0]
    for entry in _IRREGULAR.split(";")
    if (words := entry.split())
    for form in words[1:]
    if form
    not in (
        "left",
        "lay",
        "found",
        "founded",
        "saw",
        "fell",
        "felt",
        "rose",
        "read",
        "cost",
        "cut",
        "bore",
        "born",
    )
} | {"founded": "found"}
IRREGULAR_PASTS = frozenset(_BASES) - frozenset("children men women people feet mice teeth founded".split())
_KEPT = frozenset(
    "series species news always process address access business class less loss pass press".split()
)


_WITH_IE = frozenset("movie cookie zombie".split())  # their plural is no plural of a word in -y


@lru_cache(maxsize=50_000)
def base(word: str) -> str:
    """Return the form in which inflections of one word are the same: founded, founding, founds.

    Other words of a family stay apart: an employer is no employee.
    """
    if word in _BASES:
        return _regular(_BASES[word])
    return _regular(word)


def _regular(word: str) -> str:
    if word in _KEPT or len(word) < 4 or not word.isalpha():
        return _american(word)
    found = word
    if word[:-1] in _WITH_IE:
        found = word[:-1]
    elif (word.endswith("ies") and len(word) > 4) or (word.endswith("ied") and len(word) > 4):
        found = word[:-3] + "y"
    elif word.endswith(("sses", "shes", "ches", "xes", "zes")):
        found = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        found = word[:-1]
    elif word.endswith("ing") and len(word) > 5 and re.search("[aeiouy]", word[:-3]):
        found = _undoubled(word[:-3])
    elif word.endswith("ed") and len(word) > 3 and re.search("[aeiouy]", word[:-2]):
        found = _undoubled(word[:-2])
    return _american(found)


def _undoubled(stem: str) -> str:
    return stem[:-1] if len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] not in "lsz" else stem


def _american(word: str) -> str:
    """Return one spelling for colour and color, organise and organize, and for a silent e at the end."""
    word = re.sub(r"(?<=[a-z]{3})our$", "or", word)
    word = re.sub(r"(?<=[a-z]{3})is(?=e$|ation$|$)", "iz", word) if len(word) > 6 else word
    word = re.sub(r"(?<=[a-z]{2})tre$", "ter", word)
    return word[:-1] if len(word) > 2 and word.endswith("e") else word


def _synonym_groups() -> dict[str, frozenset[int]]:
    found: dict[str, set[int]] = {}
    for number, line in enumerate(_SYNONYMS.split("\n")):
        for word in line.split():
            found.setdefault(base(word), set()).add(number)
    return {word: frozenset(groups) for word, groups in found.items()}


_GROUPS = _synonym_groups()


def means_same(one: str, other: str) -> bool:
    """Return whether two words, in their base forms, may stand for each other in a question."""
    return one == other or not _GROUPS.get(one, frozenset()).isdisjoint(_GROUPS.get(other, frozenset()))
