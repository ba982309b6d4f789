#!/usr/bin/env python3
"""Writes tests/fixtures/tokenizer/pretokenizers.json: what llama.cpp makes of test texts under each pre-tokeniser.

Two vocabularies are given each name of `tokenizer.ggml.pre` in turn, so that only the splitter differs: GPT-2's, and one
that has every pair of bytes as a token, in which a missing or a wrong cut shows almost anywhere (GPT-2's merges seldom
reach across the places where splitters differ). The texts are those of ggml-vocab-gpt-2.gguf.inp and the ones below; only
ids are stored. Names with equal ids share an entry.

Needs the Python packages llama-cpp-python and gguf (made with 0.3.36 and 0.19). Run from the repository's root:

    python3 scripts/make_pretokenizer_vectors.py
    python3 scripts/make_pretokenizer_vectors.py --fuzz 500 --seed 1 --out /tmp/fuzz.json    # random texts instead
    FOREGATE_PRETOKENIZER_VECTORS=/tmp/fuzz.json cargo test --test tokenizer_splitters
"""

import argparse
import json
import pathlib
import random
import struct
import tempfile
import unicodedata

import gguf
from llama_cpp import Llama

FIXTURES = pathlib.Path("tests/fixtures/tokenizer")

NAMES = """
default gpt-2 olmo phi-2 mpt jais trillion exaone4 mellum gigachat granite-docling a.x-4.0 llama-bpe llama3 llama-v3 lfm2
falcon3 falcon-h1 pixtral midm-2.0 glm4 glm5 dbrx smaug-bpe chatglm-bpe qwen2 deepseek-r1-qwen stablelm2 hunyuan megrez
grok-2 solar-open kormo qwen35 ufakzeka seed-coder laguna bailingmoe bailingmoe2 llada-moe gpt-4o llama4 kanana2 talkie
minimax-m2 tekken tiny_aya cohere2moe deepseek-llm deepseek-coder deepseek-v3 hunyuan-dense joyai-llm hy_v4 spark2_5 youtu
minicpm5 refact starcoder command-r smollm codeshell exaone minerva-7b mellum2 falcon exaone-moe superbpe kimi-k2 afmoe
poro-chat bloom gpt3-finnish viking jais-2
""".split()

TEXTS = [
    "1 12 123 1234 12345 123456 1234567 abc1234567def 12 345 678,901.23 3.14159 1e10 0x1F 2024-11-05",
    "١٢٣٤٥ ½¾ x² Ⅷ ⅷⅸ ①②③④⑤ 12½345 ٣٤5678",
    "camelCase PascalCase HTTPServer iPhone X AB aB Ab ABCdefGHI snake_case SCREAMING_CASE McDonald's O'REILLY'S",
    "Привет мир ПриВет ПРИВЕТ'S приветt Straße ÉCOLE École éAB ÉAB ABÉ ǅ ǅabc ΑΒΓ αβγ ΑβΓ",
    "e\u0301te\u0301 n\u0303 \u0301\u0301a \u0301 क्षत्रिय สวัสดี नमस्ते \u0e33\u0e35 a\u20dd ّمرحبا بالعالم",
    "漢字かなカナ 한국어 中文，测试。　全角　スペース「引用」１２３ＡＢＣａｂｃ 龥龦 㐀 𠀀𪜀 豈 ﾊﾝ｡ ㄅㄆ ㄱㄴ",
    "😀😁 👩‍👩‍👧‍👦 🇩🇪 ☺️ ❤️‍🔥 a😀b 1😀2 \u200b\u200d\ufeff",
    "I'm you're he'll we've they'd it's can't I'M YOU'RE HE'LL WE'VE THEY'D IT'S CAN'T 'sup 'Tis x'y ' 's'S 'lL 'Ve 're'",
    "a b  c   d    e     f  ",
    "  lead", "trail  ", " ", "   ", "\t", "\t\t x", " \t x", "x \t ", "\u00a0x \u00a0 x", "\u3000", "\u3000\u3000x", "x\u3000 y",
    "\u2003\u2003a\u2028b\u2029c\u0085d",
    "\n", "\n\n", "\n\n\n x", "a\nb", "a\n\nb", "a \n b", "a \n\n  b", "a\r\nb\r\n\r\nc", "\r", "\r\r x", "x\n", "x \n", "x\n ", " \n",
    "\n \n \n", "x\n\n\n   \n\n y",
    "!?... -- --- ... ,,, ;;: (a) [b] {c} <d> \"e\" 'f' `g` ~h~ @i #j $k %l ^m &n *o +p =q |r \\s /t",
    "x != y && z || !w; a->b; c::d; //comment\n/* block */ ///// a/b/c ./x ../y http://a.b/c?d=e&f#g",
    "!!!\n\n... \n ///\n//\n\n x", "$100 €200 £3 ¥4 + − × ÷ ≤ ≥ ± √ ∞ ← → ⇒",
    "‘single’ “double” – — … • § ¶ † « » ‹ › ¿ ¡", "！？。，、；：（）【】《》〈〉「」『』〜〿︰﹏‘’“”…—",
    "\x00\x01\x02 \x1b[0m \x7f \x0b\x0c \x1c\x1d\x1e\x1f x", "\x0b\x0cx \x0b y\x0c",
    "_a _ __init__ a_b_c a__b -a- a-b--c .a. a.b..c", "word\u00adsoft \u202eabc\u202c \ue000\uf8ff \U000f0000 \U0010ffff",
    "<|im_start|>user\nHi<|im_end|> </s> <s> [INST] <unk>", "<sentinel:1> IMGIMGABZ", "a" * 40, "A" * 40, "aB" * 20, "é" * 40,
    " " * 40, "\t" * 20, "\n" * 20, " \n" * 20, "\n " * 20, " " * 600 + "x", "1" * 40, "!" * 40, "漢" * 40, "😀" * 20,
    "É" * 5 + "A" * 5 + " " + "A" * 5 + "É" * 5 + "a" * 5 + "É" * 5 + "A" * 5,
    "fn main() {\n    let x = 42;\n\tif x >= 10 { println!(\"{x:>5}\"); }\n}\n",
    "| a | b |\n|---|---|\n| 1 | 2.50 |\n\n- item\n  - sub\n\n1. one\n2. two\n",
    "x 1 y 22 z 333 w 4444 v55555 66666u 7a8b9c 12'34 5's 6'S",
    "a,b.c;d:e!f?g(h)i[j]k{l}m 1,2.3;4:5 A,B.C", "।॥ ۔ ، ؟ ၊ ។ ༎ ᠃ 。", "ab cd ef  gh\u0301 ij\u0301 kl 12 mn o p q",
]


def with_pre(vocabulary: bytes, name: str) -> bytes:
    """The file with another value of tokenizer.ggml.pre (type 8: a string)."""
    key = b"tokenizer.ggml.pre" + struct.pack("<I", 8)
    head, tail = vocabulary.split(key)
    (length,) = struct.unpack("<Q", tail[:8])
    return head + key + struct.pack("<Q", len(name)) + name.encode() + tail[8 + length:]


def byte_alphabet() -> list[str]:
    """GPT-2's characters for the bytes."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = iter(range(0x100, 0x200))
    return [chr(byte if byte in printable else next(rest)) for byte in range(256)]


def pairs_vocabulary(path: pathlib.Path) -> bytes:
    """A vocabulary of all bytes and all pairs of bytes; pair k of the file's order is merged (k * 40503 mod 65536)-th."""
    chars = byte_alphabet()
    pairs = [(chars[k >> 8], chars[k & 255]) for k in range(65536)]
    writer = gguf.GGUFWriter(path, "gpt2")
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(chars + [a + b for a, b in pairs])
    merges = [""] * 65536
    for k, (a, b) in enumerate(pairs):
        merges[k * 40503 % 65536] = f"{a} {b}"
    writer.add_token_merges(merges)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    return path.read_bytes()


def random_text(rng: random.Random) -> str:
    """A text in which the classes of the splitters meet often, with any assigned character now and then.

    Unassigned ones are left out: they are where the Unicode tables of two programs of different age disagree.
    """
    common = " \t\r\n'sStTlLeEvVrRdDmMabABzZ019/.,!$`_-()é\u0301漢あ한\u3000\u200d½٣ЖжΣɐǅªʰ。！😀\u00a0\u0085\u2028"
    out = []
    while len(out) < rng.randrange(1, 60):
        kind = rng.random()
        if kind < 0.75:
            out.append(rng.choice(common))
        elif kind < 0.9:
            out.append(rng.choice(common) * rng.randrange(2, 9))
        else:
            code = rng.choice([rng.randrange(0x80, 0x800), rng.randrange(0x800, 0xD800), rng.randrange(0xE000, 0x110000)])
            if unicodedata.category(chr(code)) != "Cn":
                out.append(chr(code))
    return "".join(out)


def ids_of(vocabulary: bytes, name: str, texts: list[str], path: pathlib.Path) -> list[list[int]]:
    """The ids of the texts under the pre-tokeniser `name`."""
    path.write_bytes(with_pre(vocabulary, name))
    model = Llama(str(path), vocab_only=True, verbose=False)
    return [model.tokenize(text.encode(), add_bos=False, special=False) for text in texts]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fuzz", type=int, metavar="N", help="N random texts instead of the chosen ones")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=pathlib.Path, default=FIXTURES / "pretokenizers.json")
    args = parser.parse_args()
    rng = random.Random(args.seed)
    own = [random_text(rng) for _ in range(args.fuzz)] if args.fuzz else TEXTS
    gpt2 = (FIXTURES / "ggml-vocab-gpt-2.gguf").read_bytes()
    published = (FIXTURES / "ggml-vocab-gpt-2.gguf.inp").read_text(encoding="utf-8").split("\n__ggml_vocab_test__\n")[:-1]
    entries: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "vocab.gguf"
        pairs = pairs_vocabulary(path)
        for name in NAMES:
            answers = {
                "gpt2": ids_of(gpt2, name, published + own, path),
                "pairs": ids_of(pairs, name, published + own, path),
            }
            entries.setdefault(json.dumps(answers, separators=(",", ":")), []).append(name)
    groups = [f'{{"names":{json.dumps(names)},{answers[1:]}' for answers, names in entries.items()]
    texts = json.dumps(own, ensure_ascii=True, separators=(",", ":"))
    args.out.write_text(f'{{"texts":{texts},\n"groups":[\n' + ",\n".join(groups) + "\n]}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
