"""Replays routing traces through caches of experts, as the README of the routing traces replays them: one pool over
(layer, expert); all experts of a layer's step are looked up and kept, then the missing ones come in, each in place of one
that this step does not use; the first tokens warm the cache and are not counted.
"""

import collections

Step = list[list[int]]
"""Experts of one token, by layer."""

WARM = 16
"""Tokens before counting begins."""


def next_token_reuse(trace: list[Step]) -> float:
    """Share of requests for an expert that the token before used in the same layer."""
    again = total = 0
    for before, now in zip(trace, trace[1:], strict=False):
        for old, new in zip(before, now, strict=True):
            again += len(set(old) & set(new))
            total += len(new)
    return again / total


def requests(trace: list[Step]):
    """(token, [(layer, expert)]) in order, one for each layer's step."""
    for token, step in enumerate(trace):
        for layer, experts in enumerate(step):
            yield token, [(layer, expert) for expert in experts]


def lru_hits(trace: list[Step], slots: int) -> float:
    """Share of requests that find their expert when the least recently used one makes room."""
    cache = collections.OrderedDict()
    hits = total = 0
    for token, wanted in requests(trace):
        found = [key for key in wanted if key in cache]
        if token >= WARM:
            hits, total = hits + len(found), total + len(wanted)
        # Ticks in the order of requests; what this step uses is newest, so that it is never the oldest of a cache larger
        # than a step.
        for key in wanted:
            cache[key] = None
            cache.move_to_end(key)
        while len(cache) > slots:
            cache.popitem(last=False)
    return hits / total


def belady_hits(trace: list[Step], slots: int) -> float:
    """Share of requests that find their expert when the one that is used again last makes room."""
    steps = list(requests(trace))
    never = len(steps)
    coming = collections.defaultdict(collections.deque)
    for at, (_, wanted) in enumerate(steps):
        for key in wanted:
            coming[key].append(at)
    cache = {}
    hits = total = 0
    for token, wanted in steps:
        missing = [key for key in wanted if key not in cache]
        if token >= WARM:
            hits, total = hits + len(wanted) - len(missing), total + len(wanted)
        for key in wanted:
            coming[key].popleft()
        upcoming = {key: coming[key][0] if coming[key] else never for key in wanted}
        others = sorted((key for key in cache if key not in upcoming), key=cache.get)
        for _ in range(len(cache) + len(missing) - slots):
            del cache[others.pop()]
        cache.update(upcoming)
    return hits / total
