"""One file per domain, each with its `DOMAIN`. A new one is added to the list here."""

from demo.domains import (
    arithmetic, beyond, capitals, dates, foregate, german, greetings, lists, opposites, ordinary, plurals, programs, stories, units, unknown)

DOMAINS = [module.DOMAIN for module in (
    greetings, foregate, capitals, arithmetic, units, dates, opposites, plurals, stories, programs, lists, german, ordinary, beyond)]

assert unknown.DOMAIN in DOMAINS
