"""Run the publisher: `python -m publisher`."""

from common.service import main
from publisher.app import run
from publisher.settings import TelegramPublisherSettings

if __name__ == "__main__":
    main("publisher", "Publishes posts, each exactly once and in order.", run, TelegramPublisherSettings)
