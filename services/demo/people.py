"""Who comes to the simulated shop, by which channels, and what they look at. Only tables."""

from typing import NamedTuple


class Persona(NamedTuple):
    """A kind of customer. Chances are per visit unless said otherwise, times in days."""

    name: str
    share: float  # of all customers
    gap: float  # mean time between visits
    stays: float  # mean time until they fall silent
    returns: float  # chance that one who fell silent comes back after some months
    signs_up: float
    views: tuple[int, int]  # products looked at
    carts: float  # chance to put something into the cart
    buys: float  # chance that a filled cart is paid
    reviews: float  # chance per order, and so for the two below
    refers: float
    refunds: float
    phone: float  # share of visits by phone
    channels: dict[str, float]  # weights


PERSONAS = (
    Persona("bargain hunter", 0.26, 16, 120, 0.40, 0.35, (2, 6), 0.45, 0.35, 0.05, 0.05, 0.10, 0.7,
            {"paid search": 4, "display": 3, "email": 2, "affiliate": 3, "direct": 1}),
    Persona("loyalist", 0.14, 8, 500, 0.80, 0.70, (1, 4), 0.40, 0.75, 0.30, 0.25, 0.03, 0.5,
            {"direct": 5, "email": 4, "organic search": 2, "referral": 2}),
    Persona("researcher", 0.18, 12, 75, 0.25, 0.25, (4, 9), 0.25, 0.45, 0.20, 0.05, 0.08, 0.2,
            {"organic search": 6, "direct": 2, "paid search": 1, "referral": 1}),
    Persona("gift buyer", 0.12, 45, 150, 0.60, 0.45, (1, 4), 0.50, 0.65, 0.08, 0.06, 0.12, 0.5,
            {"organic search": 3, "social": 3, "paid search": 2, "direct": 1}),
    Persona("trend follower", 0.18, 9, 90, 0.30, 0.45, (2, 5), 0.35, 0.45, 0.15, 0.22, 0.09, 0.95,
            {"social": 6, "messenger": 4, "display": 1, "direct": 1}),
    Persona("window shopper", 0.12, 22, 40, 0.10, 0.06, (1, 3), 0.10, 0.15, 0.02, 0.02, 0.05, 0.8,
            {"social": 3, "display": 3, "organic search": 2, "direct": 1}),
)  # fmt: skip


class Channel(NamedTuple):
    """How a visit comes: the referring page, and the campaigns (name, source, medium) it may belong to."""

    referrer: str
    campaigns: tuple[tuple[str, str, str], ...] = ()


CHANNELS = {
    "direct": Channel(""),
    "organic search": Channel("https://www.google.com/"),
    "paid search": Channel(
        "https://www.google.com/",
        (("brand", "google", "cpc"), ("winter-boots", "google", "cpc"), ("gifts", "bing", "cpc")),
    ),
    "display": Channel("https://news.example/", (("retargeting", "adnet", "display"),)),
    "social": Channel(
        "https://www.instagram.com/",
        (("spring-look", "instagram", "social"), ("creators", "instagram", "influencer")),
    ),
    "messenger": Channel("https://t.me/", (("channel-post", "telegram", "social"),)),
    "email": Channel("", (("weekly", "newsletter", "email"), ("back-in-stock", "crm", "email"))),
    "affiliate": Channel("https://coupons.example/", (("coupon-autumn", "coupons", "affiliate"),)),
    "referral": Channel("https://shop.example/invite", (("bring-a-friend", "invite", "referral"),)),
}


class Country(NamedTuple):
    """Where a customer lives: the language they use, and the names that people and cities have there."""

    code: str
    locale: str
    share: float
    cities: tuple[str, ...]
    given: tuple[str, ...]
    family: tuple[str, ...]
    latin: tuple[str, ...]  # the given names in Latin letters, in the same order, for e-mail addresses


COUNTRIES = (
    Country("IR", "fa-IR", 0.45, ("تهران", "مشهد", "اصفهان", "شیراز", "تبریز"),
            ("مریم", "زهرا", "سارا", "نگار", "علی", "رضا", "امیر", "حسین", "کیان", "پریسا"),
            ("احمدی", "محمدی", "کریمی", "رضایی", "موسوی", "جعفری", "یوسفی", "نوری"),
            ("maryam", "zahra", "sara", "negar", "ali", "reza", "amir", "hossein", "kian", "parisa")),
    Country("AE", "ar-AE", 0.25, ("دبي", "أبوظبي", "الشارقة"),
            ("فاطمة", "عائشة", "ليلى", "نورة", "محمد", "أحمد", "يوسف", "خالد", "سلمى", "عمر"),
            ("المنصوري", "الهاشمي", "الكعبي", "السويدي", "النعيمي", "الشامسي"),
            ("fatima", "aisha", "layla", "noura", "mohammed", "ahmed", "yousef", "khaled", "salma", "omar")),
    Country("GB", "en-GB", 0.30, ("London", "Leeds", "Bristol", "Glasgow"),
            ("Olivia", "Amelia", "Grace", "Ruby", "Jack", "Harry", "Oscar", "Noah", "Priya", "Daniel"),
            ("Smith", "Jones", "Taylor", "Patel", "Walker", "Hughes", "Khan", "Evans"),
            ("olivia", "amelia", "grace", "ruby", "jack", "harry", "oscar", "noah", "priya", "daniel")),
)  # fmt: skip


class Product(NamedTuple):
    """Something on sale; the price is in euros."""

    sku: str
    name: str
    category: str
    price: float


PRODUCTS = (
    Product("BT-01", "Winter boots", "shoes", 89.0),
    Product("BT-02", "Trail runners", "shoes", 119.0),
    Product("SC-01", "Wool scarf", "accessories", 29.0),
    Product("SC-02", "شال ابریشمی", "accessories", 49.0),
    Product("BG-01", "Leather bag", "bags", 159.0),
    Product("BG-02", "حقيبة ظهر", "bags", 69.0),
    Product("CT-01", "Rain coat", "coats", 139.0),
    Product("CT-02", "Down jacket", "coats", 199.0),
    Product("HM-01", "Tea set", "home", 59.0),
    Product("HM-02", "فرش دستباف", "home", 349.0),
    Product("HM-03", "Reading lamp", "home", 45.0),
    Product("GF-01", "Gift card", "gifts", 25.0),
)

PHONE = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36"
LAPTOP = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36"
