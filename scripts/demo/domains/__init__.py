"""One file per domain, each with its `DOMAIN`. A new one is added to the list here."""

from demo.domains import arithmetic, capitals, greetings, foregate, opposites, out_of_reach, plurals

DOMAINS = [m.DOMAIN for m in (greetings, foregate, capitals, arithmetic, opposites, plurals, out_of_reach)]
