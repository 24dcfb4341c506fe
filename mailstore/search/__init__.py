"""Full text: words of mail, the index of them on either engine, the language that asks for them."""
