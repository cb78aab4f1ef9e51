"""Words that reviews are read by: praise, complaint, wish and fault in several languages, and words that say nothing.

The lists are short on purpose: they give the stand-in's answers a shape that follows from the text, not a judgement.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

_BREAKS = re.compile(r"[\s\d.,;:!?…()\[\]{}\"'`´\u2018\u2019“”„«»،؟؛।@#/\\|*&%+=<>~^_—–-]+")  # noqa: RUF001  # marks of other scripts
_RUNS = re.compile(r"[\u30a0-\u30ff]{2,}|[\u4e00-\u9fff]{2,}|[\uac00-\ud7a3]{2,}")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
_SHORTEST_LATIN, _SHORTEST_OTHER, _SHORTEST_UNSPACED = 4, 3, 2

_PRAISE = """
good great love loved loves excellent amazing awesome perfect best nice easy happy helpful fantastic wonderful
thanks thank recommend smooth reliable beautiful fast useful brilliant
gut gute guter super toll liebe perfekt beste einfach schön hilfreich danke klasse zuverlässig empfehlen schnell
bon bonne bien génial parfait adore excellente meilleur merci facile magnifique recommande utile rapide pratique
bueno buena excelente genial perfecto encanta mejor gracias fácil recomiendo útil maravilloso rápido
buono buona ottimo ottima perfetto adoro migliore grazie facile utile consiglio bello bellissimo veloce
bom boa ótimo ótima perfeito adorei amo melhor obrigado obrigada recomendo útil lindo
goed geweldig mooi fijn bedankt iyi harika güzel mükemmel teşekkürler dobry świetny polecam отлично хорошо супер
спасибо удобно нравится
رائع رائعة ممتاز ممتازة جميل جميلة جيد جيدة شكرا أحب احب سهل مفيد افضل أفضل سريع الحمد
अच्छा अच्छी बढ़िया शानदार धन्यवाद पसंद बेहतरीन सुंदर आसान
좋아요 최고 감사합니다 추천
"""
_PRAISE_RUNS = "素晴らしい 便利 最高 好き 良い 使いやすい ありがとう 很好 喜欢 方便 推荐"
_COMPLAINT = """
bad terrible awful hate hated worst slow broken useless crash crashes crashed bug bugs annoying poor disappointed
disappointing expensive problem problems error errors fails failed horrible waste sad angry
schlecht schlechte schrecklich hasse langsam kaputt nutzlos absturz fehler nervig enttäuscht teuer problem leider
stürzt furchtbar
mauvais mauvaise terrible déteste lent lente nul nulle inutile plante erreur déçu déçue cher problème pire dommage
malo mala odio peor lento lenta roto inútil falla fallo errores decepcionado caro problema horrible triste
cattivo pessimo pessima odio peggio peggiore rotto inutile errore delusa deluso costoso brutto blocca
ruim péssimo péssima odeio pior quebrado trava erro decepcionado triste
slecht traag kapot duur kötü berbat yavaş bozuk zły słaby плохо ужасно ошибка медленно
سيء سيئة سيئ بطيء أسوأ اسوأ مشكلة خطأ يتعطل غالي للأسف حزين
खराब बुरा बेकार धीमा समस्या गलत दुख
나빠요 최악 느려요 오류
"""
_COMPLAINT_RUNS = "遅い 最悪 落ちる 重い 不便 残念 ひどい 高い 很差 太慢 垃圾 崩溃"
_WISH = """
please wish hope add missing option feature bitte wünsche fehlt wäre option funktion ajouter
manque souhaite aimerais svp añadir agregar falta ojalá podrían quisiera aggiungere manca vorrei aggiungete
adicionar gostaria queria أتمنى اتمنى أضيفوا ياريت कृपया चाहिए
"""
_WISH_RUNS = "欲しい ほしい 追加 お願い 希望 增加 建议"
_FAULT = """
crash crashes crashed crashing bug bugs error errors freeze freezes frozen broken fails absturz abstürze stürzt
fehler hängt plante bogue erreur bloque falla fallo errores cuelga errore blocca crasha trava travando erro
يتعطل خطأ عطل يتوقف क्रैश त्रुटि बंद
"""
_FAULT_RUNS = "落ちる クラッシュ バグ エラー フリーズ 固まる 崩溃 闪退 错误"
_HAPPY_SIGNS = "😀😃😄😁😊😍🥰😘🤩👍❤💕💖🎉✨🙏💪🔥😂🌟⭐"
_UNHAPPY_SIGNS = "😞😠😡🤬😢😭👎💔😒😤🙄😩😫🤮😔"
_SAYS_NOTHING = """
about after again also another because been before being cannot could does doesn doing done each else even
ever every from have having here https http into just like made make many more most much must only other over
really same should since some still such than that their them then there these they this those user very want
wants well went were what when where which while will with without would your yours aber alle allem auch beim
dann dass dein denn dich diese dieser doch eine einem einen einer eines etwas euch für haben habe hast hier
ihre immer jetzt kann kein keine mehr mein meine mich mir muss nach nicht noch nur oder ohne schon sehr sein
seine seit sich sind über und uns viel vom von war warum was weil wenn wer werden wie wieder wird alors aussi
avec avoir c'est cela cette comme dans depuis deux donc elle encore entre est et être faire fait leur mais
même mes moi mon ne nos nous ont par pas peut plus pour quand que quel qui quoi sans ses son sont sous suis
sur tous tout toute très trop une vous votre algo como con cuando desde donde ella ellos era eres esta este
esto está están hace hasta hay mas más mucho muy nada para pero poco porque puede pues qué quien sea ser sido
sin sino sobre solo soy sus también tan tener tengo tiene toda todo todos una unos usted alla anche ancora che
chi come cosa cosi così dei del della delle dopo dove due ecco essere fare fatto gli hai hanno loro mai mia
mio molto nel nella noi non ogni oggi per perché però più poi quando quello questa questo sempre senza sei
siamo sono sta stato sua suo sul tanto tempo tra tutti tutto agora ainda até assim cada com dele deles depois
disse ela ele eles essa esse estou eu fazer foi isso isto meu mesmo minha muito nao não nossa pela pelo por
pra quem sem seu também tem tenho ter tudo uma você voce الى إلى التي الذي الان الآن انا أنا انت أنت بعد بس
بين حتى دي ده ذلك على عليه عليك عن غير في فيه قبل قد كان كانت كل كما لا لكن له لها ليس ما مثل مع من منه هذا
هذه هو هي هل وهو وهي يا يوم अपना अपने अब आप इस उस एक और कर करते करना करने का
किया की के को कोई क्या गया जब जो
तक तो था थी थे नहीं ने पर बहुत भी में मैं यह या ये रहा रहे रही लिए वह वाले वे सब
से हम हर ही हुआ है हैं हो
होता होने
"""


class Signs(NamedTuple):
    """What tells that a text speaks of something: whole words, runs of a script without spaces, and emoji."""

    words: frozenset[str]
    runs: re.Pattern[str]

    def are_in(self, text: str, words: tuple[str, ...]) -> bool:
        """Some sign is in the text, whose words are `words`."""
        return not self.words.isdisjoint(words) or self.runs.search(text) is not None


class Lexicon(NamedTuple):
    """The lists, ready to look up."""

    praise: Signs
    complaint: Signs
    wish: Signs
    fault: Signs
    names_no_theme: frozenset[str]


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """The lists above, split once."""
    return Lexicon(
        praise=_signs(_PRAISE, [*_PRAISE_RUNS.split(), *_HAPPY_SIGNS]),
        complaint=_signs(_COMPLAINT, [*_COMPLAINT_RUNS.split(), *_UNHAPPY_SIGNS]),
        wish=_signs(_WISH, _WISH_RUNS.split()),
        fault=_signs(_FAULT, _FAULT_RUNS.split()),
        names_no_theme=frozenset(f"{_SAYS_NOTHING} {_PRAISE} {_WISH}".split()),
    )


def _signs(words: str, runs: Sequence[str]) -> Signs:
    return Signs(frozenset(words.split()), re.compile("|".join(runs)))


def tokens(text: str) -> tuple[str, ...]:
    """The words of a text in lower case; where a script writes no spaces, its runs of one kind of character."""
    found = [token for token in _BREAKS.split(text.lower()) if token]
    if not _UNSPACED.search(text):
        return tuple(found)
    return tuple(word for token in found for word in (_RUNS.findall(token) if _UNSPACED.search(token) else (token,)))


def telling(words: tuple[str, ...]) -> frozenset[str]:
    """Those that can name a theme."""
    return frozenset(word for word in words if _names_a_theme(word))


@lru_cache(maxsize=50_000)
def _names_a_theme(word: str) -> bool:
    if word in lexicon().names_no_theme:
        return False
    if _UNSPACED.search(word):
        return len(word) >= _SHORTEST_UNSPACED
    return len(word) >= (_SHORTEST_LATIN if word.isascii() or "à" <= word[0] <= "ÿ" else _SHORTEST_OTHER)
