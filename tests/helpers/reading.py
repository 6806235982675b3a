"""How easy a text is to read: the score of Flesch (1948), for English.

206.835 - 1.015 words a sentence - 84.6 syllables a word. Syllables are counted as groups of vowels,
less a silent e at the end. Numbers are left out.
"""

import re

WORD = re.compile(r"[A-Za-z]+(?:['’-][A-Za-z]+)*")


def syllables(word: str) -> int:
    """Count the syllables of an English word, at least one."""
    word = word.lower().replace("’", "'")
    if "-" in word:
        return sum(syllables(part) for part in word.split("-"))
    word = re.sub(r"'s$", "", word)
    silent = word.endswith("e") and not word.endswith(("le", "ee")) and len(word) > 2
    silent = silent or (word.endswith("ed") and not word.endswith(("ted", "ded")))
    groups = len(re.findall(r"[aeiouy]+", word)) + len(re.findall(r"ia|io(?!n)|uo|eo", word))
    return max(1, groups - silent)


def ease(text: str) -> float:
    """Reading ease of a text: 60 to 70 is plain English, below 30 very hard."""
    sentences = [part for part in re.split(r"[.!?]+(?:\s|$)", text) if WORD.search(part)]
    words = WORD.findall(text)
    return (206.835 - 1.015 * len(words) / len(sentences)
            - 84.6 * sum(map(syllables, words)) / len(words))
