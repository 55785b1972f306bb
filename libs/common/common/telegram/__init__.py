"""What every service knows of Telegram: sessions, text with its entities, and the rules that Telegram sets for both."""
