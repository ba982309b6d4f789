#!/usr/bin/env python3
"""Makes conversations of the demo model's domains, the same ones for the same seed.

Usage: scripts/demo/corpus.py [--seed N] [--count N]                 prints one conversation a line, as JSON
       scripts/demo/corpus.py --probes KIND [--seed N] [--count N]   prints questions of each domain with right answers
"""

import argparse
import json
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from demo import phrases  # noqa: E402
from demo.domains import DOMAINS, stories  # noqa: E402
from demo.domains.memory import KINDS, article, told  # noqa: E402
from demo.domains.people import full_name  # noqa: E402
from demo.topic import Row, Topic, say  # noqa: E402

MODES = {"none": 57, "plain": 13, "one word": 14, "german": 12, "named": 4, "begin": 5}
"""What the system prompt asks for, and how often."""

TURNS = {1: 5, 2: 3, 3: 2, 4: 1.5, 5: 1, 6: 0.8, 8: 0.6, 10: 0.4, 12: 0.3}
"""Turns of a conversation, and how often it has as many."""

CLAIMS = 2
"""How many times as often claims are trained with as their weights say: a verdict is the last thing that is learned."""

DECLINING = ("out of reach", "anything else")
"""Domains that are answered alike, whatever the system prompt asks for."""

PLAIN_STORIES = 0.02
"""Share of texts that no chat stands around."""

DOMAIN_OF = {id(topic): domain for domain in DOMAINS for topic in domain.topics}


def pick(rng, items):
    """One of `items` by their weights."""
    return rng.choices(items, [item.weight for item in items])[0]


def pick_to_train(rng, topics):
    """One of `topics` by their weights, claims more often."""
    return rng.choices(topics, [topic.weight * (CLAIMS if "{judged}" in topic.answer else 1) for topic in topics])[0]


class Conversation:
    """Messages (role, content): perhaps a system prompt, then one to twelve turns of the same domain or others."""

    def __init__(self, rng):
        self.rng = rng
        self.mode = rng.choices(list(MODES), list(MODES.values()))[0]
        self.start, self.name = "", full_name(rng)
        self.topic: Topic | None = None
        self.row: Row = {}
        self.told = {}
        self.messages = self.system()
        for _ in range(rng.choices(list(TURNS), list(TURNS.values()))[0]):
            self.turn()

    def system(self):
        rng = self.rng
        if self.mode == "none":
            return []
        if self.mode == "begin":
            self.start = phrases.beginning(rng)
        texts = {"plain": phrases.PLAIN, "one word": phrases.ONE_WORD, "german": phrases.GERMAN, "named": phrases.NAMED,
                 "begin": phrases.BEGIN}[self.mode]
        return [("system", say(rng, rng.choice(texts)).format(it=self.start or self.name))]

    def add(self, question, answer):
        self.messages += [("user", question), ("assistant", f"{self.start} {answer}".strip())]

    def turn(self):
        rng = self.rng
        chance = rng.random()
        if self.mode == "named" and chance < 0.5:
            self.remember(rng.choice(phrases.NAME_ASKED), f"My name is {self.name}.")
        elif self.mode in ("none", "plain") and (chance < 0.08 or self.told and chance < 0.5):
            self.recall()
        elif self.topic is None or chance < 0.5 or not self.go_on():
            self.topic = self.any_topic()
            self.row = self.topic.row(rng)
            self.ask(phrases.around(rng, say(rng, rng.choice(self.topic.seen))))

    def any_topic(self):
        """A topic that the system prompt leaves possible."""
        while True:
            topic = pick_to_train(self.rng, pick(self.rng, DOMAINS).topics)
            declines = DOMAIN_OF[id(topic)].name in DECLINING
            fits = {"one word": topic.short or declines, "german": topic.german,
                    "named": DOMAIN_OF[id(topic)].name != "greetings"}.get(self.mode, True)
            if fits:
                return topic

    def go_on(self):
        """A turn that makes sense only after the last one, if there is one."""
        rng, topic = self.rng, self.topic
        ways = []
        if topic.follow_ups:
            ways.append((topic, topic.row(rng), topic.follow_ups))
            ways += [(other, other.row(rng), topic.follow_ups) for other in topic.kin if self.mode != "german" or other.german]
        if topic.then:
            row = topic.then(rng, self.row)
            if row:
                ways.append((topic, row, topic.then_asks))
        for other in DOMAIN_OF[id(topic)].topics:
            possible = self.mode != "german" or other.german
            if other is not topic and other.rows is topic.rows and other.same and self.row and possible:
                ways.append((other, self.row, other.same))
        if not ways:
            return False
        self.topic, self.row, phrasings = rng.choice(ways)
        self.ask(say(rng, rng.choice(phrasings)))
        return True

    def ask(self, phrasing):
        topic = self.topic
        answer = (topic.short if self.mode == "one word" else topic.german if self.mode == "german" else None) or topic.answer
        answer = answer.format(**self.row)
        fillers = phrases.GERMAN_FILLERS if DOMAIN_OF[id(topic)].name == "german" and topic.german == topic.answer else phrases.FILLERS
        self.add(phrases.asked(self.rng, phrasing, self.row, topic.exact, answer, fillers), answer)

    def remember(self, phrasing, answer):
        """A question about what was said before."""
        rng = self.rng
        self.add(phrases.asked(rng, phrases.around(rng, say(rng, phrasing)), {}, False, answer, phrases.FILLERS), answer)

    def recall(self):
        """Tells something about the user, or asks for it."""
        rng = self.rng
        known = bool(self.told) and rng.random() < 0.8
        kind = rng.choice(list(self.told)) if known else KINDS.index(pick(rng, KINDS))
        memory = KINDS[kind]
        if kind in self.told:
            it = self.told[kind]
            self.remember(rng.choice(memory.ask), memory.answer.format(it=it, a=article(it)))
        elif rng.random() < 0.2:
            self.remember(rng.choice(memory.ask), memory.not_told)
        else:
            it, ways = told(rng, memory)
            self.told[kind] = it
            question = say(rng, rng.choice(memory.tell[:ways])).format(it=it, a=article(it))
            heard = memory.heard.format(it=it, a=article(it))
            self.add(phrases.roughen(rng, question[0].upper() + question[1:], True, heard), heard)


def conversations(seed):
    """Without end. A few are no conversations but a story alone: one message of the role "text"."""
    rng = random.Random(seed)
    while True:
        if rng.random() < PLAIN_STORIES:
            yield [("text", stories.tale(rng)["story"])]
        else:
            yield Conversation(rng).messages


def probes(seed, count, kind):
    """Up to `count` different (domain, question, right answer) of each domain that has the kind: "seen" phrasings,
    "held_out" phrasings, or "unseen" facts. Stories have no one right answer and are left out."""
    for domain in DOMAINS:
        if domain.name == "stories":
            continue
        rng = random.Random(f"{seed} {domain.name} {kind}")
        found = {}
        for _ in range(4 * count):
            topic = pick(rng, domain.topics)
            phrasings = topic.held_out if kind == "held_out" else topic.seen
            if phrasings and (kind != "unseen" or topic.held_out_rows) and len(found) < count:
                row = rng.choice(topic.held_out_rows) if kind == "unseen" else topic.row(rng)
                found[say(rng, rng.choice(phrasings)).format(**row)] = topic.answer.format(**row)
        for question, answer in found.items():
            yield domain.name, question, answer


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--probes", choices=["seen", "held_out", "unseen"])
    args = parser.parse_args()
    if args.probes:
        for domain, question, answer in probes(args.seed, args.count, args.probes):
            print(json.dumps({"domain": domain, "question": question, "answer": answer}, ensure_ascii=False))
        return
    source = conversations(args.seed)
    for _ in range(args.count):
        print(json.dumps([{"role": role, "content": content} for role, content in next(source)], ensure_ascii=False))


if __name__ == "__main__":
    main()
