"""What the judge of the sample reports says."""

from typing import NamedTuple


class Agent(NamedTuple):
    """An agent and its verdict; scores and reasons in the order of the criteria."""

    key: str
    name: str
    description: str
    scores: tuple[float, float, float]
    reasons: tuple[str, str, str]
    reasoning: str
    strengths: tuple[str, ...]
    weaknesses: tuple[str, ...]
    recommendations: tuple[str, ...]


class Said(NamedTuple):
    """What the reviews of a language say."""

    summary: str
    liked: str
    disliked: str
    wanted: str
    broken: str


class Language(NamedTuple):
    """A language and what its reviews say."""

    key: str
    said: Said


NO_EVIDENCE = "None of the runs has an answer whose correctness could be checked."

AGENTS = (
    Agent(
        "triage",
        "Triage",
        "Reads every message to the bicycle shop's support and hands it to the right colleague.",
        (9.0, 8.5, 9.0),
        (
            "All six messages reached the right desk; the one without content was answered with a question.",
            "The same wording led to the same desk in both pairs of similar messages.",
            "1.4 s and 300 tokens on average, with no second look at any message.",
        ),
        "It decides quickly and says why in one line. The summaries hold what the next colleague needs to know.",
        ("Every message reached the right desk.", "Summaries of one line that leave nothing out."),
        ("Two requests in one message are handed to one desk only.",),
        ("Let it hand a message to two desks where it asks two things.",),
    ),
    Agent(
        "order-status",
        "Order status",
        "Looks up orders and parcels and tells customers where they are and when they arrive.",
        (7.5, 8.0, 7.0),
        (
            "Five of six dates agree with the carrier's; one parcel was said to arrive a day too early.",
            "Answers to the same order did not change between runs.",
            "It asked the carrier twice in two runs.",
        ),
        "A dependable agent with one wrong date. It says which parcel it talks about, and what to do if it is late.",
        ("It names the parcel, the date and the carrier.", "It offers a reminder without being asked."),
        ("Trusts the first date of the carrier.", "Long greetings."),
        ("Read the carrier's last event rather than its first estimate.",),
    ),
    Agent(
        "refund-desk",
        "Refund desk",
        "Decides on returns and refunds within the shop's rules and explains the decision.",
        (6.2, 5.5, 7.0),
        (
            "Two of six decisions are against the rules: a worn helmet was taken back, a voucher paid out in money.",
            "The same case was decided differently on two days.",
            "It reads the rules once in a run, as it should.",
        ),
        "Friendly and clear, but its decisions vary. The rule about safety equipment was overlooked twice.",
        ("Explains each decision in words a customer understands.",),
        ("Takes back safety equipment.", "Decides the same case differently from day to day."),
        ("Put the exceptions first in its instructions.", "Check decisions above 100 € by a second call."),
    ),
    Agent(
        "product-advisor",
        "Product advisor",
        "Recommends bicycles, parts and clothing by the customer's height, use and budget.",
        (8.1, 7.6, 5.2),
        (
            "Sizes and prices agree with the catalogue in all runs.",
            "It recommends the same frame for the same height.",
            "It reads the whole catalogue in each run: 14 s and 9,000 tokens for a question about one bicycle.",
        ),
        "Good advice at a high price. Most of its tokens are spent on pages it does not use.",
        ("Asks for height and use before it recommends.", "Says when nothing in the catalogue fits."),
        ("Reads the whole catalogue for every question.",),
        ("Search the catalogue instead of reading it.",),
    ),
    Agent(
        "billing",
        "Billing",
        "Answers questions about invoices, instalments and vouchers, and corrects wrong invoices.",
        (8.8, 8.4, 8.2),
        (
            "All corrected invoices add up.",
            "No difference between runs on the same invoice.",
            "Two calls a run, both needed.",
        ),
        "It finds the wrong line, says what it was, and corrects it.",
        ("Shows the sum before and after the correction.", "Never promises a refund, but hands over."),
        ("It does not mention when the money will be there.",),
        ("Add the number of days until a credit is booked.",),
    ),
    Agent(
        "workshop",
        "Workshop planner",
        "Books repairs, says what they cost and how long they take.",
        (7.1, 7.2, 6.9),
        (
            "Prices agree with the list; one repair was booked on a holiday.",
            "It offers the same slots for the same repair.",
            "It asks for the frame number although the order has it.",
        ),
        "It does what it should. Holidays are not in its calendar.",
        ("Always names price and duration.",),
        ("Books on holidays.",),
        ("Give it the calendar of holidays.",),
    ),
)

TEAM_SUMMARY = (
    "The team answers most customers correctly and in seconds; {scored} of {total} agents could be scored. Triage is"
    " ready to work alone. The refund desk is not: it decided two of its cases against the shop's rules, and the same"
    " case differently on two days. The workshop planner needs a calendar of holidays."
)
TEAM_REASONING = "Hand-overs work: no customer had to repeat a question. What is missing is a common view of the rules."
TEAM_REASONS = (
    "Of 35 customers, 31 got what they had asked for.",
    "Refund desk and Billing contradict each other about vouchers.",
)
TEAM_RECOMMENDATIONS = (
    "Let a person confirm refunds until the rules are first in the instructions.",
    "Give the product advisor a search.",
)

LANGUAGES = (
    Language(
        "en",
        Said(
            "Riders love the route planner and the sync with their watch. Since 4.2 the map crashes for some, and"
            " navigation drains the battery within two hours.",
            "The route planner finds quiet ways",
            "The battery is empty after two hours of navigation",
            "A dark mode for night rides",
            "The map crashes since the update",
        ),
    ),
    Language(
        "de",
        Said(
            "Gelobt werden Karten ohne Netz und die Radwege; seit dem Update stürzt die App beim Start ab.",
            "Karten funktionieren ohne Netz",
            "Der Akku ist nach einer Tour leer",
            "Eine Funktion für Pausen",
            "Absturz beim Start",
        ),
    ),
    Language(
        "fr",
        Said(
            "Les pistes cyclables plaisent ; la batterie et les plantages déçoivent.",
            "Découvrir de nouvelles pistes",
            "La batterie se vide trop vite",
            "Un mode nuit",
            "L'application plante quand on charge une carte",
        ),
    ),
    Language(
        "es",
        Said(
            "Los mapas sin conexión gustan mucho; la aplicación se cuelga al abrir el mapa.",
            "Mapas sin conexión",
            "Gasta mucha batería",
            "Un modo oscuro",
            "Se cuelga al abrir el mapa",
        ),
    ),
    Language(
        "ar",
        Said(
            "يحب المستخدمون دقة الخرائط، ويشتكون من تعطل التطبيق عند فتح الخريطة ومن نفاد البطارية بسرعة.",
            "الخرائط دقيقة",
            "البطارية تنفد بسرعة",
            "الوضع الليلي",
            "التطبيق يتعطل عند فتح الخريطة",
        ),
    ),
    Language(
        "ja",
        Said(
            "地図の見やすさとオフライン対応が好評。アップデート後のクラッシュとバッテリーの減りに不満があります。",
            "地図が見やすい",
            "バッテリーの減りが早い",
            "夜間モード",
            "地図を開くとクラッシュする",
        ),
    ),
)

RIGHT_TO_LEFT = (
    LANGUAGES[4],
    Language(
        "he",
        Said(
            "המשתמשים אוהבים את המפות ואת השבילים השקטים, אך האפליקציה קורסת לאחר העדכון.",
            "מפות מדויקות",
            "הסוללה נגמרת מהר",
            "מצב לילה",
            "האפליקציה קורסת בפתיחת המפה",
        ),
    ),
    Language(
        "fa",
        Said(
            "کاربران از نقشه‌های دقیق راضی هستند، اما باتری زود تمام می‌شود و برنامه پس از به‌روزرسانی بسته می‌شود.",
            "نقشه‌های دقیق",
            "باتری زود تمام می‌شود",
            "حالت شب",
            "برنامه هنگام باز کردن نقشه بسته می‌شود",
        ),
    ),
)

RIGHT_TO_LEFT_REVIEWS = {
    "ar": (
        ("تطبيق رائع والخرائط دقيقة جدا، شكرا لكم", 5),
        ("التطبيق يتعطل عند فتح الخريطة بعد التحديث 4.2", 1),
        ("البطارية تنفد بسرعة أثناء الملاحة", 2),
        ("مفيد جدا، أتمنى إضافة الوضع الليلي (dark mode)", 4),
        ("أفضل تطبيق للدراجات في المدينة", 5),
    ),
    "he": (
        ("אפליקציה מצוינת, המפות מדויקות", 5),
        ("קורסת בכל פעם שאני פותח את המפה", 1),
        ("הסוללה נגמרת אחרי שעתיים", 2),
        ("טוב מאוד, חסר רק מצב לילה", 4),
    ),
    "fa": (
        ("بهترین برنامه برای دوچرخه‌سواری در شهر", 5),
        ("بعد از به‌روزرسانی هنگام باز کردن نقشه بسته می‌شود", 1),
        ("باتری خیلی زود تمام می‌شود", 2),
        ("خوب است، لطفا حالت شب اضافه کنید", 4),
    ),
}

SHARED_THEMES = ("Crashes when the map is opened, since 4.2", "Navigation drains the battery")
REVIEW_RECOMMENDATIONS = ("Withdraw 4.2 or repair the map first.", "Measure the battery use of navigation.")
TITLES = {"reviews": "What riders say, November", "right-to-left": "ما يقوله المستخدمون، نوفمبر"}
SUMMARIES = {
    "reviews": (
        "Riders in all languages praise the maps, above all offline, and all of them report the same two faults since"
        " 4.2: the map crashes when it is opened, and navigation drains the battery. A dark mode is the most wanted"
        " feature."
    ),
    "right-to-left": (
        "يمدح المستخدمون في اللغات الثلاث دقة الخرائط، ويبلغون عن العيبين نفسيهما منذ الإصدار 4.2: تعطل التطبيق عند"
        " فتح الخريطة ونفاد البطارية أثناء الملاحة. أكثر ما يطلبونه هو الوضع الليلي."
    ),
}
