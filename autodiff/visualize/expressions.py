"""What a player calls things: names for values that have none, equations, and the rule of an edge."""

import re
from itertools import count

from ..formulas import formula, words
from .cards import Card, Picture
from .trace import Rule, Trace, TraceNode
from .values import number, plain

INFIX = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "power": "**", "matmul": "@"}
LETTERS = {"parameter": "p", "constant": "c"}
MOST = 24  # letters of a name within an equation


class Words:
    """The names of a trace's values, and sentences made of them.

    Values without a name get one of their kind and number, as usual in the field: v1, v2 ... in the order of the
    computation; parameters p1, p2 ...
    """

    def __init__(self, trace: Trace, picture: Picture) -> None:
        self.trace = trace
        taken = {node.name for node in trace.nodes}
        counters = {letter: count(1) for letter in "vpc"}
        self.names: dict[str, str] = {}
        for node in trace.nodes:
            name = plain(node.name, MOST).strip() if node.name else ""
            if not name and node.number:
                name = number(node.data[()])
            while not name or (name in taken and not node.name and not node.number):
                letter = LETTERS.get(node.kind, "v")
                name = f"{letter}{next(counters[letter])}"
            self.names[node.id] = name

    def name(self, id: str) -> str:
        """What a value is called."""
        return self.names[id]

    def card(self, card: Card) -> str:
        """What a card is called."""
        return plain(card.name or "scope", MOST) if card.kind == "scope" else self.name(card.members[0].id)

    def equation(self, node: TraceNode) -> str:
        """How a node was computed: "p = e / S"."""
        inputs = [self.name(parent) for parent in node.parents]
        options = [
            option if choice.startswith(("array of shape", "<")) else f"{option}={plain(choice, 30)}"
            for option, choice in node.options
            if choice not in ("None", "False")
        ]
        if node.op in INFIX and len(inputs) == 2:
            right = f" {INFIX[node.op]} ".join(inputs)
        elif node.op == "negative":
            right = f"-{inputs[0]}"
        elif node.op == "getitem" and options:
            right = f"{inputs[0]}[{indices(dict(node.options)['index'])}]"
        else:
            right = f"{node.op}({', '.join([*inputs, *options])})"
        return f"{self.name(node.id)} = {right}"

    def rule(self, rule: Rule, place: int) -> str:
        """The op's rule for an input, as its source or a formula says it."""
        text: str = formula(rule, place)  # type: ignore[arg-type]  # it reads the operation and the vjps
        return plain(text, 120)

    def sentence(self, rule: Rule, place: int) -> str:
        """The same in words."""
        text: str = words(rule, place)  # type: ignore[arg-type]
        return plain(text.partition(", summed over the copies")[0], 200)

    def legend(self, node: TraceNode, rule: str) -> str:
        """What the letters of a rule stand for here."""
        letters = {"y": self.name(node.id)}
        letters |= {
            letter: self.name(parent) for letter, parent in zip(node.inputs, node.parents, strict=False)
        }
        used = dict.fromkeys(re.findall(r"\b[A-Za-z_]\w*\b", rule))
        said = [f"{letter} = {letters[letter]}" for letter in used if letters.get(letter, letter) != letter]
        if "g" in used:
            said.insert(0, "g arrives")
        return ", ".join(said)


def indices(choice: str) -> str:
    """An index as it is written between brackets.

    >>> indices("(slice(None, None, None), 2)"), indices("slice(0, 2, None)")
    (':, 2', '0:2')
    """

    def written(match: re.Match[str]) -> str:
        start, stop, step = ("" if part == "None" else part for part in match.group(1).split(", "))
        return f"{start}:{stop}" + (f":{step}" if step else "")

    choice = re.sub(r"slice\(([^()]*)\)", written, choice)
    return choice[1:-1].rstrip(",") if choice.startswith("(") and choice.endswith(")") else choice
