"""The demo model: its corpus (`corpus`, `domains`), tokenizer (`vocab`) and network (`network`)."""
