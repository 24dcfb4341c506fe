"""Rows of articles and prices for attachments: invented, believable, and the same for the same title."""

from __future__ import annotations

import random

ARTICLES = (
    ("FY-WL20", "LED work light 20 W, IP65", 6.85),
    ("FY-WL50", "LED work light 50 W, IP65, tripod", 14.2),
    ("FY-PL60", "LED panel light 60x60 cm, 36 W", 11.8),
    ("FY-PL30", "LED panel light 30x120 cm, 40 W", 13.4),
    ("FY-ST100", "LED street light 100 W, 5-year warranty", 46.5),
    ("FY-GL05", "Solar garden light, warm white", 3.92),
    ("FY-TB12", "T8 tube 120 cm, 18 W, glass", 1.46),
    ("FY-HB150", "UFO high bay 150 W, 1-10 V dimming", 38.9),
    ("FY-SP07", "Track spot 7 W, 24 degrees, CRI 95", 5.1),
    ("FY-ES03", "Emergency exit sign, 3 h, wall", 7.35),
)


def price_rows(title: str) -> list[tuple[str, ...]]:
    """A head and four to seven rows: article, description, quantity, unit price, amount."""
    dice = random.Random(title)
    rows: list[tuple[str, ...]] = [("Article", "Description", "Qty", "USD", "Amount")]
    for article, description, price in dice.sample(ARTICLES, dice.randint(4, 7)):
        quantity = dice.choice((200, 300, 500, 800, 1000, 1200, 2000))
        unit = price * dice.choice((0.97, 1.0, 1.03))
        rows.append((article, description, f"{quantity}", f"{unit:.2f}", f"{unit * quantity:.2f}"))
    return rows
