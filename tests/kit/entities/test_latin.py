"""Names in small English letters."""

from __future__ import annotations

import pytest

from synthwright.kit.entities.latin import latin


@pytest.mark.parametrize(("word", "language", "said"), [
    ("Müller-Weiß", "de", "muellerweiss"), ("Müller", "tr", "muller"), ("Søren Åse", "da", "soerenaase"),
    ("Łukasz", "pl", "lukasz"), ("Guðmundsdóttir", "is", "gudmundsdottir"), ("Nguyễn", "vi", "nguyen"),
    ("Щербаков", "ru", "shcherbakov"), ("Юрий", "ru", "yurii"), ("Їжак", "uk", "izhak"), ("Григорій", "uk", "hryhorii"),
    ("Щерев", "bg", "shterev"), ("Παπαδόπουλος", "el", "papadopoulos"), ("김민수", "ko", "gimminsu"),
    ("აბაშიძე", "ka", "abashije"), ("Աբազյան", "hy", "abazyan"), ("शर्मा", "hi", "sharma"), ("王", "zh", ""),
    ("O'Neil", "en", "oneil"), ("İsmayıl", "az", "ismayil"), ("", "en", ""),
])  # fmt: skip
def test_words(word: str, language: str, said: str) -> None:
    """Marks are lost as the language does it; other scripts are written letter by letter."""
    assert latin(word, language) == said


@pytest.mark.parametrize("word", ["אביגיל", "محمد", "अभिलाषा", "অর্পিতা", "அகத்தழகி", "กนกเนตร", "さゆり"])
def test_other_scripts_are_not_empty(word: str) -> None:
    """Letters of other scripts are written as they sound."""
    found = latin(word)
    assert len(found) >= 3
    assert found.isascii()
    assert found.islower()
